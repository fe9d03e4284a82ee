"""Depth without the camera's noise, pixel for pixel in place of the camera's own."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Any, ClassVar

from rs_ml_perception.core.frame import Frame
from rs_ml_perception.core.options import option
from rs_ml_perception.inference.shelf import DEFAULT_MODELS
from rs_ml_perception.nodes.networks import NetworkParameters
from rs_ml_perception.nodes.runner import run
from rs_ml_perception.ros import denoise_outputs
from rs_ml_perception.ros.assembler import Assembler
from rs_ml_perception.ros.frame_sets import FrameSet
from rs_ml_perception.ros.infrared_view import InfraredView
from rs_ml_perception.ros.inputs import INFRA
from rs_ml_perception.ros.node import PerceptionNode
from rs_ml_perception.ros.outputs import Output
from rs_ml_perception.ros.topic_choice import PRIMARY_DEPTH_SOURCES
from rs_ml_perception.tasks.denoise_pipeline import (
    INFRARED_MODES,
    DenoisePipeline,
    DenoisePipelineOptions,
)
from rs_ml_perception.tasks.denoiser import DenoisedDepth, DenoiserOptions

MANIFEST = -1.0
"""Leaves the threshold to the model's manifest."""


@dataclass(frozen=True)
class DenoiseParameters(NetworkParameters):
    """Parameters of denoise_node."""

    model: str = option(
        DEFAULT_MODELS['denoise'], 'model directory, or the name of a known model', static=True
    )
    depth_source: str = option(
        'auto',
        'depth as the sensor sees it, or aligned to colour; auto takes raw where it is published',
        choices=PRIMARY_DEPTH_SOURCES,
        static=True,
    )
    infrared: str = option(
        'auto',
        'left infrared image: used where it is published, required, or not used',
        choices=INFRARED_MODES,
        static=True,
    )
    confidence_threshold: float = option(
        MANIFEST, 'less certain pixels become invalid; -1: as the model says', low=-1.0, high=1.0
    )
    range_min_m: float = option(0.0, 'nearer becomes invalid [m]', low=0.0, high=1000.0)
    range_max_m: float = option(
        1000.0, 'farther becomes invalid; 1000: as the model says [m]', low=0.0, high=1000.0
    )
    output_encoding: str = option(
        denoise_outputs.AS_INPUT,
        'that of the input, metres with NaN, or millimetres with 0',
        choices=denoise_outputs.ENCODINGS,
    )

    @property
    def pipeline_options(self) -> DenoisePipelineOptions:
        threshold = self.confidence_threshold
        denoiser = DenoiserOptions(
            confidence_threshold=None if threshold < 0 else threshold,
            range_min_m=self.range_min_m if self.range_min_m > 0 else None,
            range_max_m=self.range_max_m if self.range_max_m < 1000.0 else None,
        )
        return DenoisePipelineOptions(denoiser, self.infrared)


class DenoiseNode(PerceptionNode[DenoiseParameters]):
    """Publishes what is listed in ros/denoise_outputs.py."""

    default_name: ClassVar[str] = 'denoise'
    parameters_type: ClassVar[type] = DenoiseParameters
    outputs: ClassVar[tuple[Output, ...]] = denoise_outputs.OUTPUTS

    def __init__(self, *args: Any, **node_args: Any) -> None:
        super().__init__(*args, **node_args)
        self._view = InfraredView(self.hub.transforms)

    @classmethod
    def load_pipeline(cls, parameters: DenoiseParameters) -> DenoisePipeline:
        return DenoisePipeline.load(parameters.choice, parameters.pipeline_options)

    def retune(self, parameters: DenoiseParameters) -> None:
        self.pipeline.options = parameters.pipeline_options

    def source(self, parameters: DenoiseParameters) -> Assembler:
        return self.hub.depth(parameters.depth_source, parameters.infrared, parameters.streams)

    def run(self, frames: FrameSet, frame: Frame) -> DenoisedDepth:
        is_required = self.parameters.infrared == 'require'
        return self.pipeline(self._view.checked(frames, frame, is_required=is_required))

    def notes(self) -> tuple[str, ...]:
        """Why infrared does not help although it may."""
        if self.assembler is None or self.parameters.infrared != 'auto':
            return ()
        if self.assembler.partner_topic:
            return (self._view.problem,)
        topic = self.hub.stream(INFRA, self.parameters.streams).topic
        return (f'no infrared on {topic}: set enable_infra1 of the driver, or infrared to none',)


def main() -> int:
    """Run the node."""
    return run(DenoiseNode)


if __name__ == '__main__':
    sys.exit(main())
