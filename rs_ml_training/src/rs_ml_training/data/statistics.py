"""Statistics of a data set: sizes, colours, depth, classes, boxes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from rs_ml_perception.core.errors import counted

from rs_ml_training.data.reader import Reader
from rs_ml_training.data.sample import IGNORE, Boxes, Sample

BIN_M = 0.1


@dataclass
class Moments:
    """Sums from which mean and standard deviation of each channel follow."""

    count: int = 0
    total: np.ndarray | float = 0.0
    squares: np.ndarray | float = 0.0

    def update(self, values: np.ndarray) -> None:
        """Add values (N, C)."""
        values = values.astype(np.float64)
        self.count += len(values)
        self.total = self.total + values.sum(axis=0)
        self.squares = self.squares + (values**2).sum(axis=0)

    def result(self) -> dict[str, list[float]]:
        """Mean and standard deviation by channel; empty without values."""
        if not self.count:
            return {}
        mean = np.atleast_1d(self.total) / self.count
        spread = np.sqrt(np.maximum(np.atleast_1d(self.squares) / self.count - mean**2, 0))
        return {'mean': mean.round(4).tolist(), 'std': spread.round(4).tolist()}


@dataclass
class DepthHistogram:
    """Pixels by depth in bins of BIN_M, and how many are unknown."""

    counts: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))
    unknown: int = 0
    moments: Moments = field(default_factory=Moments)

    def update(self, depth_m: np.ndarray) -> None:
        """Add a depth map (H, W) [m], 0 where unknown."""
        known = depth_m[depth_m > 0]
        self.unknown += depth_m.size - known.size
        found = np.bincount((known / BIN_M).astype(int), minlength=len(self.counts))
        found[: len(self.counts)] += self.counts
        self.counts = found
        self.moments.update(known[:, None])

    def result(self) -> dict[str, Any]:
        """Known fraction, mean, percentiles (upper border of their bin) and the histogram."""
        total = int(self.counts.sum())
        if not total + self.unknown:
            return {}
        shares = np.cumsum(self.counts) / max(total, 1)
        marks = {
            f'p{p:02}_m': round((int(np.searchsorted(shares, p / 100)) + 1) * BIN_M, 3)
            for p in (1, 5, 50, 95, 99)
            if total
        }
        return {
            'known_share': total / (total + self.unknown),
            **{f'{key}_m': values[0] for key, values in self.moments.result().items()},
            **marks,
            'bin_m': BIN_M,
            'pixels_by_bin': self.counts.tolist(),
        }


@dataclass
class Statistics:
    """Accumulates samples.

    Attributes:
        labels: class names by id; ids beyond them are counted by number.
    """

    labels: Sequence[str] = ()
    samples: int = 0
    sizes: Counter[str] = field(default_factory=Counter)
    pixels: Counter[str] = field(default_factory=Counter)
    pictures: Counter[str] = field(default_factory=Counter)
    boxes: Counter[str] = field(default_factory=Counter)
    depth: DepthHistogram = field(default_factory=DepthHistogram)
    raw_depth: DepthHistogram = field(default_factory=DepthHistogram)
    image: Moments = field(default_factory=Moments)
    infrared: Moments = field(default_factory=Moments)

    def update(self, sample: Sample) -> None:
        """Add a sample."""
        self.samples += 1
        self.sizes['x'.join(map(str, sample.size))] += 1
        if sample.image is not None:
            self.image.update(sample.image.reshape(-1, 3))
        if sample.infrared is not None:
            self.infrared.update(sample.infrared.reshape(-1, 1))
        if sample.depth_m is not None:
            self.depth.update(sample.depth_m)
        if sample.raw_depth_m is not None:
            self.raw_depth.update(sample.raw_depth_m)
        if sample.labels is not None:
            self._count_classes(sample.labels)
        if sample.boxes is not None:
            self._count_boxes(sample.boxes)

    def result(self) -> dict[str, Any]:
        """Everything found, as numbers and texts, without kinds of data that no sample has."""
        total = sum(self.pixels.values())
        classes = {
            name: {
                'pixel_share': count / total,
                'pictures': self.pictures[name],
            }
            for name, count in self.pixels.most_common()
        }
        found = {
            'samples': self.samples,
            'sizes': dict(self.sizes.most_common()),
            'image': self.image.result(),
            'infrared': self.infrared.result(),
            'depth': self.depth.result(),
            'raw_depth': self.raw_depth.result(),
            'classes': classes,
            'boxes': dict(self.boxes.most_common()),
        }
        return {key: value for key, value in found.items() if value or key == 'samples'}

    def _count_classes(self, labels: np.ndarray) -> None:
        counts = np.bincount(labels.ravel(), minlength=256)
        for class_id in np.flatnonzero(counts):
            name = self._name(int(class_id))
            self.pixels[name] += int(counts[class_id])
            self.pictures[name] += 1

    def _count_boxes(self, boxes: Boxes) -> None:
        self.boxes.update(self._name(int(i)) for i in boxes.class_ids[~boxes.is_crowd])

    def _name(self, class_id: int) -> str:
        if class_id < len(self.labels):
            return self.labels[class_id]
        return 'unlabelled' if class_id == IGNORE else str(class_id)


def measure(reader: Reader, limit: int | None = None) -> dict[str, Any]:
    """Statistics of a data set.

    Args:
        reader: the data set.
        limit: look at so many samples, evenly spread; None: at all.
    """
    count = len(reader)
    wanted = count if limit is None else min(limit, count)
    statistics = Statistics(reader.labels)
    for index in np.linspace(0, count, wanted, endpoint=False).astype(int):
        statistics.update(reader.read(int(index)))
    # Of a list with depth: entries without depth would otherwise go unnoticed.
    left_out = getattr(reader, 'without_depth', 0)
    return statistics.result() | ({'entries_without_depth': left_out} if left_out else {})


def as_text(result: dict[str, Any]) -> str:
    """A statistic as a table to read."""
    lines = [f'samples {result["samples"]}']
    if 'entries_without_depth' in result:
        lines.append(f'entries of the list without depth: {result["entries_without_depth"]}')
    lines += [f'size {size}: {count}' for size, count in result.get('sizes', {}).items()]
    for name in ('image', 'infrared'):
        for key, values in result.get(name, {}).items():
            lines.append(f'{name} {key}: {" ".join(f"{v:.2f}" for v in values)}')
    for name in ('depth', 'raw_depth'):
        lines += _depth_lines(name, result.get(name, {}))
    for name, found in result.get('classes', {}).items():
        lines.append(
            f'{found["pixel_share"]:8.3%} {name} (in {counted(found["pictures"], "image")})'
        )
    lines += [
        f'{count:8} {"box" if count == 1 else "boxes"} {name}'
        for name, count in result.get('boxes', {}).items()
    ]
    return '\n'.join(lines)


def _depth_lines(name: str, found: dict[str, Any]) -> list[str]:
    if not found:
        return []
    numbers = {k: v for k, v in found.items() if isinstance(v, float)}
    lines = [f'{name} {key}: {value:.4g}' for key, value in numbers.items() if key != 'bin_m']
    per_metre = round(1 / BIN_M)
    counts = np.asarray(found['pixels_by_bin'])
    if not len(counts):
        return lines
    by_metre = np.add.reduceat(counts, np.arange(0, len(counts), per_metre))
    for metre, count in enumerate(by_metre):
        share = count / max(counts.sum(), 1)
        lines.append(f'{metre:4}..{metre + 1} m {share:7.2%} {"#" * round(60 * share)}')
    return lines
