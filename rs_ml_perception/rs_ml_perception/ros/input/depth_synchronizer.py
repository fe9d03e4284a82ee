"""Depth images with their infrared image: the source of denoising, and a check of their views."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import ClassVar

import numpy as np

from rs_ml_perception.core.errors import InputError
from rs_ml_perception.core.frames.frame import Frame
from rs_ml_perception.core.geometry.transforms import RigidTransform
from rs_ml_perception.core.images.depth import DepthImage
from rs_ml_perception.core.streams.counters import Missed
from rs_ml_perception.core.streams.synchronizer import Synchronizer
from rs_ml_perception.ros.input.frame_synchronizer import FrameSynchronizer, Pending
from rs_ml_perception.ros.input.samples import FrameSet, ImageSample, TopicSample
from rs_ml_perception.ros.input.streams import ImageStream, TopicStream
from rs_ml_perception.ros.input.topics import (
    COLOR_INFO,
    RAW_DEPTH,
    RAW_DEPTH_INFO,
    depth_primary,
    infrared_partner,
)
from rs_ml_perception.ros.input.transforms import Transforms
from rs_ml_perception.ros.worker import UnsynchronisedError

_LEAST_SHIFT_M, _LEAST_TURN = 1e-3, 1e-3
"""Smaller offsets move no pixel; the driver's own transform is the identity."""


class DepthSynchronizer(FrameSynchronizer[ImageSample]):
    """Depth is the primary stream, the left infrared image its partner.

    Aligned depth has no partner, as it is seen from the colour camera.
    """

    partner_name: ClassVar[str] = 'infrared'
    primary_remedy: ClassVar[str] = 'start the camera with depth, or remap depth/image_rect_raw'

    def __init__(
        self,
        streams: dict[str, ImageStream],
        infos: dict[str, TopicStream[TopicSample]],
        depth_source: str,
        infrared: str,
        create: Callable[[], Synchronizer[Pending[ImageSample], ImageSample]],
    ) -> None:
        super().__init__(infos, infrared_partner(infrared, streams, self._on_partner), create)
        self._primary = depth_primary(depth_source, streams, self._on_primary)
        self._raw_topic = streams[RAW_DEPTH].topic

    @property
    def primary_topic(self) -> str:
        return self._primary.topic or self._raw_topic

    @property
    def primary_has_publisher(self) -> bool:
        return self._primary.has_publisher

    @property
    def missed(self) -> Missed:
        return self._primary.missed

    @property
    def is_raw(self) -> bool:
        """Whether depth is in the view of the depth camera."""
        return self._primary.role == RAW_DEPTH

    def follow_topics(self) -> bool:
        if not self._primary.is_settled:
            # Waiting messages belong to the old topic, and so do their intrinsics.
            self._release_all()
        has_changed = self._primary.choose()
        return self._partner.choose(wanted=self.is_raw) or has_changed

    def stop(self) -> None:
        super().stop()
        self._primary.stop()

    def make_frames(self, entry: Pending[ImageSample]) -> FrameSet:
        return FrameSet(
            primary=entry.sample,
            depth=entry.sample,
            infra=entry.partner,
            depth_is_raw=self.is_raw,
            color_info=self._latest_info(COLOR_INFO),
            depth_info=self._latest_info(RAW_DEPTH_INFO),
            timeline=entry.timeline,
            missing=self.why_missing(entry),
        )

    def _needed_infos(self) -> list[TopicStream[TopicSample]]:
        return [self._infos[RAW_DEPTH_INFO if self.is_raw else COLOR_INFO]]


class InfraredView:
    """Drops infrared images whose pixels are not those of depth, as far as TF shows.

    Attributes:
        problem: why infrared is not used, '' if it is or nothing is known against it.
    """

    def __init__(self, transforms: Transforms) -> None:
        self.problem = ''
        self._transforms = transforms
        self._known: dict[tuple[str, str], bool] = {}

    def checked(self, frames: FrameSet, frame: Frame, *, is_required: bool) -> Frame:
        """The frame, without an infrared image of another view.

        Raises:
            UnsynchronisedError: infrared is required and missing.
            InputError: infrared is required and has another view.
        """
        if frame.infrared is None or frame.depth is None or frames.infra is None:
            if is_required:
                raise UnsynchronisedError(frames.missing or 'aligned depth has no infrared image')
            return frame
        self.problem = _size_problem(frame.infrared, frame.depth)
        if not self.problem:
            self.problem = self._place_problem(frame, frames.infra.frame_id)
        if not self.problem:
            return frame
        if is_required:
            raise InputError(self.problem)
        return replace(frame, infrared=None)

    def _place_problem(self, frame: Frame, infrared_frame: str) -> str:
        if self._fits(frame.frame_id, infrared_frame, frame.stamp_ns):
            return ''
        return (
            f'infrared in {infrared_frame} is seen from elsewhere than depth in '
            f'{frame.frame_id}: it is not used; feed depth/image_rect_raw with unaligned depth, '
            'or set infrared to none'
        )

    def _fits(self, depth_frame: str, infrared_frame: str, stamp_ns: int) -> bool:
        """Whether both have the same view; True while TF does not know."""
        frames = depth_frame, infrared_frame
        if frames not in self._known:
            found = self._transforms.lookup(*frames, stamp_ns)
            if found is None:
                return True
            self._known[frames] = _is_same_place(found)
        return self._known[frames]


def _size_problem(infrared: np.ndarray, depth: DepthImage) -> str:
    height, width = infrared.shape
    if (width, height) == (depth.width, depth.height):
        return ''
    return (
        f'the infrared image is {width}x{height}, the depth image '
        f'{depth.width}x{depth.height}: it is not used; give both the same '
        'profile in the driver, or set infrared to none'
    )


def _is_same_place(pose: RigidTransform) -> bool:
    shift_m = np.abs(pose.translation_m).max()
    turn = np.abs(pose.rotation - np.eye(3)).max()
    return bool(shift_m < _LEAST_SHIFT_M and turn < _LEAST_TURN)
