"""What a teacher finds, beside what is marked already."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from rs_ml_perception.core.errors import ConfigError

from rs_ml_training.data.sample import Boxes
from rs_ml_training.metrics.precision import overlaps
from rs_ml_training.teaching.frozen_detector import Found


@dataclass(frozen=True)
class Trust:
    """How far a teacher is believed.

    Attributes:
        sure: score from which a find is an object.
        doubtful: score from which it may be one: it becomes a crowd, which is neither to be
            found nor a mistake when found.
        same: intersection over union from which two boxes of a class are one object.
    """

    sure: float = 0.3
    doubtful: float = 0.15
    same: float = 0.5

    def __post_init__(self) -> None:
        if not 0 < self.doubtful <= self.sure <= 1 or not 0 < self.same <= 1:
            raise ConfigError(
                'the teacher needs 0 < doubtful <= sure <= 1 and an overlap within 0 to 1, got '
                f'{self.doubtful}, {self.sure} and {self.same}'
            )


def merged(marked: Boxes, found: Found, trust: Trust, complete: Sequence[int] = ()) -> Boxes:
    """The marked boxes, then what the teacher adds.

    Args:
        marked: what is known, with class ids of the teacher.
        found: by the teacher.
        trust: in it.
        complete: classes of which every object is marked; finds of these are doubtful at most.

    Returns:
        Boxes with class ids of the teacher. Finds that are a marked object are left out.
    """
    doubtful = np.isin(found.class_ids, complete) | (found.scores < trust.sure)
    order = np.argsort(-found.scores, kind='stable')
    order = order[found.scores[order] >= trust.doubtful]
    kept: list[int] = []
    for index in order.tolist():
        if not _known(index, found, marked, kept, trust.same):
            kept.append(index)
    return Boxes(
        np.concatenate([marked.xyxy, found.xyxy[kept]]).astype(np.float32),
        np.concatenate([marked.class_ids, found.class_ids[kept]]),
        np.concatenate([marked.is_crowd, doubtful[kept]]),
    )


def _known(index: int, found: Found, marked: Boxes, kept: list[int], same: float) -> bool:
    """Whether a find is a marked object, or one that was found with a better score."""
    class_id, box = found.class_ids[index], found.xyxy[index : index + 1]
    others = np.concatenate(
        [
            marked.xyxy[marked.class_ids == class_id],
            found.xyxy[[i for i in kept if found.class_ids[i] == class_id]].reshape(-1, 4),
        ]
    )
    return bool(overlaps(box, others, np.zeros(len(others), bool)).max(initial=0.0) >= same)
