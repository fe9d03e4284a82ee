"""The shipped networks alone, in every runtime and precision that reads them.

Wall time is on two threads, CPU time on one, as in a graph on two cores.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from rs_ml_perception.core.errors import RsMlError
from rs_ml_perception.inference.backends import BackendOptions
from rs_ml_perception.inference.golden import golden_inputs, verify_golden
from rs_ml_perception.inference.manifest import ModelManifest
from rs_ml_perception.inference.manifest_file import read_manifest
from rs_ml_perception.inference.model import Model
from rs_ml_perception.inference.selection import candidates, open_backend
from rs_ml_perception.inference.shelf import SHIPPED_MODELS, find_model
from rs_ml_perception.inference.tune import measure_in_turns

from benchmarks.speed.sections import SpeedOptions
from benchmarks.tables import Row
from benchmarks.timing import alternate, mean_ms

THREADS = 2
# Milliseconds per frame that allow 30 results a second of all nodes on two cores.
BUDGETS_MS = {'denoise': 10.0, 'segmentation': 10.0, 'detection': 5.0, 'mono_depth': 3.0}
# Third-party models for comparison, measured if their files are there.
OTHERS = (
    'centernet_mnv3_coco',
    'person_cat_dog_ssd_tflite',
    'nyu_mobilenet_unet',
    'deeplabv3_mnv2_pascal_quant',
)


def measure(options: SpeedOptions, logs: object) -> dict[str, Any]:
    """Model -> result, without missing third-party models."""
    found = {name: _measure_model(name, options) for name in SHIPPED_MODELS}
    for name in OTHERS:
        try:
            found[name] = _measure_model(name, options)
        except RsMlError:
            continue
    return found


def _measure_model(name: str, options: SpeedOptions) -> dict[str, Any]:
    """Median milliseconds of each backend and precision; all alternate."""
    manifest = read_manifest(find_model(name))
    models = _ways(manifest, THREADS)
    inputs = golden_inputs(manifest)

    def mean_of(model: Model) -> Callable[[], float]:
        return lambda: mean_ms(lambda: model(inputs), runs=max(options.frames // 6, 3))

    for model in models.values():
        model(inputs)
    works = {way: mean_of(model) for way, model in models.items()}
    times = alternate(works, rounds=options.rounds * 2)
    ways = {
        way: {'ms': statistics.median(times[way]), 'rounds_ms': times[way], **_faithful(model)}
        for way, model in models.items()
    }
    for model in models.values():
        model.close()
    for way, cpu_ms in _cpu_times(manifest, options.frames).items():
        ways[way]['cpu_ms'] = cpu_ms
    return {
        'input': _size(inputs[manifest.input.name]),
        'threads': THREADS,
        'ways': ways,
        'best': _best(ways),
        'budget_ms': BUDGETS_MS.get(name),
    }


def _cpu_times(manifest: ModelManifest, runs: int) -> dict[str, float]:
    """'backend precision' -> median CPU milliseconds on one thread."""
    models = _ways(manifest, 1)
    measured = measure_in_turns(models, golden_inputs(manifest), runs)
    for model in models.values():
        model.close()
    return {way: cpu_ms for way, (_, cpu_ms) in measured.items()}


def _ways(manifest: ModelManifest, threads: int) -> dict[str, Model]:
    """'backend precision' -> loaded model, for all backends that compute in that precision here.

    Raises:
        RsMlError: none can.
    """
    models: dict[str, Model] = {}
    error: RsMlError | None = None
    for info, _ in candidates(manifest, 'auto'):
        for precision in info.precisions:
            way = f'{info.name} {precision}'
            if way in models or not (info.is_installed and info.takes_threads):
                continue
            settings = BackendOptions(threads=threads, precision=precision)
            try:
                model = Model(manifest, *open_backend(manifest, info.name, settings))
            except RsMlError as problem:
                error = problem
                continue
            if model.precision == precision:
                models[way] = model
            else:
                model.close()
    if not models and error is not None:
        raise error
    return models


def _faithful(model: Model) -> dict[str, Any]:
    """Whether it reproduces the golden outputs; tuning chooses no other."""
    result = verify_golden(model)
    return {'golden_share': result.error_ratio, 'is_faithful': result.is_reproduced}


def _best(ways: Mapping[str, Mapping[str, Any]]) -> str:
    """The fastest of those that are faithful, '' if none is."""
    faithful = [way for way, found in ways.items() if found['is_faithful']]
    return min(faithful, key=lambda way: ways[way]['ms'], default='')


def _size(array: np.ndarray) -> str:
    """WIDTHxHEIGHT of the golden input (1, H, W, C)."""
    return f'{array.shape[2]}x{array.shape[1]}'


def rows(result: dict[str, Any]) -> list[Row]:
    """One row per model, and the sum of those with a budget."""
    lines = [_row(name, found) for name, found in result.items()]
    total_ms = sum(result[name]['ways'][result[name]['best']]['ms'] for name in BUDGETS_MS)
    goal_ms = sum(BUDGETS_MS.values())
    text = f'{total_ms:.1f} ms per frame, the best of each'
    return [*lines, Row('together', text, f'<= {goal_ms:.0f} ms', total_ms <= goal_ms)]


def _row(name: str, found: Mapping[str, Any]) -> Row:
    parts = []
    for way, measured in found['ways'].items():
        doubt = '' if measured['is_faithful'] else ' (not faithful)'
        parts.append(f'{way} {measured["ms"]:.1f} ms, CPU {measured["cpu_ms"]:.1f} ms{doubt}')
    text = f'{found["input"]}: {"; ".join(parts)}'
    budget_ms = BUDGETS_MS.get(name)
    if budget_ms is None:
        return Row(name, text)
    is_met = bool(found['best']) and found['ways'][found['best']]['ms'] <= budget_ms
    return Row(name, text, f'<= {budget_ms:.0f} ms', is_met)
