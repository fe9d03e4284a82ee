"""The time of /clock while a recording is replayed."""

from __future__ import annotations

from rs_ml_perception.recordings.messages import Message
from rs_ml_perception.recordings.recording import Recording
from rs_ml_perception.recordings.stamp_clock import MAX_DEVIATION_NS, StampClock

NOTEWORTHY_NS = 500_000_000
"""A lag beyond this makes frames stale for some nodes."""


class ReplayClock:
    """Follows the log times, or the stamps where these are of another clock.

    In lockstep age is no reason to drop a frame: the time is that of the frames themselves,
    however late they were recorded. In real time it is that of the log, so that frames are as old
    as they were, unless no transport could have taken so long.

    Args:
        recording: what is replayed.
        primary: topic whose stamps count; None: there are no images.
        lockstep: whether frames wait for their nodes.

    Attributes:
        lag_ns: by how much log times are later than stamps.
        shift_ns: by how much the time is earlier than the log times.
    """

    def __init__(self, recording: Recording, primary: str | None, *, lockstep: bool) -> None:
        self._stamps = StampClock(recording, primary)
        self._primary = primary
        self._is_lockstep = lockstep
        self.lag_ns = self._stamps.lag_ns
        follows_stamps = lockstep or abs(self.lag_ns) > MAX_DEVIATION_NS
        self.shift_ns = self.lag_ns if follows_stamps else 0
        self._start_ns = recording.start_ns - self.shift_ns
        self._now_ns = self._start_ns

    @property
    def note(self) -> str:
        """A remark on the stamps for the user, '' for none."""
        if abs(self.lag_ns) <= NOTEWORTHY_NS:
            return ''
        relation = 'behind' if self.lag_ns > 0 else 'ahead of'
        lag = f'stamps are {abs(self.lag_ns) / 1e9:.3f} s {relation} the log times'
        if self.shift_ns:
            return f'{lag}: /clock follows the stamps'
        if self.lag_ns < 0:
            return f'{lag}: nodes take the frames for those of the future'
        return (
            f'{lag}: nodes whose max_age_secs is less drop every frame as stale; raise it, or '
            'replay with lockstep:=true'
        )

    def restart(self) -> int:
        """The time of the beginning."""
        self._now_ns = self._start_ns
        return self._now_ns

    def at(self, log_time_ns: int) -> int:
        """The time while a message of that log time is waited for."""
        return log_time_ns - self.shift_ns

    def of(self, message: Message) -> int:
        """The time at which a message is published in lockstep; it goes on with the frames."""
        if self._primary is None:
            self._now_ns = max(self._now_ns, self.at(message.log_time_ns))
        elif message.topic == self._primary:
            is_true = not self._stamps.problem(message)
            if self._stamps.lag_ns != self.shift_ns:  # the camera's clock was set
                self.shift_ns = self._stamps.lag_ns
                self._now_ns = self.at(message.log_time_ns)
            now_ns = self.at(message.log_time_ns)
            self._now_ns = max(self._now_ns, min(now_ns, message.stamp_ns) if is_true else now_ns)
        return self._now_ns
