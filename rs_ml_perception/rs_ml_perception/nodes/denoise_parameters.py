"""Parameters of denoise_node."""

from __future__ import annotations

from dataclasses import dataclass

from rs_ml_perception.core.options import option
from rs_ml_perception.nodes.networks import MANIFEST, DepthParameters, model_option
from rs_ml_perception.ros.denoise_outputs import AS_INPUT, ENCODINGS
from rs_ml_perception.ros.topic_choice import PRIMARY_DEPTH_SOURCES
from rs_ml_perception.tasks.denoise import INFRARED_MODES, DenoisePipelineOptions, DenoiserOptions


@dataclass(frozen=True)
class DenoiseParameters(DepthParameters):
    """All of them, and what they mean to the pipeline."""

    model: str = model_option('denoise')
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
    output_encoding: str = option(
        AS_INPUT,
        'that of the input, metres with NaN, or millimetres with 0',
        choices=ENCODINGS,
    )

    @property
    def pipeline_options(self) -> DenoisePipelineOptions:
        threshold = self.confidence_threshold
        chosen = None if threshold == MANIFEST else threshold
        denoiser = DenoiserOptions(chosen, *self.band_m)
        return DenoisePipelineOptions(denoiser, self.infrared)
