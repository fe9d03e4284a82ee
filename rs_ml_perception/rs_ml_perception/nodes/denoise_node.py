"""Denoised depth in the resolution of the camera's depth."""

from __future__ import annotations

import sys
from dataclasses import dataclass

import cv2
import numpy as np
from sensor_msgs.msg import CameraInfo, Image

from rs_ml_perception.core.errors import InputError
from rs_ml_perception.core.frames.frame import Frame
from rs_ml_perception.core.options import option, override
from rs_ml_perception.inference.shelf import DEFAULT_MODELS
from rs_ml_perception.nodes.networks import NetworkParameters
from rs_ml_perception.nodes.runner import run
from rs_ml_perception.ros.input.depth_synchronizer import DepthSynchronizer, InfraredView
from rs_ml_perception.ros.input.samples import FrameSet
from rs_ml_perception.ros.input.topics import INFRA, PRIMARY_DEPTH_SOURCES
from rs_ml_perception.ros.node import PerceptionNode
from rs_ml_perception.ros.output.images import camera_info, depth_image, image
from rs_ml_perception.ros.output.outputs import Output, OutputContext
from rs_ml_perception.tasks.denoise import DenoisedDepth, DenoiseOptions, DenoisePipeline

AS_INPUT = 'input'
ENCODINGS = (AS_INPUT, '16UC1', '32FC1')
"""Values of the parameter output_encoding."""


_ALIGNED_NOTE = (
    'aligned depth is denoised without infrared, which has another viewpoint: let the driver '
    'publish depth/image_rect_raw, or set depth_source to aligned'
)


@dataclass(frozen=True)
class DenoiseParameters(DenoiseOptions, NetworkParameters):
    """Parameters of denoise_node."""

    model: str = override(DEFAULT_MODELS['denoise'])
    depth_source: str = option(
        'auto',
        'raw depth of the sensor, or depth aligned to colour; auto prefers raw',
        choices=PRIMARY_DEPTH_SOURCES,
        static=True,
    )
    output_encoding: str = option(
        AS_INPUT,
        'encoding of depth/image_rect_raw: of the input, metres with NaN, or millimetres with 0',
        choices=ENCODINGS,
    )


_Context = OutputContext[DenoiseParameters, DenoisePipeline]


def _encoding(context: _Context) -> str:
    chosen = context.parameters.output_encoding
    if chosen != AS_INPUT:
        return chosen
    depth = context.frame.depth
    return '16UC1' if depth is not None and depth.values.dtype == np.uint16 else '32FC1'


def _depth(result: DenoisedDepth, context: _Context) -> Image:
    return depth_image(result.depth_m, _encoding(context), context.header)


def _info(_: DenoisedDepth, context: _Context) -> CameraInfo | None:
    if context.frame.camera is None:
        return None
    return camera_info(context.frame.camera, context.header)


def _confidence(result: DenoisedDepth, context: _Context) -> Image:
    """255 is certain."""
    levels = cv2.convertScaleAbs(result.confidence, alpha=255)
    return image(levels, 'mono8', context.header)


OUTPUTS = (
    Output('depth/image_rect_raw', Image, _depth),
    Output('depth/camera_info', CameraInfo, _info),
    Output('depth/confidence', Image, _confidence, is_optional=True),
)


class DenoiseNode(PerceptionNode[DenoiseParameters, DenoisePipeline, DenoisedDepth]):
    """Publishes OUTPUTS."""

    default_name = 'denoise'
    parameters_type = DenoiseParameters
    outputs = OUTPUTS
    _view: InfraredView
    _depth: DepthSynchronizer

    @classmethod
    def load_pipeline(cls, parameters: DenoiseParameters) -> DenoisePipeline:
        return DenoisePipeline.load(parameters, parameters)

    def source(self, parameters: DenoiseParameters) -> DepthSynchronizer:
        # Do not wait for images that the network has no input for.
        is_useless = parameters.infrared == 'auto' and not self.pipeline.uses_infrared
        infrared = 'none' if is_useless else parameters.infrared
        self._depth = self.hub.depth(parameters.depth_source, infrared, parameters.streams)
        return self._depth

    def attach_inputs(self) -> None:
        self._view = InfraredView(self.hub.transforms)

    def run(self, frames: FrameSet, frame: Frame) -> DenoisedDepth:
        is_required = self.parameters.infrared == 'require'
        if is_required and frame.infrared is None and self.frame_notes:
            raise InputError('; '.join(self.frame_notes))
        return self.pipeline(self._view.checked(frames, frame, is_required=is_required))

    def notes(self) -> tuple[str, ...]:
        """Reasons why infrared is not used although it may."""
        parameters = self.parameters
        if self.activation is None or parameters.infrared != 'auto':
            return ()
        if not self.pipeline.uses_infrared:
            return ()
        if self._depth.partner_topic:
            return (self._view.problem,)
        if not self._depth.is_raw:
            return () if parameters.depth_source == 'aligned' else (_ALIGNED_NOTE,)
        topic = self.hub.images(INFRA, parameters.streams).topic
        return (f'no infrared on {topic}: set enable_infra1 of the driver, or infrared to none',)


def main() -> int:
    """Run the node."""
    return run(DenoiseNode)


if __name__ == '__main__':
    sys.exit(main())
