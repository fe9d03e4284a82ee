"""Denoising as the node runs it."""

from __future__ import annotations

from dataclasses import dataclass, field

from rs_ml_perception.core.errors import ConfigError, InputError
from rs_ml_perception.core.frames.frame import Frame
from rs_ml_perception.core.objects.labels import LabelMap
from rs_ml_perception.tasks.denoiser import DenoisedDepth, Denoiser, DenoiserOptions
from rs_ml_perception.tasks.model_choice import ModelChoice, describe

INFRARED_MODES = ('auto', 'require', 'none')
"""Used where it is there; frames without it are dropped; never used."""


@dataclass(frozen=True)
class DenoisePipelineOptions:
    """What may change between frames.

    Attributes:
        denoiser: thresholds.
        infrared: one of INFRARED_MODES.
    """

    denoiser: DenoiserOptions = field(default_factory=DenoiserOptions)
    infrared: str = INFRARED_MODES[0]

    def __post_init__(self) -> None:
        if self.infrared not in INFRARED_MODES:
            raise ConfigError(
                f'infrared must be one of {", ".join(INFRARED_MODES)}, got {self.infrared!r}'
            )


class DenoisePipeline:
    """Frame to DenoisedDepth. See core.pipeline.Pipeline."""

    def __init__(self, denoiser: Denoiser, options: DenoisePipelineOptions) -> None:
        self.title = denoiser.model.title
        self.backend = denoiser.model.backend_name
        self.labels = LabelMap({})
        self._denoiser = denoiser
        self.options = options

    @classmethod
    def load(cls, choice: ModelChoice, options: DenoisePipelineOptions) -> DenoisePipeline:
        """Load the model; see ModelChoice.load for what it raises."""
        return cls(Denoiser(choice.load(), options.denoiser), options)

    @property
    def uses_infrared(self) -> bool:
        """Whether the network looks at infrared at all."""
        return self._denoiser.uses_infrared

    @property
    def options(self) -> DenoisePipelineOptions:
        """May be replaced at any time; ConfigError for a confidence the model does not give."""
        return self._options

    @options.setter
    def options(self, options: DenoisePipelineOptions) -> None:
        self._denoiser.options = options.denoiser
        self._options = options

    def __call__(self, frame: Frame) -> DenoisedDepth:
        """The depth of one frame without noise.

        Raises:
            InputError: there is no depth, or the infrared image asked for is missing or differs
                in size.
        """
        if frame.depth is None:
            raise InputError('there is no depth image to denoise')
        if self._options.infrared == 'none':
            return self._denoiser(frame.depth)
        if self._options.infrared == 'require' and frame.infrared is None:
            raise InputError('there is no infrared image, and infrared is set to require')
        return self._denoiser(frame.depth, frame.infrared)

    def describe(self) -> dict[str, str]:
        facts = describe(self._denoiser.model)
        return {**facts, 'confidence_threshold': f'{self._denoiser.confidence_threshold:g}'}

    def warm_up(self) -> float:
        return self._denoiser.model.warm_up()

    def reset(self) -> None:
        """Nothing is tracked."""

    def take_stages(self) -> dict[str, float]:
        return self._denoiser.stages.take()

    def close(self) -> None:
        self._denoiser.model.close()
