"""Metric depth from colour images, fitted to measured depth if there is any."""

from __future__ import annotations

import sys
from dataclasses import dataclass

import cv2
import numpy as np
from sensor_msgs.msg import CameraInfo, Image, PointCloud2

from rs_ml_perception.core.drawing.colormap import colorize_depth
from rs_ml_perception.core.errors import InputError
from rs_ml_perception.core.frames.frame import Frame
from rs_ml_perception.core.geometry.projection import packed_points
from rs_ml_perception.core.options import option, override
from rs_ml_perception.inference.shelf import DEFAULT_MODELS
from rs_ml_perception.nodes.networks import NetworkParameters
from rs_ml_perception.nodes.runner import run
from rs_ml_perception.ros.input.frame_synchronizer import ColorSynchronizer
from rs_ml_perception.ros.input.samples import FrameSet
from rs_ml_perception.ros.node import PerceptionNode
from rs_ml_perception.ros.output.images import camera_info, color_outputs, depth_image, point_cloud
from rs_ml_perception.ros.output.outputs import Output, OutputContext
from rs_ml_perception.tasks.depth_alignment import OFF
from rs_ml_perception.tasks.mono_depth import DepthEstimate, MonoDepthOptions, MonoDepthPipeline


@dataclass(frozen=True)
class MonoDepthParameters(MonoDepthOptions, NetworkParameters):
    """Parameters of mono_depth_node."""

    model: str = override(DEFAULT_MODELS['mono_depth'])
    output_encoding: str = option(
        '32FC1',
        'encoding of depth/image: metres with NaN, or millimetres with 0',
        choices=('32FC1', '16UC1'),
    )
    publish_points: bool = option(False, 'publish points (PointCloud2)', static=True)


_Context = OutputContext[MonoDepthParameters, MonoDepthPipeline]


def _depth(estimate: DepthEstimate, context: _Context) -> Image:
    return depth_image(estimate.depth_m, context.parameters.output_encoding, context.header)


def _info(estimate: DepthEstimate, context: _Context) -> CameraInfo | None:
    if estimate.camera is None:
        return None
    return camera_info(estimate.camera, context.header)


def _stddev(estimate: DepthEstimate, context: _Context) -> Image:
    return depth_image(estimate.stddev_m(), '32FC1', context.header)


def _color(estimate: DepthEstimate, _: _Context) -> np.ndarray:
    return colorize_depth(estimate.depth_m)


def _points(estimate: DepthEstimate, context: _Context) -> PointCloud2:
    if estimate.camera is None:
        raise InputError('points need color/camera_info: none has come yet')
    height, width = estimate.depth_m.shape
    rgb = context.frame.color_image
    if rgb.shape[:2] != (height, width):
        rgb = cv2.resize(rgb, (width, height), interpolation=cv2.INTER_AREA)
    return point_cloud(packed_points(estimate.depth_m, estimate.camera, rgb), context.header)


def _wants_points(parameters: MonoDepthParameters) -> bool:
    return parameters.publish_points


def _is_aligned(parameters: MonoDepthParameters) -> bool:
    return parameters.align_to_depth != OFF


_NO_FIT = (
    'measured depth covers too little of the image, or differs too much, to align the estimate: '
    'the last fit holds for align_hold_secs, then the metres of the network'
)

_UNPLACED = 'unaligned depth needs color/camera_info with a known lens to align the estimate'

OUTPUTS = (
    Output('depth/image', Image, _depth),
    Output('depth/camera_info', CameraInfo, _info),
    Output('depth/stddev', Image, _stddev, is_optional=True, is_enabled=_is_aligned),
    *color_outputs('depth/image_color', _color),
    Output('points', PointCloud2, _points, is_optional=True, is_enabled=_wants_points),
)


class MonoDepthNode(PerceptionNode[MonoDepthParameters, MonoDepthPipeline, DepthEstimate]):
    """Publishes OUTPUTS."""

    default_name = 'mono_depth'
    parameters_type = MonoDepthParameters
    outputs = OUTPUTS
    _problem = ''

    @classmethod
    def load_pipeline(cls, parameters: MonoDepthParameters) -> MonoDepthPipeline:
        return MonoDepthPipeline.load(parameters, parameters)

    def run(self, frames: FrameSet, frame: Frame) -> DepthEstimate:
        estimate = self.pipeline(frame)
        alignment = estimate.alignment
        is_unfit = alignment is not None and frame.depth is not None and alignment.age_secs != 0
        is_unplaced = not frame.depth_is_aligned and frame.camera is None
        self._problem = (_UNPLACED if is_unplaced else _NO_FIT) if is_unfit else ''
        return estimate

    def source(self, parameters: MonoDepthParameters) -> ColorSynchronizer:
        depth_source = parameters.depth_source if _is_aligned(parameters) else 'none'
        return self.hub.color(depth_source, parameters.streams)

    def attach_inputs(self) -> None:
        self._problem = ''

    def notes(self) -> tuple[str, ...]:
        """Why measured depth is not used although it arrives."""
        return (self._problem,)


def main() -> int:
    """Run the node."""
    return run(MonoDepthNode)


if __name__ == '__main__':
    sys.exit(main())
