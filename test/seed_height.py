"""Person height as example 2 of the librealsense TensorFlow wrapper computes it.

Written from a description of that example, for comparison only: all vertices in the box count,
those without depth (0, 0, 0) too; what is more than 1 m from the median depth is dropped; height
is the extent along the camera's y, with the minimum seeded by +1 and the maximum by -1.
"""

import numpy as np


def seed_height_m(depth_m: np.ndarray, fx: float, fy: float, cx: float, cy: float, xyxy) -> float:
    """Height in metres from aligned depth (H, W), 0 where invalid, and a box in pixels."""
    v, u = np.mgrid[: depth_m.shape[0], : depth_m.shape[1]]
    vertices = np.stack([(u - cx) / fx * depth_m, (v - cy) / fy * depth_m, depth_m], axis=-1)
    x_min, y_min, x_max, y_max = (int(value) for value in xyxy)
    inside = vertices[y_min:y_max, x_min:x_max].reshape(-1, 3)
    middle = np.median(inside[:, 2])
    y = inside[np.abs(inside[:, 2] - middle) <= 1.0, 1]
    return float(round(max(y.max(initial=-1.0), -1.0) - min(y.min(initial=1.0), 1.0), 2))
