"""Whether a depth image is used with its infrared image, and why not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from rs_ml_perception.core.errors import InputError
from rs_ml_perception.core.frames.frame import Frame
from rs_ml_perception.core.geometry.transforms import RigidTransform
from rs_ml_perception.ros.frame_sets import FrameSet
from rs_ml_perception.ros.transforms import Transforms
from rs_ml_perception.ros.worker import UnsynchronisedError

_LEAST_SHIFT_M, _LEAST_TURN = 1e-3, 1e-3
"""Less moves nothing by a pixel; the driver's own transform is the identity."""


class InfraredView:
    """Lets infrared through whose pixels are depth pixels, as far as TF shows.

    Attributes:
        problem: why infrared is of no use, '' when it is or nothing is known against it.
    """

    def __init__(self, transforms: Transforms) -> None:
        self.problem = ''
        self._transforms = transforms
        self._known: dict[tuple[str, str], bool] = {}

    def checked(self, frames: FrameSet, frame: Frame, *, is_required: bool) -> Frame:
        """The frame, without infrared where that shows something else.

        Raises:
            UnsynchronisedError: infrared is required and did not come.
            InputError: infrared is required and shows something else.
        """
        if frame.infrared is None:
            if is_required:
                raise UnsynchronisedError(frames.missing or 'aligned depth has no infrared image')
            return frame
        self.problem = self._judge(frames, frame)
        if not self.problem:
            return frame
        if is_required:
            raise InputError(self.problem)
        return replace(frame, infrared=None)

    def _judge(self, frames: FrameSet, frame: Frame) -> str:
        height, width = frame.infrared.shape
        if (width, height) != (frame.depth.width, frame.depth.height):
            return (
                f'the infrared image is {width}x{height}, the depth image '
                f'{frame.depth.width}x{frame.depth.height}: it is not used; give both the same '
                'profile in the driver, or set infrared to none'
            )
        if self._fits(frame.frame_id, frames.infra.frame_id, frame.stamp_ns):
            return ''
        return (
            f'infrared in {frames.infra.frame_id} is seen from elsewhere than depth in '
            f'{frame.frame_id}: it is not used; feed depth/image_rect_raw with unaligned depth, '
            'or set infrared to none'
        )

    def _fits(self, depth_frame: str, infrared_frame: str, stamp_ns: int) -> bool:
        """True also while nothing is known."""
        frames = depth_frame, infrared_frame
        if frames not in self._known:
            found = self._transforms.lookup(*frames, stamp_ns)
            if found is None:
                return True
            self._known[frames] = _is_same_place(found)
        return self._known[frames]


def _is_same_place(pose: RigidTransform) -> bool:
    shift_m = np.abs(pose.translation_m).max()
    turn = np.abs(pose.rotation - np.eye(3)).max()
    return bool(shift_m < _LEAST_SHIFT_M and turn < _LEAST_TURN)
