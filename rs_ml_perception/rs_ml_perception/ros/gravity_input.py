"""Which way is up: from TF, or from the accelerometer of the camera."""

from __future__ import annotations

from rs_ml_perception.core.geometry.gravity import Up, UpSource
from rs_ml_perception.ros.hub import CameraHub
from rs_ml_perception.ros.inputs import ACCEL, StreamOptions
from rs_ml_perception.ros.samples import Sample


class GravityInput:
    """Feeds an UpSource from the hub while it is started."""

    def __init__(self, hub: CameraHub) -> None:
        self._source = UpSource(hub.transforms.lookup)
        self._stream = hub.stream(ACCEL, StreamOptions())

    def start(self) -> None:
        self._stream.attach(self._on_acceleration)

    def stop(self) -> None:
        self._stream.detach(self._on_acceleration)

    def up(self, camera_frame: str, stamp_ns: int, gravity_frame: str) -> Up | None:
        """Up in the colour optical frame at a time; see UpSource."""
        return self._source.up(camera_frame, stamp_ns, gravity_frame)

    @property
    def problems(self) -> tuple[str, ...]:
        """What does not come although it was asked for, '' for what does."""
        return self._source.problem, self._source.reading_problem, self._stream.problem

    def _on_acceleration(self, sample: Sample) -> None:
        a = sample.msg.linear_acceleration
        self._source.add_acceleration(sample.stamp_ns, sample.frame_id, (a.x, a.y, a.z))
