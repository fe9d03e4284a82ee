"""How depth is stored in files, by name, and back to metres."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from rs_ml_perception.core.errors import ConfigError, InputError

from rs_ml_training.data.image_files import read_stored

RAW_SIZES = ((1280, 720), (848, 480), (640, 480))
"""(width, height) of headerless uint16 dumps, distinguished by their length."""


@dataclass(frozen=True)
class Encoding:
    """Stored values times `unit_m` are metres; 0 is unknown.

    Attributes:
        dtype: of the stored values.
        unit_m: metres per step; None: the greatest depth / 65536, which must be given.
    """

    dtype: type[np.uint8 | np.uint16 | np.float32]
    unit_m: float | None

    def step_m(self, max_depth_m: float | None) -> float:
        """Metres per step.

        Raises:
            ConfigError: the encoding needs the greatest depth and none is given.
        """
        if self.unit_m is not None:
            return self.unit_m
        if not max_depth_m or max_depth_m <= 0:
            raise ConfigError(f'max_depth_m {max_depth_m} is not the depth of the value 65536')
        return max_depth_m / 65536


ENCODINGS: dict[str, Encoding] = {
    'mm': Encoding(np.uint16, 0.001),
    'kitti': Encoding(np.uint16, 1 / 256),
    'l515': Encoding(np.uint16, 0.00025),
    'tenth-mm': Encoding(np.uint16, 0.0001),
    'metres': Encoding(np.float32, 1.0),
    'share-of-max': Encoding(np.uint16, None),
    'share-of-65535-mm': Encoding(np.float32, 65.535),
    'eight-bit-10m': Encoding(np.uint8, 1 / 25.5),
}
"""mm: RealSense, NYU lists. kitti: KITTI PNG. metres: HDF5. share-of-max: depth x 65536 / greatest
depth. share-of-65535-mm: 0..1 of the published denoiser. eight-bit-10m: 255 is 10 m."""


def decode(stored: np.ndarray, encoding: str, max_depth_m: float | None = None) -> np.ndarray:
    """Metres of stored values.

    Args:
        stored: (H, W) of any real type.
        encoding: a name of ENCODINGS.
        max_depth_m: for share-of-max.

    Returns:
        float32 (H, W) [m]; negative and non-finite values become 0, unknown.

    Raises:
        ConfigError: no such encoding, or it needs max_depth_m.
    """
    step_m = _encoding(encoding).step_m(max_depth_m)
    depth_m = np.multiply(stored, np.float32(step_m), dtype=np.float32)
    if stored.dtype.kind == 'f':
        depth_m[~(np.isfinite(depth_m) & (depth_m > 0))] = 0
    return depth_m


def encode(depth_m: np.ndarray, encoding: str, max_depth_m: float | None = None) -> np.ndarray:
    """Stored values of metres, rounded; beyond the type's range: its greatest value.

    A known depth never becomes 0, which would say unknown.

    Raises:
        ConfigError: no such encoding, or it needs max_depth_m.
    """
    chosen = _encoding(encoding)
    known = np.isfinite(depth_m) & (depth_m > 0)
    step_m = chosen.step_m(max_depth_m)
    steps = np.divide(np.where(known, depth_m, 0), step_m, dtype=np.float64)
    if issubclass(chosen.dtype, np.floating):
        return steps.astype(chosen.dtype)
    np.clip(np.rint(steps, out=steps), 1, np.iinfo(chosen.dtype).max, out=steps)
    return steps.astype(chosen.dtype) * known


def read_depth(
    path: Path, encoding: str | None = 'mm', max_depth_m: float | None = None
) -> np.ndarray:
    """Read a depth file, float32 (H, W) [m], 0 where unknown.

    Args:
        path: .png, .tif, .npy or .raw (uint16 of RAW_SIZES).
        encoding: a name of ENCODINGS; None: metres of floats, else millimetres.
        max_depth_m: for share-of-max.

    Raises:
        InputError: the file is missing, damaged or of another type than the encoding's.
        ConfigError: no such encoding, or it needs max_depth_m.
    """
    stored = _READERS.get(path.suffix.lower(), read_stored)(path)
    if encoding is None:
        encoding = 'metres' if stored.dtype.kind == 'f' else 'mm'
    wanted = np.dtype(_encoding(encoding).dtype)
    if stored.dtype.kind != wanted.kind or (wanted.kind == 'u' and stored.dtype != wanted):
        fitting = [name for name, e in ENCODINGS.items() if np.dtype(e.dtype) == stored.dtype]
        remedy = f'; encodings of {stored.dtype}: {", ".join(fitting)}' if fitting else ''
        raise InputError(
            f'{path} holds {stored.dtype}, but {encoding!r} depth is {wanted}{remedy}'
        )
    return decode(stored, encoding, max_depth_m)


def write_depth(
    path: Path, depth_m: np.ndarray, encoding: str = 'mm', max_depth_m: float | None = None
) -> None:
    """Write metres as .png or .tif; float encodings as .tif only.

    Raises:
        InputError: the file cannot be written.
        ConfigError: a float encoding for a .png.
    """
    stored = encode(depth_m, encoding, max_depth_m)
    if stored.dtype.kind == 'f' and path.suffix.lower() == '.png':
        raise ConfigError(f'{path}: PNG holds no floats, which {encoding!r} needs; write .tif')
    if not cv2.imwrite(str(path), stored):
        raise InputError(f'{path} cannot be written')


def require_encoding(encoding: str, max_depth_m: float | None = None) -> None:
    """Check that depth of this encoding can be decoded.

    Raises:
        ConfigError: no such encoding, or it needs max_depth_m.
    """
    _encoding(encoding).step_m(max_depth_m)


def _encoding(name: str) -> Encoding:
    if name not in ENCODINGS:
        raise ConfigError(f'no depth encoding {name!r}: choose from {", ".join(ENCODINGS)}')
    return ENCODINGS[name]


def _read_npy(path: Path) -> np.ndarray:
    try:
        array = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise InputError(f'{path} is damaged or not a .npy file: {error}') from error
    if array.ndim != 2:
        raise InputError(f'{path} has shape {array.shape}: depth is (height, width)')
    return array


def read_raw(path: Path) -> np.ndarray:
    """Read a headerless little-endian uint16 dump.

    Raises:
        InputError: its length is of none of RAW_SIZES.
    """
    try:
        values = np.frombuffer(path.read_bytes(), '<u2')
    except (OSError, ValueError) as error:
        raise InputError(f'{path} cannot be read as uint16: {error}') from error
    for width, height in RAW_SIZES:
        if values.size == width * height:
            return values.reshape(height, width)
    sizes = ', '.join(f'{w} x {h}' for w, h in RAW_SIZES)
    raise InputError(f'{path} holds {values.size} values: known sizes are {sizes}')


_READERS: dict[str, Callable[[Path], np.ndarray]] = {'.raw': read_raw, '.npy': _read_npy}
