"""From frames of librealsense to the messages of realsense2_camera."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from rs_ml_perception.core.errors import InputError
from rs_ml_perception.core.rigid import RigidTransform
from rs_ml_perception.core.transform_tree import quaternion_xyzw
from rs_ml_perception.recordings.message_types import message_types
from rs_ml_perception.recordings.messages import (
    CAMERA_INFO,
    EXTRINSICS,
    IMAGE,
    IMU,
    TF_MESSAGE,
    Message,
)
from rs_ml_perception.recordings.realsense_streams import Stream

# realsense2_camera writes plumb_bob whatever the device's model; ours keeps the exceptions apart.
_DISTORTION_MODELS = {
    'Kannala Brandt4': 'equidistant',
    'Modified Brown Conrady': 'modified_brown_conrady',
    'Inverse Brown Conrady': 'inverse_brown_conrady',
}

# REP-103: x right, y down, z forward in the body's x forward, y left, z up.
_BODY_FROM_OPTICAL = RigidTransform.from_quaternion(np.array([-0.5, 0.5, -0.5, 0.5]), np.zeros(3))


class DriverMessages:
    """Builds the driver's messages for the streams of one bag.

    Args:
        streams: as `find_streams` returns them.
        camera: namespace of the topics.
    """

    def __init__(self, streams: Iterable[Stream], camera: str) -> None:
        self._streams = {stream.name: stream for stream in streams}
        self._camera = camera
        self._store = message_types()

    def convert(self, stream: Stream, decoded: Any, stamp_ns: int) -> Iterator[Message]:
        """Yield what the driver publishes for one frame, camera_info first."""
        header = self._header(stamp_ns, stream.frame_id)
        if not stream.info_topic:
            yield self._message(stream.topic, IMU, stamp_ns, self._imu(decoded, header))
            return
        info = self._camera_info(stream, decoded, header)
        yield self._message(stream.info_topic, CAMERA_INFO, stamp_ns, info)
        yield self._message(stream.topic, IMAGE, stamp_ns, self._image(stream, decoded, header))

    def latched(self, stamp_ns: int) -> list[Message]:
        """The static transforms, and the extrinsics where both cameras are there."""
        tf = self._make(TF_MESSAGE, transforms=list(self._transforms(stamp_ns)))
        messages = [self._message('/tf_static', TF_MESSAGE, stamp_ns, tf)]
        if 'color' in self._streams and 'depth' in self._streams:
            color_from_depth = self._between('color', 'depth')
            extrinsics = self._make(
                EXTRINSICS,
                rotation=color_from_depth.rotation.flatten(order='F'),  # column-major
                translation=color_from_depth.translation_m,
            )
            topic = f'{self._camera}/extrinsics/depth_to_color'
            messages.append(self._message(topic, EXTRINSICS, stamp_ns, extrinsics))
        return messages

    def _between(self, target: str, source: str) -> RigidTransform:
        """target_from_source of two streams' optical frames."""
        target_from_reference = self._streams[target].stream_from_reference
        return target_from_reference @ self._streams[source].stream_from_reference.inverse()

    def _transforms(self, stamp_ns: int) -> Iterator[Any]:
        """camera_link -> camera_<name>_frame -> camera_<name>_optical_frame.

        camera_link is the depth camera's body frame, as in the driver.
        """
        base = 'depth' if 'depth' in self._streams else next(iter(self._streams))
        for name in self._streams:
            body = _BODY_FROM_OPTICAL @ self._between(base, name) @ _BODY_FROM_OPTICAL.inverse()
            frame = f'camera_{name}_frame'
            yield self._stamped(stamp_ns, 'camera_link', frame, body)
            optical = f'camera_{name}_optical_frame'
            yield self._stamped(stamp_ns, frame, optical, _BODY_FROM_OPTICAL)

    def _stamped(self, stamp_ns: int, parent: str, child: str, pose: RigidTransform) -> Any:
        x, y, z, w = quaternion_xyzw(pose.rotation)
        translation = dict(zip('xyz', map(float, pose.translation_m), strict=True))
        transform = self._make(
            'geometry_msgs/msg/Transform',
            translation=self._make('geometry_msgs/msg/Vector3', **translation),
            rotation=self._make('geometry_msgs/msg/Quaternion', x=x, y=y, z=z, w=w),
        )
        return self._make(
            'geometry_msgs/msg/TransformStamped',
            header=self._header(stamp_ns, parent),
            child_frame_id=child,
            transform=transform,
        )

    def _image(self, stream: Stream, image: Any, header: Any) -> Any:
        encoding, data = image.encoding, image.data
        if stream.name == 'depth':
            encoding, data = '16UC1', _millimetres(data, stream.metres_per_unit)
        return self._make(
            IMAGE,
            header=header,
            height=image.height,
            width=image.width,
            encoding=encoding,
            is_bigendian=0,
            step=image.step,
            data=data,
        )

    def _camera_info(self, stream: Stream, image: Any, header: Any) -> Any:
        info = stream.info
        if info is None:
            raise InputError(
                f'{stream.source.topic} has no camera_info: record the bag again with librealsense'
            )
        K = np.asarray(info.K, np.float64)
        P = np.insert(K.reshape(3, 3), 3, 0.0, axis=1).ravel()
        return self._make(
            CAMERA_INFO,
            header=header,
            height=image.height,
            width=image.width,
            distortion_model=_DISTORTION_MODELS.get(info.distortion_model, 'plumb_bob'),
            d=np.asarray(info.D, np.float64),
            k=K,
            r=np.eye(3).ravel(),
            p=P,
            binning_x=0,
            binning_y=0,
            roi=self._make(
                'sensor_msgs/msg/RegionOfInterest',
                x_offset=0,
                y_offset=0,
                height=0,
                width=0,
                do_rectify=False,
            ),
        )

    def _imu(self, imu: Any, header: Any) -> Any:
        zeros = np.zeros(9)
        unknown = np.array([-1.0] + 8 * [0.0])  # sensor_msgs/Imu: this estimate is not there
        return self._make(
            IMU,
            header=header,
            orientation=self._make('geometry_msgs/msg/Quaternion', x=0.0, y=0.0, z=0.0, w=0.0),
            orientation_covariance=unknown,
            angular_velocity=self._vector(imu.angular_velocity),
            angular_velocity_covariance=zeros,
            linear_acceleration=self._vector(imu.linear_acceleration),
            linear_acceleration_covariance=zeros,
        )

    def _vector(self, vector: Any) -> Any:
        return self._make('geometry_msgs/msg/Vector3', x=vector.x, y=vector.y, z=vector.z)

    def _header(self, stamp_ns: int, frame_id: str) -> Any:
        seconds, nanoseconds = divmod(stamp_ns, 1_000_000_000)
        stamp = self._make('builtin_interfaces/msg/Time', sec=seconds, nanosec=nanoseconds)
        return self._make('std_msgs/msg/Header', stamp=stamp, frame_id=frame_id)

    def _make(self, name: str, **fields: Any) -> Any:
        return self._store.types[name](**fields)

    def _message(self, topic: str, name: str, stamp_ns: int, content: Any) -> Message:
        return Message(topic, name, stamp_ns, bytes(self._store.serialize_cdr(content, name)))


def _millimetres(data: np.ndarray, metres_per_unit: float) -> np.ndarray:
    """Bytes of depth in the driver's unit, truncated as the driver does."""
    if metres_per_unit == 0.001:
        return data
    values = np.asarray(data).view(np.uint16).astype(np.float64) * (metres_per_unit / 0.001)
    return np.minimum(values, 65535).astype(np.uint16).view(np.uint8)
