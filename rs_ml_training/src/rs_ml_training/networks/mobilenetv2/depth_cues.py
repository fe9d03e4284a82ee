"""What measured depth tells of surfaces, with holes that count for nothing."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

NEAREST_M = 0.25
_SLOPE_UNIT = 0.02
_HEIGHT_UNIT_M = 3.0


@keras.saving.register_keras_serializable('rs_ml')
class DepthCues(keras.layers.Layer):
    """Measured depth (B, H, W, 1) [m], 0 = unknown, to five maps (B, H/n, W/n, 5).

    Means over blocks of n by n pixels, of known ones only: the inverse depth [1/m], its slopes to
    the right and down in units of itself (the inverse depth of a plane is linear in the picture,
    so that they tell its normal), the height over the optical axis of a level camera, and the
    share of pixels that are known. All are 0 where nothing is known, and everywhere for a picture
    without depth.

    Args:
        factor: n.
        options: of keras.layers.Layer.
    """

    def __init__(self, factor: int = 4, **options: Any) -> None:
        super().__init__(**options)
        self.factor = factor

    def call(self, depth_m: keras.KerasTensor) -> keras.KerasTensor:
        known = ops.cast(depth_m > 0, 'float32')
        inverse = known / ops.maximum(ops.cast(depth_m, 'float32'), NEAREST_M)
        share = self._mean(known)
        inverse = self._mean(inverse) / ops.maximum(share, 1e-3)
        seen = ops.cast(share > 0, 'float32')
        inverse = inverse * seen
        divisor = ops.maximum(inverse, 1e-2)
        maps = (
            inverse,
            *(self._slope(inverse, seen, axis) / divisor for axis in (2, 1)),
            seen * _rows_down(inverse) / divisor / _HEIGHT_UNIT_M,
            share,
        )
        return ops.cast(ops.concatenate(maps, axis=-1), self.compute_dtype)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """(B, H/n, W/n, 5)."""
        batch, *sides, _ = input_shape
        return (batch, *(side and side // self.factor for side in sides), 5)

    def get_config(self) -> dict[str, Any]:
        """What it takes to build it again."""
        return {**super().get_config(), 'factor': self.factor}

    def _mean(self, x: keras.KerasTensor) -> keras.KerasTensor:
        return ops.average_pool(x, self.factor, self.factor, data_format='channels_last')

    def _slope(
        self, inverse: keras.KerasTensor, seen: keras.KerasTensor, axis: int
    ) -> keras.KerasTensor:
        """Half the difference of the neighbours along an axis where both are known, in units."""
        (before, after), (seen_before, seen_after) = (
            _neighbours(values, axis) for values in (inverse, seen)
        )
        slope = (after - before) * seen_before * seen_after * seen
        return slope / (2 * self.factor * _SLOPE_UNIT)


def _neighbours(x: keras.KerasTensor, axis: int) -> tuple[keras.KerasTensor, keras.KerasTensor]:
    """What lies before and after each pixel along an axis, 0 beyond the border."""
    padding = [[0, 0] for _ in range(4)]
    padding[axis] = [1, 1]
    padded = ops.pad(x, padding)
    if axis == 1:
        return padded[:, :-2], padded[:, 2:]
    return padded[:, :, :-2], padded[:, :, 2:]


def _rows_down(like: keras.KerasTensor) -> keras.KerasTensor:
    """-1 in the first row to 1 in the last, (1, H, 1, 1)."""
    height = ops.shape(like)[1]
    rows = (2 * ops.cast(ops.arange(height), 'float32') + 1) / ops.cast(height, 'float32') - 1
    return ops.reshape(rows, (1, -1, 1, 1))
