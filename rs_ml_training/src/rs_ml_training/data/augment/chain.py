"""Combinations of random changes: chains, probabilities, alternatives."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from rs_ml_training.data.sample import Sample

Augment = Callable[[Sample, np.random.Generator], Sample]
"""Changes a sample at random: the same generator state gives the same sample."""


@dataclass(frozen=True)
class Chain:
    """One step after the other.

    Attributes:
        steps: in order; none leaves the sample as it is.
    """

    steps: tuple[Augment, ...] = ()

    def __call__(self, sample: Sample, rng: np.random.Generator) -> Sample:
        for step in self.steps:
            sample = step(sample, rng)
        return sample


@dataclass(frozen=True)
class Maybe:
    """A step that is taken with a probability.

    Attributes:
        step: taken or not.
        probability: 0 never, 1 always.
    """

    step: Augment
    probability: float = 0.5

    def __call__(self, sample: Sample, rng: np.random.Generator) -> Sample:
        return self.step(sample, rng) if rng.random() < self.probability else sample


@dataclass(frozen=True)
class OneOf:
    """One of several steps, each as likely as the others.

    Attributes:
        steps: at least one.
    """

    steps: tuple[Augment, ...]

    def __call__(self, sample: Sample, rng: np.random.Generator) -> Sample:
        return self.steps[rng.integers(len(self.steps))](sample, rng)
