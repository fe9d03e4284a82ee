"""Search for better options with Optuna; every trial is a run of its own."""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from rs_ml_perception.core.errors import ConfigError, counted
from rs_ml_perception.core.flags import checked, parsed

from rs_ml_training.errors import DivergedError
from rs_ml_training.tasks.options import TrainOptions
from rs_ml_training.tasks.registry import task_named
from rs_ml_training.training.epoch_end import EpochReport

if TYPE_CHECKING:
    import optuna

Suggest = Callable[['optuna.Trial'], Any]


def search(
    task: str,
    options: TrainOptions,
    space: Sequence[str],
    trials: int,
    command: Sequence[str] = (),
) -> str:
    """Run trials until there are `trials` of them; an interrupted search continues.

    Args:
        task: its name.
        options: of every trial; the space overrides them.
        space: items FLAG=LOW..HIGH, FLAG=LOW..HIGH:log or FLAG=A|B|C.
        trials: number in all.
        command: recorded as the command.

    Returns:
        The best trial and its run folder, in words.

    Raises:
        ConfigError: an invalid item of the space.
    """
    import optuna

    suggestions = _suggestions(type(options), space)
    name = options.name or f'{task}-{options.model}-search'
    folder = options.runs / name
    folder.mkdir(parents=True, exist_ok=True)
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(
        study_name=name,
        storage=f'sqlite:///{folder.resolve() / "study.db"}',
        sampler=optuna.samplers.TPESampler(seed=options.seed),
        pruner=optuna.pruners.MedianPruner(n_startup_trials=4),
        direction=_direction(task, options),
        load_if_exists=True,
    )
    run = _Trial(task, options, suggestions, folder.name, command)
    finished = sum(trial.state.is_finished() for trial in study.trials)
    study.optimize(run, n_trials=max(trials - finished, 0), catch=(DivergedError,))
    return _summary(study, options, folder.name)


class _Trial:
    """One run with suggested options; pruned if others were better at the same epoch."""

    def __init__(
        self,
        task: str,
        options: TrainOptions,
        suggestions: dict[str, Suggest],
        name: str,
        command: Sequence[str],
    ) -> None:
        self._task, self._options, self._suggestions = task, options, suggestions
        self._name, self._command = name, command

    def __call__(self, trial: optuna.Trial) -> float:
        import keras
        import optuna

        from rs_ml_training.training.session import train

        chosen = {name: suggest(trial) for name, suggest in self._suggestions.items()}
        values = {
            f.name: getattr(self._options, f.name) for f in dataclasses.fields(self._options)
        }
        values |= chosen | {'name': f'{self._name}/trial-{trial.number:03d}'}
        last: list[float] = []

        def listen(report: EpochReport) -> None:
            last.append(report.metrics[self._options.monitor])
            trial.report(last[-1], report.epoch)
            if trial.should_prune():
                raise optuna.TrialPruned

        keras.backend.clear_session()
        train(
            self._task,
            checked(type(self._options), values),
            command=self._command,
            listener=listen,
        )
        return last[-1]


def _suggestions(options_type: type[TrainOptions], space: Sequence[str]) -> dict[str, Suggest]:
    if not space:
        raise ConfigError('--search is missing: say what to vary, as learning_rate=1e-4..1e-2:log')
    hints = typing.get_type_hints(options_type)
    found = {}
    for item in space:
        name, separator, choice = item.partition('=')
        name = name.strip('-').replace('-', '_')
        if not separator or name not in hints:
            raise ConfigError(f'{item!r} is not FLAG=RANGE with a flag of this task')
        found[name] = _suggestion(name, choice, hints[name])
    return found


def _suggestion(name: str, choice: str, hint: Any) -> Suggest:
    if '..' not in choice:
        values = [parsed(text, hint) for text in choice.split('|')]
        return lambda trial: trial.suggest_categorical(name, values)
    span, _, scale = choice.partition(':')
    if scale not in ('', 'log'):
        raise ConfigError(f'{name}={choice}: only :log may follow a range')
    low, high = (parsed(text, hint) for text in span.split('..', 1))
    if not low < high:
        raise ConfigError(f'{name}={choice}: {low} is not below {high}')
    if hint is int:
        return lambda trial: trial.suggest_int(name, low, high, log=bool(scale))
    return lambda trial: trial.suggest_float(name, low, high, log=bool(scale))


def _direction(task: str, options: TrainOptions) -> str:
    is_lower_better = options.monitor in task_named(task).lower_is_better
    return 'minimize' if is_lower_better else 'maximize'


def _summary(study: optuna.Study, options: TrainOptions, name: str) -> str:
    import optuna

    done = [t for t in study.trials if t.state == optuna.trial.TrialState.COMPLETE]
    states = f'{counted(len(study.trials), "trial")}, {len(done)} of them to the end'
    if not done:
        return f'{states}: none to compare'
    best = study.best_trial
    chosen = ' '.join(f'--{k.replace("_", "-")} {v}' for k, v in best.params.items())
    where = options.runs / name / f'trial-{best.number:03d}'
    return f'{states}; best {options.monitor} {best.value:.4f} with {chosen} in {where}'
