"""What a task is to the trainer: arrays of samples, a loss, metrics, pictures."""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from rs_ml_perception.core.errors import ConfigError, InputError

from rs_ml_training.data.augment.presets import fitted, preset
from rs_ml_training.data.augment.shape import RandomCrop
from rs_ml_training.data.geometry import resized
from rs_ml_training.data.reader import Reader
from rs_ml_training.data.sample import Sample
from rs_ml_training.data.sequence import Arrays, Fit
from rs_ml_training.trained import ModelSpec

Tensors = Mapping[str, Any]
_NOT_FOR_USERS = ('intrinsics', 'weights', 'cells')


class Metrics(ABC):
    """Metrics of a validation, over batches."""

    @abstractmethod
    def update(self, targets: Arrays, outputs: Arrays) -> None: ...

    @abstractmethod
    def result(self) -> dict[str, float]: ...


class Task(ABC):
    """A task with its options.

    Attributes:
        lower_is_better: of metrics; what is not listed is better when higher.
    """

    lower_is_better: frozenset[str] = frozenset()

    def __init__(self, spec: ModelSpec) -> None:
        self.spec = spec

    @abstractmethod
    def arrays(self, sample: Sample) -> tuple[Arrays, Arrays]:
        """Inputs and targets of a sample that has the network's size."""

    @abstractmethod
    def losses(self, targets: Tensors, outputs: Tensors) -> dict[str, Any]:
        """Weighted scalars by `part_names`, whose sum is minimised."""

    def part_names(self, outputs: Collection[str]) -> tuple[str, ...]:
        """What `losses` gives for a network with these outputs."""
        return ('loss',)

    @abstractmethod
    def metrics(self) -> Metrics:
        """A fresh accumulator."""

    @abstractmethod
    def picture(self, inputs: Arrays, targets: Arrays, outputs: Arrays) -> np.ndarray:
        """Strip of one sample (arrays without batch axis), uint8 (h, w, 3) RGB."""

    def training_fit(
        self,
        augment: str,
        crop: tuple[int, int] | None = None,
        textures: Path | None = None,
        cutouts: Reader | None = None,
    ) -> Fit:
        """Augment a sample at the network's size, cut `crop` (width, height), make its arrays.

        `textures` is the folder of backgrounds of the preset 'industrial', `cutouts` has the
        people of the preset 'indoor'.
        """
        size = self.spec.input_size
        steps = preset(augment, size, textures=textures, cutouts=cutouts)
        cut = RandomCrop(crop) if crop else None

        def fit(sample: Sample, rng: np.random.Generator) -> tuple[Arrays, Arrays]:
            sample = resized(steps(sample, rng), size)
            return self.arrays(cut(sample, rng) if cut else sample)

        return fit

    def validation_fit(self, augment: str = 'none') -> Fit:
        """Only bring a sample to the network's size, as the augmentation of training does."""

        def fit(sample: Sample, rng: np.random.Generator) -> tuple[Arrays, Arrays]:
            return self.arrays(fitted(sample, augment, self.spec.input_size))

        return fit

    def is_better(self, metric: str, value: float, than: float | None) -> bool:
        """Whether a validation beats the best so far; what is not a number never does."""
        if not np.isfinite(value):
            return False
        if than is None:
            return True
        return value < than if metric in self.lower_is_better else value > than


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


def require(sample: Sample, *names: str) -> None:
    """Raise InputError unless the sample has the maps that a task needs."""
    for name in names:
        if getattr(sample, name) is None:
            raise InputError(f'{sample.name} has no {name}, which this task needs: other --data?')


def class_shares(reader: Reader, classes: int, *, limit: int = 400) -> np.ndarray:
    """Share of pixels of each class, float64 (classes,), over at most `limit` samples."""
    counts = np.zeros(256, np.int64)
    for i in np.linspace(0, len(reader) - 1, min(limit, len(reader))).astype(int):
        labels = reader.read(int(i)).labels
        if labels is not None:
            counts += np.bincount(labels.ravel(), minlength=256)
    return counts[:classes] / max(counts[:classes].sum(), 1)
