"""The parts of an image that published depth evaluations look at."""

from __future__ import annotations

import numpy as np
from rs_ml_perception.core.errors import ConfigError, InputError

KB_HEIGHT, KB_WIDTH = 352, 1216
# (top, bottom, left, right) as fractions of the image, or of its 480 x 640 pixels for NYU.
GARG = (0.40810811, 0.99189189, 0.03594771, 0.96405229)
EIGEN = (0.3324324, 0.91351351, 0.0359477, 0.96405229)
NYU_PX = (45, 471, 41, 601)
CROPS = ('eigen', 'garg', 'nyu-eigen')


def window(crop: str | None, height: int, width: int) -> tuple[slice, slice]:
    """Rows and columns of a crop in an image of height x width.

    `garg` and `eigen` are KITTI's (fractions, cut down to whole pixels), `nyu-eigen` is rows
    45..470 and columns 41..600 of 480 x 640, scaled to other sizes. Source: the evaluation code
    of Monodepth (Godard 2017) and of Eigen et al. 2014.

    Raises:
        ConfigError: the crop is not one of CROPS or None.
    """
    if crop is None:
        return slice(0, height), slice(0, width)
    if crop == 'nyu-eigen':
        first, last, west, east = NYU_PX
        rows = slice(round(first * height / 480), round(last * height / 480))
        return rows, slice(round(west * width / 640), round(east * width / 640))
    if crop not in CROPS:
        raise ConfigError(f"no crop '{crop}'; choose one of {', '.join(CROPS)} or none")
    top, bottom, left, right = GARG if crop == 'garg' else EIGEN
    return slice(int(top * height), int(bottom * height)), slice(
        int(left * width), int(right * width)
    )


def pasted_kb(prediction_m: np.ndarray, height: int, width: int) -> np.ndarray:
    """A prediction (352, 1216) for KITTI's benchmark crop in an image of 0 of the full size.

    Raises:
        InputError: the prediction has another size, or the image is smaller.
    """
    if prediction_m.shape != (KB_HEIGHT, KB_WIDTH) or height < KB_HEIGHT or width < KB_WIDTH:
        raise InputError(
            f'a KITTI benchmark crop is {KB_HEIGHT} x {KB_WIDTH} in a larger image, '
            f'got {prediction_m.shape} in {height} x {width}'
        )
    full = np.zeros((height, width), prediction_m.dtype)
    top, left = height - KB_HEIGHT, (width - KB_WIDTH) // 2
    full[top:, left : left + KB_WIDTH] = prediction_m
    return full
