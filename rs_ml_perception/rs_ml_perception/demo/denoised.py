"""Denoised depth next to the raw depth it was made from, for panels."""

from __future__ import annotations

import numpy as np

from rs_ml_perception.core.errors import InputError
from rs_ml_perception.core.frames.messages import depth_from_message
from rs_ml_perception.core.images.depth import DepthImage
from rs_ml_perception.core.streams.stamps import StampHistory
from rs_ml_perception.recordings.camera_topics import camera_topics
from rs_ml_perception.recordings.messages import Message
from rs_ml_perception.recordings.pairs import half_period_ns
from rs_ml_perception.recordings.recording import Recording

TOPIC = 'denoise/depth/image_rect_raw'


class DenoisedPairs:
    """(raw, denoised) of a recording and what the denoise node made of it, by time.

    Args:
        recording: what was replayed.
        results: what the nodes published.
        namespace: of the nodes.
    """

    def __init__(self, recording: Recording, results: Recording, namespace: str) -> None:
        self._recording, self._results = recording, results
        denoised = _by_stamp(results, f'{namespace}/{TOPIC}')
        self._pairs: StampHistory[tuple[Message, Message]] = StampHistory(max(1, len(denoised)))
        self._tolerance_ns = 0
        source = camera_topics(recording).sensor_depth
        if not denoised or source is None:
            return
        for stamp_ns, raw in _by_stamp(recording, source).items():
            if stamp_ns in denoised:
                self._pairs.add(stamp_ns, (raw, denoised[stamp_ns]))
        self._tolerance_ns = half_period_ns(recording, [source])

    def near(self, stamp_ns: int) -> tuple[DepthImage, np.ndarray] | None:
        """Raw and denoised depth (float32 metres, NaN) nearest to a stamp, None beyond reach."""
        found = self._pairs.nearest(stamp_ns, tolerance_ns=self._tolerance_ns)
        if found is None:
            return None
        raw, denoised = found[1]
        try:
            raw_depth = depth_from_message(self._recording.decode(raw))
        except InputError:  # the node has counted and reported it
            return None
        return raw_depth, depth_from_message(self._results.decode(denoised)).depth_m


def _by_stamp(recording: Recording, topic: str) -> dict[int, Message]:
    if recording.topic(topic) is None:
        return {}
    return {message.stamp_ns: message for message in recording.messages([topic])}
