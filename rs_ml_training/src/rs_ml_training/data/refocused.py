"""Data of another camera, with depth as a network for one camera must tell it."""

from __future__ import annotations

from dataclasses import replace

from rs_ml_perception.core.errors import ConfigError, InputError

from rs_ml_training.data.reader import Reader
from rs_ml_training.data.sample import Sample


class Refocused(Reader):
    """Samples whose depth is multiplied by focal_px / (focal length of their camera).

    What a camera of twice the focal length sees at twice the distance looks the same. A network
    that sees pictures of several cameras can only tell depth if all are brought to one focal
    length; in use its depth is corrected by the ratio of focal lengths.
    """

    def __init__(self, reader: Reader, focal_px: float) -> None:
        """Take over what is known of the data.

        Args:
            reader: of samples with intrinsics.
            focal_px: horizontal focal length for pictures of the size they are stored in [px].

        Raises:
            ConfigError: the focal length is not positive, or depth has been divided by another.
        """
        is_length = isinstance(focal_px, (int, float)) and focal_px > 0
        if not is_length or reader.reference_focal_px is not None:
            raise ConfigError(
                f'focal_px must be positive and the data without focal_scaling, got {focal_px} '
                f'and {reader.reference_focal_px}'
            )
        self._reader, self._focal_px = reader, focal_px
        self.labels, self.colors = reader.labels, reader.colors
        self.license, self.counted = reader.license, reader.counted

    def __len__(self) -> int:
        return len(self._reader)

    def read(self, index: int) -> Sample:
        sample = self._reader.read(index)
        camera = sample.intrinsics
        if camera is None:
            raise InputError(
                f'{sample.name} has no intrinsics: focal_px needs those of the camera'
            )
        ratio = self._focal_px / camera.fx
        return replace(
            sample,
            depth_m=None if sample.depth_m is None else sample.depth_m * ratio,
            raw_depth_m=None if sample.raw_depth_m is None else sample.raw_depth_m * ratio,
            intrinsics=replace(camera, fx=camera.fx * ratio, fy=camera.fy * ratio),
            focal_px=None if sample.focal_px is None else sample.focal_px * ratio,
        )

    def name(self, index: int) -> str:
        return self._reader.name(index)

    def scene(self, index: int) -> str:
        return self._reader.scene(index)
