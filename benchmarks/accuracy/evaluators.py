"""Evaluators: run `rs-ml` on samples and score its output files, task by task."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from rs_ml_perception.core.errors import InputError
from rs_ml_perception.core.geometry.camera import CameraModel
from rs_ml_training.data.reader import Reader
from rs_ml_training.data.sample import IGNORE, Sample
from rs_ml_training.data.yolo import UNLISTED
from rs_ml_training.evaluation.evaluate import evaluate
from rs_ml_training.metrics.confusion import ConfusionMatrix
from rs_ml_training.prediction import stored
from rs_ml_training.prediction.results import MaskPrediction
from rs_ml_training.tasks.detection.task import BoxScorer
from rs_ml_training.tasks.mono_depth import PROTOCOLS, DepthProtocol, DepthScorer
from rs_ml_training.tasks.segmentation.task import MaskScorer
from rs_ml_training.tasks.task import Scorer

from benchmarks.accuracy.definitions import Candidate
from benchmarks.accuracy.inputs import DEPTH, IMAGES

COMMAND, SPEED_BENCHMARK = 'rs_ml_perception.cli.main', 'benchmarks.speed'
MIN_SCORE = 0.01  # boxes below it do not change an average precision


class RobotCommands:
    """Commands of the robot side, each in a separate process.

    Args:
        model_folder: of third-party model files.
    """

    def __init__(self, model_folder: Path) -> None:
        self._model_folder = model_folder

    def run(self, *arguments: str | Path, module: str = COMMAND) -> str:
        """Run `rs-ml`, or another module; returns its output.

        Tuning results of this machine are ignored, so that every machine computes alike.

        Raises:
            InputError: it failed; the message holds its last line.
        """
        words = [str(word) for word in arguments]
        with tempfile.TemporaryDirectory(prefix='rs-ml-cache-') as cache:
            variables = {'RS_ML_CACHE': cache, 'RS_ML_MODEL_PATH': str(self._model_folder)}
            done = subprocess.run(
                [sys.executable, '-m', module, *words],
                capture_output=True,
                text=True,
                env={**os.environ, **variables},
            )
        if done.returncode:
            name = f'rs-ml {words[0]}' if module == COMMAND else module
            last = [line for line in done.stderr.splitlines() if line.strip()][-1:]
            raise InputError(f'{name} failed: {"".join(last) or done.returncode}')
        return done.stdout


def intrinsics_argument(camera: CameraModel) -> str:
    """Value of `--intrinsics`: fx,fy,cx,cy."""
    return ','.join(f'{number:.4f}' for number in (camera.fx, camera.fy, camera.cx, camera.cy))


class Evaluator(ABC):
    """Runs a command of `rs-ml` on the images of a folder and scores its results."""

    command: str

    def measure(
        self, robot: RobotCommands, candidate: Candidate, reader: Reader, folder: Path
    ) -> dict[str, float]:
        """Metrics of a model on samples written to `folder` by `write_images`.

        Raises:
            InputError: the command failed, or a result is missing.
        """
        out = folder / f'out-{candidate.model}-{"rgbd" if candidate.takes_depth else "rgb"}'
        words: list[str | Path] = [
            folder / IMAGES,
            '--model',
            candidate.model,
            '--out',
            out,
            '--no-pictures',
        ]
        camera = reader.read(0).intrinsics
        robot.run(self.command, *words, *self._extra_arguments(candidate, folder, camera))
        predictions = self._stored(out, reader)
        return evaluate(reader, predictions.batch, self._scorer(candidate, reader)).metrics

    def _extra_arguments(
        self, candidate: Candidate, folder: Path, camera: CameraModel | None
    ) -> Sequence[str | Path]:
        """Task-specific arguments of the command."""
        words: list[str | Path] = []
        if camera is not None:
            words += ['--intrinsics', intrinsics_argument(camera)]
        if candidate.takes_depth:
            words += ['--depth', folder / DEPTH]
        return words

    @abstractmethod
    def _stored(self, out: Path, reader: Reader) -> stored.StoredPredictions: ...

    @abstractmethod
    def _scorer(self, candidate: Candidate, reader: Reader) -> Scorer[Any]: ...


class DepthEvaluator(Evaluator):
    """Depth at full size.

    Args:
        rules: truth that counts.
    """

    command = 'depth'

    def __init__(self, rules: DepthProtocol) -> None:
        self._rules = rules

    def _stored(self, out: Path, reader: Reader) -> stored.StoredPredictions:
        return stored.StoredDepth(out)

    def _scorer(self, candidate: Candidate, reader: Reader) -> Scorer[Any]:
        return DepthScorer(max_depth_m=self._rules.max_depth_m, crop=self._rules.crop)


class MaskEvaluator(Evaluator):
    """Class ids of networks with the classes of the data."""

    command = 'segment'

    def _stored(self, out: Path, reader: Reader) -> stored.StoredPredictions:
        return stored.StoredMasks(out)

    def _scorer(self, candidate: Candidate, reader: Reader) -> Scorer[Any]:
        return MaskScorer(reader.labels, reader.labels)


class PersonMaskEvaluator(MaskEvaluator):
    """People against everything else, for networks with any classes."""

    def _scorer(self, candidate: Candidate, reader: Reader) -> Scorer[Any]:
        return PersonScorer(candidate.person_id, list(reader.labels).index('person'))


class BoxEvaluator(Evaluator):
    """Boxes by the protocol of COCO."""

    command = 'detect'

    def _extra_arguments(
        self, candidate: Candidate, folder: Path, camera: CameraModel | None
    ) -> Sequence[str | Path]:
        return ['--score-threshold', str(MIN_SCORE)]

    def _stored(self, out: Path, reader: Reader) -> stored.StoredPredictions:
        return stored.StoredBoxes(out, reader.labels)

    def _scorer(self, candidate: Candidate, reader: Reader) -> Scorer[Any]:
        return BoxScorer(reader.labels, reader.labels)


class PersonScorer(Scorer[MaskPrediction]):
    """IoU of people, where the annotation covers the pixel.

    Args:
        predicted_id: class id of people in predictions.
        true_id: class id of people in the ground truth.
    """

    ranking_metric, lower_is_better = 'iou_person', False

    def __init__(self, predicted_id: int, true_id: int) -> None:
        self._ids = predicted_id, true_id
        self._metrics = ConfusionMatrix(('other', 'person'))

    def update(self, sample: Sample, prediction: MaskPrediction) -> None:
        predicted_id, true_id = self._ids
        labels = sample.maps()['labels']
        counted = (labels != IGNORE) | (sample.extra[UNLISTED] > 0)
        truth = np.where(counted, (labels == true_id).astype(np.uint8), np.uint8(IGNORE))
        self._metrics.update(truth, (prediction.mask == predicted_id).astype(np.uint8))

    def result(self) -> dict[str, float]:
        return self._metrics.result()

    def fresh(self) -> PersonScorer:
        return PersonScorer(*self._ids)


EVALUATORS: dict[str, Evaluator] = {
    'depth': DepthEvaluator(DepthProtocol()),
    'nyu_depth': DepthEvaluator(PROTOCOLS['nyu-labelled']),
    'segmentation': MaskEvaluator(),
    'person_mask': PersonMaskEvaluator(),
    'detection': BoxEvaluator(),
}
"""Task of a benchmark -> evaluator."""
