"""Truth of a data set in the classes of a network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from rs_ml_perception.core.errors import ConfigError

from rs_ml_training.data.sample import IGNORE, Boxes, Sample


def class_table(labels: Sequence[str], data_labels: Sequence[str]) -> np.ndarray:
    """Class id of the network by class id of the data, uint8 (256,); IGNORE where it has none.

    Raises:
        ConfigError: there are no names, or none in common.
    """
    if not labels:
        raise ConfigError('neither the network nor the data name their classes')
    table = np.full(256, IGNORE, np.uint8)
    if not data_labels:
        table[: len(labels)] = np.arange(len(labels))
        return table
    for index, name in enumerate(data_labels):
        if name in labels:
            table[index] = list(labels).index(name)
    if (table == IGNORE).all():
        raise ConfigError(
            f'network and data have no class in common: {", ".join(labels)} '
            f'against {", ".join(data_labels)}'
        )
    return table


def with_classes(sample: Sample, table: np.ndarray) -> Sample:
    """The sample with the ids of a table (256,) of `class_table`.

    Pixels of classes that the network lacks become IGNORE, boxes of such classes go.
    """
    labels, boxes = sample.labels, sample.boxes
    if labels is not None:
        labels = table[labels]
    if boxes is not None:
        ids = table[boxes.class_ids]
        keep = ids != IGNORE
        boxes = Boxes(boxes.xyxy[keep], ids[keep].astype(np.int64), boxes.is_crowd[keep])
    return replace(sample, labels=labels, boxes=boxes)
