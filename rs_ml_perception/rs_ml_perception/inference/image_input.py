"""The image input of a foreign network: its tensor, and how families of networks scale images."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from rs_ml_perception.core.errors import ConfigError, InputError
from rs_ml_perception.inference.contents import FileContents, TensorInfo
from rs_ml_perception.inference.preprocess import InputSpec

_LEVELS = 255.0
_LOWEST_INT8 = -128
_COCO_MEAN, _COCO_STD = (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)
_BGR_MEAN, _BGR_STD = (103.53, 116.28, 123.675), (57.375, 57.12, 58.395)
_RANK, _COLORS = 4, 3


def _normalised(mean: tuple[float, ...], std: tuple[float, ...]) -> dict[str, Any]:
    """Scale and offset of (pixel - mean) / std."""
    return {
        'scale': tuple(1 / s for s in std),
        'offset': tuple(-m / s for m, s in zip(mean, std, strict=True)),
    }


SCALINGS: Mapping[str, dict[str, Any]] = {
    'pixels': {'scale': 1.0, 'offset': 0.0},
    'unit': {'scale': 1 / _LEVELS, 'offset': 0.0},
    'signed': {'scale': 2 / _LEVELS, 'offset': -1.0},
    'imagenet': _normalised(_COCO_MEAN, _COCO_STD),
}
"""0..255, 0..1, -1..1, and less the mean and over the deviation of ImageNet."""

_LETTERBOX = {'resize': 'letterbox', 'pad_value': 114}
STYLES: Mapping[str, dict[str, Any]] = {
    'ultralytics': {**SCALINGS['unit'], **_LETTERBOX, 'centered': True},
    'yolox': {**SCALINGS['pixels'], **_LETTERBOX, 'color': 'BGR'},
    'nanodet': {**_normalised(_BGR_MEAN, _BGR_STD), 'color': 'BGR'},
    'picodet': SCALINGS['imagenet'],
    'imagenet': SCALINGS['imagenet'],
    'unit': SCALINGS['unit'],
    'torchvision': SCALINGS['unit'],
}
"""Family -> fields of InputSpec, as its own tools prepare images."""


def scaling(text: str) -> dict[str, Any]:
    """Scale and offset of a word of SCALINGS, or of 'MEAN/STD' in pixel values.

    Raises:
        ConfigError: it is neither.
    """
    if text in SCALINGS:
        return dict(SCALINGS[text])
    try:
        mean, std = (tuple(map(float, part.split(','))) for part in text.split('/'))
        if len(mean) not in (1, _COLORS):
            raise ValueError(mean)
        found = _normalised(mean, std)
        return {k: v[0] for k, v in found.items()} if len(mean) == 1 else found
    except (ValueError, ZeroDivisionError):
        raise ConfigError(
            f'--scaling must be one of {", ".join(SCALINGS)} or MEAN/STD in pixel values, as '
            f'127.5/127.5 or 123.7,116.3,103.5/58.4,57.1,57.4; got {text!r}'
        ) from None


def find_image(contents: FileContents, size: tuple[int, int] | None) -> InputSpec:
    """The input that takes the image, without its scaling.

    Args:
        contents: of the file.
        size: (width, height) in pixels where the file leaves it free; None: any size.

    Raises:
        InputError: no input, or more than one, takes an image, or its type is not supported.
        ConfigError: the file has another size.
    """
    found = [(t, layout) for t in contents.inputs if (layout := _layout(t)) is not None]
    if len(found) != 1:
        rows = '; '.join(f'{t.name!r} {t}' for t in contents.inputs)
        raise InputError(
            f'{contents.path} needs one image input (1, h, w, 3) or (1, 3, h, w), it has {rows}'
        )
    tensor, layout = found[0]
    assert tensor.shape is not None
    height, width = tensor.shape[1:3] if layout == 'NHWC' else tensor.shape[2:]
    fixed = None if width is None or height is None else (width, height)
    if None not in (fixed, size) and fixed != size:
        raise ConfigError(f'--size {size} differs from that of {contents.path}, {fixed}')
    channels = tensor.shape[3 if layout == 'NHWC' else 1]
    spec = InputSpec(
        tensor.name,
        fixed or size,
        layout=layout,
        dtype='float32',
        color='GRAY' if channels == 1 else 'RGB',
    )
    return replace(spec, **_typed(tensor, contents))


def _layout(tensor: TensorInfo) -> str | None:
    if tensor.shape is None or len(tensor.shape) != _RANK:
        return None
    for channels in (3, 1):
        for layout, axis in (('NHWC', 3), ('NCHW', 1)):
            if tensor.shape[axis] == channels:
                return layout
    return None


def _typed(tensor: TensorInfo, contents: FileContents) -> dict[str, Any]:
    """Type and, where the tensor determines it, scaling."""
    if tensor.dtype == 'uint8':
        return {'dtype': 'uint8'}
    if tensor.dtype == 'int8' and tensor.quantization is not None:
        scale, zero_point = tensor.quantization
        return {'scale': scale, 'offset': (_LOWEST_INT8 - zero_point) * scale}
    if tensor.dtype in ('float32', None):
        return {}
    raise InputError(
        f'{contents.path} takes images as {tensor}: export it with float32 or uint8 inputs'
    )


def is_scaled(tensor_dtype: str | None, spec: InputSpec) -> bool:
    """Whether the type of the tensor already says how pixels are scaled."""
    return tensor_dtype in ('uint8', 'int8') or spec.dtype == 'uint8'
