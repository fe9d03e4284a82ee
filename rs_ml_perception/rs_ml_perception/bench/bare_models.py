"""The networks of a set of nodes without anything around them."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rs_ml_perception.core.frame import Frame
from rs_ml_perception.core.preprocess import Preprocessor
from rs_ml_perception.inference.model import Model, load_model
from rs_ml_perception.nodes.table import NODES


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

    def __init__(self, nodes: Sequence[str], frames: Sequence[Frame]) -> None:
        models = [load_model(name) for node in nodes if (name := default_model(node))]
        self.backends = {
            model.title: f'{model.backend_name} {model.precision}' for model in models
        }
        self._work = [(model, _inputs(model, frames)) for model in models]
        for model, _ in self._work:
            model.warm_up()

    def run(self, count: int) -> Pace:
        """Run every model on `count` frames."""
        start_secs, start_cpu_secs = time.perf_counter(), time.process_time()
        for number in range(count):
            for model, inputs in self._work:
                model(inputs[number % len(inputs)])
        cpu_secs = time.process_time() - start_cpu_secs
        return Pace(count / (time.perf_counter() - start_secs), 1e3 * cpu_secs / count)

    def close(self) -> None:
        for model, _ in self._work:
            model.close()


def _inputs(model: Model, frames: Sequence[Frame]) -> list[dict[str, np.ndarray]]:
    preprocess = Preprocessor(model.manifest.input)
    return [{model.manifest.input.name: preprocess(frame.rgb)[0]} for frame in frames]
