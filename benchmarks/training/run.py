"""All races, as a table and as JSON."""

from __future__ import annotations

import dataclasses
import itertools
import json
import os
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2

from benchmarks.training.turns import Epoch, Row, images_of, race

SECTIONS = ('reading', 'training')


@dataclass(frozen=True)
class BenchOptions:
    """How much is measured.

    Attributes:
        sections: of SECTIONS.
        real: folder with `nyu_v2/`; None: pictures are drawn.
        workers: threads.
        rounds: of every race.
        pictures: of the depth races.
        frames: of the denoising race, each cut into tiles.
        picture_size: (width, height) of drawn pictures [px].
        frame_size: of the frames [px].
        fastdepth_size: of the network, likewise.
        bts_size: of the crop.
        tile: side [px].
        trained_size: of the network that is trained.
        batch: samples a step.
        laps: through the pictures in one epoch of training.
    """

    sections: tuple[str, ...] = SECTIONS
    real: Path | None = None
    workers: int = 2
    rounds: int = 3
    pictures: int = 16
    frames: int = 3
    picture_size: tuple[int, int] = (640, 480)
    frame_size: tuple[int, int] = (848, 480)
    fastdepth_size: tuple[int, int] = (224, 224)
    bts_size: tuple[int, int] = (544, 416)
    tile: int = 128
    trained_size: tuple[int, int] = (128, 96)
    batch: int = 8
    laps: int = 4


def run_bench(options: BenchOptions) -> dict[str, Any]:
    """Measure.

    Returns:
        host: what it was measured on; load_after: of the last minute at the end; rows: a
        dictionary for each contestant, see turns.Row.
    """
    from benchmarks.training.host import host_facts

    host = host_facts()
    with tempfile.TemporaryDirectory() as folder, _one_thread_each():
        rows = list(itertools.chain.from_iterable(_races(options, Path(folder))))
    return {
        'host': host,
        'load_after': round(os.getloadavg()[0], 2),
        'real_pictures': options.real is not None,
        'workers': options.workers,
        'rounds': options.rounds,
        'rows': [dataclasses.asdict(row) for row in rows],
    }


def table(book: dict[str, Any]) -> str:
    """What was measured, for people."""
    host = book['host']
    versions = ', '.join(f'{name} {version}' for name, version in host['versions'].items())
    kind = 'real' if book['real_pictures'] else 'drawn'
    lines = [
        f'{host["cores"]} cores, load {host["load_1_min"]} before and {book["load_after"]} after, '
        f'Python {host["python"]}, {versions}',
        f'{kind} pictures; medians of {book["rounds"]} interleaved rounds; '
        'OpenCV has one thread in each thread',
    ]
    for section, rows in itertools.groupby(book['rows'], key=lambda row: row['section']):
        lines += ['', section, *map(_line, rows)]
    return '\n'.join(lines)


def save(book: dict[str, Any], path: Path) -> None:
    """Write the JSON; a file of that name is replaced."""
    from rs_ml_training.data.output_folder import write_file

    write_file(path, (json.dumps(book, indent=2) + '\n').encode(), replace=True)


def _races(options: BenchOptions, folder: Path) -> Iterator[list[Row]]:
    from benchmarks.training.material import write_pairs

    pairs = write_pairs(folder / 'pairs', options.pictures, options.picture_size, options.real)
    if 'reading' in options.sections:
        yield from _reading(options, folder, pairs)
    if 'training' in options.sections:
        yield _training(options, pairs)


def _reading(options: BenchOptions, folder: Path, pairs: Any) -> Iterator[list[Row]]:
    from benchmarks.training import reading
    from benchmarks.training.material import write_tile_files

    tiles = write_tile_files(folder / 'denoise', options.frames, options.frame_size, options.tile)
    courses = (
        reading.fastdepth_course(pairs, options.fastdepth_size, options.batch),
        reading.bts_course(pairs, options.bts_size, options.batch),
        reading.denoise_course(tiles, options.tile, options.batch),
    )
    with ThreadPoolExecutor(options.workers) as pool:
        for number, course in enumerate(courses):
            shards = folder / f'shards-{number}'
            ways = reading.contestants(course, shards, pool, options.workers)
            yield race(f'reading: {course.name}', _counted(ways), options.rounds)


def _training(options: BenchOptions, pairs: Any) -> list[Row]:
    from benchmarks.training import training
    from benchmarks.training.reading import fastdepth_course, repeated

    course = fastdepth_course(repeated(pairs, options.laps), options.trained_size, options.batch)
    model = training.trainee(options.trained_size)
    ways = training.contestants(course, model, options.workers)
    return race(f'training {training.NETWORK}: {course.name}', ways, options.rounds, is_warm=True)


def _counted(ways: dict[str, Epoch]) -> dict[str, Any]:
    return {name: (lambda epoch=epoch: images_of(epoch)) for name, epoch in ways.items()}


def _line(row: dict[str, Any]) -> str:
    rate = f'{row["images_per_s"]:9.1f} images/s{row["ratio"]:8.2f} x'
    return f'  {row["name"]:<36}{rate}{row["cpu_ms"]:9.2f} ms CPU/image'


@contextmanager
def _one_thread_each() -> Iterator[None]:
    """So that the threads are those that the table names."""
    before = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        yield
    finally:
        cv2.setNumThreads(before)


def sections_of(names: Sequence[str]) -> tuple[str, ...]:
    """The sections of these names, all where there are none.

    Raises:
        ConfigError: no such section.
    """
    from rs_ml_perception.core.errors import ConfigError

    unknown = [name for name in names if name not in SECTIONS]
    if unknown:
        raise ConfigError(f'no section {unknown[0]!r}: choose from {", ".join(SECTIONS)}')
    return tuple(name for name in SECTIONS if not names or name in names)
