"""How the files that `rs-ml` wrote are judged, task by task."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from rs_ml_perception.core.geometry.camera import CameraModel
from rs_ml_training.data.reader import Reader
from rs_ml_training.data.sample import IGNORE, Sample
from rs_ml_training.data.yolo import UNLISTED
from rs_ml_training.evaluation.evaluate import evaluate
from rs_ml_training.metrics.confusion import ConfusionMatrix
from rs_ml_training.prediction import stored
from rs_ml_training.prediction.results import MaskPrediction
from rs_ml_training.tasks.detection.task import BoxScorer
from rs_ml_training.tasks.mono_depth import PROTOCOLS, DepthScorer
from rs_ml_training.tasks.segmentation.task import MaskScorer
from rs_ml_training.tasks.task import Scorer

from benchmarks.accuracy.contests import Subject
from benchmarks.accuracy.handed import DEPTH, PICTURES
from benchmarks.accuracy.robot import Robot

LEAST_SCORE = 0.01
"""Boxes below it change nothing in an average precision."""


class Judge(ABC):
    """Lets `rs-ml` work on the pictures of a folder and scores what it wrote."""

    command: str

    def measure(
        self, robot: Robot, subject: Subject, reader: Reader, folder: Path
    ) -> dict[str, float]:
        """Metrics of a model on samples that were handed over in `folder`.

        Raises:
            InputError: the command failed, or left a picture out.
        """
        out = folder / f'out-{subject.model}-{"rgbd" if subject.takes_depth else "rgb"}'
        words = [folder / PICTURES, '--model', subject.model, '--out', out, '--no-pictures']
        camera = reader.read(0).intrinsics
        robot.run(self.command, *words, *self._further(subject, folder, camera))
        predictions = self._stored(out, reader)
        return evaluate(reader, predictions.batch, self._scorer(subject, reader)).metrics

    def _further(
        self, subject: Subject, folder: Path, camera: CameraModel | None
    ) -> Sequence[str | Path]:
        """More words for the command."""
        words: list[str | Path] = []
        if camera is not None:
            numbers = camera.fx, camera.fy, camera.cx, camera.cy
            words += ['--intrinsics', ','.join(f'{number:.4f}' for number in numbers)]
        if subject.takes_depth:
            words += ['--depth', folder / DEPTH]
        return words

    @abstractmethod
    def _stored(self, out: Path, reader: Reader) -> stored.StoredPredictions: ...

    @abstractmethod
    def _scorer(self, subject: Subject, reader: Reader) -> Scorer: ...


class DepthJudge(Judge):
    """Depth at full size, by the rules of NYU Depth v2."""

    command = 'depth'

    def _stored(self, out: Path, reader: Reader) -> stored.StoredPredictions:
        return stored.StoredDepth(out)

    def _scorer(self, subject: Subject, reader: Reader) -> Scorer:
        rules = PROTOCOLS['nyu-labelled']
        return DepthScorer(max_depth_m=rules.max_depth_m, crop=rules.crop)


class MaskJudge(Judge):
    """Class ids of networks with the classes of the data."""

    command = 'segment'

    def _stored(self, out: Path, reader: Reader) -> stored.StoredPredictions:
        return stored.StoredMasks(out)

    def _scorer(self, subject: Subject, reader: Reader) -> Scorer:
        return MaskScorer(reader.labels, reader.labels)


class PersonMaskJudge(MaskJudge):
    """People against all else, for networks of any classes."""

    def _scorer(self, subject: Subject, reader: Reader) -> Scorer:
        return PersonScorer(subject.person_id, list(reader.labels).index('person'))


class BoxJudge(Judge):
    """Boxes by COCO's rules."""

    command = 'detect'

    def _further(
        self, subject: Subject, folder: Path, camera: CameraModel | None
    ) -> Sequence[str | Path]:
        return ['--score-threshold', str(LEAST_SCORE)]

    def _stored(self, out: Path, reader: Reader) -> stored.StoredPredictions:
        return stored.StoredBoxes(out, reader.labels)

    def _scorer(self, subject: Subject, reader: Reader) -> Scorer:
        return BoxScorer(reader.labels, reader.labels)


class PersonScorer(Scorer[MaskPrediction]):
    """IoU of people, where the outlines say what is there or that nobody is.

    Args:
        predicted_id: class id of people in predictions.
        true_id: the same in the truth.
    """

    judge, lower_is_better = 'iou_person', False

    def __init__(self, predicted_id: int, true_id: int) -> None:
        self._ids = predicted_id, true_id
        self._metrics = ConfusionMatrix(('other', 'person'))

    def update(self, sample: Sample, prediction: MaskPrediction) -> None:
        predicted_id, true_id = self._ids
        counted = (sample.labels != IGNORE) | (sample.extra[UNLISTED] > 0)
        truth = np.where(counted, (sample.labels == true_id).astype(np.uint8), np.uint8(IGNORE))
        self._metrics.update(truth, (prediction.mask == predicted_id).astype(np.uint8))

    def result(self) -> dict[str, float]:
        return self._metrics.result()

    def fresh(self) -> PersonScorer:
        return PersonScorer(*self._ids)


JUDGES: dict[str, Judge] = {
    'depth': DepthJudge(),
    'segmentation': MaskJudge(),
    'person_mask': PersonMaskJudge(),
    'detection': BoxJudge(),
}
"""Task of a contest -> its judge."""
