"""The camera SDK's post-processing on stored frames, the baseline of denoisers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
from rs_ml_perception.core.errors import ConfigError, InputError
from rs_ml_perception.core.geometry.camera import CameraModel
from rs_ml_perception.recordings.realsense_camera import import_pyrealsense2

from rs_ml_training.data.sample import Sample
from rs_ml_training.prediction.results import DenoisePrediction

_UNIT_M = 0.001
_BASELINE_MM = 50.0
# Focal length by width of a D4xx depth camera, for frames that do not know theirs.
_FOCAL_SHARE = 0.6
_FRAME_MS = 33.0
_TIMEOUT_MS = 1000

# Chains of filters by name, each with the SDK's default options. `recommended` is the order that
# its documentation gives, without decimation, which would change the size.
CHAINS: Mapping[str, tuple[str, ...]] = {
    'spatial': ('spatial',),
    'temporal': ('temporal',),
    'hole-filling-left': ('hole-filling-left',),
    'hole-filling-farthest': ('hole-filling-farthest',),
    'hole-filling-nearest': ('hole-filling-nearest',),
    'disparity-spatial': ('to-disparity', 'spatial', 'to-depth'),
    'disparity-spatial-temporal': ('to-disparity', 'spatial', 'temporal', 'to-depth'),
    'recommended': (
        'to-disparity',
        'spatial',
        'temporal',
        'to-depth',
        'hole-filling-farthest',
    ),
}


class SdkFilters:
    """A chain of librealsense filters as a predictor; frames of a scene follow each other.

    The temporal filter remembers the frames before, and forgets them where a scene ends.

    Args:
        chain: key of CHAINS.

    Raises:
        ConfigError: no such chain.
        BackendError: pyrealsense2 is not installed.
    """

    def __init__(self, chain: str) -> None:
        if chain not in CHAINS:
            raise ConfigError(f'no chain of SDK filters {chain!r}; there are {", ".join(CHAINS)}')
        self._sdk = import_pyrealsense2()
        self._chain = CHAINS[chain]
        self._scene: str | None = None
        self._filters: list[Any] = []
        self._camera: _SoftwareCamera | None = None

    def batch(self, samples: Iterable[Sample]) -> list[DenoisePrediction]:
        """The filtered depth of some samples, in order.

        Raises:
            InputError: a sample has no measured depth.
        """
        return [DenoisePrediction(self._filtered(sample)) for sample in samples]

    def _filtered(self, sample: Sample) -> np.ndarray:
        if sample.raw_depth_m is None:
            raise InputError(f'{sample.name} has no measured depth')
        if self._camera is None or self._camera.size != sample.size:
            self._camera, self._scene = _SoftwareCamera(self._sdk, sample), None
        if sample.scene != self._scene or not self._filters:
            self._filters = [_MAKERS[name](self._sdk) for name in self._chain]
            self._scene = sample.scene
        frame = self._camera.frame(np.rint(sample.raw_depth_m / _UNIT_M).astype(np.uint16))
        for step in self._filters:
            frame = step.process(frame)
        # A copy: the memory belongs to the SDK, which uses it again.
        return np.array(frame.get_data(), np.float32) * np.float32(_UNIT_M)


class _SoftwareCamera:
    """A depth camera that plays given images."""

    def __init__(self, sdk: Any, sample: Sample) -> None:
        self._sdk, self.size = sdk, sample.size
        self._sensor = sdk.software_device().add_sensor('Depth')
        profile = self._sensor.add_video_stream(_stream(sdk, sample))
        self._profile = profile.as_video_stream_profile()
        self._sensor.add_read_only_option(sdk.option.depth_units, _UNIT_M)
        self._sensor.add_read_only_option(sdk.option.stereo_baseline, _BASELINE_MM)
        self._queue, self._number = sdk.frame_queue(2), 0
        self._sensor.open(profile)
        self._sensor.start(self._queue)

    def frame(self, depth_mm: np.ndarray) -> Any:
        """uint16 (H, W) as a frame of the SDK."""
        self._number += 1
        frame = self._sdk.software_video_frame()
        frame.pixels = np.ascontiguousarray(depth_mm)
        frame.stride, frame.bpp = 2 * depth_mm.shape[1], 2
        frame.timestamp, frame.frame_number = _FRAME_MS * self._number, self._number
        frame.domain = self._sdk.timestamp_domain.hardware_clock
        frame.profile, frame.depth_units = self._profile, _UNIT_M
        self._sensor.on_video_frame(frame)
        return self._queue.wait_for_frame(_TIMEOUT_MS)


def _stream(sdk: Any, sample: Sample) -> Any:
    width, height = sample.size
    focal_px = _FOCAL_SHARE * width
    camera = sample.intrinsics or CameraModel(
        width, height, focal_px, focal_px, width / 2, height / 2
    )
    lens = sdk.intrinsics()
    lens.width, lens.height, lens.model = width, height, sdk.distortion.brown_conrady
    lens.fx, lens.fy, lens.ppx, lens.ppy = camera.fx, camera.fy, camera.cx, camera.cy
    lens.coeffs = [0.0] * 5
    stream = sdk.video_stream()
    stream.type, stream.fmt = sdk.stream.depth, sdk.format.z16
    stream.uid, stream.fps, stream.bpp = 0, 30, 2
    stream.width, stream.height, stream.intrinsics = width, height, lens
    return stream


def _hole_filling(mode: int) -> Callable[[Any], Any]:
    return lambda sdk: sdk.hole_filling_filter(mode)


_MAKERS: Mapping[str, Callable[[Any], Any]] = {
    'to-disparity': lambda sdk: sdk.disparity_transform(True),
    'to-depth': lambda sdk: sdk.disparity_transform(False),
    'spatial': lambda sdk: sdk.spatial_filter(),
    'temporal': lambda sdk: sdk.temporal_filter(),
    'hole-filling-left': _hole_filling(0),
    'hole-filling-farthest': _hole_filling(1),
    'hole-filling-nearest': _hole_filling(2),
}
