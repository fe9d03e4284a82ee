"""The image input of foreign networks, and the scaling of its pixels."""

from pathlib import Path

import numpy as np
import pytest
from rs_ml_perception.core.errors import ConfigError, InputError
from rs_ml_perception.inference.contents import FileContents, TensorInfo
from rs_ml_perception.inference.image_input import STYLES, find_image, scaling
from rs_ml_perception.inference.preprocess import InputSpec, Preprocessor

WHITE = np.full((4, 6, 3), 255, np.uint8)


def contents(*tensors):
    rows = [TensorInfo(f'in{i}', *tensor) for i, tensor in enumerate(tensors)]
    return FileContents(Path('net'), 'tflite', 'litert', tuple(rows), ())


@pytest.mark.parametrize(
    ('tensor', 'size', 'expected'),
    [
        (((1, 8, 6, 3), 'float32'), None, ('NHWC', (6, 8), 'float32', 'RGB')),
        (((None, 3, 8, 6), 'float32'), None, ('NCHW', (6, 8), 'float32', 'RGB')),
        (((1, None, None, 3), 'uint8'), (6, 8), ('NHWC', (6, 8), 'uint8', 'RGB')),
        (((1, None, None, 3), 'uint8'), None, ('NHWC', None, 'uint8', 'RGB')),
        (((1, 1, 8, 6), None), None, ('NCHW', (6, 8), 'float32', 'GRAY')),
    ],
)
def test_the_image_is_found_by_its_channels(tensor, size, expected):
    spec = find_image(contents(tensor), size)
    assert (spec.layout, spec.size, spec.dtype, spec.color) == expected


def test_pixels_fill_the_range_of_an_int8_tensor():
    """The steps are 1/255 from -128: black is 0, white 1."""
    spec = find_image(contents(((1, 4, 6, 3), 'int8', (1 / 255, -128))), None)
    tensor, _ = Preprocessor(spec)(WHITE)
    np.testing.assert_allclose(tensor, 1, rtol=1e-6)
    assert spec.offset == 0


@pytest.mark.parametrize(
    ('tensors', 'said'),
    [
        ([], 'needs one image input'),
        ([((1, 10), 'float32')], r"needs one image input .* it has 'in0' float32 \[1, 10\]"),
        ([((1, 8, 6, 3), 'float32')] * 2, 'needs one image input'),
        ([((1, 8, 6, 3), 'float16')], 'takes images as float16 .* with float32 or uint8 inputs'),
    ],
)
def test_inputs_that_take_no_image_are_refused(tensors, said):
    with pytest.raises(InputError, match=said):
        find_image(contents(*tensors), None)


@pytest.mark.parametrize(
    ('text', 'white', 'black'),
    [
        ('pixels', 255, 0),
        ('unit', 1, 0),
        ('signed', 1, -1),
        ('127.5/127.5', 1, -1),
        ('imagenet', [(255 - 123.675) / 58.395, (255 - 116.28) / 57.12, (255 - 103.53) / 57.375],
         [-123.675 / 58.395, -116.28 / 57.12, -103.53 / 57.375]),
        ('0,10,20/1,5,10', [255, 49, 23.5], [0, -2, -2]),
    ],
)  # fmt: skip
def test_scaling(text, white, black):
    spec = InputSpec('x', (6, 4), dtype='float32', **scaling(text))
    assert all(isinstance(v, float) or len(v) == 3 for v in (spec.scale, spec.offset))
    prepare = Preprocessor(spec)
    for image, expected in ((WHITE, white), (np.zeros_like(WHITE), black)):
        tensor, _ = prepare(image)
        np.testing.assert_allclose(tensor[0, 0, 0], np.broadcast_to(expected, 3), atol=1e-4)


@pytest.mark.parametrize('text', ['half', '1', '1/0', '1,2/3', '1,2/3,4', 'a/b', ''])
def test_wrong_scaling_is_refused(text):
    with pytest.raises(ConfigError, match='--scaling must be one of pixels, unit, signed'):
        scaling(text)


@pytest.mark.parametrize('style', STYLES)
def test_every_style_is_that_of_an_input(style):
    prepare = Preprocessor(InputSpec('x', (8, 8), dtype='float32', **STYLES[style]))
    assert np.isfinite(prepare(WHITE)[0]).all()
