"""Models of the nodes: untuned against the choice of `rs-ml models tune`."""

from __future__ import annotations

import os
import statistics
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rs_ml_perception.inference.golden import golden_inputs
from rs_ml_perception.inference.loading import load_model
from rs_ml_perception.inference.manifest_file import read_manifest
from rs_ml_perception.inference.model import Model
from rs_ml_perception.inference.shelf import CACHE_VARIABLE, find_model
from rs_ml_perception.inference.tune import tune
from rs_ml_perception.nodes.table import NODES

from benchmarks.speed.running_graph import default_model
from benchmarks.speed.sections import SpeedOptions
from benchmarks.tables import Row
from benchmarks.timing import alternate, mean_ms, median_ratio


def measure(options: SpeedOptions, logs: Path) -> dict[str, Any]:
    """Tune every model in an empty cache, then let both alternate."""
    names = [name for node in NODES if (name := default_model(node))]
    with _empty_cache():
        return {name: _measure_model(name, options) for name in names}


def _measure_model(name: str, options: SpeedOptions) -> dict[str, Any]:
    manifest = read_manifest(find_model(name))
    untuned = load_model(name)
    choice = tune(manifest, runs=options.frames)[0].choice
    tuned = load_model(name)
    inputs = golden_inputs(manifest)

    def mean_of(model: Model) -> Callable[[], float]:
        return lambda: mean_ms(lambda: model(inputs), runs=options.frames)

    for model in (untuned, tuned):
        model.warm_up()
    works = {'untuned': mean_of(untuned), 'tuned': mean_of(tuned)}
    times = alternate(works, rounds=options.rounds)
    found = {
        'untuned': f'{untuned.backend_name} {untuned.precision}',
        'tuned': f'{tuned.backend_name} {tuned.precision}, {choice.threads} threads',
        'untuned_ms': statistics.median(times['untuned']),
        'tuned_ms': statistics.median(times['tuned']),
        'times_as_fast': median_ratio(times['untuned'], times['tuned']),
    }
    untuned.close()
    tuned.close()
    return found


@contextmanager
def _empty_cache() -> Iterator[None]:
    """Earlier tuning results of this machine are neither used nor changed."""
    before = os.environ.get(CACHE_VARIABLE)
    with tempfile.TemporaryDirectory() as folder:
        os.environ[CACHE_VARIABLE] = folder
        try:
            yield
        finally:
            if before is None:
                del os.environ[CACHE_VARIABLE]
            else:
                os.environ[CACHE_VARIABLE] = before


def rows(result: dict[str, Any]) -> list[Row]:
    """One row per model."""
    return [
        Row(
            name,
            f'{part["untuned"]} {part["untuned_ms"]:.1f} ms / {part["tuned"]} '
            f'{part["tuned_ms"]:.1f} ms = {part["times_as_fast"]:.2f} times as fast',
        )
        for name, part in result.items()
    ]
