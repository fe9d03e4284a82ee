"""Distillation: the maps of a teacher as training targets, in place of its boxes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from rs_ml_perception.core.errors import ConfigError

from rs_ml_training.teaching.frozen_detector import read_frozen_graph, read_label_map

# Class scores, and the distances of the box's left, top, right and bottom side from the centre
# of the cell [px of the teacher's input], in a frozen CenterNet of mobile size (TTFNet,
# arXiv 1909.00700).
_MAPS = ('centernet/tower_0/keypoints:0', 'centernet/tower_0/wh:0')
_CELL_PX = 4
# Below this score the extents that the teacher predicts are not learned.
LEAST_SCORE = 0.2


class HeatmapTeacher:
    """A teacher for CenterNets of stride 4: an image -> target maps."""

    def __init__(self, graph: Path, label_map: Path, labels: Sequence[str]) -> None:
        """Load both files.

        Args:
            graph: `frozen_inference_graph.pb` of a CenterNet with the maps of _MAPS.
            label_map: `.pbtxt` with an id and a name for every class.
            labels: the classes to teach, in order.

        Raises:
            ConfigError: TensorFlow is missing, or the teacher lacks a class.
            InputError: a file is missing or of another kind.
        """
        ids = read_label_map(label_map)
        names = [ids[i] for i in sorted(ids)]
        unknown = [label for label in labels if label not in names]
        if unknown:
            raise ConfigError(f'the teacher has no class {", ".join(unknown)}: leave it out')
        self._channels = [names.index(label) for label in labels]
        self._run = read_frozen_graph(graph, _MAPS)

    def __call__(self, image: np.ndarray) -> dict[str, np.ndarray]:
        """Run the teacher on an image.

        Args:
            image: uint8 (H, W, 3) RGB, sides multiples of 4.

        Returns:
            float32 maps of h x w cells of 4 px: 'heatmap' (h, w, classes) scores 0..1, 'size'
            (h, w, 2) [px], 'offset' (h, w, 2) of the centre from the corner of the cell [cells],
            which may lie far outside of it, 'mask' (h, w, 1) the weight of the extent there, 0..1.
        """
        heat, reach = (np.asarray(output)[0] for output in self._run(image[None]))
        size = image.shape[1] // _CELL_PX, image.shape[0] // _CELL_PX
        heat = _shrunk(heat[..., self._channels], size)
        extents = _extents(reach, size)
        best = heat.max(axis=-1, keepdims=True)
        return {'heatmap': heat, **extents, 'mask': np.where(best >= LEAST_SCORE, best, 0)}


def blended(
    targets: dict[str, np.ndarray], seen: dict[str, np.ndarray], share: float
) -> dict[str, np.ndarray]:
    """Targets of annotated boxes, mixed with those of a teacher.

    Args:
        targets: see centernet.targets.targets_of.
        seen: of HeatmapTeacher, of the same shapes.
        share: weight of the teacher in the heat map; extents come from boxes where there are any.
    """
    known = targets['mask'] > 0
    heat = share * seen['heatmap'] + (1 - share) * targets['heatmap']
    extents = {n: np.where(known, targets[n], seen[n]) for n in ('size', 'offset', 'mask')}
    mixed = {'heatmap': heat, **extents}
    return targets | {name: values.astype(np.float32) for name, values in mixed.items()}


def _shrunk(heat: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """The best score among the teacher's cells in each cell, so that peaks keep their height."""
    for axis, count in enumerate(size[::-1]):
        have = heat.shape[axis]
        if count > have:  # fewer than one per cell: the nearest
            heat = heat.take(_nearest(count, have), axis)
        else:
            firsts = np.ceil(np.arange(count) * have / count - 0.5).astype(int)
            heat = np.maximum.reduceat(heat, firsts, axis)
    return heat


def _nearest(count: int, have: int) -> np.ndarray:
    """Index of the one of `have` cells that holds the centre of each of `count` cells."""
    return ((np.arange(count) + 0.5) * have / count).astype(int)


def _extents(reach: np.ndarray, size: tuple[int, int]) -> dict[str, np.ndarray]:
    """Width, height and centre of the box predicted by the teacher's nearest cell."""
    rows, columns = map(_nearest, size[::-1], reach.shape[:2])
    scale = np.array(size, np.float32) / reach.shape[1::-1]  # of a length in pixels
    left_top, right_bottom = np.split(reach[rows][:, columns], 2, axis=-1)
    places = np.stack(np.meshgrid(columns, rows), axis=-1)
    cells = np.stack(np.meshgrid(np.arange(size[0]), np.arange(size[1])), axis=-1)
    centres = (places + (right_bottom - left_top) / (2 * _CELL_PX)) * scale
    return {'size': (left_top + right_bottom) * scale, 'offset': centres - cells}
