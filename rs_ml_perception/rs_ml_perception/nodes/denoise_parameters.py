"""Parameters of denoise_node."""

from __future__ import annotations

from dataclasses import dataclass

from rs_ml_perception.core.options import option
from rs_ml_perception.inference.shelf import DEFAULT_MODELS
from rs_ml_perception.nodes.networks import NetworkParameters
from rs_ml_perception.ros.denoise_outputs import AS_INPUT, ENCODINGS
from rs_ml_perception.ros.topic_choice import PRIMARY_DEPTH_SOURCES
from rs_ml_perception.tasks.denoise_pipeline import INFRARED_MODES, DenoisePipelineOptions
from rs_ml_perception.tasks.denoiser import DenoiserOptions

MANIFEST = -1.0
"""Leaves the threshold to the model's manifest."""


@dataclass(frozen=True)
class DenoiseParameters(NetworkParameters):
    """All of them, and what they mean to the pipeline."""

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
        AS_INPUT,
        'that of the input, metres with NaN, or millimetres with 0',
        choices=ENCODINGS,
    )

    @property
    def pipeline_options(self) -> DenoisePipelineOptions:
        threshold = self.confidence_threshold
        denoiser = DenoiserOptions(
            confidence_threshold=None if threshold == MANIFEST else threshold,
            range_min_m=self.range_min_m if self.range_min_m > 0 else None,
            range_max_m=self.range_max_m if self.range_max_m < 1000.0 else None,
        )
        return DenoisePipelineOptions(denoiser, self.infrared)
