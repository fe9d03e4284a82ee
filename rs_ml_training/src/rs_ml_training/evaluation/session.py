"""An evaluation as its options ask for it: data, predictions and rules put together."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

import numpy as np
from rs_ml_perception.core.errors import ConfigError

from rs_ml_training.data.formats import open_data
from rs_ml_training.data.reader import Reader, Subset
from rs_ml_training.evaluation.comparison import Comparison, compare, last_frames
from rs_ml_training.evaluation.evaluate import PredictBatch, Progress, evaluate
from rs_ml_training.evaluation.options import (
    DenoiseEvaluation,
    DepthEvaluation,
    EvaluateOptions,
    SegmentationEvaluation,
    protocol_of,
)
from rs_ml_training.evaluation.report import Report
from rs_ml_training.evaluation.scorers import (
    BoxScorer,
    DenoiseScorer,
    DepthScorer,
    MaskScorer,
    Scorer,
)
from rs_ml_training.prediction import stored
from rs_ml_training.prediction.heads import PredictOptions

# Options that say how a network is run, and nothing to predictions that are there.
_OF_NETWORKS = frozenset(
    {'weights', 'input_size', 'flip', 'min_confidence', 'upsampling', 'focal_px'}
)


@dataclass(frozen=True)
class _Subject:
    """What is judged: its name, its predictions, its classes."""

    name: str
    predict: PredictBatch
    labels: tuple[str, ...] = ()


def run(
    task: str, options: EvaluateOptions, progress: Progress | None = None
) -> Report | Comparison:
    """Evaluate.

    Args:
        task: key of evaluation.options.OPTIONS.
        options: of that task.
        progress: wraps samples and their number, as a progress bar does.

    Raises:
        ConfigError: flags that are missing or contradict each other.
        InputError: files that are missing or damaged.
        CheckpointError: the model cannot be loaded.
    """
    _check(options)
    reader = _reader(options)
    if isinstance(options, DenoiseEvaluation):
        if options.sdk_filters:
            return _beside_filters(options, reader, progress)
        if options.last_of_scene:
            reader = Subset(reader, last_frames(reader))
    subject = _subject(task, options, reader)
    scorer = _scorer(task, options, reader, subject)
    measured = evaluate(
        reader,
        subject.predict,
        scorer,
        batch_size=options.batch_size,
        worst=options.worst,
        progress=progress,
    )
    rules = _rules(options)
    return Report(task, subject.name, options.data, measured, rules, scorer.judge)


def _beside_filters(
    options: DenoiseEvaluation, reader: Reader, progress: Progress | None
) -> Comparison:
    subject = (
        _subject('denoise', options, reader) if options.model or options.predictions else None
    )
    models = {subject.name: subject.predict} if subject else {}
    found = compare(reader, models, last_of_scene=options.last_of_scene, progress=progress)
    return Comparison(options.data, found, _rules(options))


def _check(options: EvaluateOptions) -> None:
    if not options.data:
        raise ConfigError('--data is missing: give FORMAT:PATH, as nyu-labelled:/data/nyu_v2')
    ways = {
        '--model': options.model,
        '--predictions': options.predictions,
        '--baseline': getattr(options, 'baseline', False),
    }
    given = [name for name, value in ways.items() if value]
    if getattr(options, 'sdk_filters', False):
        if options.baseline:  # type: ignore[attr-defined]
            raise ConfigError('--sdk-filters measure the raw depth too: leave --baseline out')
        given = given or ['--sdk-filters']
    if len(given) != 1:
        wanted = 'one of --model, --predictions'
        wanted += ', --baseline' if isinstance(options, DenoiseEvaluation) else ''
        raise ConfigError(f'{wanted} must be given, got {" and ".join(given) or "none"}')
    for field in dataclasses.fields(options):
        is_set = getattr(options, field.name) != field.default
        if is_set and field.name in _OF_NETWORKS and options.model is None:
            shown = field.name.replace('_', '-')
            raise ConfigError(f'--{shown} is for --model: it would change nothing of {given[0]}')


def _reader(options: EvaluateOptions) -> Reader:
    from rs_ml_training.training.sources import name_values

    values: dict[str, Any] = {'list_file': options.list_file, **name_values(options.data_option)}
    if options.data.startswith('kitti-list:') and isinstance(options, DepthEvaluation):
        # The crop is the network's affair here: truth is judged at the full size.
        values.setdefault('kb_crop', False)
    reader = open_data(options.data, **values)
    if not options.limit or options.limit >= len(reader):
        return reader
    return Subset(reader, np.linspace(0, len(reader) - 1, options.limit).astype(int).tolist())


def _subject(task: str, options: EvaluateOptions, reader: Reader) -> _Subject:
    if getattr(options, 'baseline', False):
        return _Subject('raw depth', stored.RawDepth().batch)
    if options.predictions is not None:
        found = _stored(task, options, reader)
        return _Subject(str(options.predictions), found.batch, tuple(reader.labels))
    return _trained(task, options)


def _stored(task: str, options: EvaluateOptions, reader: Reader) -> stored.StoredPredictions:
    folder = options.predictions
    if isinstance(options, DepthEvaluation):
        return stored.StoredDepth(folder, options.encoding, protocol_of(options).kb_crop)
    if isinstance(options, DenoiseEvaluation):
        return stored.StoredDenoised(folder, options.encoding)
    if task == 'segmentation':
        return stored.StoredMasks(folder)
    return stored.StoredBoxes(folder, reader.labels)


def _trained(task: str, options: EvaluateOptions) -> _Subject:
    from rs_ml_training.prediction.predictor import predictor_of
    from rs_ml_training.trained import load, read_spec

    found = read_spec(options.model).task
    if found != task:
        raise ConfigError(f'{options.model} holds a {found} network: evaluate it as {found}')
    trained = load(options.model, weights=options.weights, input_size=options.input_size)
    predictor = predictor_of(trained, _predict_options(options))
    return _Subject(str(options.model), predictor.batch, tuple(trained.spec.labels))


def _predict_options(options: EvaluateOptions) -> PredictOptions:
    names = {field.name for field in dataclasses.fields(PredictOptions)}
    values = {n: v for n, v in vars(options).items() if n in names and v is not None}
    if isinstance(options, DepthEvaluation):
        values['kb_crop'] = protocol_of(options).kb_crop
    return PredictOptions(**{**values, 'min_score': 0.01})


def _scorer(task: str, options: EvaluateOptions, reader: Reader, subject: _Subject) -> Scorer:
    if isinstance(options, DepthEvaluation):
        rules = protocol_of(options)
        return DepthScorer(
            options.min_depth,
            rules.max_depth_m,
            rules.crop,
            options.pooled,
            reader.reference_focal_px,
        )
    if task == 'denoise':
        return DenoiseScorer()
    scorer = MaskScorer if task == 'segmentation' else BoxScorer
    return scorer(subject.labels, reader.labels)


def _rules(options: EvaluateOptions) -> dict[str, Any]:
    """What decides the figures, for the report."""
    rules: dict[str, Any] = {'flip': True} if options.flip else {}
    if isinstance(options, DepthEvaluation):
        found = protocol_of(options)
        rules |= {'crop': found.crop or 'none', 'min_depth_m': options.min_depth}
        rules |= {'max_depth_m': found.max_depth_m, 'pooled': options.pooled}
        rules |= {'kb_crop': True} if found.kb_crop else {}
    if isinstance(options, SegmentationEvaluation) and options.model is not None:
        rules |= {'upsampling': options.upsampling}
    if getattr(options, 'last_of_scene', False):
        rules |= {'judged': 'the last frame of each scene'}
    if getattr(options, 'min_confidence', 0):
        rules |= {'min_confidence': options.min_confidence}
    return rules
