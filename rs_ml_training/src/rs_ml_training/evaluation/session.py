"""An evaluation from its options: data, predictions and rules."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

import numpy as np
from rs_ml_perception.core.errors import ConfigError

from rs_ml_training.data.formats import open_data
from rs_ml_training.data.reader import Reader, Subset
from rs_ml_training.evaluation.comparison import Comparison, compare
from rs_ml_training.evaluation.evaluate import EvaluationReport, Progress, evaluate
from rs_ml_training.tasks.options import EvaluateOptions, name_values
from rs_ml_training.tasks.registry import predictor_of, task_named
from rs_ml_training.tasks.task import PredictBatch, Rivals, Task

# Options of how a network is run; predictions that exist already ignore them.
_OF_NETWORKS = frozenset(
    {'weights', 'input_size', 'flip', 'min_confidence', 'upsampling', 'focal_px'}
)


@dataclass(frozen=True)
class Subject:
    """The predictions under evaluation.

    Attributes:
        name: of the model, folder or method.
        predict: predictions for several samples.
        labels: class names of the predictions.
    """

    name: str
    predict: PredictBatch
    labels: tuple[str, ...] = ()


def run(
    name: str, options: EvaluateOptions, progress: Progress | None = None
) -> EvaluationReport | Comparison:
    """Evaluate.

    Args:
        name: of the task.
        options: of that task.
        progress: wraps samples and their number, as a progress bar does.

    Raises:
        ConfigError: flags that are missing or contradict each other.
        InputError: files that are missing or damaged.
        CheckpointError: the model cannot be loaded.
    """
    task = task_named(name)
    rivals = task.rivals(options)
    _check(task, options, rivals)
    reader = _reader(task, options)
    rules = ({'flip': True} if options.flip else {}) | task.rules(options)
    if rivals:
        return _compared(task, options, reader, rivals, rules, progress)
    reader = task.evaluated(options, reader)
    subject = _subject(task, options, reader)
    scorer = task.scorer(options, subject.labels, reader)
    measured = evaluate(
        reader,
        subject.predict,
        scorer,
        batch_size=options.batch_size,
        worst=options.worst,
        progress=progress,
    )
    return EvaluationReport(
        name, subject.name, options.data, measured, rules, scorer.ranking_metric
    )


def _compared(
    task: Task[Any, Any],
    options: EvaluateOptions,
    reader: Reader,
    rivals: Rivals,
    rules: dict[str, Any],
    progress: Progress | None,
) -> Comparison:
    has_subject = options.model or options.predictions
    subject = _subject(task, options, reader) if has_subject else None
    models = {subject.name: subject.predict} if subject else {}
    found = compare(task, options, reader, models, progress=progress)
    return Comparison(task.name, options.data, found, rivals.columns, rules)


def _check(task: Task[Any, Any], options: EvaluateOptions, rivals: Rivals | None) -> None:
    if not options.data:
        raise ConfigError('--data is missing: give FORMAT:PATH, as nyu-labelled:/data/nyu_v2')
    ways: dict[str, Any] = {'--model': options.model, '--predictions': options.predictions}
    ways |= task.baselines(options)
    given = [flag for flag, value in ways.items() if value]
    if rivals:
        given = given or [rivals.flag]
    if len(given) != 1:
        raise ConfigError(
            f'one of {", ".join(ways)} must be given, got {" and ".join(given) or "none"}'
        )
    for field in dataclasses.fields(options):
        is_set = getattr(options, field.name) != field.default
        if is_set and field.name in _OF_NETWORKS and options.model is None:
            shown = field.name.replace('_', '-')
            raise ConfigError(f'--{shown} is for --model: it would change nothing of {given[0]}')


def _reader(task: Task[Any, Any], options: EvaluateOptions) -> Reader:
    values: dict[str, Any] = {
        'list_file': options.list_file,
        **task.reader_options(options),
        **name_values(options.data_option),
    }
    reader = open_data(options.data, **values)
    if not options.limit or options.limit >= len(reader):
        return reader
    return Subset(reader, np.linspace(0, len(reader) - 1, options.limit).astype(int).tolist())


def _subject(task: Task[Any, Any], options: EvaluateOptions, reader: Reader) -> Subject:
    for baseline in task.baselines(options).values():
        if baseline is not None:
            return Subject(*baseline)
    if options.predictions is not None:
        found = task.stored(options, options.predictions, reader)
        return Subject(str(options.predictions), found.batch, tuple(reader.labels))
    return _network(task, options)


def _network(task: Task[Any, Any], options: EvaluateOptions) -> Subject:
    from rs_ml_training.trained import load, read_spec

    if options.model is None:
        raise ConfigError('--model is missing')
    found = read_spec(options.model).task
    if found != task.name:
        raise ConfigError(f'{options.model} holds a {found} network: evaluate it as {found}')
    trained = load(options.model, weights=options.weights, input_size=options.input_size)
    predictor = predictor_of(trained, task.predict_options(options))
    return Subject(str(options.model), predictor.batch, tuple(trained.spec.labels))
