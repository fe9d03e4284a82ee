"""A task: its options, objective, metrics, heads, and parts of manifest and evaluation."""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Protocol, TypeVar

import numpy as np
from rs_ml_perception.core.options import Options, option

from rs_ml_training.data.reader import Reader
from rs_ml_training.data.sample import Sample, required
from rs_ml_training.networks.registry import NetworkEntry
from rs_ml_training.prediction.predictor import PredictionHead, PredictOptions
from rs_ml_training.prediction.preprocess import View
from rs_ml_training.prediction.results import Prediction
from rs_ml_training.prediction.stored import StoredPredictions
from rs_ml_training.tasks.objective import Augmentation, Objective
from rs_ml_training.tasks.options import EvaluateOptions, TrainOptions
from rs_ml_training.trained import ModelSpec

if TYPE_CHECKING:
    import keras

T = TypeVar('T', bound=TrainOptions)
E = TypeVar('E', bound=EvaluateOptions)
P = TypeVar('P', bound=Prediction)

Tensors = Mapping[str, Any]
PredictBatch = Callable[[Sequence[Sample]], Sequence[Prediction]]


@dataclass(frozen=True)
class ServingOptions(Options):
    """Served outputs of a network, and the thresholds in its manifest."""

    scores: bool = option(False, 'segmentation: probabilities, not class ids', is_switch=True)
    intermediates: bool = option(False, 'keep every further output of the network', is_switch=True)
    confidence_threshold: float = option(
        0.0,
        'denoising: least confidence of pixels, applied by the runtime',
        low=0,
        high=1,
    )
    score_threshold: float = option(
        0.3,
        'detection: least score of objects, applied by the runtime',
        low=0,
        high=1,
    )


@dataclass(frozen=True)
class ServedSample:
    """A sample as a served network reads it.

    Attributes:
        sample: as read.
        view: the part of it that the network sees.
        inputs: name -> array with the batch axis.
    """

    sample: Sample
    view: View
    inputs: dict[str, np.ndarray]

    def truth(self, name: str) -> np.ndarray:
        """A map of the truth at the network's size.

        Raises:
            InputError: the sample lacks it.
        """
        return self.view.measured(required(self.sample, name, 'to measure the network with'))


class ServedMetrics(Protocol):
    """Metrics of a served network, accumulated over samples."""

    def update(self, served: ServedSample, outputs: Mapping[str, np.ndarray]) -> None: ...

    def result(self) -> dict[str, float]: ...


class Scorer(ABC, Generic[P]):
    """Accumulates the metrics of an evaluation at the full size of the images.

    Attributes:
        ranking_metric: metric that ranks single images.
        lower_is_better: of that metric.
    """

    ranking_metric: ClassVar[str]
    lower_is_better: ClassVar[bool]

    @abstractmethod
    def update(self, sample: Sample, prediction: P) -> None:
        """Add one image.

        Raises:
            InputError: the sample has no truth, or it does not fit the prediction.
        """

    @abstractmethod
    def result(self) -> dict[str, float]:
        """Metrics by name, NaN where nothing was measured."""

    @abstractmethod
    def fresh(self) -> Scorer[P]:
        """An empty scorer with the same rules."""


@dataclass(frozen=True)
class Rivals:
    """Methods that an evaluation measures in addition to the network, on the same frames.

    Attributes:
        flag: that requests them.
        methods: name -> predictions; they may depend on preceding frames of the scene.
        columns: metrics of the table -> (unit, factor on the value).
    """

    flag: str
    methods: Mapping[str, PredictBatch]
    columns: Mapping[str, tuple[str, float]] = field(default_factory=dict)


class Task(ABC, Generic[T, E]):
    """A task; a subclass and a row of tasks.registry.TASKS add one.

    Attributes:
        name: on the command line and in model.yaml.
        manifest_name: in the manifests of exported models.
        train_options, evaluate_options: their types; the docstrings are shown by `--help`.
        needs: fields that every training sample must have.
        lower_is_better: metrics that are better when lower; all others are better when higher.
        shown_metrics: those in the report of an export.
        has_labels: whether networks of the task distinguish classes.
        gives_depth: whether predictions are distances within a range.
        reads_depth_files: plain files to predict are depth maps, not colour images.
        quantises_activations: whether int8 may round what passes through the network.
    """

    name: ClassVar[str]
    manifest_name: ClassVar[str]
    train_options: type[T]
    evaluate_options: type[E]
    needs: ClassVar[tuple[str, ...]]
    lower_is_better: ClassVar[frozenset[str]] = frozenset()
    shown_metrics: ClassVar[tuple[str, ...]] = ()
    has_labels: ClassVar[bool] = False
    gives_depth: ClassVar[bool] = False
    reads_depth_files: ClassVar[bool] = False
    quantises_activations: ClassVar[bool] = True

    # Training

    @abstractmethod
    def objective(self, spec: ModelSpec, options: T, data: Reader) -> Objective:
        """Targets, loss and metrics; imports Keras."""

    def network_options(
        self, given: Mapping[str, Any], options: T, data: Reader
    ) -> dict[str, Any]:
        """Keywords of the network's builder: those given, and those that data and task imply."""
        return dict(given)

    def labels(self, options: T, data: Reader) -> tuple[str, ...]:
        """Class names by id that the network learns."""
        return tuple(data.labels) if self.has_labels else ()

    def colors(self, data: Reader) -> tuple[tuple[int, int, int], ...]:
        """Colours by class id; empty: the default palette."""
        return ()

    def depth_range_m(self, options: T) -> tuple[float, float]:
        """Distances that the network is trained for."""
        return 0.0, 10.0

    def default_size(self, entry: NetworkEntry, sample: Sample) -> tuple[int, int]:
        """(width, height) of the network input where the options name none."""
        return entry.default_size

    def augmentation(self, options: T) -> Augmentation:
        """How training samples are augmented."""
        return Augmentation(options.augment)

    def is_better(self, metric: str, value: float, than: float | None) -> bool:
        """Whether a validation beats the best so far; values that are not finite never do."""
        if not np.isfinite(value):
            return False
        if than is None:
            return True
        return value < than if metric in self.lower_is_better else value > than

    # Prediction

    @abstractmethod
    def head(self, spec: ModelSpec, options: PredictOptions) -> PredictionHead[Any]:
        """From samples to network inputs, and from its outputs to results."""

    # Evaluation

    @abstractmethod
    def scorer(self, options: E, labels: Sequence[str], reader: Reader) -> Scorer[Any]:
        """The metrics; `labels` are those of the predictions."""

    @abstractmethod
    def stored(self, options: E, folder: Path, reader: Reader) -> StoredPredictions:
        """Predictions in the files of a folder."""

    def predict_options(self, options: E) -> PredictOptions:
        """Prediction options from the evaluation's, by name."""
        names = {f.name for f in dataclasses.fields(PredictOptions)}
        given = {n: v for n, v in vars(options).items() if n in names and v is not None}
        return PredictOptions(**{**given, 'min_score': 0.01})

    def reader_options(self, options: E) -> dict[str, Any]:
        """Options of the reader of the truth unless the user gives others."""
        return {}

    def evaluated(self, options: E, reader: Reader) -> Reader:
        """The samples that count."""
        return reader

    def baselines(self, options: E) -> dict[str, tuple[str, PredictBatch] | None]:
        """Flag -> name and predictions of a method without a network, None unless chosen."""
        return {}

    def rivals(self, options: E) -> Rivals | None:
        """Methods to measure in addition to the network."""
        return None

    def rules(self, options: E) -> dict[str, Any]:
        """The rules behind the figures, for the report."""
        return {}

    # Export

    @abstractmethod
    def served(self, outputs: Tensors, options: ServingOptions) -> dict[str, Any]:
        """The served outputs, from those of the network.

        Raises:
            KeyError: the network lacks an output that the task needs.
        """

    @abstractmethod
    def decoder(
        self, model: keras.Model, outputs: Collection[str], options: ServingOptions
    ) -> str:
        """The robot's decoder for a network with these served outputs."""

    def manifest_part(
        self, spec: ModelSpec, decoder: str, options: ServingOptions
    ) -> dict[str, Any]:
        """Entries of the manifest that only this task has."""
        if not self.gives_depth:
            return {}
        return {'depth': {'unit': 'm', 'range_m': [float(v) for v in spec.depth_range_m]}}

    @abstractmethod
    def served_metrics(self, spec: ModelSpec) -> ServedMetrics:
        """Metrics of an exported network at its own size."""


def further_outputs(
    outputs: Tensors, own: Collection[str], options: ServingOptions
) -> dict[str, Any]:
    """Outputs other than the task's own, where intermediates are wanted."""
    if not options.intermediates:
        return {}
    return {name: tensor for name, tensor in outputs.items() if name not in own}
