"""The rate of the graph over that of its bare models, one after another on the same frames."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from rs_ml_perception.core.errors import InputError
from rs_ml_perception.core.frames.frame import Frame
from rs_ml_perception.inference.loading import load_model
from rs_ml_perception.inference.model import Model
from rs_ml_perception.inference.preprocess import Preprocessor
from rs_ml_perception.nodes.table import NODES, threads_per_network
from rs_ml_perception.ros.dds_domain import ros_session
from rs_ml_perception.tasks.denoise import Denoiser
from rs_ml_perception.tasks.depth_input import DEPTH, DepthInput, depth_spec

from benchmarks.speed.recorded_input import (
    depth_of,
    load_depth_frames,
    load_frames,
    load_message_sets,
)
from benchmarks.speed.running_graph import RunningGraph, default_model, running_graph
from benchmarks.speed.sections import SpeedOptions
from benchmarks.tables import Row
from benchmarks.timing import Throughput, alternate, median_ratio, throughput

GOAL_RATIO = 0.90
# The second leaves out height, which has no network.
NODE_SETS = (
    tuple(NODES),
    ('detection', 'denoise', 'mono_depth', 'segmentation'),
    ('detection', 'height'),
    ('detection',),
    ('segmentation',),
    ('mono_depth',),
    ('denoise',),
)

Calls = list[dict[str, np.ndarray]]
"""Inputs of a network for one frame: mostly one call."""


class BareModels:
    """The networks of a set of nodes, one after another on prepared inputs.

    Attributes:
        backends: model -> backend and precision.
    """

    def __init__(
        self, nodes: Sequence[str], frames: Sequence[Frame], depth_frames: Sequence[Frame] = ()
    ) -> None:
        threads = threads_per_network(nodes)
        models = [
            load_model(name, threads=threads) for node in nodes if (name := default_model(node))
        ]
        self.backends = {
            model.title: f'{model.backend_name} {model.precision}' for model in models
        }
        self._work = [
            (model, _denoiser_inputs(model, depth_frames) or _inputs(model, frames))
            for model in models
        ]
        for model, _ in self._work:
            model.warm_up()

    def run(self, count: int) -> Throughput:
        """Run every model on `count` frames."""

        def work() -> int:
            for number in range(count):
                for model, inputs in self._work:
                    for call in inputs[number % len(inputs)]:
                        model(call)
            return count

        return throughput(work)

    def close(self) -> None:
        for model, _ in self._work:
            model.close()


def _inputs(model: Model, frames: Sequence[Frame]) -> list[Calls]:
    """Of a network that takes colour, with or without depth."""
    preprocess, spec = Preprocessor(model.manifest.input), depth_spec(model.manifest)
    depth_input = None if spec is None else DepthInput(spec)
    calls: list[Calls] = []
    for frame in frames:
        tensor, transform = preprocess(frame.color_image)
        inputs = {model.manifest.input.name: tensor}
        if depth_input is not None:
            inputs[DEPTH] = depth_input(frame, transform)
        calls.append([inputs])
    return calls


def _denoiser_inputs(model: Model, frames: Sequence[Frame]) -> list[Calls]:
    """Of a denoiser; [] for another network.

    Raises:
        InputError: there is no depth to denoise.
    """
    if model.manifest.task != 'denoise':
        return []
    if not frames:
        raise InputError(f'{model.title} needs a recording with depth')
    denoiser = Denoiser(model)
    return [denoiser.inputs(depth_of(frame), frame.infrared) for frame in frames]


def measure(options: SpeedOptions, logs: Path) -> dict[str, Any]:
    """Every set of nodes."""
    with ros_session():
        return {' + '.join(names): _measure_set(names, options, logs) for names in NODE_SETS}


def _measure_set(names: tuple[str, ...], options: SpeedOptions, logs: Path) -> dict[str, Any]:
    recording = options.recording
    models = BareModels(names, load_frames(recording), load_depth_frames(recording))
    with running_graph(names, load_message_sets(recording), logs) as graph:
        works = {
            'bare': lambda: models.run(options.frames),
            'graph': lambda: saturate(graph, options.frames),
        }
        measured = alternate(works, rounds=options.rounds)
        stage_ms = graph.stage_ms()
    models.close()
    numbers = {
        f'{side}_{key}': [getattr(one, key) for one in found]
        for side, found in measured.items()
        for key in ('rate_hz', 'cpu_ms')
    }
    return {
        **{name: statistics.median(values) for name, values in numbers.items()},
        'ratio': median_ratio(numbers['graph_rate_hz'], numbers['bare_rate_hz']),
        'cpu_ratio': median_ratio(numbers['bare_cpu_ms'], numbers['graph_cpu_ms']),
        'rounds': numbers,
        'backends': models.backends,
        'stage_ms': stage_ms,
    }


def saturate(graph: RunningGraph, count: int) -> Throughput:
    """Rate and CPU of a graph that never waits for the camera."""
    before_secs = graph.usage().cpu_s
    run = graph.camera.saturate(count)
    return Throughput(run.rate_hz, 1e3 * (graph.usage().cpu_s - before_secs) / count)


def rows(result: dict[str, Any]) -> list[Row]:
    """One row per set; only the whole graph has a goal."""
    lines = []
    for names, part in result.items():
        text = (
            f'{part["graph_rate_hz"]:.1f} Hz / {part["bare_rate_hz"]:.1f} Hz = '
            f'{part["ratio"]:.2f}; by CPU time {part["bare_cpu_ms"]:.0f} ms / '
            f'{part["graph_cpu_ms"]:.0f} ms = {part["cpu_ratio"]:.2f}'
        )
        is_whole = names == ' + '.join(NODES)
        goal = f'>= {GOAL_RATIO:.2f}' if is_whole else ''
        lines.append(Row(names, text, goal, part['ratio'] >= GOAL_RATIO if is_whole else None))
    return lines
