"""The input of every task: one image with all that belongs to it, built from messages.

Bad input ends here. A fault of the primary message rejects the frame; a fault of any other part
costs only that part, and is noted.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import numpy as np

from rs_ml_perception.core.errors import InputError
from rs_ml_perception.core.frames.messages import camera_from_message, check_frame_id
from rs_ml_perception.core.geometry.camera import CameraModel
from rs_ml_perception.core.geometry.gravity import Up
from rs_ml_perception.core.geometry.transforms import RigidTransform
from rs_ml_perception.core.images.depth import DepthImage

ColorFromDepth = Callable[[str, str, int], RigidTransform | None]
"""(colour frame, depth frame, stamp) -> color_from_depth, None where it is unknown."""

T = TypeVar('T')


@dataclass(frozen=True, eq=False)
class Frame:
    """One moment of one camera.

    Attributes:
        rgb: uint8 (H, W, 3), RGB; None for a task that only uses depth.
        depth: depth image, or None.
        infrared: uint8 (H, W), the left infrared image, whose pixels are those of unaligned depth;
            only in a frame without colour.
        camera: intrinsics of the colour image (of the depth image in a frame without colour), or
            None while unknown.
        depth_camera: intrinsics of the depth image, or None: it is aligned, `camera` holds.
        color_from_depth: where the depth camera sits, or None: depth is aligned to colour.
        stamp_ns: acquisition time in nanoseconds.
        frame_id: optical frame of the colour image, or of depth without colour.
        up: against gravity in that frame, if the source of the frame provides it.
        depth_skew_ns: stamp of the depth image minus that of the frame.
        unplaced_camera: intrinsics of a colour image with depth whose lens cannot be undone, where
            `camera` is None; their focal lengths hold.
    """

    rgb: np.ndarray | None = None
    depth: DepthImage | None = None
    infrared: np.ndarray | None = None
    camera: CameraModel | None = None
    depth_camera: CameraModel | None = None
    color_from_depth: RigidTransform | None = None
    stamp_ns: int = 0
    frame_id: str = ''
    up: Up | None = None
    depth_skew_ns: int = 0
    unplaced_camera: CameraModel | None = None

    @property
    def image_camera(self) -> CameraModel | None:
        """Intrinsics of the image, also those that place nothing."""
        return self.camera or self.unplaced_camera

    @property
    def color_image(self) -> np.ndarray:
        """The colour image; InputError where there is none."""
        if self.rgb is None:
            raise InputError('there is no colour image, only depth')
        return self.rgb

    @property
    def depth_is_aligned(self) -> bool:
        """Whether depth and colour share their pixels."""
        return self.color_from_depth is None

    @property
    def depth_skew_ms(self) -> float:
        """The same in milliseconds, NaN for a frame without depth."""
        return math.nan if self.depth is None else 1e-6 * self.depth_skew_ns


def check_header(stamp_ns: int, frame_id: str) -> None:
    """Raise InputError for a zero stamp or an impossible frame_id."""
    check_frame_id(frame_id)
    if stamp_ns == 0:
        raise InputError('the header has a zero stamp: the camera driver must set it')


def check_size(name: str, width: int, height: int, source: str, camera: CameraModel) -> None:
    """Raise InputError unless the image has the size of its camera model."""
    if (width, height) != (camera.width, camera.height):
        raise InputError(
            f'{name} is {width}x{height} but {source} says {camera.width}x{camera.height}: '
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


COLOR, DEPTH, INFRARED = 'color', 'depth', 'infrared'
COLOR_INFO, DEPTH_INFO = 'color/camera_info', 'depth/camera_info'
"""Names of the parts of a frame in notes and problems."""


class ImageMessage(Protocol):
    """A stamped image; each method raises InputError for an image of another kind."""

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
    """Messages of one moment; everything but `primary` may be None."""

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
    """Decodes and checks messages of one moment.

    Attributes:
        problems: (part, reason) of each unusable part other than the primary message.
    """

    def __init__(self, frames: FrameParts, color_from_depth: ColorFromDepth) -> None:
        self.problems: list[tuple[str, str]] = []
        self._frames = frames
        self._color_from_depth = color_from_depth

    @property
    def notes(self) -> list[str]:
        """The reasons."""
        return [reason for _, reason in self.problems]

    def build(self) -> Frame:
        """The frame, without its unusable parts.

        Raises:
            InputError: the primary message is damaged.
        """
        depth = self._frames.depth
        if depth is not None and depth is self._frames.primary:
            return self._depth_frame(depth)
        return self._color_frame()

    def _color_frame(self) -> Frame:
        """A frame of colour or of detections, with depth if available."""
        frames = self._frames
        rgb = self._color()
        camera = self._camera(frames.color_info, COLOR_INFO)
        if rgb is not None and camera is not None:
            height, width = rgb.shape[:2]
            camera = self._of_size('colour image', (width, height), COLOR_INFO, camera)
        parts: dict[str, Any] = {}
        depth = frames.depth
        if depth is not None:
            known = self._with_known_lens(camera, COLOR_INFO)
            parts = self._attempt(DEPTH, lambda: self._depth_parts(depth, known)) or {}
            if known is None:
                parts['unplaced_camera'] = camera
            camera = known
            parts['depth_skew_ns'] = depth.stamp_ns - frames.primary.stamp_ns
        return Frame(
            rgb=rgb,
            camera=camera,
            stamp_ns=frames.primary.stamp_ns,
            frame_id=frames.primary.frame_id,
            **parts,
        )

    def _depth_frame(self, image: ImageMessage) -> Frame:
        """A frame without colour, whose camera is that of the depth image."""
        frames = self._frames
        depth, infra = image.depth(), frames.infra
        source = DEPTH_INFO if frames.depth_is_raw else COLOR_INFO
        info = frames.depth_info if frames.depth_is_raw else frames.color_info
        camera = self._camera(info, source)
        if camera is not None:
            camera = self._of_size('depth image', (depth.width, depth.height), source, camera)
        return Frame(
            depth=depth,
            infrared=None if infra is None else self._attempt(INFRARED, infra.infrared),
            camera=camera,
            depth_camera=camera if frames.depth_is_raw else None,
            stamp_ns=frames.primary.stamp_ns,
            frame_id=frames.primary.frame_id,
        )

    def _color(self) -> np.ndarray | None:
        color = self._frames.color
        if color is None or color is self._frames.primary:
            return None if color is None else color.rgb()
        # With detections it only serves for drawing.
        return self._attempt(COLOR, color.rgb)

    def _camera(self, info: Any, source: str) -> CameraModel | None:
        if info is None:
            return None
        return self._attempt(source, lambda: camera_from_message(info), f'{source} is not used: ')

    def _of_size(
        self, name: str, size: tuple[int, int], source: str, camera: CameraModel
    ) -> CameraModel | None:
        def checked() -> CameraModel:
            check_size(name, *size, source, camera)
            return camera

        return self._attempt(source, checked)

    def _with_known_lens(self, camera: CameraModel | None, source: str) -> CameraModel | None:
        """The camera, or None if its pixels cannot be turned into directions."""
        if camera is None or not camera.lens_problem:
            return camera
        self.problems.append((source, f'positions need {source}: {camera.lens_problem}'))
        return None

    def _depth_parts(self, image: ImageMessage, camera: CameraModel | None) -> dict[str, Any]:
        frames = self._frames
        depth = image.depth()
        if frames.depth_is_raw:
            return self._raw_depth_parts(depth, image.frame_id)
        check_alignment(image.frame_id, frames.primary.frame_id)
        if frames.color is not None:
            height, width = frames.color.rgb().shape[:2]
            check_same_size(depth, width, height)
        if camera is not None:
            check_size('aligned depth', depth.width, depth.height, COLOR_INFO, camera)
        return {'depth': depth}

    def _raw_depth_parts(self, depth: DepthImage, frame_id: str) -> dict[str, Any]:
        frames = self._frames
        depth_camera = self._camera(frames.depth_info, DEPTH_INFO)
        depth_camera = self._with_known_lens(depth_camera, DEPTH_INFO)
        transform = self._color_from_depth(
            frames.primary.frame_id, frame_id, frames.primary.stamp_ns
        )
        if depth_camera is None or transform is None:
            # Depth cannot be placed without them; the colour image is still processed.
            return {}
        check_size('depth image', depth.width, depth.height, DEPTH_INFO, depth_camera)
        return {'depth': depth, 'depth_camera': depth_camera, 'color_from_depth': transform}

    def _attempt(self, part: str, make: Callable[[], T], prefix: str = '') -> T | None:
        """The converted part, or None if the conversion raises anything."""
        try:
            return make()
        except Exception as error:
            kind = '' if isinstance(error, InputError) else f'{type(error).__name__}: '
            self.problems.append((part, f'{prefix}{kind}{error}'))
            return None
