"""A sample as named bytes and back, without any loss.

`name`, `scene` and `meta` (JSON: boxes, camera, focal length and how each map is stored) are
texts; each map is a PNG where that is exact, else a compressed NumPy array. Raw maps are not
compressed: reading them takes a fraction of the time.
"""

from __future__ import annotations

import io
import json
import zlib
from collections.abc import Mapping
from typing import Any

import cv2
import numpy as np
from rs_ml_perception.core.errors import InputError
from rs_ml_perception.core.geometry.camera import CameraModel
from rs_ml_perception.core.images.image_files import decode_image

from rs_ml_training.data.encodings import decode, encode
from rs_ml_training.data.output_folder import png_of
from rs_ml_training.data.sample import Boxes, Sample
from rs_ml_training.data.text_files import pinhole_values

_EXTRA = 'extra/'
_STEPS = ('mm', 'eight-bit-10m', 'kitti', 'l515', 'tenth-mm')
_PNG, _BOOL, _NUMPY = 'png', 'png-bool', 'npy'
_RAW = 'raw'
_MAX_MAP_BYTES = 1 << 29
"""Of one map, uncompressed: a damaged or hostile record must not ask for more."""
MAP_CODINGS = (_PNG, _RAW)
"""How maps are stored."""
_How = str | list[Any]
"""_PNG, _BOOL, _NUMPY or one of _STEPS; of raw maps [step or '', type, shape]."""


def pack(sample: Sample, maps: str = _PNG) -> dict[str, bytes]:
    """The sample as named bytes.

    Args:
        sample: any.
        maps: one of MAP_CODINGS.
    """
    arrays = {(_EXTRA * (n in sample.extra)) + n: array for n, array in sample.maps().items()}
    store = _stored_raw if maps == _RAW else _stored
    stored = {name: store(array) for name, array in arrays.items()}
    meta = {
        'stored': {name: how for name, (how, _) in stored.items()},
        'boxes': _boxes_to_json(sample.boxes),
        'marked': sample.marked,
        'intrinsics': sample.intrinsics and pinhole_values(sample.intrinsics),
        'focal_px': sample.focal_px,
    }
    texts = {'name': sample.name, 'scene': sample.scene, 'meta': json.dumps(meta)}
    return {n: t.encode() for n, t in texts.items()} | {n: data for n, (_, data) in stored.items()}


def unpack(features: Mapping[str, bytes]) -> Sample:
    """The sample of named bytes.

    Raises:
        InputError: something is missing or damaged.
    """
    try:
        meta = json.loads(features['meta'])
        maps = {n: _restored(features[n], how) for n, how in meta['stored'].items()}
        camera, boxes = meta['intrinsics'], meta['boxes']
        return Sample(
            name=features['name'].decode(),
            scene=features['scene'].decode(),
            boxes=None if boxes is None else Boxes.of(*boxes),
            marked=None if meta.get('marked') is None else tuple(meta['marked']),
            intrinsics=camera and CameraModel(**camera),
            focal_px=meta['focal_px'],
            extra={n.removeprefix(_EXTRA): a for n, a in maps.items() if n.startswith(_EXTRA)},
            **{n: a for n, a in maps.items() if not n.startswith(_EXTRA)},
        )
    except (KeyError, TypeError, ValueError, EOFError, zlib.error, cv2.error, InputError) as error:
        raise InputError(f'not a sample written by this project: {error!r}') from error


def _stored(array: np.ndarray) -> tuple[str, bytes]:
    """How the map is stored, and its bytes."""
    if array.dtype == bool:
        return _BOOL, png_of(array.view(np.uint8))
    if _fits_png(array):
        return _PNG, png_of(array)
    step, whole = _in_steps(array)
    if step:
        return step, png_of(whole)
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=False)
    return _NUMPY, zlib.compress(buffer.getvalue(), 1)


def _stored_raw(array: np.ndarray) -> tuple[_How, bytes]:
    step, whole = _in_steps(array)
    return [step, whole.dtype.str, whole.shape], whole.tobytes()


def _in_steps(array: np.ndarray) -> tuple[str, np.ndarray]:
    """The first encoding of depth that is exact, and whole steps of it; else '' and the array."""
    if array.dtype == np.float32 and array.ndim == 2:
        for step in _STEPS:
            whole = encode(array, step)
            if np.array_equal(decode(whole, step), array):
                return step, whole
    return '', array


def _fits_png(array: np.ndarray) -> bool:
    if array.dtype == np.uint8:
        return array.ndim == 2 or array.shape[2:] == (3,)
    return array.dtype == np.uint16 and array.ndim == 2


def _restored(data: bytes, how: _How) -> np.ndarray:
    if isinstance(how, list):
        step, dtype, shape = how
        array = np.frombuffer(data, dtype).reshape(shape)
        return decode(array, step) if step else array.copy()
    if how == _NUMPY:
        stored = zlib.decompressobj().decompress(data, _MAX_MAP_BYTES)
        return np.load(io.BytesIO(stored), allow_pickle=False)
    array = decode_image(data, cv2.IMREAD_UNCHANGED, name='a map')
    if how == _BOOL:
        return array.view(bool)
    if how in _STEPS:
        return decode(array, how)
    return cv2.cvtColor(array, cv2.COLOR_BGR2RGB) if array.ndim == 3 else array


def _boxes_to_json(boxes: Boxes | None) -> list[Any] | None:
    if boxes is None:
        return None
    return [boxes.xyxy.tolist(), boxes.class_ids.tolist(), boxes.is_crowd.tolist()]
