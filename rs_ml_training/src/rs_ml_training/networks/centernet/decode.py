"""Peaks of the heat map to boxes, inside an exported graph."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable('rs_ml')
class PeakDecoder(keras.layers.Layer):
    """The best peaks of a heat map as boxes, best first.

    A peak is higher than its eight neighbours; of equal ones the first in reading order counts,
    so that arithmetic of few bits does not find an object twice.

    Args:
        max_boxes: how many peaks to put out; a map with fewer cells than that cannot be decoded.
        min_score: least score of a peak that is counted.
        stride: pixels of a cell per side.

    Input: {'heatmap': (B, h, w, C), 'size': (B, h, w, 2), 'offset': (B, h, w, 2)} as the detector
    puts them out.

    Output, all float32: {'boxes': (B, K, 4) [y_min, x_min, y_max, x_max] as shares of the
    picture, clipped to 0..1, 'scores': (B, K), 'classes': (B, K), 'count': (B,) boxes of at least
    min_score, which come first}.
    """

    def __init__(
        self, max_boxes: int = 50, min_score: float = 0.05, stride: int = 4, **kwargs: Any
    ) -> None:
        super().__init__(**{'dtype': 'float32', **kwargs})
        self.max_boxes, self.min_score, self.stride = max_boxes, min_score, stride

    def call(self, inputs: dict[str, Any]) -> dict[str, Any]:
        heat = inputs['heatmap']
        _, height, width, classes = ops.shape(heat)
        flat = ops.reshape(_peaks(heat), (-1, height * width * classes))
        scores, places = ops.top_k(flat, self.max_boxes)
        cells = places // classes
        count = ops.sum(ops.cast(scores >= self.min_score, 'float32'), axis=-1)
        return {
            'boxes': self._boxes(inputs, cells, height, width),
            'scores': scores,
            'classes': ops.cast(places - cells * classes, 'float32'),
            'count': count,
        }

    def _boxes(self, inputs: dict[str, Any], cells: Any, height: Any, width: Any) -> Any:
        rows = cells // width
        xy = ops.cast(ops.stack([cells - rows * width, rows], axis=-1), 'float32')
        centres = xy + _taken(inputs['offset'], cells)
        halves = _taken(inputs['size'], cells) / (2 * self.stride)
        corners = ops.concatenate(
            [(centres - halves)[..., ::-1], (centres + halves)[..., ::-1]], -1
        )
        cells_along = ops.cast(ops.stack([height, width, height, width]), 'float32')
        return ops.clip(corners / cells_along, 0.0, 1.0)

    def compute_output_spec(self, inputs: dict[str, Any]) -> dict[str, Any]:
        batch, k = inputs['heatmap'].shape[0], self.max_boxes
        shapes = {'boxes': (batch, k, 4), 'scores': (batch, k), 'classes': (batch, k)}
        shapes['count'] = (batch,)
        return {n: keras.KerasTensor(shape, 'float32') for n, shape in shapes.items()}

    def get_config(self) -> dict[str, Any]:
        own = {'max_boxes': self.max_boxes, 'min_score': self.min_score, 'stride': self.stride}
        return {**super().get_config(), **own}


def with_decoder(model: keras.Model, **options: Any) -> keras.Model:
    """The detector with a PeakDecoder of these options as its only output."""
    return keras.Model(model.input, PeakDecoder(**options, name='peaks')(model.output))


def _peaks(heat: Any) -> Any:
    """The map, 0 wherever it is no peak."""
    around = ops.max_pool(heat, 3, strides=1, padding='same')
    padded = ops.pad(heat, ((0, 0), (1, 0), (1, 1), (0, 0)))
    above = ops.max_pool(padded[:, :-1], (1, 3), strides=1, padding='valid')
    earlier = ops.maximum(above, padded[:, 1:, :-2])
    is_peak = ops.logical_and(heat >= around, heat > earlier)
    return ops.where(is_peak, heat, ops.zeros_like(heat))


def _taken(maps: Any, cells: Any) -> Any:
    """Values of (B, h, w, 2) maps at (B, K) cells: (B, K, 2)."""
    _, height, width, channels = ops.shape(maps)
    flat = ops.reshape(maps, (-1, height * width, channels))
    return ops.take_along_axis(flat, cells[..., None], axis=1)
