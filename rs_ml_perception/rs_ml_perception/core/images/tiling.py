"""Covering an image with windows of one size, without resampling it."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

MIN_OVERLAP_PX = 64
"""Minimum overlap of neighbours; a pixel is taken from the window whose border is farther away."""


@dataclass(frozen=True)
class Span:
    """One side of a window, in pixels of the image.

    Attributes:
        start, stop: the part seen by the window.
        keep_start, keep_stop: the part of it that is kept; the kept parts of all spans fill the
            side.
    """

    start: int
    stop: int
    keep_start: int
    keep_stop: int

    @property
    def seen(self) -> slice:
        """The part of the image seen by the window."""
        return slice(self.start, self.stop)

    @property
    def kept(self) -> slice:
        """The part of the image that is kept."""
        return slice(self.keep_start, self.keep_stop)

    @property
    def kept_inside(self) -> slice:
        """The kept part in pixels of the window."""
        return slice(self.keep_start - self.start, self.keep_stop - self.start)


@dataclass(frozen=True)
class ImageWindow:
    """A rectangle of an image; smaller than requested if the image is."""

    rows: Span
    columns: Span


def plan_windows(
    size: tuple[int, int], window_size: tuple[int, int] | None
) -> tuple[ImageWindow, ...]:
    """Windows of (width, height) that cover an image of (width, height); None: one for all of it.

    Example:
        >>> [(w.columns.start, w.columns.kept) for w in plan_windows((12, 4), (8, 4))]
        [(0, slice(0, 6, None)), (4, slice(6, 12, None))]
    """
    width, height = size if window_size is None else window_size
    return tuple(
        ImageWindow(rows, columns)
        for rows, columns in itertools.product(_spans(size[1], height), _spans(size[0], width))
    )


def _spans(size: int, window: int) -> tuple[Span, ...]:
    if size <= window:
        return (Span(0, size, 0, size),)
    starts = _starts(size, window)
    seams = [(a + window + b) // 2 for a, b in itertools.pairwise(starts)]
    return tuple(
        Span(start, start + window, keep_start, keep_stop)
        for start, keep_start, keep_stop in zip(starts, (0, *seams), (*seams, size), strict=True)
    )


def _starts(size: int, window: int) -> Sequence[int]:
    """Evenly spread, the last window at the border."""
    overlap = min(MIN_OVERLAP_PX, window // 2)
    count = -(-(size - overlap) // (window - overlap))
    return [i * (size - window) // (count - 1) for i in range(count)]
