"""Finding the best backend, precision and thread count for a model on this machine."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np

from rs_ml_perception.core.errors import BackendError, ModelError, RsMlError
from rs_ml_perception.core.progress import progress
from rs_ml_perception.inference.backends import BackendInfo, BackendOptions
from rs_ml_perception.inference.cpu import available_cores
from rs_ml_perception.inference.golden import golden_inputs, verify_golden
from rs_ml_perception.inference.manifest import ModelManifest
from rs_ml_perception.inference.model import Model
from rs_ml_perception.inference.selection import candidates, open_backend
from rs_ml_perception.inference.tuned import TunedChoice, remember

SIMILAR = 1.1
"""Times the wall time of the fastest: of these combinations the CPU time decides."""
_RUNS_PER_TURN = 3

K = TypeVar('K')


@dataclass(frozen=True)
class Trial:
    """One combination that was tried.

    Attributes:
        choice: the combination; median_ms is NaN if it was not measured.
        error_ratio: error of the golden outputs in multiples of the tolerance, NaN if it did not
            run or there is no tolerance.
        reason: why it is not eligible, '' if it is.
    """

    choice: TunedChoice
    error_ratio: float
    reason: str

    @property
    def has_run(self) -> bool:
        """Whether it ran at all, faithful or not."""
        return self.is_eligible or not math.isnan(self.error_ratio)

    @property
    def is_eligible(self) -> bool:
        return not self.reason

    def measured(self, wall_ms: float, cpu_ms: float) -> Trial:
        """The same with times."""
        choice = replace(self.choice, median_ms=round(wall_ms, 3), cpu_ms=round(cpu_ms, 3))
        return replace(self, choice=choice)


def tune(
    manifest: ModelManifest, *, device: str = 'auto', runs: int = 30, threads: int = 0
) -> list[Trial]:
    """Try every installed backend, precision and thread count; store the best accurate one.

    All accurate combinations are loaded at the same time and take turns, so that other load on
    the machine meets each of them. The best is the one with the least CPU time among those that
    take at most SIMILAR times the wall time of the fastest.

    Args:
        manifest: a model with golden outputs.
        device: as in BackendOptions; only the choice for `auto` is stored.
        runs: inferences per trial.
        threads: the only thread count to try; 0: 1, 2, 4, ... up to the number of cores.

    Returns:
        All trials: the best, the other eligible ones by wall time, those that are not eligible.

    Raises:
        ModelError: the model has no golden output.
        BackendError: no combination reproduces it.
    """
    if manifest.golden is None:
        raise ModelError(f'{manifest.title} has no golden outputs: there is nothing to tune by')
    infos = dict.fromkeys(info for info, _ in candidates(manifest, 'auto') if info.is_installed)
    trials: list[Trial] = []
    models: dict[int, Model] = {}
    try:
        for info in infos:
            for trial, model in _try_all(manifest, info, device, threads):
                trials.append(trial)
                if model is not None:
                    models[len(trials) - 1] = model
        turns = measure_in_turns(models, golden_inputs(manifest), runs)
        for number, (wall_ms, cpu_ms) in turns.items():
            trials[number] = trials[number].measured(wall_ms, cpu_ms)
    finally:
        for model in models.values():
            model.close()
    trials = in_order(trials)
    if not trials or not trials[0].is_eligible:
        reasons = '; '.join(f'{t.choice.backend} {t.choice.precision}: {t.reason}' for t in trials)
        raise BackendError(f'{manifest.title}: nothing reproduces the golden outputs: {reasons}')
    if device == 'auto':
        remember(manifest, trials[0].choice)
    return trials


def in_order(trials: Iterable[Trial]) -> list[Trial]:
    """The best trial first; see `tune`."""
    ordered = sorted(trials, key=lambda t: (not t.is_eligible, t.choice.median_ms))
    similar = [
        trial
        for trial in ordered
        if trial.is_eligible
        and trial.choice.median_ms <= SIMILAR * ordered[0].choice.median_ms
        and trial.choice.cpu_ms is not None
    ]
    best = min(similar, key=lambda t: t.choice.cpu_ms or 0.0, default=None)
    return ordered if best is None else [best, *(t for t in ordered if t is not best)]


def _try_all(
    manifest: ModelManifest, info: BackendInfo, device: str, threads: int
) -> Iterator[tuple[Trial, Model | None]]:
    """Every precision and thread count of a backend; only one if it cannot run the model."""
    for precision in info.precisions:
        for count in _thread_counts(info, threads):
            trial, model = _try(manifest, info, BackendOptions(device, count, precision))
            yield trial, model
            if not trial.has_run:
                return


def _thread_counts(info: BackendInfo, wanted: int) -> Iterator[int]:
    if not info.takes_threads:
        yield 0
        return
    count, cores = wanted or 1, wanted or available_cores()
    while count <= cores:
        yield count
        count *= 2


def _try(
    manifest: ModelManifest, info: BackendInfo, options: BackendOptions
) -> tuple[Trial, Model | None]:
    """The trial without times, and the open model if it is eligible."""
    choice = TunedChoice(info.name, options.threads, options.precision, math.nan)
    model: Model | None = None
    try:
        model = Model(manifest, *open_backend(manifest, info.name, options))
        error_ratio, reason = _judged(model, options.precision)
    except RsMlError as error:
        error_ratio, reason = math.nan, str(error)
    if reason and model is not None:
        model.close()
        model = None
    return Trial(choice, error_ratio, reason), model


def _judged(model: Model, precision: str) -> tuple[float, str]:
    """Error in multiples of the tolerance, and why the model is not eligible, if it is not."""
    if model.precision != precision:
        return math.nan, f'computes in {model.precision} on this {model.device.upper()}'
    result = verify_golden(model)
    return result.error_ratio, '' if result.is_reproduced else str(result)


def measure_in_turns(
    models: Mapping[K, Model], inputs: Mapping[str, np.ndarray], runs: int
) -> dict[K, tuple[float, float]]:
    """Median wall and CPU milliseconds of one inference of each of several models.

    Each turn is a few runs of one model, and the order is reversed every other round. The first
    run of a turn does not count: it meets the caches, and the waiting threads, of another model.

    Args:
        models: with the same inputs.
        inputs: of a run.
        runs: of each model that count.
    """
    times: dict[K, list[tuple[float, float]]] = {name: [] for name in models}
    rounds = -(-runs // _RUNS_PER_TURN)
    for number in progress(range(rounds), unit='round'):
        for name in list(models)[:: -1 if number % 2 else 1]:
            left = min(_RUNS_PER_TURN, runs - len(times[name]))
            times[name] += _timed_runs(models[name], inputs, left + 1)[1:]
    medians = {name: np.median(found, axis=0) for name, found in times.items()}
    return {name: (float(wall_ms), float(cpu_ms)) for name, (wall_ms, cpu_ms) in medians.items()}


def _timed_runs(
    model: Model, inputs: Mapping[str, np.ndarray], runs: int
) -> list[tuple[float, float]]:
    """(wall, CPU) milliseconds of each run; CPU time is that of all threads of the process."""
    times = []
    for _ in range(runs):
        wall_secs, cpu_secs = time.perf_counter(), time.process_time()
        model(inputs)
        cpu_ms = 1e3 * (time.process_time() - cpu_secs)
        times.append((1e3 * (time.perf_counter() - wall_secs), cpu_ms))
    return times
