"""Synthetic frames as the recording of a camera."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rs_ml_perception.core.errors import ConfigError

from rs_ml_training.data import bag_messages as messages
from rs_ml_training.data.bag_compression import compressed
from rs_ml_training.data.bag_folder import BagFolder, new_bag
from rs_ml_training.data.bag_streams import COLOR, DEPTH, INFRARED, Stream, camera_namespace
from rs_ml_training.data.bag_writing import START_NS, STORAGES
from rs_ml_training.data.driver_topics import DriverTopics
from rs_ml_training.data.encodings import encode
from rs_ml_training.synth.frame import SynthFrame
from rs_ml_training.synth.rig import Rig
from rs_ml_training.synth.writing.truth_record import truth_record

ACCELEROMETER = 'accel'
TRUTH_TOPIC = '/ground_truth/frame'
"""std_msgs/String of JSON beside every frame, see `truth_record`."""

_ACCELEROMETER_HZ = 63
# REP-103: optical axes (x right, y down, z forward) in the body's (x forward, y left, z up).
_BODY_FROM_OPTICAL = np.array([[0.0, 0, 1, 0], [-1, 0, 0, 0], [0, -1, 0, 0], [0, 0, 0, 1]])


@dataclass(frozen=True)
class RecordingOptions:
    """How the recording looks.

    Attributes:
        rate_hz: frames a second.
        camera: namespace and name of the driver.
        storage: one of STORAGES.
        jpeg_quality: of colour and infrared in the compressed transports, depth then as PNG
            without loss; 0: raw images.
        aligned: whether depth registered to colour is recorded, too.
    """

    rate_hz: float = 15.0
    camera: str = 'camera/camera'
    storage: str = 'mcap'
    jpeg_quality: int = 0
    aligned: bool = True

    def __post_init__(self) -> None:
        if not 0.1 <= self.rate_hz <= 1000:
            raise ConfigError(f'rate {self.rate_hz} is no number of frames a second: give 15')
        if self.storage not in STORAGES:
            raise ConfigError(f'storage {self.storage!r} is none of {", ".join(STORAGES)}')
        if not 0 <= self.jpeg_quality <= 100:
            raise ConfigError(f'JPEG quality {self.jpeg_quality} is not possible: give 1 to 100')
        camera_namespace(self.camera)


def write_recording(
    frames: Iterable[SynthFrame], out: Path, options: RecordingOptions
) -> dict[str, int]:
    """Write a rosbag2 on the driver's topics; the same frames give the same bytes.

    Args:
        frames: in the order of time, of one rig.
        out: folder of the recording.
        options: see there.

    Returns:
        Number of messages by topic.

    Raises:
        ConfigError: `out` must not be written.
        InputError: the disk is full; nothing is left behind.
    """
    with new_bag(out, storage=options.storage) as bag:
        recorder = _Recorder(bag, options)
        for number, frame in enumerate(frames):
            recorder.record(frame, number)
        return bag.counts


class _Recorder:
    """Puts frames into a bag as the driver would publish them."""

    def __init__(self, bag: BagFolder, options: RecordingOptions) -> None:
        self._bag, self._options = bag, options
        self._topics = DriverTopics(bag, options.camera)
        self._period_ns = round(1e9 / options.rate_hz)

    def record(self, frame: SynthFrame, number: int) -> None:
        """Append a frame; its number counts from 0."""
        stamp_ns = START_NS + number * self._period_ns
        if number == 0:
            self._write_latched(frame.rig, stamp_ns - self._period_ns)
        self._write_accelerometer(frame, stamp_ns)
        for stream in self._streams(frame):
            self._write_stream(stream, frame.rig, stamp_ns)
        truth = json.dumps(truth_record(frame, str(number)))
        self._bag.add(TRUTH_TOPIC, messages.TEXT, stamp_ns, messages.text(truth))

    def _streams(self, frame: SynthFrame) -> list[Stream]:
        camera = self._topics.namespace
        raw, registered = encode(frame.raw_depth_m, 'mm'), encode(frame.aligned_depth_m, 'mm')
        aligned = f'{camera}/aligned_depth_to_color'
        streams = [
            Stream(f'{camera}/color', 'image_raw', COLOR, 'rgb8', frame.color),
            Stream(f'{camera}/depth', 'image_rect_raw', DEPTH, '16UC1', raw),
            Stream(f'{camera}/infra1', 'image_rect_raw', INFRARED, 'mono8', frame.left),
            Stream(aligned, 'image_raw', COLOR, '16UC1', registered),
        ]
        return streams if self._options.aligned else streams[:-1]

    def _write_stream(self, stream: Stream, rig: Rig, stamp_ns: int) -> None:
        camera = rig.color if stream.frame == COLOR else rig.depth
        self._topics.add_info(stream, stamp_ns, camera)
        quality = self._options.jpeg_quality
        if not quality:
            self._topics.add_image(stream, stamp_ns)
            return
        frame_id = self._topics.frame_id(stream.frame)
        small = compressed(stream.pixels, stream.encoding, quality)
        image = messages.compressed_image(stamp_ns, frame_id, small.layout, small.data)
        topic = f'{stream.topic}/{small.suffix}'
        self._bag.add(topic, messages.COMPRESSED_IMAGE, stamp_ns, image)

    def _write_accelerometer(self, frame: SynthFrame, stamp_ns: int) -> None:
        """What the camera felt since the last frame."""
        count = max(1, round(_ACCELEROMETER_HZ / self._options.rate_hz))
        samples = frame.accelerometer[:count]
        for place, sample in enumerate(samples, 1 - len(samples)):
            at_ns = stamp_ns + place * self._period_ns // len(samples)
            data = messages.accelerometer(at_ns, self._topics.frame_id(ACCELEROMETER), sample)
            self._bag.add(f'{self._topics.namespace}/accel/sample', messages.IMU, at_ns, data)

    def _write_latched(self, rig: Rig, stamp_ns: int) -> None:
        from_color = _BODY_FROM_OPTICAL @ np.linalg.inv(rig.color_from_depth)
        places = {COLOR: from_color @ _BODY_FROM_OPTICAL.T}
        frames = (DEPTH, COLOR, INFRARED, ACCELEROMETER)
        self._topics.add_transforms(frames, stamp_ns, places)
        topic = f'{self._topics.namespace}/extrinsics/depth_to_color'
        data = messages.extrinsics(rig.color_from_depth)
        self._bag.add(topic, messages.EXTRINSICS, stamp_ns, data, latched=True)
