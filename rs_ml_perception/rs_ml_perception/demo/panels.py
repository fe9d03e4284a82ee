"""Panels that show the results of the nodes, one for each frame of a recording."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from rs_ml_perception.core.drawing.panel import compose_panel
from rs_ml_perception.core.errors import InputError
from rs_ml_perception.core.frames.frame import Frame
from rs_ml_perception.core.frames.messages import depth_from_message, stamp_of
from rs_ml_perception.core.images.depth import DepthImage
from rs_ml_perception.core.objects.labels import LabelMap
from rs_ml_perception.core.streams.stamps import StampHistory
from rs_ml_perception.recordings.camera_topics import camera_topics
from rs_ml_perception.recordings.frames import frames
from rs_ml_perception.recordings.messages import Message
from rs_ml_perception.recordings.open_recording import open_recording
from rs_ml_perception.recordings.pairs import half_period_ns
from rs_ml_perception.recordings.recording import Recording
from rs_ml_perception.ros.output.result_messages import (
    read_detections,
    read_heights,
    read_placements,
)

TOPIC = 'denoise/depth/image_rect_raw'


COLLECTED = {
    'detection/detections': 'detections',
    'height/heights': 'heights',
    'segmentation/mask': 'mask',
    'mono_depth/depth/image': 'estimate',
}


class DenoisedPairs:
    """(raw, denoised) depth of a recording and of the denoise node, by time.

    Args:
        recording: the replayed recording.
        results: recorded results of the nodes.
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


@dataclass
class FrameResults:
    """Decoded result messages of one stamp, by the names of COLLECTED."""

    messages: dict[str, Any] = field(default_factory=dict)

    def get(self, name: str) -> Any | None:
        return self.messages.get(name)


def write_panels(
    recording: Recording, results_path: Path, folder: Path, namespace: str
) -> list[Path]:
    """Write folder/<number>.png for every frame of the recording; returns the paths."""
    results, mask_labels = read_results(results_path, namespace)
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    with open_recording(results_path) as published:
        pairs = DenoisedPairs(recording, published, namespace)
        for number, frame in enumerate(_usable_frames(recording)):
            panel = make_panel(
                frame,
                results.get(frame.stamp_ns, FrameResults()),
                mask_labels,
                pairs.near(frame.stamp_ns),
                title=recording.path.stem,
                note=f'frame {number}   {frame.stamp_ns * 1e-9:.3f} s',
            )
            paths.append(folder / f'{number:05d}.png')
            cv2.imwrite(str(paths[-1]), cv2.cvtColor(panel, cv2.COLOR_RGB2BGR))
    return paths


def read_results(path: Path, namespace: str) -> tuple[dict[int, FrameResults], LabelMap]:
    """Results by stamp, and the labels of the mask."""
    results: dict[int, FrameResults] = {}
    labels = LabelMap({})
    wanted = {f'{namespace}/{topic}': name for topic, name in COLLECTED.items()}
    label_topic = f'{namespace}/segmentation/label_info'
    with open_recording(path) as recording:
        for message in recording.messages([*wanted, label_topic]):
            decoded = recording.decode(message)
            if message.topic == label_topic:
                labels = LabelMap(
                    dict(zip(map(int, decoded.class_ids), decoded.names, strict=True))
                )
                continue
            entry = results.setdefault(stamp_of(decoded), FrameResults())
            entry.messages[wanted[message.topic]] = decoded
    return results, labels


def make_panel(
    frame: Frame,
    results: FrameResults,
    mask_labels: LabelMap,
    denoised: tuple[DepthImage, np.ndarray] | None = None,
    *,
    title: str,
    note: str,
) -> np.ndarray:
    """One panel, uint8 RGB.

    Args:
        frame: of the recording.
        results: of its stamp.
        mask_labels: names of the classes of the mask.
        denoised: raw depth, and denoised float32 metres.
        title: at the left of the header.
        note: at its right.
    """
    depth, denoised_depth_m = denoised or (frame.depth, None)
    found = results.get('detections')
    rows = found.detections if found else ()
    detections, labels = read_detections(rows)
    heights = results.get('heights')
    mask = results.get('mask')
    estimate = results.get('estimate')
    return compose_panel(
        frame.rgb,
        detections=detections if found else None,
        placements=read_placements(rows),
        labels=labels,
        heights=read_heights(heights.heights) if heights else None,
        mask=mask.data.reshape(mask.height, mask.width) if mask else None,
        mask_labels=mask_labels,
        depth=depth,
        denoised_depth_m=denoised_depth_m,
        estimated_depth_m=depth_from_message(estimate).depth_m if estimate else None,
        title=title,
        note=note,
    )


def _usable_frames(recording: Recording) -> Iterator[Frame]:
    """Usable frames; rejected ones have no panel."""
    # The nodes have counted and reported rejections.
    yield from frames(recording, on_rejected=lambda topic, error: None)
