"""A task of training with its network: edges of depth, predicted from the colour image.

python examples/run.py edge_task rs-ml-train edges --data folder:data/room --name edges
python examples/run.py edge_task rs-ml-evaluate edges --model runs/edges --data folder:data/other
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from rs_ml_perception.core.options import override
from rs_ml_training.data.reader import Reader
from rs_ml_training.data.sample import Arrays, Sample, known_depth_m, required
from rs_ml_training.metrics.confusion import ConfusionMatrix
from rs_ml_training.networks.registry import NETWORKS, NetworkEntry
from rs_ml_training.prediction.colors import side_by_side
from rs_ml_training.prediction.predictor import PredictionHead, PredictOptions
from rs_ml_training.prediction.preprocess import View
from rs_ml_training.prediction.results import MaskPrediction
from rs_ml_training.prediction.stored import StoredMasks
from rs_ml_training.tasks.objective import Accumulated, Objective
from rs_ml_training.tasks.options import EvaluateOptions, TrainOptions
from rs_ml_training.tasks.registry import TASKS
from rs_ml_training.tasks.task import Scorer, ServedSample, ServingOptions, Task
from rs_ml_training.trained import ModelSpec

if TYPE_CHECKING:
    import keras

LABELS = ('smooth', 'edge')
STEP_M = 0.1


def edges(depth_m: np.ndarray) -> np.ndarray:
    """Pixels where depth (H, W) [m] jumps by more than STEP_M to the right, uint8 (H, W)."""
    return (np.abs(np.diff(depth_m, axis=1, prepend=depth_m[:, :1])) > STEP_M).astype(np.uint8)


def _truth(sample: Sample, purpose: str) -> np.ndarray:
    return edges(known_depth_m(required(sample, 'depth_m', purpose))[..., 0])


def _found(outputs: Mapping[str, Any]) -> np.ndarray:
    """Class ids of one image or a batch."""
    return (np.asarray(outputs['logits'])[..., 0] > 0).astype(np.uint8)


def tiny_edges(input_size: tuple[int, int] | None = None) -> keras.Model:
    """One convolution; {'image': (B, H, W, 3)} -> {'logits': (B, H, W, 1)}."""
    from keras import Model, layers
    from rs_ml_training.networks.blocks import image_input

    image = image_input(input_size, 3, 'image')
    x = layers.Rescaling(1 / 255)(image)
    logits = layers.Conv2D(1, 5, padding='same', dtype='float32', name='logits')(x)
    return Model({'image': image}, {'logits': logits}, name='tiny_edges')


@dataclass(frozen=True)
class EdgeTraining(TrainOptions):
    """Train a network for edges of depth."""

    model: str = override('tiny-edges')
    augment: str = override('none')
    monitor: str = override('miou')


@dataclass(frozen=True)
class EdgeEvaluation(EvaluateOptions):
    """Evaluate edges of depth by their IoU."""


class EdgeObjective(Objective):
    """Targets, loss and validation metrics."""

    def arrays(self, sample: Sample) -> tuple[Arrays, Arrays]:
        """Inputs and targets of a sample of the network's size."""
        image = required(sample, 'image', 'to train on')
        return {'image': image}, {'edges': _truth(sample, 'to train on')}

    def losses(self, targets: Mapping[str, Any], outputs: Mapping[str, Any]) -> dict[str, Any]:
        """Binary cross-entropy."""
        from keras import ops

        truth, logits = ops.cast(targets['edges'], 'float32'), outputs['logits'][..., 0]
        return {'loss': ops.mean(ops.softplus(logits) - logits * truth)}

    def metrics(self) -> BatchMetrics:
        """An empty accumulator."""
        return BatchMetrics(ConfusionMatrix(LABELS))

    def picture(self, inputs: Arrays, targets: Arrays, outputs: Arrays) -> np.ndarray:
        """Image, truth and prediction side by side."""
        maps = (np.repeat(255 * m[..., None], 3, 2) for m in (targets['edges'], _found(outputs)))
        return side_by_side(inputs['image'], *maps)


class BatchMetrics(Accumulated):
    """Validation during training."""

    def update(self, targets: Arrays, outputs: Arrays) -> None:
        """Add a batch."""
        self.accumulator.update(targets['edges'], _found(outputs))


class EdgeHead(PredictionHead[MaskPrediction]):
    """From a sample to inputs, from outputs to a mask at full size."""

    def inputs(self, sample: Sample, view: View) -> Arrays:
        """Inputs of the network."""
        return {'image': self.image(sample, view)}

    def result(
        self, outputs: Mapping[str, np.ndarray], view: View, sample: Sample
    ) -> MaskPrediction:
        """Class ids in the size of the image."""
        mask = view.nearest_to_source(_found(outputs), 0)
        return MaskPrediction(mask, np.ones(mask.shape, np.float32))


class EdgeScorer(Scorer[MaskPrediction]):
    """IoU of edges at full size."""

    ranking_metric, lower_is_better = 'miou', False

    def __init__(self) -> None:
        """Start empty."""
        self._confusion = ConfusionMatrix(LABELS)

    def update(self, sample: Sample, prediction: MaskPrediction) -> None:
        """Add an image."""
        self._confusion.update(_truth(sample, 'to compare with'), prediction.mask)

    def result(self) -> dict[str, float]:
        """Metrics by name."""
        return dict(self._confusion.result())

    def fresh(self) -> EdgeScorer:
        """An empty one."""
        return EdgeScorer()


class ServedMetrics(Accumulated):
    """IoU of an exported network at its own size."""

    def update(self, served: ServedSample, outputs: Mapping[str, np.ndarray]) -> None:
        """Add an image."""
        self.accumulator.update(edges(served.truth('depth_m')), outputs['mask'][0])


class EdgeTask(Task[EdgeTraining, EdgeEvaluation]):
    """Joins the parts; on the robot it is a segmentation with two classes."""

    name, manifest_name = 'edges', 'segmentation'
    train_options, evaluate_options = EdgeTraining, EdgeEvaluation
    needs = ('image', 'depth_m')
    shown_metrics = ('miou',)

    def labels(self, options: EdgeTraining, data: Reader) -> tuple[str, ...]:
        return LABELS

    def objective(self, spec: ModelSpec, options: EdgeTraining, data: Reader) -> EdgeObjective:
        return EdgeObjective(spec)

    def head(self, spec: ModelSpec, options: PredictOptions) -> EdgeHead:
        return EdgeHead(spec, options)

    def scorer(self, options: EdgeEvaluation, labels: Sequence[str], reader: Reader) -> EdgeScorer:
        return EdgeScorer()

    def stored(self, options: EdgeEvaluation, folder: Path, reader: Reader) -> StoredMasks:
        return StoredMasks(folder)

    def served(self, outputs: Mapping[str, Any], options: ServingOptions) -> dict[str, Any]:
        import tensorflow as tf

        return {'mask': tf.cast(outputs['logits'][..., 0] > 0, tf.uint8)}

    def decoder(
        self, model: keras.Model, outputs: Collection[str], options: ServingOptions
    ) -> str:
        return 'class_map'

    def served_metrics(self, spec: ModelSpec) -> ServedMetrics:
        return ServedMetrics(ConfusionMatrix(LABELS))


NETWORKS['tiny-edges'] = NetworkEntry(
    'tiny-edges', 'edges', 'edge_task:tiny_edges', (64, 48), 16, 'one convolution, an example'
)
TASKS['edges'] = EdgeTask()
