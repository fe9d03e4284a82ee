"""Writing the messages of a camera driver into a recording."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from rs_ml_perception.core.frames.frame import Frame
from rs_ml_perception.core.geometry.camera import CameraModel
from rs_ml_perception.core.geometry.transforms import RigidTransform
from rs_ml_perception.core.images.depth import DepthImage
from rs_ml_perception.recordings import message_factory as factory
from rs_ml_perception.recordings.messages import CAMERA_INFO, EXTRINSICS, IMAGE, TF_MESSAGE
from rs_ml_perception.recordings.realsense_messages import link_transforms
from rs_ml_perception.recordings.writer import RecordingWriter, qos_profile


class CameraWriter:
    """Writes messages of one camera, named as realsense2_camera names them.

    Args:
        writer: open; the caller closes it.
        camera: namespace and name of the driver.

    Attributes:
        namespace: of its topics, '/camera/camera'.
    """

    def __init__(self, writer: RecordingWriter, camera: str = '/camera/camera') -> None:
        self._writer = writer
        self.namespace = f'/{camera.strip("/")}'
        self._name = self.namespace.rpartition('/')[2]

    def header(self, stream: str, stamp_ns: int) -> Any:
        """A header in the optical frame of color, depth, infra1 or accel."""
        return factory.header(stamp_ns, f'{self._name}_{stream}_optical_frame')

    def write(
        self, topic: str, type_name: str, stamp_ns: int, content: Any, *, latched: bool = False
    ) -> None:
        """Append a message to an absolute topic, which the first message declares."""
        qos = qos_profile(latched=latched, depth=1 if latched else 10)
        self._writer.add_topic(topic, type_name, qos=[qos])
        self._writer.write_message(topic, stamp_ns, content)

    def write_image(
        self, topic: str, stream: str, stamp_ns: int, encoding: str, pixels: np.ndarray
    ) -> None:
        """Append a packed image (H, W) or (H, W, C)."""
        content = factory.image(self.header(stream, stamp_ns), encoding, pixels)
        self.write(topic, IMAGE, stamp_ns, content)

    def write_info(self, topic: str, stream: str, stamp_ns: int, camera: CameraModel) -> None:
        """Append a camera_info."""
        content = factory.camera_info(self.header(stream, stamp_ns), camera)
        self.write(topic, CAMERA_INFO, stamp_ns, content)

    def write_transforms(
        self, stamp_ns: int, stream_from_reference: Mapping[str, RigidTransform]
    ) -> None:
        """Append the latched tree of frames, see `link_transforms`."""
        tree = link_transforms(stream_from_reference, self._name)
        content = factory.tf_message(stamp_ns, tree)
        self.write('/tf_static', TF_MESSAGE, stamp_ns, content, latched=True)

    def write_extrinsics(self, stamp_ns: int, color_from_depth: RigidTransform) -> None:
        """Append the driver's latched extrinsics/depth_to_color."""
        topic = f'{self.namespace}/extrinsics/depth_to_color'
        content = factory.extrinsics(color_from_depth)
        self.write(topic, EXTRINSICS, stamp_ns, content, latched=True)


class FrameRecorder:
    """Writes the messages that realsense2_camera publishes for each frame.

    Args:
        writer: open; the caller closes it.
        camera: namespace and name of the driver.
    """

    def __init__(self, writer: RecordingWriter, *, camera: str = '/camera/camera') -> None:
        self._writer = CameraWriter(writer, camera)
        self._wrote_latched = False

    def write(self, frame: Frame) -> None:
        """Append a frame; its log time is its stamp."""
        if not self._wrote_latched:
            self._wrote_latched = True
            self._write_latched(frame.stamp_ns, frame.color_from_depth)
        if frame.depth is not None:
            self._write_depth(frame, frame.depth)
        if frame.rgb is not None:
            self._write_info('color', 'color', frame.stamp_ns, frame.camera)
            topic = f'{self._writer.namespace}/color/image_raw'
            self._writer.write_image(topic, 'color', frame.stamp_ns, 'rgb8', frame.rgb)

    def _write_depth(self, frame: Frame, depth: DepthImage) -> None:
        # Infrared has the pixels of the depth camera, so depth with infrared alone is not aligned.
        is_alone = frame.rgb is None and frame.infrared is not None
        if frame.depth_is_aligned and not is_alone:
            folder, leaf, stream = 'aligned_depth_to_color', 'image_raw', 'color'
        else:
            folder, leaf, stream = 'depth', 'image_rect_raw', 'depth'
        camera = frame.camera if frame.depth_is_aligned else frame.depth_camera
        self._write_info(folder, stream, frame.stamp_ns, camera)
        header = self._writer.header(stream, frame.stamp_ns)
        content = factory.depth_image(header, depth)
        topic = f'{self._writer.namespace}/{folder}/{leaf}'
        self._writer.write(topic, IMAGE, frame.stamp_ns, content)
        if frame.infrared is not None:
            self._write_info('infra1', 'infra1', frame.stamp_ns, camera)
            topic = f'{self._writer.namespace}/infra1/image_rect_raw'
            self._writer.write_image(topic, 'infra1', frame.stamp_ns, 'mono8', frame.infrared)

    def _write_info(
        self, folder: str, stream: str, stamp_ns: int, camera: CameraModel | None
    ) -> None:
        if camera is not None:
            topic = f'{self._writer.namespace}/{folder}/camera_info'
            self._writer.write_info(topic, stream, stamp_ns, camera)

    def _write_latched(self, stamp_ns: int, color_from_depth: RigidTransform | None) -> None:
        if color_from_depth is None:
            self._writer.write_transforms(stamp_ns, {'color': RigidTransform.identity()})
            return
        poses = {'depth': RigidTransform.identity(), 'color': color_from_depth}
        self._writer.write_transforms(stamp_ns, poses)
        self._writer.write_extrinsics(stamp_ns, color_from_depth)
