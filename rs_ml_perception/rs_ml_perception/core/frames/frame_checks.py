"""Whether the parts of a frame belong together; the nodes and recordings ask alike."""

from __future__ import annotations

from rs_ml_perception.core.errors import InputError
from rs_ml_perception.core.frames.messages import check_frame_id
from rs_ml_perception.core.geometry.camera import CameraModel
from rs_ml_perception.core.images.depth import DepthImage


def check_header(stamp_ns: int, frame_id: str) -> None:
    """Raise InputError for a zero stamp, or a frame_id that can be none."""
    check_frame_id(frame_id)
    if stamp_ns == 0:
        raise InputError('the header has a zero stamp: the camera driver must set it')


def check_size(what: str, width: int, height: int, source: str, camera: CameraModel) -> None:
    """Raise InputError unless the image has the size of its camera model."""
    if (width, height) != (camera.width, camera.height):
        raise InputError(
            f'{what} is {width}x{height} but {source} says {camera.width}x{camera.height}: '
            'remap the camera_info that belongs to it'
        )


def check_alignment(depth_frame_id: str, color_frame_id: str) -> None:
    """Raise InputError unless aligned depth is in the frame of the colour image."""
    # Bridges from ROS 1 still write a leading slash.
    if depth_frame_id.lstrip('/') != color_frame_id.lstrip('/'):
        raise InputError(
            f'aligned depth is in frame {depth_frame_id!r}, colour in {color_frame_id!r}: '
            'it is not aligned to this colour image'
        )


def check_same_size(depth: DepthImage, width: int, height: int) -> None:
    """Raise InputError unless aligned depth has the size of its colour image."""
    if (depth.width, depth.height) != (width, height):
        raise InputError(
            f'aligned depth is {depth.width}x{depth.height}, its colour image {width}x{height}: '
            'it is not aligned to this colour image'
        )
