"""`python -m benchmarks.aligned_depth`: mono depth fitted to depth that ends at a range."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rs_ml_perception.core.flags import FlagParser, add_flags, from_flags
from rs_ml_perception.core.frames.frame import Frame
from rs_ml_perception.core.images.depth import DepthImage
from rs_ml_perception.core.options import Options, option
from rs_ml_perception.tasks.depth_alignment import ALIGNMENTS
from rs_ml_perception.tasks.mono_depth import DepthEstimator, MonoDepthOptions
from rs_ml_perception.tasks.options import ModelOptions
from rs_ml_training.cli.command import command
from rs_ml_training.data.formats import open_data
from rs_ml_training.data.reader import Reader
from rs_ml_training.data.sample import Sample

from benchmarks.accuracy.report import check_document, write_part
from benchmarks.tables import markdown_table

PARTS = ('measured', 'in holes', 'beyond')
_HOLES = 6
_RADII = 0.05, 0.14
"""Of the holes, as fractions of the width of the image."""


@dataclass(frozen=True)
class AlignedDepthOptions(Options):
    """Compares estimates as they are and fitted, where depth is measured and where it is not."""

    data: tuple[str, ...] = option((), 'FORMAT:PATH of data sets with depth', metavar='DATA')
    model: str = option('mono_depth', 'name or directory of the model')
    range_m: float = option(3.0, 'depth beyond is not measured', unit='m', low=0.1)
    every: int = option(1, 'take every n-th image', low=1)
    seed: int = option(0, 'of the holes', low=0)
    out: Path | None = option(None, 'Markdown file; the part between its markers is replaced')


class Errors:
    """Errors of depth, pixel by pixel, over all images."""

    def __init__(self) -> None:
        self._sums = np.zeros(6)

    def add(self, depth_m: np.ndarray, truth_m: np.ndarray, stddev_m: np.ndarray | None) -> None:
        """Add pixels (N,), and their standard deviation if there is one."""
        error, ratio = np.abs(depth_m - truth_m), depth_m / truth_m
        in_1, in_2 = 0.0, 0.0
        if stddev_m is not None:
            in_1, in_2 = (float(np.sum(error <= k * stddev_m)) for k in (1, 2))
        right = np.sum(np.maximum(ratio, 1 / ratio) < 1.25)
        squares = np.sum(error.astype(np.float64) ** 2)
        self._sums += [len(error), squares, np.sum(error / truth_m), right, in_1, in_2]

    def accuracy(self) -> str:
        """RMSE in metres, AbsRel and delta1."""
        count, squares, relative, right, _, _ = self._sums
        if not count:
            return '-'
        return f'{np.sqrt(squares / count):.2f} / {relative / count:.3f} / {right / count:.3f}'

    def coverage(self) -> str:
        """Fractions of the errors within one and two standard deviations."""
        count, *_, in_1, in_2 = self._sums
        return f'{in_1 / count:.2f} / {in_2 / count:.2f}' if count and in_2 else '-'


@dataclass(frozen=True)
class Fitted:
    """What one way of fitting gives on a data set."""

    mode: str
    errors: dict[str, Errors]


def limited_depth(sample: Sample, range_m: float, rng: np.random.Generator) -> np.ndarray:
    """The sensor's depth of a sample up to a range and with round holes: float32, 0 unknown."""
    source = sample.raw_depth_m if sample.raw_depth_m is not None else sample.depth_m
    assert source is not None
    depth_m = np.where((source > 0) & (source <= range_m), source, 0).astype(np.float32)
    height, width = depth_m.shape
    y, x = np.mgrid[:height, :width]
    for _ in range(_HOLES):
        radius = rng.uniform(*_RADII) * width
        depth_m[np.hypot(y - rng.uniform(0, height), x - rng.uniform(0, width)) < radius] = 0
    return depth_m


def evaluate(
    reader: Reader, estimator: DepthEstimator, options: AlignedDepthOptions, mode: str
) -> Fitted:
    """Errors of one mode over a data set; every image stands alone."""
    estimator.options = MonoDepthOptions(align_to_depth=mode)
    rng = np.random.default_rng(options.seed)
    errors = {part: Errors() for part in PARTS}
    for index in range(0, len(reader), options.every):
        sample = reader.read(index)
        depth_m = limited_depth(sample, options.range_m, rng)
        frame = Frame(sample.image, DepthImage(depth_m, 1.0), camera=sample.intrinsics)
        found = estimator(frame.color_image, frame.camera, frame)
        stddev_m = None if found.alignment is None else found.stddev_m()
        for part, here in _parts(sample, depth_m, found.depth_m, options.range_m):
            spread_m = None if stddev_m is None else stddev_m[here]
            assert sample.depth_m is not None
            errors[part].add(found.depth_m[here], sample.depth_m[here], spread_m)
    return Fitted(mode, errors)


def _parts(
    sample: Sample, measured_m: np.ndarray, depth_m: np.ndarray, range_m: float
) -> Iterator[tuple[str, np.ndarray]]:
    truth_m = sample.depth_m
    assert truth_m is not None
    known = (truth_m > 0) & np.isfinite(depth_m)
    near = known & (truth_m <= range_m)
    yield 'measured', near & (measured_m > 0)
    yield 'in holes', near & (measured_m == 0)
    yield 'beyond', known & (truth_m > range_m)


def table(name: str, count: int, rows: Sequence[Fitted]) -> str:
    """Accuracy and coverage of each mode on a data set."""
    head = [f'{name}, {count} images', *PARTS, *(f'1 / 2 sigma, {p}' for p in PARTS)]
    cells = (
        [
            f'`{row.mode}`',
            *(row.errors[part].accuracy() for part in PARTS),
            *(row.errors[part].coverage() for part in PARTS),
        ]
        for row in rows
    )
    return markdown_table(head, cells)


@command
def main(argv: Sequence[str] | None = None) -> int:
    """Entry point."""
    parser = FlagParser(
        prog='python -m benchmarks.aligned_depth', description=AlignedDepthOptions.__doc__
    )
    add_flags(parser, AlignedDepthOptions)
    options = from_flags(AlignedDepthOptions, parser.parse_args(argv))
    if options.out is not None:
        check_document(options.out)
    estimator = DepthEstimator(ModelOptions(model=options.model, threads=1).load())
    parts = []
    for source in options.data:
        reader = open_data(source)
        rows = [evaluate(reader, estimator, options, mode) for mode in ALIGNMENTS]
        parts.append(table(source.partition(':')[0], -(-len(reader) // options.every), rows))
        print(f'\n{parts[-1]}', flush=True)
    if options.out is not None:
        write_part(options.out, '\n\n'.join(parts))
    return 0


if __name__ == '__main__':
    sys.exit(main())
