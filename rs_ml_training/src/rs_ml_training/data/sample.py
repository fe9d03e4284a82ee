"""One image of a data set with everything that is known about it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
from rs_ml_perception.core.errors import InputError
from rs_ml_perception.core.geometry.camera import CameraModel

IGNORE = 255
"""Label of unlabelled pixels."""


@dataclass(frozen=True)
class Boxes:
    """Objects in an image.

    Attributes:
        xyxy: float32 (N, 4) pixels [x_min, y_min, x_max, y_max], half-open.
        class_ids: int64 (N,) index into the reader's `labels`.
        is_crowd: bool (N,): neither to be found nor a mistake when found.
    """

    xyxy: np.ndarray
    class_ids: np.ndarray
    is_crowd: np.ndarray

    def __post_init__(self) -> None:
        n = len(self.xyxy)
        shapes = self.xyxy.shape, self.class_ids.shape, self.is_crowd.shape
        if shapes != ((n, 4), (n,), (n,)):
            raise InputError(f'boxes must be (N, 4), (N,), (N,), got {shapes}')

    def __len__(self) -> int:
        return len(self.xyxy)

    @staticmethod
    def of(xyxy: Any, class_ids: Any, is_crowd: Any = None) -> Boxes:
        """From lists; empty ones too."""
        xyxy = np.asarray(xyxy, np.float32).reshape(-1, 4)
        crowd = np.zeros(len(xyxy), bool) if is_crowd is None else np.asarray(is_crowd, bool)
        return Boxes(xyxy, np.asarray(class_ids, np.int64).reshape(-1), crowd)


@dataclass(frozen=True)
class Sample:
    """An image and its truth, None where a data set has none. All maps have one size.

    Attributes:
        name: unique within the reader; becomes the stem of files made from the sample.
        scene: samples of one scene stay on one side of a split.
        image: uint8 (H, W, 3) RGB.
        depth_m: float32 (H, W), the truth [m], 0 where unknown.
        raw_depth_m: float32 (H, W), as measured [m], 0 where the camera saw nothing.
        infrared: uint8 (H, W), left infrared image.
        labels: uint8 (H, W) class ids, IGNORE where unlabelled.
        boxes: objects; None where none were annotated.
        marked: class ids whose objects all have boxes; None: all classes.
        intrinsics: of this image as it is now, or None.
        focal_px: focal length that the data set's lists give (BTS), or None.
        extra: further maps of the same size by name, resampled as labels are.
    """

    name: str
    scene: str = ''
    image: np.ndarray | None = None
    depth_m: np.ndarray | None = None
    raw_depth_m: np.ndarray | None = None
    infrared: np.ndarray | None = None
    labels: np.ndarray | None = None
    boxes: Boxes | None = None
    marked: tuple[int, ...] | None = None
    intrinsics: CameraModel | None = None
    focal_px: float | None = None
    extra: Mapping[str, np.ndarray] = field(default_factory=dict)

    def __post_init__(self) -> None:
        sizes = {name: array.shape[:2] for name, array in self.maps().items()}
        if len(set(sizes.values())) > 1:
            raise InputError(f'{self.name}: maps of different sizes (height, width): {sizes}')

    def maps(self) -> dict[str, np.ndarray]:
        """Every map by the name of its field, those of `extra` by their own."""
        found = {f.name: getattr(self, f.name) for f in fields(self)}
        arrays = {n: a for n, a in found.items() if isinstance(a, np.ndarray)}
        return arrays | dict(self.extra)

    @property
    def rgb(self) -> np.ndarray:
        """The image, where one is needed.

        Raises:
            InputError: there is none.
        """
        if self.image is None:
            raise InputError(f'{self.name} has no image')
        return self.image

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) in pixels."""
        maps = self.maps()
        if not maps:
            raise InputError(f'{self.name} has neither an image nor a map')
        height, width = next(iter(maps.values())).shape[:2]
        return width, height


def known_depth_m(depth_m: np.ndarray) -> np.ndarray:
    """Depth with a channel axis, 0 where it is not a number or infinite.

    Args:
        depth_m: (H, W) of any float type [m].

    Returns:
        float32 (H, W, 1) [m].
    """
    finite = np.where(np.isfinite(depth_m), depth_m, np.float32(0))
    return finite.astype(np.float32, copy=False)[..., None]


def measured_m(sample: Sample) -> np.ndarray:
    """Measured depth of a sample, float32 (H, W, 1) [m], 0 where there is none."""
    if sample.raw_depth_m is None:
        return np.zeros((*sample.size[::-1], 1), np.float32)
    return known_depth_m(sample.raw_depth_m)


def required(sample: Sample, name: str, purpose: str) -> Any:
    """A field of a sample.

    Raises:
        InputError: the sample lacks it; names the sample, the field and the purpose.
    """
    value = getattr(sample, name)
    if value is None:
        raise InputError(f'{sample.name} has no {name} {purpose}')
    return value


# Named arrays of a network, and the function that makes inputs and targets of a sample.
Arrays = dict[str, np.ndarray]
Fit = Callable[[Sample, np.random.Generator], tuple[Arrays, Arrays]]
