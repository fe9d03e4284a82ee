"""The objective of a training: arrays of samples, a loss, metrics and strips of images."""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from rs_ml_perception.core.errors import ConfigError

from rs_ml_training.data.augment.presets import fitted, preset
from rs_ml_training.data.augment.shape import RandomCrop
from rs_ml_training.data.geometry import resized
from rs_ml_training.data.reader import Reader
from rs_ml_training.data.sample import Arrays, Fit, Sample
from rs_ml_training.trained import ModelSpec

Tensors = Mapping[str, Any]
_NOT_FOR_USERS = ('intrinsics', 'weights', 'cells')


class Metrics(Protocol):
    """Metrics of a validation, accumulated over batches."""

    def update(self, targets: Arrays, outputs: Arrays) -> None: ...

    def result(self) -> dict[str, float]: ...


class Accumulated:
    """Base of metrics that feed one accumulator, such as metrics.depth.DepthMetrics."""

    def __init__(self, accumulator: Any) -> None:
        self.accumulator = accumulator

    def result(self) -> dict[str, float]:
        """Metrics by name."""
        return dict(self.accumulator.result())


@dataclass(frozen=True)
class Augmentation:
    """How training samples are augmented.

    Attributes:
        preset: key of data.augment.presets.PRESETS.
        crop: (width, height) cut at random out of each sample of the network's size.
        textures: folder of backgrounds of the preset 'industrial'.
        cutouts: data whose objects are pasted by presets that do so.
    """

    preset: str = 'none'
    crop: tuple[int, int] | None = None
    textures: Path | None = None
    cutouts: Reader | None = None


class Objective(ABC):
    """Targets, loss and metrics of a network.

    Attributes:
        spec: of the network.
    """

    def __init__(self, spec: ModelSpec) -> None:
        self.spec = spec

    @abstractmethod
    def arrays(self, sample: Sample) -> tuple[Arrays, Arrays]:
        """Inputs and targets of a sample that has the network's size."""

    @abstractmethod
    def losses(self, targets: Tensors, outputs: Tensors) -> dict[str, Any]:
        """Weighted scalars by `part_names`, the sum of which is minimised."""

    def part_names(self, outputs: Collection[str]) -> tuple[str, ...]:
        """Keys of `losses` for a network with these outputs."""
        return ('loss',)

    @abstractmethod
    def metrics(self) -> Metrics:
        """An empty accumulator."""

    @abstractmethod
    def picture(self, inputs: Arrays, targets: Arrays, outputs: Arrays) -> np.ndarray:
        """Strip of one sample (arrays without batch axis), uint8 (h, w, 3) RGB."""

    def training_fit(self, augmentation: Augmentation) -> Fit:
        """Augment a sample at the network's size, crop it and make its arrays."""
        size, crop = self.spec.input_size, augmentation.crop
        steps = preset(
            augmentation.preset, size, textures=augmentation.textures, cutouts=augmentation.cutouts
        )
        cut = RandomCrop(crop) if crop else None

        def fit(sample: Sample, rng: np.random.Generator) -> tuple[Arrays, Arrays]:
            sample = resized(steps(sample, rng), size)
            return self.arrays(cut(sample, rng) if cut else sample)

        return fit

    def validation_fit(self, augment: str = 'none') -> Fit:
        """Resize a sample to the network's size as the augmentation does, and nothing else."""

        def fit(sample: Sample, rng: np.random.Generator) -> tuple[Arrays, Arrays]:
            return self.arrays(fitted(sample, augment, self.spec.input_size))

        return fit


def with_options(loss: Callable[..., Any], options: Mapping[str, Any]) -> Callable[..., Any]:
    """A loss whose keywords are bound to options of the user.

    Raises:
        ConfigError: the loss has no such keyword, or the value is a word.
    """
    keywords = [
        parameter.name
        for parameter in inspect.signature(loss).parameters.values()
        if parameter.kind is parameter.KEYWORD_ONLY and parameter.name not in _NOT_FOR_USERS
    ]
    for name, value in options.items():
        if name not in keywords:
            known = ', '.join(keywords) or 'none'
            raise ConfigError(f'--loss-option {name}: the options of this loss are {known}')
        if isinstance(value, str):
            raise ConfigError(f'--loss-option {name}={value}: give a number, true, false or [..]')
    return partial(loss, **options)


def chosen_loss(losses: Mapping[str, Any], name: str, task: str) -> Any:
    """A loss by name.

    Raises:
        ConfigError: there is no such loss.
    """
    if name not in losses:
        raise ConfigError(f'no {task} loss {name!r}; there are {", ".join(losses)}')
    return losses[name]
