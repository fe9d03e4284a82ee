"""NYU Depth v2 as BTS lists it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from rs_ml_perception.core.errors import InputError

from rs_ml_training.data.encodings import require_encoding
from rs_ml_training.data.geometry import cropped
from rs_ml_training.data.list_reader import ListReader
from rs_ml_training.data.nyu_h5 import room
from rs_ml_training.data.nyu_labelled import CAMERA
from rs_ml_training.data.path_list import Entry
from rs_ml_training.data.sample import Sample

BORDER_CROP = 43, 45, 565, 427
"""x, y, width, height of what the undistorted 640 x 480 pictures fill: rows 45 to 471, columns
43 to 607."""


class BtsList(ListReader):
    """A list of '<rgb> <depth or None> <focal>' with 16-bit millimetres; see path_list.

    A scene is a room: the folder of the picture without the letter that numbers recordings.
    """

    license = 'NYU Depth v2: research use only'

    def __init__(
        self,
        path: Path,
        list_file: str | Path | None = None,
        data_root: str | Path | None = None,
        gt_root: str | Path | None = None,
        border_crop: bool = False,
        encoding: str = 'mm',
        max_depth_m: float | None = None,
        keep_without_depth: bool = False,
    ) -> None:
        """Read the list.

        Args:
            path: the list, or with `list_file` the folder of the pictures.
            list_file: the list; looked for in `path` too.
            data_root: folder of the pictures; None: that of the list.
            gt_root: folder of the depth; None: data_root.
            border_crop: cut the blank borders off, as BTS trains.
            encoding: of the depth files, a name of encodings.ENCODINGS.
            max_depth_m: for the encoding share-of-max.
            keep_without_depth: give entries whose depth is None, for prediction.

        Raises:
            ConfigError: no such encoding, or it needs max_depth_m.
            InputError: the list is malformed or names a missing file.
        """
        require_encoding(encoding, max_depth_m)
        self.encoding, self.max_depth_m = encoding, max_depth_m
        super().__init__(path, list_file, data_root, gt_root, keep_without_depth)
        self._crop = border_crop

    def _scene(self, entry: Entry) -> str:
        return room(Path(entry.key).parent.name)

    def _sample(self, entry: Entry, image: np.ndarray, depth_m: np.ndarray | None) -> Sample:
        height, width = image.shape[:2]
        sample = Sample(
            name=entry.name,
            scene=self._scene(entry),
            image=image,
            depth_m=depth_m,
            intrinsics=CAMERA.resized(width, height),
            focal_px=entry.focal_px,
        )
        if not self._crop:
            return sample
        if (width, height) != (CAMERA.width, CAMERA.height):
            raise InputError(f'{entry.rgb} is {width} x {height}: border_crop needs 640 x 480')
        return cropped(sample, *BORDER_CROP)
