"""From frames of librealsense to the messages of realsense2_camera."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from rs_ml_perception.core.errors import InputError
from rs_ml_perception.core.geometry.camera import CameraModel
from rs_ml_perception.core.geometry.transforms import RigidTransform
from rs_ml_perception.core.images.depth import DepthImage
from rs_ml_perception.recordings import message_factory as factory
from rs_ml_perception.recordings.message_types import one_line
from rs_ml_perception.recordings.messages import (
    CAMERA_INFO,
    EXTRINSICS,
    IMAGE,
    IMU,
    TF_MESSAGE,
    Message,
)
from rs_ml_perception.recordings.realsense_streams import DeviceStream

# realsense2_camera writes plumb_bob for every model; exceptions are kept here.
_DISTORTION_MODELS = {
    'Kannala Brandt4': 'equidistant',
    'Modified Brown Conrady': 'modified_brown_conrady',
    'Inverse Brown Conrady': 'inverse_brown_conrady',
}

# REP-103: x right, y down, z forward in the body's x forward, y left, z up.
BODY_FROM_OPTICAL = RigidTransform.from_quaternion(np.array([-0.5, 0.5, -0.5, 0.5]), np.zeros(3))


class DriverMessages:
    """Builds the driver's messages for the streams of one bag.

    Args:
        streams: as `find_streams` returns them.
        camera: namespace of the topics.
    """

    def __init__(self, streams: Iterable[DeviceStream], camera: str) -> None:
        self._streams = {stream.name: stream for stream in streams}
        self._camera = camera

    def convert(
        self, stream: DeviceStream, decode: Callable[[], Any], stamp_ns: int
    ) -> Iterator[Message]:
        """Yield the messages of the driver for one frame, camera_info first.

        Args:
            stream: of the frame.
            decode: returns the frame; its exception becomes the problem of the messages, so that
                only the damaged frame is lost.
            stamp_ns: of the frame.
        """
        try:
            yield from list(self._converted(stream, decode(), stamp_ns))
        except Exception as error:
            for topic, name in stream.outputs:
                yield Message(topic, name, stamp_ns, b'', one_line(error))

    def _converted(self, stream: DeviceStream, decoded: Any, stamp_ns: int) -> Iterator[Message]:
        header = factory.header(stamp_ns, stream.frame_id)
        if not stream.info_topic:
            turn, push = _xyz(decoded.angular_velocity), _xyz(decoded.linear_acceleration)
            content = factory.imu(header, turn, push)
            yield factory.serialise(stream.topic, IMU, stamp_ns, content)
            return
        info = factory.camera_info(header, _camera(stream, decoded))
        yield factory.serialise(stream.info_topic, CAMERA_INFO, stamp_ns, info)
        image = _image(stream, decoded, header)
        yield factory.serialise(stream.topic, IMAGE, stamp_ns, image)

    def latched(self, stamp_ns: int) -> list[Message]:
        """The static transforms, and the extrinsics if both cameras are recorded."""
        poses = {name: stream.stream_from_reference for name, stream in self._streams.items()}
        tf = factory.tf_message(stamp_ns, link_transforms(poses))
        messages = [factory.serialise('/tf_static', TF_MESSAGE, stamp_ns, tf)]
        if {'color', 'depth'} <= poses.keys():
            content = factory.extrinsics(poses['color'] @ poses['depth'].inverse())
            topic = f'{self._camera}/extrinsics/depth_to_color'
            messages.append(factory.serialise(topic, EXTRINSICS, stamp_ns, content))
        return messages


def link_transforms(
    stream_from_reference: Mapping[str, RigidTransform], name: str = 'camera'
) -> dict[tuple[str, str], RigidTransform]:
    """The driver's tree: NAME_link -> NAME_STREAM_frame -> NAME_STREAM_optical_frame.

    The link is the body frame of the depth camera, or of the first stream without one.

    Args:
        stream_from_reference: stream -> its optical frame from a frame common to all.
        name: of the camera.
    """
    base = 'depth' if 'depth' in stream_from_reference else next(iter(stream_from_reference))
    tree = {}
    for stream, optical_from_reference in stream_from_reference.items():
        base_from_optical = stream_from_reference[base] @ optical_from_reference.inverse()
        link_from_body = BODY_FROM_OPTICAL @ base_from_optical @ BODY_FROM_OPTICAL.inverse()
        frame = f'{name}_{stream}_frame'
        tree[f'{name}_link', frame] = link_from_body
        tree[frame, f'{name}_{stream}_optical_frame'] = BODY_FROM_OPTICAL
    return tree


def _image(stream: DeviceStream, decoded: Any, header: Any) -> Any:
    rows = np.asarray(decoded.data).reshape(decoded.height, decoded.step)
    if stream.name != 'depth':
        return factory.image_of_rows(header, decoded.encoding, decoded.width, rows)
    values = np.ascontiguousarray(rows[:, : 2 * decoded.width]).view(np.uint16)
    return factory.depth_image(header, DepthImage(values, stream.metres_per_unit))


def _camera(stream: DeviceStream, decoded: Any) -> CameraModel:
    info = stream.info
    if info is None:
        raise InputError(
            f'{stream.source} has no camera_info: record the bag again with librealsense'
        )
    K = np.asarray(info.K, np.float64)
    return CameraModel(
        width=decoded.width,
        height=decoded.height,
        fx=float(K[0]),
        fy=float(K[4]),
        cx=float(K[2]),
        cy=float(K[5]),
        distortion_model=_DISTORTION_MODELS.get(info.distortion_model, 'plumb_bob'),
        distortion=tuple(float(value) for value in info.D),
    )


def _xyz(vector: Any) -> np.ndarray:
    return np.array([vector.x, vector.y, vector.z])
