"""Frames as a recording on the driver's topics."""

from __future__ import annotations

from rs_ml_perception.core.frames.frame import Frame
from rs_ml_perception.core.geometry.camera import CameraModel
from rs_ml_perception.core.geometry.rigid import RigidTransform
from rs_ml_perception.recordings import message_factory as factory
from rs_ml_perception.recordings.messages import (
    CAMERA_INFO,
    EXTRINSICS,
    IMAGE,
    TF_MESSAGE,
    Message,
)
from rs_ml_perception.recordings.realsense_messages import link_transforms
from rs_ml_perception.recordings.writer import RecordingWriter, qos_profile

COLOR_FRAME, DEPTH_FRAME = 'camera_color_optical_frame', 'camera_depth_optical_frame'
INFRARED_FRAME = 'camera_infra1_optical_frame'


class FrameRecorder:
    """Writes what realsense2_camera would have published for each frame.

    Args:
        writer: open; the caller closes it.
        camera: namespace of the topics.
    """

    def __init__(self, writer: RecordingWriter, *, camera: str = '/camera/camera') -> None:
        self._writer = writer
        self._camera = camera
        self._wrote_latched = False

    def write(self, frame: Frame) -> None:
        """Append a frame; its log time is its stamp."""
        if not self._wrote_latched:
            self._wrote_latched = True
            self._write_latched(frame.stamp_ns, frame.color_from_depth)
        if frame.depth is not None:
            self._write_depth(frame)
        if frame.rgb is not None:
            header = factory.header(frame.stamp_ns, COLOR_FRAME)
            self._write_info('color', frame.stamp_ns, header, frame.camera)
            content = factory.image(header, 'rgb8', frame.rgb)
            self._write('color/image_raw', IMAGE, frame.stamp_ns, content)

    def _write_depth(self, frame: Frame) -> None:
        # Infrared is seen through the depth camera: with it depth alone is not aligned either.
        is_alone = frame.rgb is None and frame.infrared is not None
        if frame.depth_is_aligned and not is_alone:
            stream, leaf, frame_id = 'aligned_depth_to_color', 'image_raw', COLOR_FRAME
        else:
            stream, leaf, frame_id = 'depth', 'image_rect_raw', DEPTH_FRAME
        header = factory.header(frame.stamp_ns, frame_id)
        camera = frame.camera if frame.depth_is_aligned else frame.depth_camera
        self._write_info(stream, frame.stamp_ns, header, camera)
        content = factory.depth_image(header, frame.depth)
        self._write(f'{stream}/{leaf}', IMAGE, frame.stamp_ns, content)
        if frame.infrared is not None:
            self._write_infrared(frame, camera)

    def _write_infrared(self, frame: Frame, camera: CameraModel | None) -> None:
        header = factory.header(frame.stamp_ns, INFRARED_FRAME)
        self._write_info('infra1', frame.stamp_ns, header, camera)
        content = factory.image(header, 'mono8', frame.infrared)
        self._write('infra1/image_rect_raw', IMAGE, frame.stamp_ns, content)

    def _write_info(
        self, stream: str, stamp_ns: int, header: object, camera: CameraModel | None
    ) -> None:
        if camera is not None:
            content = factory.camera_info(header, camera)
            self._write(f'{stream}/camera_info', CAMERA_INFO, stamp_ns, content)

    def _write_latched(self, stamp_ns: int, color_from_depth: RigidTransform | None) -> None:
        poses = {'color': RigidTransform.identity()}
        if color_from_depth is not None:
            poses = {'depth': RigidTransform.identity(), 'color': color_from_depth}
        tf = factory.tf_message(stamp_ns, link_transforms(poses))
        self._append(factory.serialise('/tf_static', TF_MESSAGE, stamp_ns, tf), latched=True)
        if color_from_depth is not None:
            content = factory.extrinsics(color_from_depth)
            topic = f'{self._camera}/extrinsics/depth_to_color'
            message = factory.serialise(topic, EXTRINSICS, stamp_ns, content)
            self._append(message, latched=True)

    def _write(self, topic: str, name: str, stamp_ns: int, content: object) -> None:
        self._append(factory.serialise(f'{self._camera}/{topic}', name, stamp_ns, content))

    def _append(self, message: Message, *, latched: bool = False) -> None:
        self._writer.add_topic(message.topic, message.type, qos=[qos_profile(latched=latched)])
        self._writer.write(message.topic, message.log_time_ns, message.data)
