"""A denoiser beside the raw depth and the camera SDK's filters, on the same frames."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rs_ml_training.data.output_folder import write_file
from rs_ml_training.data.reader import Reader, Subset
from rs_ml_training.data.sample import Sample
from rs_ml_training.evaluation.evaluate import Measured, PredictBatch, Progress, evaluate
from rs_ml_training.evaluation.report import finite_or_none
from rs_ml_training.evaluation.scorers import DenoiseScorer, Scorer
from rs_ml_training.prediction.results import DenoisePrediction
from rs_ml_training.prediction.sdk_filters import CHAINS, SdkFilters
from rs_ml_training.prediction.stored import RawDepth

RAW = 'raw depth'
_MILLIMETRES = (
    'rmse_m',
    'mae_m',
    'rmse_raw_m',
    'rmse_strict_m',
    'edge_mae_m',
    'edge_raw_mae_m',
    'plane_rms_m',
)
_SHARES = 'coverage', 'hole_coverage', 'removed', 'good', 'good_raw'


@dataclass(frozen=True)
class Comparison:
    """What several ways to clean depth gave on the same frames.

    Attributes:
        data: the frames.
        measured: name of a way -> its outcome.
        protocol: rules that decide the figures, as the threshold of the confidence.
    """

    data: str
    measured: Mapping[str, Measured]
    protocol: dict[str, Any] = field(default_factory=dict)

    def table(self) -> str:
        """A line for each way: errors in millimetres, shares in percent."""
        rules = ', '.join(f'{key} {value}' for key, value in self.protocol.items())
        count = next(iter(self.measured.values())).count
        head = f'denoise on {self.data}: {count} frames{", " if rules else ""}{rules}'
        titles = [name.removesuffix('_m') + ' mm' for name in _MILLIMETRES]
        rows = [['', *titles, *(f'{name} %' for name in _SHARES)]]
        rows += [[name, *_figures(found)] for name, found in self.measured.items()]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = ['  '.join(t.rjust(w) for t, w in zip(row, widths, strict=True)) for row in rows]
        return '\n'.join([head, *lines])

    def values(self) -> dict[str, Any]:
        """JSON values; what was not measured is null."""
        ways = {
            name: {n: finite_or_none(value) for n, value in found.metrics.items()}
            for name, found in self.measured.items()
        }
        return {'task': 'denoise', 'data': self.data, 'protocol': self.protocol, 'ways': ways}

    def write(self, path: Path) -> None:
        """Write the JSON file, whole or not at all.

        Raises:
            InputError: it cannot be written.
        """
        write_file(path, (json.dumps(self.values(), indent=2) + '\n').encode(), replace=True)


def compare(
    reader: Reader,
    models: Mapping[str, PredictBatch],
    *,
    last_of_scene: bool = False,
    progress: Progress | None = None,
) -> dict[str, Measured]:
    """Raw depth, every chain of SDK filters and some models on the same frames.

    Args:
        reader: the frames.
        models: predictions of each by its name.
        last_of_scene: judge the last frame of each scene; filters see those before it too.
        progress: wraps samples and their number, as a progress bar does.

    Raises:
        ConfigError: pyrealsense2 is not installed.
        InputError: a file is damaged, or a sample has no truth.
    """
    order, judged = scenes_in_turn(reader), last_frames(reader)
    everything = Subset(reader, order)
    chosen = Subset(reader, judged) if last_of_scene else everything
    names = {chosen.name(i) for i in range(len(chosen))}
    found = {RAW: evaluate(chosen, RawDepth().batch, DenoiseScorer())}
    for chain in CHAINS:
        scorer = Named(DenoiseScorer(), names)
        found[chain] = evaluate(everything, SdkFilters(chain).batch, scorer)
    for name, predict in models.items():
        found[name] = evaluate(chosen, predict, DenoiseScorer(), progress=progress)
    return found


class Named(Scorer[DenoisePrediction]):
    """A scorer that passes over samples of other names."""

    judge, lower_is_better = DenoiseScorer.judge, DenoiseScorer.lower_is_better

    def __init__(self, scorer: Scorer[DenoisePrediction], names: set[str]) -> None:
        self._scorer, self._names = scorer, names

    def update(self, sample: Sample, prediction: DenoisePrediction) -> None:
        if sample.name in self._names:
            self._scorer.update(sample, prediction)

    def result(self) -> dict[str, float]:
        return self._scorer.result()

    def fresh(self) -> Named:
        return Named(self._scorer.fresh(), self._names)


def scenes_in_turn(reader: Reader) -> list[int]:
    """Indices of all samples, those of a scene together and in their order."""
    first: dict[str, int] = {}
    scenes = [reader.scene(index) for index in range(len(reader))]
    for scene in scenes:
        first.setdefault(scene, len(first))
    return sorted(range(len(reader)), key=lambda index: first[scenes[index]])


def last_frames(reader: Reader) -> list[int]:
    """Indices of the last sample of each scene, in the order of the scenes."""
    return list({reader.scene(index): index for index in scenes_in_turn(reader)}.values())


def _figures(found: Measured) -> list[str]:
    values = [1000 * found.metrics[name] for name in _MILLIMETRES]
    return [f'{value:.1f}' for value in values + [100 * found.metrics[name] for name in _SHARES]]
