"""Options common to several tasks, and the base of pipelines around a network."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

from rs_ml_perception.core.errors import ConfigError, InputError, ModelError
from rs_ml_perception.core.options import Options, option
from rs_ml_perception.core.pipeline import Pipeline
from rs_ml_perception.inference.backends import BACKENDS, DEVICES, PRECISIONS
from rs_ml_perception.inference.loading import load_model
from rs_ml_perception.inference.model import Model

OptionsT = TypeVar('OptionsT')


@dataclass(frozen=True)
class RangeOptions(Options):
    """A band of distances, either limit of which may be open."""

    range_min_m: float = option(
        0.0, 'minimum distance; anything closer is discarded', unit='m', low=0.0, high=1000.0
    )
    range_max_m: float | None = option(
        None,
        'maximum distance; anything farther or without depth is discarded',
        unit='m',
        low=0.0,
        none=1000.0,
        none_doc='no limit',
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        low, high = self.band_m
        if not low < high:
            raise ConfigError(f'range_min_m {low:g} must be below range_max_m {high:g}')

    @property
    def band_m(self) -> tuple[float, float]:
        """Both limits, infinity for an open end."""
        return self.range_min_m, math.inf if self.range_max_m is None else self.range_max_m


@dataclass(frozen=True)
class ModelOptions(Options):
    """The network, and how it runs."""

    model: str = option(
        '', 'model directory, or name of a known model', static=True, metavar='NAME|DIR'
    )
    backend: str = option('auto', 'inference runtime', choices=('auto', *BACKENDS), static=True)
    device: str = option('auto', 'device of the inference', choices=DEVICES, static=True)
    precision: str = option(
        'auto',
        'arithmetic of the network; auto: float32, or bfloat16 if the CPU has it and the results '
        'are as recorded',
        choices=('auto', *PRECISIONS),
        static=True,
    )
    threads: int = option(
        0,
        'inference threads; 0: backend default, or cores / networks in a graph',
        low=0,
        high=256,
        static=True,
    )

    def load(self, *, checks_golden: bool = True) -> Model:
        """Load the model and check that it reproduces its golden outputs.

        Raises:
            ModelError: the model is missing or damaged, or computes other outputs.
            BackendError: no installed runtime can run it.
        """
        return load_model(
            self.model,
            backend=self.backend,
            device=self.device,
            threads=self.threads,
            precision=None if self.precision == 'auto' else self.precision,
            checks_golden=checks_golden,
        )


def check_fit(model: Model, decode: Callable[[dict[str, np.ndarray]], Any]) -> None:
    """Run a network of fixed input size on black images, and decode what it gives.

    Raises:
        ModelError: the outputs do not fit the manifest.
    """
    inputs = model.manifest.inputs
    if any(spec.size is None for spec in inputs):
        return  # the size of the images decides, so the first one will show it
    outputs = model({spec.name: spec.black() for spec in inputs})
    try:
        decode(outputs)
    except ModelError as error:
        raise ModelError(f'{model.title}: {error}') from error
    except InputError:
        pass  # of a black image, which is no frame of a camera


class ModelPipeline(Pipeline[OptionsT]):
    """Base of pipelines around a network."""

    def __init__(self, model: Model, options: OptionsT) -> None:
        super().__init__(options)
        self.title = model.title
        self.backend = model.backend_name
        self.labels = model.manifest.labels
        self._model = model

    @property
    def concerns(self) -> tuple[str, ...]:
        return self._model.concerns

    def describe(self) -> dict[str, str]:
        return self._model.describe()

    def warm_up(self) -> float:
        return self._model.warm_up()

    def close(self) -> None:
        self._model.close()
