"""The networks of a set of nodes without anything around them."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from rs_ml_perception.core.errors import InputError
from rs_ml_perception.core.frames.frame import Frame
from rs_ml_perception.inference.model import Model, load_model
from rs_ml_perception.inference.preprocess import Preprocessor
from rs_ml_perception.nodes.table import NODES
from rs_ml_perception.tasks.denoise import Denoiser


def default_model(node: str) -> str:
    """The model a node takes by default, '' for one without a network."""
    return getattr(NODES[node].node_class().parameters_type(), 'model', '')


@dataclass(frozen=True)
class Pace:
    """Frames per second of wall time, and milliseconds of CPU time per frame, all threads."""

    rate_hz: float
    cpu_ms: float


class BareModels:
    """Models that run one after another on prepared inputs: inference and nothing else.

    Attributes:
        backends: model -> how it runs.
    """

    def __init__(
        self, nodes: Sequence[str], frames: Sequence[Frame], depth_frames: Sequence[Frame] = ()
    ) -> None:
        models = [load_model(name) for node in nodes if (name := default_model(node))]
        self.backends = {
            model.title: f'{model.backend_name} {model.precision}' for model in models
        }
        self._work = [
            (model, _depth_inputs(model, depth_frames) or _inputs(model, frames))
            for model in models
        ]
        for model, _ in self._work:
            model.warm_up()

    def run(self, count: int) -> Pace:
        """Run every model on `count` frames."""
        start_secs, start_cpu_secs = time.perf_counter(), time.process_time()
        for number in range(count):
            for model, inputs in self._work:
                for call in inputs[number % len(inputs)]:
                    model(call)
        cpu_secs = time.process_time() - start_cpu_secs
        return Pace(count / (time.perf_counter() - start_secs), 1e3 * cpu_secs / count)

    def close(self) -> None:
        for model, _ in self._work:
            model.close()


Calls = list[dict[str, np.ndarray]]
"""Inputs of a network for one frame: mostly one call."""


def _inputs(model: Model, frames: Sequence[Frame]) -> list[Calls]:
    preprocess = Preprocessor(model.manifest.input)
    return [[{model.manifest.input.name: preprocess(frame.rgb)[0]}] for frame in frames]


def _depth_inputs(model: Model, frames: Sequence[Frame]) -> list[Calls]:
    """Of a denoiser; none of another network.

    Raises:
        InputError: there is no depth to denoise.
    """
    if model.manifest.task != 'denoise':
        return []
    if not frames:
        raise InputError(f'{model.title} needs a recording with depth')
    denoiser = Denoiser(model)
    return [denoiser.inputs(frame.depth, frame.infrared) for frame in frames]
