"""Boxes that move: one constant-velocity Kalman filter per box, all of them at once."""

from __future__ import annotations

import numpy as np

from rs_ml_perception.core.objects.boxes import xyxy_from_cxcywh

_MEASURED = 0.05
"""Standard deviation of a detected centre or size, as a share of the box's size."""
_START_SPEED = 1.0
"""Standard deviation of the unknown speed of a new box, sizes per second."""
_SPEED_DRIFT = 0.7
"""How much the speed wanders, sizes per second per root second."""
_MIN_SIZE_PX = 1.0


class BoxMotion:
    """States of N boxes as parallel arrays; centre x, centre y, width and height are independent.

    With one variance each for value and speed and their covariance, predict and update are a few
    products per coordinate: R. E. Kalman, A new approach to linear filtering and prediction
    problems, 1960; the choice of state is that of A. Bewley et al., SORT, ICIP 2016.

    Attributes:
        values: float64 (N, 4), centre x, centre y, width, height in pixels.
        speeds: float64 (N, 4), pixels per second.
    """

    def __init__(self) -> None:
        self.values = np.zeros((0, 4))
        self.speeds = np.zeros((0, 4))
        self._variance = np.zeros((0, 4))
        self._covariance = np.zeros((0, 4))
        self._speed_variance = np.zeros((0, 4))

    def predict(self, dt_secs: float) -> None:
        """Move all boxes on by a time."""
        noise = (_SPEED_DRIFT * self._sizes()) ** 2
        self.values = self.values + self.speeds * dt_secs
        self.values[:, 2:] = np.maximum(self.values[:, 2:], _MIN_SIZE_PX)
        self._variance = (
            self._variance
            + dt_secs * (2 * self._covariance + dt_secs * self._speed_variance)
            + noise * dt_secs**3 / 3
        )
        self._covariance = (
            self._covariance + dt_secs * self._speed_variance + noise * dt_secs**2 / 2
        )
        self._speed_variance = self._speed_variance + noise * dt_secs

    def update(self, rows: np.ndarray, xyxy: np.ndarray) -> None:
        """Correct the boxes of the rows by what was detected.

        Args:
            rows: int (K,), distinct.
            xyxy: float (K, 4), corners in pixels.
        """
        surprise = _centres_and_sizes(xyxy) - self.values[rows]
        total = self._variance[rows] + (_MEASURED * self._sizes()[rows]) ** 2
        gain, speed_gain = self._variance[rows] / total, self._covariance[rows] / total
        self.values[rows] += gain * surprise
        self.speeds[rows] += speed_gain * surprise
        self._speed_variance[rows] -= speed_gain * self._covariance[rows]
        self._covariance[rows] *= 1 - gain
        self._variance[rows] *= 1 - gain

    def add(self, xyxy: np.ndarray) -> None:
        """Append K boxes at rest, xyxy float (K, 4)."""
        values = _centres_and_sizes(xyxy)
        sizes = values[:, 2:].mean(1, keepdims=True)
        still = np.zeros_like(values)
        self.values = np.concatenate([self.values, values])
        self.speeds = np.concatenate([self.speeds, still])
        self._variance = np.concatenate([self._variance, still + (_MEASURED * sizes) ** 2])
        self._covariance = np.concatenate([self._covariance, still])
        speed_variance = still + (_START_SPEED * sizes) ** 2
        self._speed_variance = np.concatenate([self._speed_variance, speed_variance])

    def keep(self, rows: np.ndarray) -> None:
        """Forget all boxes but those of the rows, bool (N,)."""
        self.values, self.speeds = self.values[rows], self.speeds[rows]
        self._variance, self._covariance = self._variance[rows], self._covariance[rows]
        self._speed_variance = self._speed_variance[rows]

    def xyxy(self) -> np.ndarray:
        """Corners, float64 (N, 4), pixels."""
        return xyxy_from_cxcywh(self.values)

    def _sizes(self) -> np.ndarray:
        return self.values[:, 2:].mean(1, keepdims=True)


def _centres_and_sizes(xyxy: np.ndarray) -> np.ndarray:
    corners = np.asarray(xyxy, np.float64)
    low, high = corners[:, :2], corners[:, 2:]
    return np.concatenate([(low + high) / 2, np.maximum(high - low, _MIN_SIZE_PX)], axis=1)
