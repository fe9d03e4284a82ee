"""A data set as the recording of a camera, which appears whole or not at all."""

from __future__ import annotations

import argparse
import dataclasses
import math
import os
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from rs_ml_perception.core.errors import ConfigError, InputError
from rs_ml_perception.core.geometry.camera import CameraModel
from rs_ml_perception.core.geometry.transforms import RigidTransform
from rs_ml_perception.core.options import Options, option
from rs_ml_perception.recordings.frame_recorder import CameraWriter
from rs_ml_perception.recordings.writer import STORAGES, RecordingWriter, foreign_files

from rs_ml_training.data.encodings import encode, read_depth
from rs_ml_training.data.image_files import require_size
from rs_ml_training.data.output_folder import put_in_place
from rs_ml_training.data.reader import Reader
from rs_ml_training.data.sample import Sample

COLOR, DEPTH, INFRARED = 'color', 'depth', 'infra1'
# No reader of recordings takes these for a camera's depth: that ends with depth/image_rect_raw.
TRUTH, DENOISED = '/ground_truth', '/denoised'
GREATEST_M = 65.535
"""Farthest depth that 16UC1 holds [m]."""

_NAMESPACE = re.compile(r'[A-Za-z_][A-Za-z0-9_]*(/[A-Za-z_][A-Za-z0-9_]*)*')

START_NS = 1_600_000_000 * 1_000_000_000
"""Stamp of the first frame, the same in every recording [ns]."""


@dataclass(frozen=True)
class Stream:
    """Images of one kind.

    Attributes:
        folder: namespace of the topics of image and camera_info.
        leaf: last part of the picture's topic.
        frame: stream whose optical frame the pixels are in.
        encoding: of the message.
        pixels: as the encoding wants them.
    """

    folder: str
    leaf: str
    frame: str
    encoding: str
    pixels: np.ndarray

    @property
    def topic(self) -> str:
        """Of the image."""
        return f'{self.folder}/{self.leaf}'

    @property
    def info_topic(self) -> str:
        """Of the camera_info."""
        return f'{self.folder}/camera_info'


def camera_namespace(name: str) -> str:
    """The driver's namespace '/camera/camera' of 'camera/camera'.

    Raises:
        ConfigError: ROS has no such names, or others of the recording's topics are in it.
    """
    stripped = name.strip('/')
    if not _NAMESPACE.fullmatch(stripped) or f'/{stripped}' in (TRUTH, DENOISED):
        raise ConfigError(f'{name!r} is no namespace of a camera: give one as camera/camera')
    return f'/{stripped}'


def streams_of(
    sample: Sample, camera: str, denoised_m: np.ndarray | None = None
) -> Iterator[Stream]:
    """A sample as the driver's streams; truth and denoised depth are further topics.

    Depth in a sample with an image has the picture's pixels: it is aligned depth. Depth without
    a separate measurement counts as measured.

    Args:
        sample: depth as float32 (H, W) [m].
        camera: the driver's namespace, as '/camera/camera'.
        denoised_m: float32 (H, W) [m], or None.
    """
    is_measured = sample.raw_depth_m is not None
    measured_m = sample.raw_depth_m if is_measured else sample.depth_m
    has_color = sample.image is not None
    frame = COLOR if has_color else DEPTH
    if sample.image is not None:
        yield Stream(f'{camera}/color', 'image_raw', COLOR, 'rgb8', sample.image)
    if measured_m is not None and has_color:
        yield _depth(f'{camera}/aligned_depth_to_color', 'image_raw', frame, measured_m)
    elif measured_m is not None:
        yield _depth(f'{camera}/depth', 'image_rect_raw', frame, measured_m)
    if sample.infrared is not None:
        folder = f'{camera}/infra1'
        yield Stream(folder, 'image_rect_raw', INFRARED, 'mono8', sample.infrared)
    if is_measured and sample.depth_m is not None:
        yield _depth(TRUTH, 'image_rect_raw', frame, sample.depth_m)
    if denoised_m is not None:
        yield _depth(DENOISED, 'image_rect_raw', frame, denoised_m)


def _depth(folder: str, leaf: str, frame: str, depth_m: np.ndarray) -> Stream:
    # Farther than the type holds is unknown: the greatest value would be a wrong measurement.
    known_m = np.where(depth_m <= GREATEST_M, depth_m, 0)
    return Stream(folder, leaf, frame, '16UC1', encode(known_m, 'mm'))


def pinhole(text: str) -> tuple[float, ...]:
    """(fx, fy, cx, cy) [px] of 'FX,FY,CX,CY'.

    Raises:
        ArgumentTypeError: these are not four numbers with positive focal lengths.
    """
    try:
        numbers = tuple(float(part) for part in text.split(','))
    except ValueError:
        numbers = ()
    is_camera = len(numbers) == 4 and all(map(math.isfinite, numbers)) and min(numbers[:2]) > 0
    if not is_camera:
        raise argparse.ArgumentTypeError(
            f'{text!r} is not FX,FY,CX,CY, as 425.1,425.1,423.5,239.5'
        )
    return numbers


@dataclass(frozen=True)
class BagOptions(Options):
    """Contents of the recording.

    Attributes:
        denoised_files: denoised depth by the name of its sample, 16-bit PNG [mm].
    """

    rate_hz: float = option(30.0, 'frames a second', low=1e-3, high=1e6, flag='rate')
    camera: str = option('camera/camera', 'namespace of the topics')
    storage: str = option('mcap', 'of the file', choices=STORAGES)
    pinhole_px: tuple[float, float, float, float] | None = option(
        None,
        'of all images',
        unit='px',
        none_doc='those of the data set',
        flag='intrinsics',
        metavar='FX,FY,CX,CY',
        parse=pinhole,
    )
    replace: bool = option(False, 'replace a recording', flag='force', is_switch=True)
    denoised_files: Mapping[str, Path] = field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__post_init__()
        camera_namespace(self.camera)


def write_bag(reader: Reader, out: Path, options: BagOptions) -> dict[str, int]:
    """Write every sample as a frame: the same data give the same bytes.

    Labels, boxes and further maps are no streams of a camera; they stay behind.

    Args:
        reader: the data set.
        out: folder of the recording.
        options: see there.

    Returns:
        Number of messages by topic.

    Raises:
        ConfigError: `out` must not be written, the intrinsics are unknown, or the disk is full.
        InputError: a sample is damaged or holds no image.
    """
    with new_bag(out, storage=options.storage, replace=options.replace) as writer:
        recorder = _Recorder(writer, options)
        for index in range(len(reader)):
            sample = _in_metres(reader.read(index), reader.reference_focal_px)
            recorder.record(sample, START_NS + round(index * 1e9 / options.rate_hz))
        return writer.counts


@contextmanager
def new_bag(
    out: Path, *, storage: str = 'mcap', replace: bool = False
) -> Iterator[RecordingWriter]:
    """A recording written next to `out`; it becomes `out` if all goes well.

    Args:
        out: the folder.
        storage: one of STORAGES.
        replace: whether a recording may lie there already; nothing else is ever replaced.

    Raises:
        ConfigError: something lies there that must not be replaced, or the disk is full; nothing
            is left behind.
        InputError: the folder cannot be made.
    """
    out = Path(out).absolute()
    partial = out.with_name(f'{out.name}.partial-{os.getpid()}')
    try:
        _require_room(out, replace)
        partial.mkdir(parents=True)
        # rosbags names the file within after the folder, so only the folder above differs.
        fresh = partial / out.name
        with RecordingWriter(fresh, storage=storage) as writer:
            yield writer
        put_in_place(fresh, out, partial / 'replaced')
    except OSError as error:
        raise InputError(f'{out} cannot be written: {error}') from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _require_room(out: Path, replace: bool) -> None:
    if out.suffix == '.bag':
        raise ConfigError(f'{out} would be a rosbag2, which is a folder: name it without .bag')
    if not out.exists():
        return
    if not out.is_dir():
        raise ConfigError(f'{out} is a file: name a new folder')
    foreign = foreign_files(out)
    if foreign:
        raise ConfigError(f'{out} holds {foreign[0].name}: name a new folder')
    if not replace and any(out.iterdir()):
        raise ConfigError(f'{out} is a recording: name a new folder, or give --force')


class _Recorder:
    """Writes samples into a recording."""

    def __init__(self, writer: RecordingWriter, options: BagOptions) -> None:
        self._writer, self._options = CameraWriter(writer, options.camera), options
        self._frames: list[str] = []
        self._first_size: tuple[int, int] | None = None

    def record(self, sample: Sample, stamp_ns: int) -> None:
        """Append a frame."""
        streams = list(streams_of(sample, self._writer.namespace, self._denoised_m(sample)))
        if not streams:
            raise InputError(f'{sample.name} has neither image nor depth: nothing to record')
        camera = self._intrinsics(sample)
        self._add_transforms(streams, stamp_ns)
        for stream in streams:
            self._writer.write_info(stream.info_topic, stream.frame, stamp_ns, camera)
            self._writer.write_image(
                stream.topic, stream.frame, stamp_ns, stream.encoding, stream.pixels
            )

    def _add_transforms(self, streams: list[Stream], stamp_ns: int) -> None:
        """Streams of a data set share their pixels, so all look from the same place."""
        frames = list(dict.fromkeys([*self._frames, *(s.frame for s in streams)]))
        if frames != self._frames:
            self._frames = frames
            self._writer.write_transforms(
                stamp_ns, dict.fromkeys(frames, RigidTransform.identity())
            )

    def _intrinsics(self, sample: Sample) -> CameraModel:
        if self._options.pinhole_px is not None:
            return CameraModel(*self._same_size(sample), *self._options.pinhole_px)
        camera = sample.intrinsics
        if camera is None:
            raise ConfigError(
                f'the intrinsics of {sample.name} are unknown: give --intrinsics fx,fy,cx,cy '
                'in pixels, or an intrinsics.yaml where the format reads one'
            )
        if (camera.width, camera.height) != sample.size:
            size = '{}x{}'.format(*sample.size)
            raise InputError(
                f'{sample.name} is {size}, its intrinsics are of {camera.width}x{camera.height}: '
                'give --intrinsics fx,fy,cx,cy'
            )
        return camera

    def _same_size(self, sample: Sample) -> tuple[int, int]:
        """One set of numbers fits one size only."""
        self._first_size = self._first_size or sample.size
        if sample.size != self._first_size:
            sizes = '{}x{}, the first was {}x{}'.format(*sample.size, *self._first_size)
            raise InputError(
                f'{sample.name} is {sizes}: --intrinsics cannot be of both, --list one'
            )
        return sample.size

    def _denoised_m(self, sample: Sample) -> np.ndarray | None:
        path = self._options.denoised_files.get(sample.name)
        return None if path is None else require_size(path, read_depth(path), sample.size)


def _in_metres(sample: Sample, reference_focal_px: float | None) -> Sample:
    """Depth that was divided by the focal length, as measured again."""
    if not (reference_focal_px and sample.focal_px) or sample.depth_m is None:
        return sample
    scale = np.float32(sample.focal_px / reference_focal_px)
    return dataclasses.replace(sample, depth_m=sample.depth_m * scale)
