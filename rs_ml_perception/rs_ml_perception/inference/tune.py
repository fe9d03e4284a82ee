"""Finding the fastest backend, precision and thread count for a model on this machine."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from rs_ml_perception.core.errors import BackendError, ModelError, RsMlError
from rs_ml_perception.core.progress import progress
from rs_ml_perception.inference.backends import BackendInfo, BackendOptions
from rs_ml_perception.inference.golden import golden_inputs, verify_golden
from rs_ml_perception.inference.manifest import ModelManifest
from rs_ml_perception.inference.model import Model
from rs_ml_perception.inference.selection import candidates, open_backend
from rs_ml_perception.inference.tuned import TunedChoice, remember

_WARM_UP_RUNS = 3


@dataclass(frozen=True)
class Trial:
    """One combination that was tried.

    Attributes:
        choice: the combination; median_ms is NaN if it did not run.
        error_ratio: error of the golden outputs in multiples of the tolerance, NaN if it did not
            run or there is no tolerance.
        reason: why it is not eligible, '' if it is.
    """

    choice: TunedChoice
    error_ratio: float
    reason: str

    @property
    def has_run(self) -> bool:
        return not math.isnan(self.choice.median_ms)

    @property
    def is_eligible(self) -> bool:
        return not self.reason


def tune(
    manifest: ModelManifest, *, device: str = 'auto', runs: int = 30, threads: int = 0
) -> list[Trial]:
    """Try every installed backend, precision and thread count; store the fastest accurate one.

    Args:
        manifest: a model with golden outputs.
        device: as in BackendOptions; only the choice for `auto` is stored.
        runs: inferences per trial.
        threads: the only thread count to try; 0: 1, 2, 4, ... up to the number of cores.

    Returns:
        All trials, eligible ones first, fastest first.

    Raises:
        ModelError: the model has no golden output.
        BackendError: no combination reproduces it.
    """
    if manifest.golden is None:
        raise ModelError(f'{manifest.title} has no golden outputs: there is nothing to tune by')
    infos = dict.fromkeys(info for info, _ in candidates(manifest, 'auto') if info.is_installed)
    tried = (t for info in infos for t in _try_all(manifest, info, device, runs, threads))
    trials = list(progress(tried, unit='trial'))
    trials.sort(key=lambda t: (not t.is_eligible, t.choice.median_ms))
    if not trials or not trials[0].is_eligible:
        reasons = '; '.join(f'{t.choice.backend} {t.choice.precision}: {t.reason}' for t in trials)
        raise BackendError(f'{manifest.title}: nothing reproduces the golden outputs: {reasons}')
    if device == 'auto':
        remember(manifest, trials[0].choice)
    return trials


def _try_all(
    manifest: ModelManifest, info: BackendInfo, device: str, runs: int, threads: int
) -> Iterator[Trial]:
    """Every precision and thread count of a backend; only one if it cannot run the model."""
    for precision in info.precisions:
        for count in _thread_counts(info, threads):
            trial = _try(manifest, info, BackendOptions(device, count, precision), runs)
            yield trial
            if not trial.has_run:
                return


def _thread_counts(info: BackendInfo, wanted: int) -> Iterator[int]:
    if not info.takes_threads:
        yield 0
        return
    count, cores = wanted or 1, wanted or len(os.sched_getaffinity(0))
    while count <= cores:
        yield count
        count *= 2


def _try(manifest: ModelManifest, info: BackendInfo, options: BackendOptions, runs: int) -> Trial:
    def trial(median_ms: float, error_ratio: float, reason: str) -> Trial:
        choice = TunedChoice(info.name, options.threads, options.precision, round(median_ms, 3))
        return Trial(choice, error_ratio, reason)

    try:
        with Model(manifest, *open_backend(manifest, info.name, options)) as model:
            result = verify_golden(model)
            median_ms = measure_ms(model, runs)
    except RsMlError as error:
        return trial(np.nan, np.nan, str(error))
    return trial(median_ms, result.error_ratio, '' if result.is_reproduced else str(result))


def measure_ms(model: Model, runs: int) -> float:
    """Median wall time of one inference, after a few for warm-up."""
    inputs = golden_inputs(model.manifest)
    times_ms = []
    for _ in range(_WARM_UP_RUNS + runs):
        start = time.perf_counter()
        model(inputs)
        times_ms.append(1e3 * (time.perf_counter() - start))
    return float(np.median(times_ms[_WARM_UP_RUNS:]))
