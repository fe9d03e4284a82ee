"""Which map of a sample is which stream of a RealSense camera."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from rs_ml_perception.core.errors import ConfigError

from rs_ml_training.data.encodings import encode
from rs_ml_training.data.sample import Sample

COLOR, DEPTH, INFRARED = 'color', 'depth', 'infra1'
# No reader of recordings takes these for a camera's depth: that ends with depth/image_rect_raw.
TRUTH, DENOISED = '/ground_truth', '/denoised'
GREATEST_M = 65.535
"""Farthest depth that 16UC1 holds [m]."""

_NAMESPACE = re.compile(r'[A-Za-z_][A-Za-z0-9_]*(/[A-Za-z_][A-Za-z0-9_]*)*')


@dataclass(frozen=True)
class Stream:
    """Pictures of one kind.

    Attributes:
        folder: absolute name of what the topics of picture and camera_info are in.
        leaf: last part of the picture's topic.
        frame: stream in whose optical frame the pixels are.
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
        """Of the picture."""
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
    """What the driver publishes of a sample; truth and denoised depth are topics beside it.

    Depth in a sample with a picture has the picture's pixels: it is aligned depth. Depth without
    a measurement beside it counts as measured.

    Args:
        sample: depth as float32 (H, W) [m].
        camera: the driver's namespace, as '/camera/camera'.
        denoised_m: float32 (H, W) [m], or None.
    """
    is_measured = sample.raw_depth_m is not None
    measured_m = sample.raw_depth_m if is_measured else sample.depth_m
    has_color = sample.image is not None
    frame = COLOR if has_color else DEPTH
    if has_color:
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
