"""The direction of up in a recording."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import replace

from rs_ml_perception.core.errors import InputError
from rs_ml_perception.core.frames.frame import Frame
from rs_ml_perception.core.geometry.gravity import Up, UpSource
from rs_ml_perception.core.geometry.transforms import TransformTree
from rs_ml_perception.recordings.camera_topics import camera_topics
from rs_ml_perception.recordings.frames import frames
from rs_ml_perception.recordings.messages import OnRejected, Rejections
from rs_ml_perception.recordings.recording import Recording
from rs_ml_perception.recordings.stamp_clock import StampClock


class RecordedUp:
    """Up from the static transforms and the accelerometer of a recording, as in the node.

    Args:
        recording: an open recording.
        on_rejected: called with unusable accelerometer messages; None: InputError is raised.

    Attributes:
        tree: the static transforms.
    """

    def __init__(self, recording: Recording, on_rejected: OnRejected | None = None) -> None:
        self.tree = TransformTree()
        for (parent, child), transform in recording.static_transforms.items():
            self.tree.set_static(parent, child, transform)
        self._source = UpSource(self.tree.lookup)
        self._readings = deque(sorted(_readings(recording, Rejections(on_rejected))))

    @property
    def reading_problem(self) -> str:
        """Why the latest reading was rejected, '' if it was not."""
        return self._source.reading_problem

    def at(self, frame_id: str, stamp_ns: int, gravity_frame: str = '') -> Up | None:
        """Up in the optical frame of a camera from readings up to a time; stamps must not go back.

        Args:
            frame_id: of the camera.
            stamp_ns: of its image.
            gravity_frame: TF frame whose z is up, see `UpSource.up`.

        Returns:
            None if the recording does not give it.
        """
        while self._readings and self._readings[0][0] <= stamp_ns:
            self._source.add_acceleration(*self._readings.popleft())
        return self._source.up(frame_id, stamp_ns, gravity_frame)


def frames_with_up(
    recording: Recording, *, on_rejected: OnRejected | None = None
) -> Iterator[Frame]:
    """Yield the frames of a recording, each with up from its accelerometer.

    Args:
        recording: an open recording.
        on_rejected: called with unusable messages, frames continue; None: InputError is raised.
    """
    up = RecordedUp(recording, on_rejected)
    for frame in frames(recording, on_rejected=on_rejected):
        yield replace(frame, up=up.at(frame.frame_id, frame.stamp_ns))


def _readings(
    recording: Recording, rejections: Rejections
) -> Iterator[tuple[int, str, tuple[float, float, float]]]:
    """(stamp, frame, m/s2) of every reading with a possible stamp."""
    topic = camera_topics(recording).accel
    if topic is None:
        return
    clock = StampClock(recording, topic)
    try:
        messages = recording.messages([topic])
        for message in clock.believable(messages, [topic], rejections.reject):
            imu = rejections.attempt(message, recording.decode)
            if imu is not None:
                a = imu.linear_acceleration
                yield message.stamp_ns, imu.header.frame_id, (a.x, a.y, a.z)
    except InputError as error:  # damaged from here on; earlier readings count
        rejections.reject(topic, error)
