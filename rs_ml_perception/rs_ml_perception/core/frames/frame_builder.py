"""From messages that belong together to the Frame a task works on. Bad input ends here.

A fault of the primary message rejects the frame; a fault of any other part costs only that part,
and is noted.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, TypeVar

import numpy as np

from rs_ml_perception.core.errors import InputError
from rs_ml_perception.core.frames.frame import Frame, check_alignment, check_same_size, check_size
from rs_ml_perception.core.frames.messages import camera_from_message
from rs_ml_perception.core.geometry.camera import CameraModel
from rs_ml_perception.core.geometry.transforms import RigidTransform
from rs_ml_perception.core.images.depth import DepthImage

ColorFromDepth = Callable[[str, str, int], RigidTransform | None]
"""(colour frame, depth frame, stamp) -> color_from_depth, None where it is unknown."""

COLOR, DEPTH, INFRARED = 'color', 'depth', 'infrared'
COLOR_INFO, DEPTH_INFO = 'color/camera_info', 'depth/camera_info'
"""Parts of a frame, as notes and problems name them."""

T = TypeVar('T')


class ImageMessage(Protocol):
    """A stamped image; each method raises InputError where the image is no such one."""

    @property
    def stamp_ns(self) -> int:
        """Of its header."""

    @property
    def frame_id(self) -> str:
        """Of its header."""

    def rgb(self) -> np.ndarray:
        """uint8 (H, W, 3)."""

    def depth(self) -> DepthImage:
        """The depth image."""

    def infrared(self) -> np.ndarray:
        """uint8 (H, W)."""


class FrameParts(Protocol):
    """What belongs together; everything but `primary` may be None."""

    @property
    def primary(self) -> Any:
        """The message that makes the frame: an image, or detections."""

    @property
    def color(self) -> ImageMessage | None:
        """Colour image; may be the primary message itself."""

    @property
    def depth(self) -> ImageMessage | None:
        """Depth image; may be the primary message itself."""

    @property
    def infra(self) -> ImageMessage | None:
        """Left infrared image of unaligned depth."""

    @property
    def depth_is_raw(self) -> bool:
        """Whether depth is seen from the depth camera."""

    @property
    def color_info(self) -> Any:
        """CameraInfo message of colour and of aligned depth."""

    @property
    def depth_info(self) -> Any:
        """CameraInfo message of raw depth."""


class FrameBuilder:
    """Decodes and checks what belongs together.

    Attributes:
        problems: (part, reason) of each unusable part other than the primary message.
    """

    def __init__(self, frames: FrameParts, color_from_depth: ColorFromDepth) -> None:
        self.problems: list[tuple[str, str]] = []
        self._frames = frames
        self._color_from_depth = color_from_depth

    @property
    def notes(self) -> list[str]:
        """The reasons alone."""
        return [reason for _, reason in self.problems]

    def build(self) -> Frame:
        """The frame, without its unusable parts.

        Raises:
            InputError: the primary message is damaged.
        """
        if self._frames.depth is self._frames.primary:
            return self._depth_frame()
        return self._color_frame()

    def _color_frame(self) -> Frame:
        """A frame of colour or of detections, with depth where there is any."""
        frames = self._frames
        rgb = self._color()
        camera = self._camera(frames.color_info, COLOR_INFO)
        if rgb is not None and camera is not None:
            camera = self._of_size('colour image', rgb.shape[1::-1], COLOR_INFO, camera)
        parts: dict[str, Any] = {}
        if frames.depth is not None:
            camera = self._with_known_lens(camera, COLOR_INFO)
            parts = self._attempt(DEPTH, lambda: self._depth_parts(camera)) or {}
            parts['depth_skew_ns'] = frames.depth.stamp_ns - frames.primary.stamp_ns
        return Frame(
            rgb=rgb,
            camera=camera,
            stamp_ns=frames.primary.stamp_ns,
            frame_id=frames.primary.frame_id,
            **parts,
        )

    def _depth_frame(self) -> Frame:
        """A frame of depth for its own sake, its camera being that of the depth image."""
        frames = self._frames
        depth = frames.depth.depth()
        source = DEPTH_INFO if frames.depth_is_raw else COLOR_INFO
        info = frames.depth_info if frames.depth_is_raw else frames.color_info
        camera = self._camera(info, source)
        if camera is not None:
            camera = self._of_size('depth image', (depth.width, depth.height), source, camera)
        return Frame(
            depth=depth,
            infrared=frames.infra and self._attempt(INFRARED, frames.infra.infrared),
            camera=camera,
            stamp_ns=frames.primary.stamp_ns,
            frame_id=frames.primary.frame_id,
        )

    def _color(self) -> Any:
        color = self._frames.color
        if color is None or color is self._frames.primary:
            return None if color is None else color.rgb()
        # Beside detections it is there for pictures alone.
        return self._attempt(COLOR, color.rgb)

    def _camera(self, info: Any, source: str) -> CameraModel | None:
        if info is None:
            return None
        return self._attempt(source, lambda: camera_from_message(info), f'{source} is not used: ')

    def _of_size(
        self, what: str, size: tuple[int, ...], source: str, camera: CameraModel
    ) -> CameraModel | None:
        def checked() -> CameraModel:
            check_size(what, *size, source, camera)
            return camera

        return self._attempt(source, checked)

    def _with_known_lens(self, camera: CameraModel | None, source: str) -> CameraModel | None:
        """The camera, None where its pixels cannot be turned into directions."""
        if camera is None or not camera.lens_problem:
            return camera
        self.problems.append((source, f'positions need {source}: {camera.lens_problem}'))
        return None

    def _depth_parts(self, camera: CameraModel | None) -> dict[str, Any]:
        frames = self._frames
        depth = frames.depth.depth()
        if frames.depth_is_raw:
            return self._raw_depth_parts(depth)
        check_alignment(frames.depth.frame_id, frames.primary.frame_id)
        if frames.color is not None:
            height, width = frames.color.rgb().shape[:2]
            check_same_size(depth, width, height)
        if camera is not None:
            check_size('aligned depth', depth.width, depth.height, COLOR_INFO, camera)
        return {'depth': depth}

    def _raw_depth_parts(self, depth: DepthImage) -> dict[str, Any]:
        frames = self._frames
        depth_camera = self._camera(frames.depth_info, DEPTH_INFO)
        depth_camera = self._with_known_lens(depth_camera, DEPTH_INFO)
        transform = self._color_from_depth(
            frames.primary.frame_id, frames.depth.frame_id, frames.primary.stamp_ns
        )
        if depth_camera is None or transform is None:
            # Without them depth cannot be placed; the colour image is still worth its result.
            return {}
        check_size('depth image', depth.width, depth.height, DEPTH_INFO, depth_camera)
        return {'depth': depth, 'depth_camera': depth_camera, 'color_from_depth': transform}

    def _attempt(self, part: str, make: Callable[[], T], prefix: str = '') -> T | None:
        """The converted part, None where converting it raises anything."""
        try:
            return make()
        except Exception as error:
            kind = '' if isinstance(error, InputError) else f'{type(error).__name__}: '
            self.problems.append((part, f'{prefix}{kind}{error}'))
            return None
