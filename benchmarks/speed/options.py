"""What a benchmark run is asked for."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class BenchOptions:
    """How much is measured; every section reads what concerns it.

    Attributes:
        recording: rosbag2 whose frames all sections use: colour, aligned depth, camera_info.
        rounds: how often the two sides of a comparison take turns.
        frames: frames per turn.
        delivery_frames: images sent per transport and turn.
        start_ups: how often the graph is started.
        rate_hz: of the camera, where a section feeds in real time.
    """

    recording: str
    rounds: int = 5
    frames: int = 42
    delivery_frames: int = 150
    start_ups: int = 5
    rate_hz: float = 6.0

    def quick(self) -> BenchOptions:
        """The same, in a few turns: for a look, not for the record."""
        return BenchOptions(
            self.recording, rounds=2, frames=14, delivery_frames=60, start_ups=2, rate_hz=6.0
        )
