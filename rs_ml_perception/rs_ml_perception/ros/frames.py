"""From messages that belong together to the Frame a task works on. Bad input ends here.

What is wrong with the primary message rejects the frame; what is wrong with anything beside it
costs only that, and is noted.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from rs_ml_perception.core.camera import CameraModel
from rs_ml_perception.core.depth import DepthImage
from rs_ml_perception.core.errors import InputError
from rs_ml_perception.core.frame import Frame
from rs_ml_perception.core.frame_checks import check_alignment, check_same_size, check_size
from rs_ml_perception.core.messages import camera_from_message
from rs_ml_perception.core.rigid import RigidTransform
from rs_ml_perception.ros.frame_sets import FrameSet
from rs_ml_perception.ros.inputs import COLOR_INFO, RAW_DEPTH, RAW_DEPTH_INFO

ColorFromDepth = Callable[[str, str, int], RigidTransform | None]
"""(colour frame, depth frame, stamp) -> color_from_depth, None where it is unknown."""

T = TypeVar('T')


class FrameBuilder:
    """Decodes and checks one frame set.

    Attributes:
        notes: what could not be used beside the primary message, and why.
    """

    def __init__(self, frames: FrameSet, color_from_depth: ColorFromDepth) -> None:
        self.notes: list[str] = []
        self._frames = frames
        self._color_from_depth = color_from_depth

    def build(self) -> Frame:
        """The frame, without what cannot be used.

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
            parts = self._attempt(lambda: self._depth_parts(camera)) or {}
        return Frame(
            rgb=rgb,
            camera=camera,
            stamp_ns=frames.primary.stamp_ns,
            frame_id=frames.primary.frame_id,
            depth_skew_ns=frames.skew_ns,
            **parts,
        )

    def _depth_frame(self) -> Frame:
        """A frame of depth for its own sake, its camera being that of the depth image."""
        frames = self._frames
        depth = frames.depth.depth()
        is_raw = frames.depth_role == RAW_DEPTH
        source = RAW_DEPTH_INFO if is_raw else COLOR_INFO
        camera = self._camera(frames.depth_info if is_raw else frames.color_info, source)
        if camera is not None:
            camera = self._of_size('depth image', (depth.width, depth.height), source, camera)
        return Frame(
            depth=depth,
            infrared=None if frames.infra is None else self._attempt(frames.infra.infrared),
            camera=camera,
            stamp_ns=frames.primary.stamp_ns,
            frame_id=frames.primary.frame_id,
        )

    def _color(self) -> Any:
        color = self._frames.color
        if color is None or color is self._frames.primary:
            return None if color is None else color.rgb()
        # Beside detections it is there for pictures alone.
        return self._attempt(color.rgb)

    def _camera(self, info: Any, source: str) -> CameraModel | None:
        if info is None:
            return None
        return self._attempt(lambda: camera_from_message(info), f'{source} is not used: ')

    def _of_size(
        self, what: str, size: tuple[int, ...], source: str, camera: CameraModel
    ) -> CameraModel | None:
        def checked() -> CameraModel:
            check_size(what, *size, source, camera)
            return camera

        return self._attempt(checked)

    def _with_known_lens(self, camera: CameraModel | None, source: str) -> CameraModel | None:
        """The camera, None where its pixels cannot be turned into directions."""
        if camera is None or not camera.lens_problem:
            return camera
        self.notes.append(f'positions need {source}: {camera.lens_problem}')
        return None

    def _depth_parts(self, camera: CameraModel | None) -> dict[str, Any]:
        frames = self._frames
        depth = frames.depth.depth()
        if frames.depth_role == RAW_DEPTH:
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
        depth_camera = self._camera(frames.depth_info, RAW_DEPTH_INFO)
        depth_camera = self._with_known_lens(depth_camera, RAW_DEPTH_INFO)
        transform = self._color_from_depth(
            frames.primary.frame_id, frames.depth.frame_id, frames.primary.stamp_ns
        )
        if depth_camera is None or transform is None:
            # Without them depth cannot be placed; the colour image is still worth its result.
            return {}
        check_size('depth image', depth.width, depth.height, RAW_DEPTH_INFO, depth_camera)
        return {'depth': depth, 'depth_camera': depth_camera, 'color_from_depth': transform}

    def _attempt(self, make: Callable[[], T], prefix: str = '') -> T | None:
        """What is made, None where that cannot be used."""
        try:
            return make()
        except InputError as error:
            self.notes.append(f'{prefix}{error}')
            return None
