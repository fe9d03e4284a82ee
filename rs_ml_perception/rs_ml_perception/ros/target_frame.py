"""Positions in the frame the user asked for."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rs_ml_perception.core.geometry.transforms import RigidTransform
from rs_ml_perception.ros.transforms import Transforms


@dataclass(frozen=True, eq=False)
class TargetFrame:
    """Where results are expressed.

    Attributes:
        frame_id: name of the frame.
        target_from_camera: None: the camera's own frame.
    """

    frame_id: str
    target_from_camera: RigidTransform | None = None

    @property
    def rotation(self) -> np.ndarray:
        """float64 (3, 3), target_from_camera."""
        return np.eye(3) if self.target_from_camera is None else self.target_from_camera.rotation

    def points(self, points_in_camera: np.ndarray) -> np.ndarray:
        """Points (N, 3), metres, in the target frame; NaN stays NaN."""
        if self.target_from_camera is None:
            return points_in_camera
        return self.target_from_camera.apply(points_in_camera)


def find_target(
    transforms: Transforms, wanted: str, camera_frame_id: str, stamp_ns: int
) -> tuple[TargetFrame, str]:
    """The wanted frame, else the camera's, with why ('' when all is well)."""
    if wanted in ('', camera_frame_id):
        return TargetFrame(camera_frame_id), ''
    target_from_camera = transforms.lookup(wanted, camera_frame_id, stamp_ns)
    if target_from_camera is None:
        problem = (
            f'no transform from {camera_frame_id} to target_frame {wanted}: '
            'positions stay in the camera frame'
        )
        return TargetFrame(camera_frame_id), problem
    return TargetFrame(wanted, target_from_camera), ''
