"""Run every benchmark; a part that cannot be measured is skipped with the reason."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rs_ml_perception.core.errors import ConfigError, RsMlError, counted
from rs_ml_training.data.formats import open_data
from rs_ml_training.data.reader import CachedReader, Reader, Subset, last_frames
from rs_ml_training.data.splits import split_by_scene

from benchmarks.accuracy.definitions import (
    BENCHMARKS,
    AccuracyOptions,
    Benchmark,
    Candidate,
    Figures,
)
from benchmarks.accuracy.denoising import DENOISE_BENCHMARKS, DenoiseBenchmark, measure_denoising
from benchmarks.accuracy.evaluators import EVALUATORS, SPEED_BENCHMARK, RobotCommands
from benchmarks.accuracy.heights import HEIGHT_BENCHMARKS, HeightBenchmark, HeightInput
from benchmarks.accuracy.inputs import (
    UnseenRooms,
    still_rooms,
    unseen_rooms,
    upright_rooms,
    write_images,
)
from benchmarks.accuracy.range_bands import BAND_BENCHMARKS, BandBenchmark, measure_bands
from benchmarks.accuracy.still_scenes import STILL_BENCHMARK, StillBenchmark, measure_still

AnyBenchmark = Benchmark | HeightBenchmark | DenoiseBenchmark | BandBenchmark | StillBenchmark
ALL: tuple[AnyBenchmark, ...] = (
    *BENCHMARKS,
    *HEIGHT_BENCHMARKS,
    *DENOISE_BENCHMARKS,
    *BAND_BENCHMARKS,
    STILL_BENCHMARK,
)
SPEED = 'speed'
NAMES = (*(benchmark.name for benchmark in ALL), SPEED)
_SPEED_SECTION = 'models'
_QUICK_SAMPLES = 6
_LISTS = Path(__file__).resolve().parents[2] / 'rs_ml_training' / 'args' / 'lists'


@dataclass(frozen=True)
class Result:
    """Result of one benchmark.

    Attributes:
        benchmark: its definition.
        count: number of images.
        figures: title -> metric -> value.
        missing: title of a candidate, or '' for the benchmark, -> reason.
    """

    benchmark: AnyBenchmark
    count: int = 0
    figures: Figures = field(default_factory=dict)
    missing: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Report:
    """All results.

    Attributes:
        results: of the chosen benchmarks.
        speed: see `measure_speed`; empty if not chosen.
    """

    results: tuple[Result, ...]
    speed: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class _Context:
    """Shared by all benchmarks of a run."""

    robot: RobotCommands
    options: AccuracyOptions
    rooms: UnseenRooms
    upright: UnseenRooms

    def open(self, source: str, **options: Any) -> Reader:
        """Open data below the folder of data sets."""
        kind, _, path = source.partition(':')
        return open_data(f'{kind}:{self.options.data_folder() / path}', **options)

    def limited(self, reader: Reader) -> Reader:
        """All samples, or a few with `--quick`."""
        if not self.options.quick or len(reader) <= _QUICK_SAMPLES:
            return reader
        return Subset(reader, list(range(_QUICK_SAMPLES)))


def run_benchmarks(options: AccuracyOptions, log: Callable[[str], None]) -> Report:
    """Run the chosen benchmarks.

    Args:
        options: benchmarks and data.
        log: receives one text per benchmark.

    Raises:
        ConfigError: an unknown benchmark, or no data.
    """
    unknown = [name for name in options.only if name not in NAMES]
    if unknown:
        raise ConfigError(f'no benchmark {unknown[0]!r}: choose from {", ".join(NAMES)}')
    robot = RobotCommands(options.data_folder() / 'models')
    results = []
    with tempfile.TemporaryDirectory(prefix='unseen-') as scratch:
        folder = Path(scratch)
        rooms = unseen_rooms(options, folder / 'rooms')
        upright = upright_rooms(options, folder / 'upright')
        context = _Context(robot, options, rooms, upright)
        for benchmark in ALL:
            if not options.only or benchmark.name in options.only:
                results.append(_run(context, benchmark))
                log(_summary(results[-1]))
    speed: Mapping[str, Any] = {}
    if not options.only or SPEED in options.only:
        log(SPEED)
        speed = measure_speed(robot, is_quick=options.quick)
    return Report(tuple(results), speed)


def measure_speed(robot: RobotCommands, *, is_quick: bool = False) -> dict[str, Any]:
    """{'host': facts, 'models': name -> see `benchmarks.speed.model_speed`}.

    Raises:
        InputError: the speed benchmark failed.
    """
    with tempfile.TemporaryDirectory(prefix='rs-ml-speed-') as folder:
        words = ['--only', _SPEED_SECTION, '--out', folder, *(['--quick'] if is_quick else [])]
        robot.run(*words, module=SPEED_BENCHMARK)
        book = json.loads((Path(folder) / 'bench.json').read_text(encoding='utf-8'))
    return {'host': book['host'], 'models': book[_SPEED_SECTION]['result']}


def _run(context: _Context, benchmark: AnyBenchmark) -> Result:
    try:
        with tempfile.TemporaryDirectory(prefix=f'{benchmark.name}-') as scratch:
            if isinstance(benchmark, HeightBenchmark):
                return _run_heights(context, benchmark, Path(scratch))
            if isinstance(benchmark, DenoiseBenchmark):
                return _run_denoising(context, benchmark, Path(scratch))
            if isinstance(benchmark, BandBenchmark):
                return _run_bands(context, benchmark, Path(scratch))
            if isinstance(benchmark, StillBenchmark):
                rooms = still_rooms(context.options, Path(scratch) / 'rooms')
                still = open_data(f'synth:{rooms.path()}')
                return Result(benchmark, len(still), measure_still(still))
            return _run_task(context, benchmark, Path(scratch))
    except RsMlError as error:
        return Result(benchmark, missing={'': str(error)})


def _run_task(context: _Context, benchmark: Benchmark, scratch: Path) -> Result:
    reader = context.limited(_reader(context, benchmark))
    write_images(reader, scratch)

    def measure(candidate: Candidate) -> dict[str, float]:
        evaluator = EVALUATORS[benchmark.task]
        return evaluator.measure(context.robot, candidate, reader, scratch)

    return _run_candidates(benchmark, len(reader), measure)


def _run_heights(context: _Context, benchmark: HeightBenchmark, scratch: Path) -> Result:
    reader = context.limited(_upright_views(context))
    heights = HeightInput(reader, context.upright.path(), scratch)
    return _run_candidates(
        benchmark, len(reader), lambda candidate: heights.measure(context.robot, candidate)
    )


def _run_candidates(
    benchmark: Benchmark | HeightBenchmark,
    count: int,
    measure: Callable[[Candidate], dict[str, float]],
) -> Result:
    """Figures of every candidate; a failing one does not stop the others."""
    figures, missing = {}, {}
    for candidate in benchmark.candidates:
        try:
            figures[candidate.title] = measure(candidate)
        except RsMlError as error:
            missing[candidate.title] = str(error)
    return Result(benchmark, count, figures, missing)


def _run_denoising(context: _Context, benchmark: DenoiseBenchmark, scratch: Path) -> Result:
    if benchmark.source:
        reader = context.open(benchmark.source, **benchmark.options)
    else:
        reader = open_data(f'synth:{context.rooms.path()}')
    limited = context.limited(reader)
    count, figures = measure_denoising(context.robot, benchmark, limited, scratch)
    return Result(benchmark, count, figures)


def _upright_views(context: _Context) -> Reader:
    views = open_data(f'synth-color:{context.upright.path()}')
    return Subset(views, last_frames(views))


def _run_bands(context: _Context, benchmark: BandBenchmark, scratch: Path) -> Result:
    reader = context.open(benchmark.source, **benchmark.options)
    frames = range(benchmark.first, len(reader), benchmark.every)
    chosen = CachedReader(context.limited(Subset(reader, frames)))
    figures = measure_bands(context.robot, benchmark, chosen, scratch)
    return Result(benchmark, len(chosen), figures)


def _reader(context: _Context, benchmark: Benchmark) -> Reader:
    if not benchmark.source:
        return _upright_views(context)
    options = {
        name: str(_LISTS / value[1:]) if str(value).startswith('@') else value
        for name, value in benchmark.options.items()
    }
    reader = context.open(benchmark.source, **options)
    if benchmark.holdout is None:
        return reader
    return split_by_scene(reader, *benchmark.holdout)[1]


def _summary(result: Result) -> str:
    """Figures of a benchmark for the terminal."""
    parts = [f'{result.benchmark.name}: {counted(result.count, "image")}']
    for title, figures in result.figures.items():
        metrics = [m for m in result.benchmark.metrics if m in figures]
        parts.append(f'  {title}: {", ".join(f"{m} {figures[m]:.4f}" for m in metrics)}')
    parts += [f'  {title or "all"} skipped: {why}' for title, why in result.missing.items()]
    return '\n'.join(parts)
