"""Synthetic frames as the recording of a camera."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from rs_ml_perception.core.geometry.transforms import RigidTransform
from rs_ml_perception.core.images.compressed import (
    CompressedBytes,
    encode_compressed_color,
    encode_compressed_depth,
    encode_compressed_gray,
)
from rs_ml_perception.core.images.depth import DepthImage
from rs_ml_perception.core.options import Options, option
from rs_ml_perception.recordings.frame_recorder import CameraWriter
from rs_ml_perception.recordings.messages import COMPRESSED_IMAGE, IMU, TEXT
from rs_ml_perception.recordings.writer import STORAGES, RecordingWriter

from rs_ml_perception.recordings import message_factory as factory
from rs_ml_training.data.bag_writing import (
    COLOR,
    DEPTH,
    INFRARED,
    START_NS,
    Stream,
    camera_namespace,
    new_bag,
)
from rs_ml_training.data.encodings import encode
from rs_ml_training.synth.camera import Rig
from rs_ml_training.synth.frame import SynthFrame
from rs_ml_training.synth.truth import truth_record

ACCELEROMETER = 'accel'
TRUTH_TOPIC = '/ground_truth/frame'
"""std_msgs/String of JSON with every frame, see `truth_record`."""

_ACCELEROMETER_HZ = 63


@dataclass(frozen=True)
class RecordingOptions(Options):
    """Contents of the recording."""

    rate_hz: float = option(15.0, 'frames a second', low=0.1, high=1000, flag='rate')
    camera: str = option('camera/camera', 'namespace of the topics')
    storage: str = option('mcap', 'of the file', choices=STORAGES)
    jpeg_quality: int = option(
        0,
        'of colour and infrared in the compressed transports, depth then as PNG without loss; '
        '0: raw images',
        low=0,
        high=100,
        flag='jpeg',
        metavar='QUALITY',
    )
    aligned: bool = option(True, 'record depth registered to colour, too')

    def __post_init__(self) -> None:
        super().__post_init__()
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
    with new_bag(out, storage=options.storage) as writer:
        recorder = _Recorder(writer, options)
        for number, frame in enumerate(frames):
            recorder.record(frame, number)
        return writer.counts


class _Recorder:
    """Writes frames into a recording as the driver would publish them."""

    def __init__(self, writer: RecordingWriter, options: RecordingOptions) -> None:
        self._writer, self._options = CameraWriter(writer, options.camera), options
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
        self._writer.write(TRUTH_TOPIC, TEXT, stamp_ns, factory.text(truth))

    def _streams(self, frame: SynthFrame) -> list[Stream]:
        camera = self._writer.namespace
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
        self._writer.write_info(stream.info_topic, stream.frame, stamp_ns, camera)
        quality = self._options.jpeg_quality
        if not quality:
            self._writer.write_image(
                stream.topic, stream.frame, stamp_ns, stream.encoding, stream.pixels
            )
            return
        transport, compressed = _compressed(stream, quality)
        header = self._writer.header(stream.frame, stamp_ns)
        message = factory.compressed_image(header, compressed)
        self._writer.write(f'{stream.topic}/{transport}', COMPRESSED_IMAGE, stamp_ns, message)

    def _write_accelerometer(self, frame: SynthFrame, stamp_ns: int) -> None:
        """Readings since the last frame."""
        count = max(1, round(_ACCELEROMETER_HZ / self._options.rate_hz))
        samples = frame.accelerometer[:count]
        for place, sample in enumerate(samples, 1 - len(samples)):
            at_ns = stamp_ns + place * self._period_ns // len(samples)
            message = factory.imu(self._writer.header(ACCELEROMETER, at_ns), None, sample)
            self._writer.write(f'{self._writer.namespace}/accel/sample', IMU, at_ns, message)

    def _write_latched(self, rig: Rig, stamp_ns: int) -> None:
        poses = dict.fromkeys((DEPTH, COLOR, INFRARED, ACCELEROMETER), RigidTransform.identity())
        self._writer.write_transforms(stamp_ns, poses | {COLOR: rig.color_from_depth})
        self._writer.write_extrinsics(stamp_ns, rig.color_from_depth)


def _compressed(stream: Stream, quality: int) -> tuple[str, CompressedBytes]:
    """The transport, and the image as it carries it: JPEG, and depth as PNG without loss."""
    if stream.encoding == '16UC1':
        depth = DepthImage(stream.pixels, 0.001)
        return 'compressedDepth', encode_compressed_depth(depth, smallest=True)
    encode_jpeg = encode_compressed_color if stream.encoding == 'rgb8' else encode_compressed_gray
    return 'compressed', encode_jpeg(stream.pixels, quality)
