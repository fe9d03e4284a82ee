"""What is made of a prediction besides the plain result."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from rs_ml_perception.core.drawing.colormap import depth_range_m
from rs_ml_perception.core.errors import ConfigError

from rs_ml_training.data.sample import Sample
from rs_ml_training.prediction import clouds, colors
from rs_ml_training.prediction.results import DenoisePrediction, DepthPrediction, Prediction
from rs_ml_training.trained import ModelSpec

PANORAMIC = ('pano-depth',)
"""Networks whose pictures are equirectangular."""

_NEW = 0.1
"""Share of a new frame in the colour range of a video."""


@dataclass(frozen=True, eq=False)
class Style:
    """Which files are made of a prediction, and how.

    Attributes:
        pictures: colours and overlays for looking at.
        colormap: of depth, see colors.COLORMAPS.
        range_m: distances of its first and last colour; None: those of each picture.
        encoding: of depth files, see data.encodings.ENCODINGS.
        strips: picture, truth and prediction side by side.
        errors: error against the truth in jet colours.
        error_limit: relative error of its last colour.
        normals: surface normals as colours.
        cloud: coloured point cloud.
        keep_edges: whether the cloud keeps points on depth edges.
        intermediates: further maps of the network.
        panorama: depth is along the rays of an equirectangular picture.
        opacity: of the class colours over the picture.
        min_score: of boxes that are drawn.
        labels: class names by id.
        palette: uint8 (256, 3) RGB by class id.
    """

    pictures: bool = True
    colormap: str = 'viridis'
    range_m: tuple[float, float] | None = None
    encoding: str = 'mm'
    strips: bool = False
    errors: bool = False
    error_limit: float = 0.5
    normals: bool = False
    cloud: bool = False
    keep_edges: bool = True
    intermediates: bool = False
    panorama: bool = False
    opacity: float = 0.5
    min_score: float = 0.3
    labels: tuple[str, ...] = ()
    palette: np.ndarray | None = None

    def colors(self) -> np.ndarray:
        """The palette, uint8 (256, 3) RGB."""
        if self.palette is not None:
            return self.palette
        return colors.palette((), max(len(self.labels), 2))

    def points(self, depth_m: np.ndarray, sample: Sample) -> np.ndarray:
        """Points of a depth map, float32 (H, W, 3) metres.

        Raises:
            ConfigError: nobody knows the camera.
        """
        if self.panorama:
            return clouds.points_of(depth_m, None)
        camera = sample.intrinsics
        if camera is None:
            raise ConfigError(
                f'normals and clouds need the camera of {sample.name}: '
                'give --intrinsics fx,fy,cx,cy'
            )
        height, width = depth_m.shape
        return clouds.points_of(depth_m, camera.resized(width, height))


class SteadyRange:
    """The style of one frame after the other, with a colour range that follows slowly.

    A range of each frame's own would make a video flicker.
    """

    def __init__(self, style: Style) -> None:
        self._style, self._range_m = style, style.range_m

    def __call__(self, prediction: Prediction) -> Style:
        """The style for the frame that this was predicted of."""
        if self._style.range_m or not isinstance(prediction, (DepthPrediction, DenoisePrediction)):
            return self._style
        found = depth_range_m(prediction.depth_m)
        before = self._range_m or found
        near, far = ((1 - _NEW) * b + _NEW * f for b, f in zip(before, found, strict=True))
        self._range_m = near, far
        return replace(self._style, range_m=self._range_m)


def depth_encoding(spec: ModelSpec) -> str:
    """Millimetres where 16 bits hold the range of the network, else KITTI's 1/256 m."""
    return 'mm' if spec.depth_range_m[1] <= 65.0 else 'kitti'
