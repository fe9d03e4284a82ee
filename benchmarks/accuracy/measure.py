"""Every contest in turn; what cannot be measured is left out with the reason."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rs_ml_perception.core.errors import ConfigError, RsMlError
from rs_ml_training.data.formats import open_data
from rs_ml_training.data.reader import Reader, Subset, last_frames
from rs_ml_training.data.splits import split_by_scene

from benchmarks.accuracy.contests import CONTESTS, Contest, Figures, Subject
from benchmarks.accuracy.denoising import (
    DENOISE_CONTESTS,
    DenoiseContest,
    measure_denoising,
)
from benchmarks.accuracy.handed import hand_over_pictures
from benchmarks.accuracy.heights import (
    HEIGHT_CONTESTS,
    HeightContest,
    HeightCourse,
)
from benchmarks.accuracy.judging import JUDGES
from benchmarks.accuracy.options import ShippedOptions
from benchmarks.accuracy.robot import Robot
from benchmarks.accuracy.speed import NAME as SPEED
from benchmarks.accuracy.speed import measure_speed
from benchmarks.accuracy.unseen_rooms import (
    UnseenRooms,
    unseen_rooms,
    upright_rooms,
)

AnyContest = Contest | HeightContest | DenoiseContest
ALL: tuple[AnyContest, ...] = (*CONTESTS, *HEIGHT_CONTESTS, *DENOISE_CONTESTS)
NAMES = (*(contest.name for contest in ALL), SPEED)
_QUICK_SAMPLES = 6
_LISTS = Path(__file__).resolve().parents[2] / 'rs_ml_training' / 'args' / 'lists'


@dataclass(frozen=True)
class Outcome:
    """What a contest gave.

    Attributes:
        contest: what was judged.
        count: pictures.
        figures: title -> metric -> value.
        missing: title of a subject, or '' for the contest, -> why it was not measured.
    """

    contest: AnyContest
    count: int = 0
    figures: Figures = field(default_factory=dict)
    missing: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Book:
    """All that was measured.

    Attributes:
        outcomes: of every contest chosen.
        speed: see `speed.measure_speed`; empty where it was not chosen.
    """

    outcomes: tuple[Outcome, ...]
    speed: Mapping[str, Any] = field(default_factory=dict)


def measure_all(options: ShippedOptions, say: Callable[[str], None]) -> Book:
    """Measure what was chosen.

    Args:
        options: which contests, on which data.
        say: is told what is going on.

    Raises:
        ConfigError: an unknown contest, no data, or no `rs-ml`.
    """
    unknown = [name for name in options.only if name not in NAMES]
    if unknown:
        raise ConfigError(f'no contest {unknown[0]!r}: choose from {", ".join(NAMES)}')
    robot = Robot(options.data_folder() / 'models')
    outcomes = []
    with tempfile.TemporaryDirectory(prefix='unseen-') as scratch:
        folder = Path(scratch)
        rooms = unseen_rooms(options, folder / 'rooms')
        upright = upright_rooms(options, folder / 'upright')
        bench = _Bench(robot, options, rooms, upright)
        for contest in ALL:
            if not options.only or contest.name in options.only:
                outcomes.append(_measured(bench, contest))
                say(_line(outcomes[-1]))
    speed: Mapping[str, Any] = {}
    if not options.only or SPEED in options.only:
        say(SPEED)
        speed = measure_speed(robot, is_quick=options.quick)
    return Book(tuple(outcomes), speed)


@dataclass(frozen=True)
class _Bench:
    """What contests are held with."""

    robot: Robot
    options: ShippedOptions
    rooms: UnseenRooms
    upright: UnseenRooms

    def open(self, source: str, **options: Any) -> Reader:
        """Data of the folder of data sets."""
        kind, _, path = source.partition(':')
        return open_data(f'{kind}:{self.options.data_folder() / path}', **options)

    def limited(self, reader: Reader) -> Reader:
        """All samples, or a few for a look."""
        if not self.options.quick or len(reader) <= _QUICK_SAMPLES:
            return reader
        return Subset(reader, list(range(_QUICK_SAMPLES)))


def _measured(bench: _Bench, contest: AnyContest) -> Outcome:
    hold = {Contest: _contest, HeightContest: _heights, DenoiseContest: _denoising}[type(contest)]
    try:
        with tempfile.TemporaryDirectory(prefix=f'{contest.name}-') as scratch:
            return hold(bench, contest, Path(scratch))
    except RsMlError as error:
        return Outcome(contest, missing={'': str(error)})


def _contest(bench: _Bench, contest: Contest, scratch: Path) -> Outcome:
    reader = bench.limited(_reader(bench, contest))
    hand_over_pictures(reader, scratch)

    def measure(subject: Subject) -> dict[str, float]:
        return JUDGES[contest.task].measure(bench.robot, subject, reader, scratch)

    return _each(contest, len(reader), measure)


def _heights(bench: _Bench, contest: HeightContest, scratch: Path) -> Outcome:
    rooms = bench.upright.path()
    views = open_data(f'synth-color:{rooms}')
    reader = bench.limited(Subset(views, last_frames(views)))
    course = HeightCourse(reader, rooms, scratch)
    return _each(contest, len(reader), lambda subject: course.measure(bench.robot, subject))


def _each(
    contest: Contest | HeightContest, count: int, measure: Callable[[Subject], dict[str, float]]
) -> Outcome:
    """The figures of every subject; what one of them lacks keeps the others from nothing."""
    figures, missing = {}, {}
    for subject in contest.subjects:
        try:
            figures[subject.title] = measure(subject)
        except RsMlError as error:
            missing[subject.title] = str(error)
    return Outcome(contest, count, figures, missing)


def _denoising(bench: _Bench, contest: DenoiseContest, scratch: Path) -> Outcome:
    if contest.source:
        reader = bench.open(contest.source, **contest.options)
    else:
        reader = open_data(f'synth:{bench.rooms.path()}')
    count, figures = measure_denoising(bench.robot, contest, bench.limited(reader), scratch)
    return Outcome(contest, count, figures)


def _reader(bench: _Bench, contest: Contest) -> Reader:
    given = {
        name: str(_LISTS / value[1:]) if str(value).startswith('@') else value
        for name, value in contest.options.items()
    }
    reader = bench.open(contest.source, **given)
    return reader if contest.holdout is None else split_by_scene(reader, *contest.holdout)[1]


def _line(outcome: Outcome) -> str:
    """What the terminal shows of a contest."""
    parts = [f'{outcome.contest.name}: {outcome.count} pictures']
    for title, metrics in outcome.figures.items():
        shown = ', '.join(f'{m} {metrics[m]:.4f}' for m in outcome.contest.metrics if m in metrics)
        parts.append(f'  {title}: {shown}')
    parts += [f'  {title or "all"} left out: {why}' for title, why in outcome.missing.items()]
    return '\n'.join(parts)
