"""Comparisons of reading and training speed, as a table and as JSON."""

from __future__ import annotations

import dataclasses
import itertools
import json
import statistics
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import cv2
from rs_ml_perception.core.errors import ConfigError

from benchmarks.host import host_facts, load_1_min
from benchmarks.tables import Row, terminal_table
from benchmarks.timing import alternate, median_ratio, throughput

SECTIONS = ('reading', 'training')


@dataclass(frozen=True)
class TrainingOptions:
    """Amount of measurement.

    Attributes:
        sections: of SECTIONS.
        real: folder with `nyu_v2/`; None: images are drawn.
        workers: threads.
        rounds: of every comparison.
        images: of the depth workloads.
        frames: of the denoising workload, each cut into tiles.
        image_size: (width, height) of drawn images [px].
        frame_size: of the frames [px].
        fastdepth_size: of the network, likewise.
        bts_size: of the crop.
        tile: side [px].
        trained_size: of the trained network.
        batch: samples per step.
        repeats: of the images in one epoch of training.
    """

    sections: tuple[str, ...] = SECTIONS
    real: Path | None = None
    workers: int = 2
    rounds: int = 3
    images: int = 16
    frames: int = 3
    image_size: tuple[int, int] = (640, 480)
    frame_size: tuple[int, int] = (848, 480)
    fastdepth_size: tuple[int, int] = (224, 224)
    bts_size: tuple[int, int] = (544, 416)
    tile: int = 128
    trained_size: tuple[int, int] = (128, 96)
    batch: int = 8
    repeats: int = 4


@dataclass(frozen=True)
class Speed:
    """Speed of one way to do the same work.

    Attributes:
        section: title of the comparison.
        name: of the way.
        images_per_s: median over the rounds.
        ratio: to the first way of the section, median of the ratios within a round.
        cpu_ms: per image, of all threads, median over the rounds; independent of other load.
    """

    section: str
    name: str
    images_per_s: float
    ratio: float
    cpu_ms: float


def run_comparisons(options: TrainingOptions) -> dict[str, Any]:
    """Measure.

    Returns:
        host: its facts; load_after: load average of the last minute at the end; rows: a dictionary
        per way, see `Speed`.
    """
    host = host_facts()
    with tempfile.TemporaryDirectory() as folder, _single_threaded_opencv():
        speeds = list(itertools.chain.from_iterable(_measure(options, Path(folder))))
    return {
        'host': host,
        'load_after': load_1_min(),
        'real_images': options.real is not None,
        'workers': options.workers,
        'rounds': options.rounds,
        'rows': [dataclasses.asdict(speed) for speed in speeds],
    }


def compare(
    section: str, works: Mapping[str, Callable[[], int]], rounds: int, *, is_warm: bool = False
) -> list[Speed]:
    """Alternate all works.

    Args:
        section: title.
        works: name -> work, which returns its number of images; the first is the reference.
        rounds: that count.
        is_warm: whether caches are filled and graphs traced; else one run of each does not count.

    Raises:
        ConfigError: there are no rounds.
    """
    for work in () if is_warm else works.values():
        work()
    timed = {name: partial(throughput, work) for name, work in works.items()}
    measured = alternate(timed, rounds=rounds)
    rates = {name: [one.rate_hz for one in found] for name, found in measured.items()}
    reference = next(iter(rates.values()), [])
    return [
        Speed(
            section,
            name,
            statistics.median(rates[name]),
            median_ratio(rates[name], reference),
            statistics.median(one.cpu_ms for one in found),
        )
        for name, found in measured.items()
    ]


def format_table(book: dict[str, Any]) -> str:
    """The result of `run_comparisons` for the terminal."""
    host = book['host']
    versions = ', '.join(f'{name} {text}' for name, text in host['versions'].items() if text)
    kind = 'real' if book['real_images'] else 'drawn'
    lines = [
        f'{host["cores"]} cores, load {host["load_1_min"]} before and {book["load_after"]} after, '
        f'Python {host["python"]}, {versions}',
        f'{kind} images; medians of {book["rounds"]} alternating rounds; '
        'OpenCV has one thread in each thread',
    ]
    for section, speeds in itertools.groupby(book['rows'], key=lambda row: row['section']):
        lines += ['', terminal_table(section, [_row(speed) for speed in speeds])]
    return '\n'.join(lines)


def save(book: dict[str, Any], path: Path) -> None:
    """Write the JSON; an existing file is replaced."""
    from rs_ml_training.data.output_folder import write_file

    write_file(path, (json.dumps(book, indent=2) + '\n').encode(), replace=True)


def parse_sections(names: Sequence[str]) -> tuple[str, ...]:
    """The named sections; all without a name.

    Raises:
        ConfigError: no such section.
    """
    unknown = [name for name in names if name not in SECTIONS]
    if unknown:
        raise ConfigError(f'no section {unknown[0]!r}: choose from {", ".join(SECTIONS)}')
    return tuple(name for name in SECTIONS if not names or name in names)


def _measure(options: TrainingOptions, folder: Path) -> Iterator[list[Speed]]:
    from benchmarks.training.datasets import write_pairs

    pairs = write_pairs(folder / 'pairs', options.images, options.image_size, options.real)
    if 'reading' in options.sections:
        yield from _reading(options, folder, pairs)
    if 'training' in options.sections:
        yield _training(options, pairs)


def _reading(options: TrainingOptions, folder: Path, pairs: Any) -> Iterator[list[Speed]]:
    from benchmarks.training import workloads
    from benchmarks.training.datasets import write_tile_files

    tiles = write_tile_files(folder / 'denoise', options.frames, options.frame_size, options.tile)
    found = (
        workloads.fastdepth_workload(pairs, options.fastdepth_size, options.batch),
        workloads.bts_workload(pairs, options.bts_size, options.batch),
        workloads.denoise_workload(tiles, options.tile, options.batch),
    )
    with ThreadPoolExecutor(options.workers) as pool:
        for number, workload in enumerate(found):
            shards = folder / f'shards-{number}'
            epochs = workloads.reading_epochs(workload, shards, pool, options.workers)
            works = {
                name: partial(workloads.count_images, epoch) for name, epoch in epochs.items()
            }
            yield compare(f'reading: {workload.name}', works, options.rounds)


def _training(options: TrainingOptions, pairs: Any) -> list[Speed]:
    from benchmarks.training import workloads

    repeated = workloads.repeated(pairs, options.repeats)
    workload = workloads.fastdepth_workload(repeated, options.trained_size, options.batch)
    model = workloads.trainee(options.trained_size)
    works = workloads.training_epochs(workload, model, options.workers)
    title = f'training {workloads.NETWORK}: {workload.name}'
    return compare(title, works, options.rounds, is_warm=True)


def _row(speed: dict[str, Any]) -> Row:
    rate = f'{speed["images_per_s"]:9.1f} images/s{speed["ratio"]:8.2f} x'
    return Row(speed['name'], f'{rate}{speed["cpu_ms"]:9.2f} ms CPU/image')


@contextmanager
def _single_threaded_opencv() -> Iterator[None]:
    """So that only the threads named in the table run."""
    before = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        yield
    finally:
        cv2.setNumThreads(before)
