"""Objects found in one image."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np


def check_shape(name: str, array: np.ndarray, shape: tuple[int, ...]) -> None:
    """Raise ValueError unless the array has the shape."""
    if array.shape != shape:
        raise ValueError(f'{name} must have shape {shape}, got {array.shape}')


@dataclass(frozen=True, eq=False)
class Detections:
    """Parallel arrays, best score first.

    Attributes:
        xyxy: float32 (N, 4), [x_min, y_min, x_max, y_max], half-open pixels of the original image,
            clipped to it.
        scores: float32 (N,), in [0, 1].
        class_ids: int32 (N,), ids of the model's LabelMap.
        track_ids: int32 (N,), -1 where not tracked.
    """

    xyxy: np.ndarray
    scores: np.ndarray
    class_ids: np.ndarray
    track_ids: np.ndarray = field(default=None)  # type: ignore[assignment]

    def __post_init__(self) -> None:
        n = len(self.scores)
        if self.track_ids is None:
            object.__setattr__(self, 'track_ids', np.full(n, -1, np.int32))
        check_shape('xyxy', self.xyxy, (n, 4))
        check_shape('scores', self.scores, (n,))
        check_shape('class_ids', self.class_ids, (n,))
        check_shape('track_ids', self.track_ids, (n,))

    @classmethod
    def empty(cls) -> Detections:
        return cls(np.zeros((0, 4), np.float32), np.zeros(0, np.float32), np.zeros(0, np.int32))

    def __len__(self) -> int:
        return len(self.scores)

    def __getitem__(self, index: np.ndarray | slice) -> Detections:
        """Select rows by a slice, a boolean mask or an index array."""
        return Detections(
            self.xyxy[index], self.scores[index], self.class_ids[index], self.track_ids[index]
        )

    def __iter__(self) -> Iterator[tuple[np.ndarray, float, int, int]]:
        """Yield (xyxy, score, class_id, track_id) per object."""
        for row in zip(self.xyxy, self.scores, self.class_ids, self.track_ids, strict=True):
            yield row[0], float(row[1]), int(row[2]), int(row[3])
