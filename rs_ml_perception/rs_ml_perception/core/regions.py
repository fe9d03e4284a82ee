"""Connected regions of a segmentation mask, with poses where depth is known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rs_ml_perception.core.detections import check_shape


@dataclass(frozen=True, eq=False)
class Regions:
    """Parallel arrays over N regions, largest first; NaN where nothing is known.

    Attributes:
        class_ids: int32 (N,).
        area_px: int64 (N,).
        centroids_px: float32 (N, 2), x and y in pixels of the original image.
        has_pose: bool (N,).
        position_m: float64 (N, 3), median of the cloud in the colour optical frame.
        camera_from_region: float64 (N, 3, 3), columns are axes by PCA: z along the least
            extent and toward the camera, x along the greatest, right-handed.
        size_m: float32 (N, 3), extent along the region's x, y, z.
    """

    class_ids: np.ndarray
    area_px: np.ndarray
    centroids_px: np.ndarray
    has_pose: np.ndarray
    position_m: np.ndarray
    camera_from_region: np.ndarray
    size_m: np.ndarray

    def __post_init__(self) -> None:
        n = len(self.class_ids)
        check_shape('area_px', self.area_px, (n,))
        check_shape('centroids_px', self.centroids_px, (n, 2))
        check_shape('has_pose', self.has_pose, (n,))
        check_shape('position_m', self.position_m, (n, 3))
        check_shape('camera_from_region', self.camera_from_region, (n, 3, 3))
        check_shape('size_m', self.size_m, (n, 3))

    @classmethod
    def empty(cls) -> Regions:
        return cls(
            np.zeros(0, np.int32),
            np.zeros(0, np.int64),
            np.zeros((0, 2), np.float32),
            np.zeros(0, bool),
            np.zeros((0, 3)),
            np.zeros((0, 3, 3)),
            np.zeros((0, 3), np.float32),
        )

    def __len__(self) -> int:
        return len(self.class_ids)
