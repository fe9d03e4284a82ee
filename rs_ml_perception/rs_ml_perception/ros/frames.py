"""From messages that belong together to the Frame a task works on. Bad input ends here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rs_ml_perception.core.camera import CameraModel
from rs_ml_perception.core.depth import DepthImage
from rs_ml_perception.core.errors import InputError
from rs_ml_perception.core.frame import Frame
from rs_ml_perception.core.messages import camera_from_message
from rs_ml_perception.core.rigid import RigidTransform
from rs_ml_perception.ros.frame_sets import FrameSet
from rs_ml_perception.ros.inputs import COLOR_INFO, RAW_DEPTH, RAW_DEPTH_INFO

ColorFromDepth = Callable[[str, str, int], RigidTransform | None]
"""(colour frame, depth frame, stamp) -> color_from_depth, None where it is unknown."""


def build_frame(frames: FrameSet, color_from_depth: ColorFromDepth) -> Frame:
    """Decode and check one frame set.

    Raises:
        InputError: an image is damaged or contradicts its camera_info or its partner.
    """
    if frames.depth is frames.primary:
        return _depth_frame(frames)
    rgb = frames.color.rgb() if frames.color is not None else None
    camera = _camera(frames.color_info)
    if rgb is not None and camera is not None:
        check_size('colour image', rgb.shape[1], rgb.shape[0], 'color/camera_info', camera)
    parts: dict[str, Any] = {}
    if frames.depth is not None:
        parts = _depth_parts(frames, camera, color_from_depth)
    return Frame(
        rgb=rgb,
        camera=camera,
        stamp_ns=frames.primary.stamp_ns,
        frame_id=frames.primary.frame_id,
        **parts,
    )


def _depth_frame(frames: FrameSet) -> Frame:
    """A frame of depth for its own sake, its camera being that of the depth image."""
    depth = frames.depth.depth()
    is_raw = frames.depth_role == RAW_DEPTH
    source = RAW_DEPTH_INFO if is_raw else COLOR_INFO
    camera = _camera(frames.depth_info if is_raw else frames.color_info)
    if camera is not None:
        check_size('depth image', depth.width, depth.height, source, camera)
    return Frame(
        depth=depth,
        infrared=None if frames.infra is None else frames.infra.infrared(),
        camera=camera,
        stamp_ns=frames.primary.stamp_ns,
        frame_id=frames.primary.frame_id,
    )


def check_stamp(stamp_ns: int) -> None:
    """Raise InputError for a zero stamp."""
    if stamp_ns == 0:
        raise InputError('the header has a zero stamp: the camera driver must set it')


def check_size(what: str, width: int, height: int, source: str, camera: CameraModel) -> None:
    """Raise InputError unless the image has the size of its camera model."""
    if (width, height) != (camera.width, camera.height):
        raise InputError(
            f'{what} is {width}x{height} but {source} says {camera.width}x{camera.height}: '
            'remap the camera_info that belongs to it'
        )


def _camera(info: Any) -> CameraModel | None:
    return None if info is None else camera_from_message(info)


def _depth_parts(
    frames: FrameSet, camera: CameraModel | None, color_from_depth: ColorFromDepth
) -> dict[str, Any]:
    depth = frames.depth.depth()
    if frames.depth_role == RAW_DEPTH:
        return _raw_depth_parts(frames, depth, color_from_depth)
    if frames.depth.frame_id != frames.primary.frame_id:
        raise InputError(
            f'aligned depth is in frame {frames.depth.frame_id!r}, colour in '
            f'{frames.primary.frame_id!r}: it is not aligned to this colour image'
        )
    if camera is not None:
        check_size('aligned depth', depth.width, depth.height, 'color/camera_info', camera)
    return {'depth': depth}


def _raw_depth_parts(
    frames: FrameSet, depth: DepthImage, color_from_depth: ColorFromDepth
) -> dict[str, Any]:
    depth_camera = _camera(frames.depth_info)
    transform = color_from_depth(
        frames.primary.frame_id, frames.depth.frame_id, frames.primary.stamp_ns
    )
    if depth_camera is None or transform is None:
        # Without them depth cannot be placed; the colour image is still worth its result.
        return {}
    check_size('depth image', depth.width, depth.height, 'depth/camera_info', depth_camera)
    return {'depth': depth, 'depth_camera': depth_camera, 'color_from_depth': transform}
