"""Networks of a few kilobytes with the outputs of each task, and samples for them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import cv2
import numpy as np
import pytest
from rs_ml_training.data.reader import Reader
from rs_ml_training.data.sample import Boxes, Sample
from rs_ml_training.export.artifact import Port
from rs_ml_training.trained import ModelSpec, Trained

SIZE = (64, 48)
CLASSES = 5


@pytest.fixture(scope='session')
def toy() -> Callable[..., Trained]:
    """Task -> a trained network of random weights; the same weights every time."""
    keras = pytest.importorskip('keras')
    if keras.backend.backend() != 'tensorflow':
        pytest.skip('export starts from TensorFlow')
    return make_toy


def make_toy(task: str, size: tuple[int, int] = SIZE, **spec) -> Trained:
    import keras

    keras.utils.set_random_seed(7)
    make = {
        'depth': _depth,
        'segmentation': _segmentation,
        'denoise': _denoise,
        'detection': _detection,
    }[task]
    spec = {'depth_range_m': (0.3, 10.0), 'data': 'noise', 'metrics': {'abs_rel': 0.5}} | spec
    return Trained(ModelSpec(task, 'toy', size, **spec), make(*size), Path('run'))


class NoiseReader(Reader):
    """Samples with every map, all noise."""

    def __init__(self, count: int = 6, size: tuple[int, int] = (80, 60)) -> None:
        self._count, self._size = count, size

    def __len__(self) -> int:
        return self._count

    def name(self, index: int) -> str:
        return f'noise_{index}'

    def read(self, index: int) -> Sample:
        rng = np.random.default_rng(index)
        shape = self._size[::-1]
        depth_m = rng.uniform(0.5, 9, shape).astype(np.float32)
        return Sample(
            self.name(index),
            image=rng.integers(0, 256, (*shape, 3), dtype=np.uint8),
            depth_m=depth_m,
            raw_depth_m=np.where(rng.random(shape) < 0.2, np.float32(0), depth_m),
            infrared=rng.integers(0, 256, shape, dtype=np.uint8),
            labels=rng.integers(0, CLASSES, shape, dtype=np.uint8),
            boxes=Boxes.of([[10, 10, 40, 40]], [0]),
        )


@pytest.fixture
def noise() -> NoiseReader:
    """Six samples with every map."""
    return NoiseReader()


@pytest.fixture
def inputs_of() -> Callable[[Iterable[Port]], dict[str, np.ndarray]]:
    """Ports -> coloured clouds of their shapes and types, depth with holes."""

    def make(ports: Iterable[Port]) -> dict[str, np.ndarray]:
        rng = np.random.default_rng(5)
        return {port.name: _clouds(rng, port) for port in ports}

    return make


def _clouds(rng: np.random.Generator, port: Port) -> np.ndarray:
    _, height, width, channels = port.shape
    coarse = rng.integers(0, 256, (height // 12, width // 12, channels), np.uint8)
    steps = cv2.resize(coarse, (width, height)).reshape(port.shape)
    if port.dtype == 'uint8':
        return steps
    return np.where(steps < 50, 0, steps / 25).astype(port.dtype)


def _body(features):
    from keras import layers

    features = layers.Conv2D(8, 3, strides=2, padding='same', activation='relu')(features)
    features = layers.DepthwiseConv2D(3, padding='same')(features)
    features = layers.BatchNormalization()(features)
    features = layers.Activation('relu6')(features)
    features = layers.Conv2D(32, 1, activation='relu')(features)
    return layers.UpSampling2D(2, interpolation='bilinear')(features)


def _image(width, height):
    from keras import Input, layers

    image = Input((height, width, 3), name='image')
    return image, _body(layers.Rescaling(1 / 64, -2)(image))


def _depth(width, height):
    from keras import Model, layers

    image, features = _image(width, height)
    depth_m = layers.Conv2D(1, 3, padding='same', activation='softplus')(features)
    coarse_m = layers.AveragePooling2D(2)(depth_m)
    return Model({'image': image}, {'depth_m': depth_m, 'coarse_m': coarse_m})


def _segmentation(width, height):
    from keras import Model, layers

    image, features = _image(width, height)
    outputs = {
        'logits': layers.Conv2D(CLASSES, 3, padding='same')(features),
        'logits_aux': layers.Conv2D(CLASSES, 1)(features),
        'confidence': layers.Conv2D(1, 3, padding='same', activation='sigmoid')(features),
    }
    return Model({'image': image}, outputs)


def _denoise(width, height):
    from keras import Input, Model, layers

    depth_m = Input((height, width, 1), name='depth_m')
    infrared = Input((height, width, 1), name='infrared')
    features = _body(layers.Concatenate()([depth_m, layers.Rescaling(1 / 255)(infrared)]))
    shift_m = layers.Conv2D(1, 3, padding='same')(features)
    outputs = {
        'depth_m': layers.ReLU()(layers.Add()([depth_m, shift_m])),
        'confidence': layers.Conv2D(1, 3, padding='same', activation='sigmoid')(features),
    }
    return Model({'depth_m': depth_m, 'infrared': infrared}, outputs)


def _detection(width, height):
    from keras import Model, layers

    image, features = _image(width, height)
    features = layers.AveragePooling2D(4)(features)
    outputs = {
        'heatmap': layers.Conv2D(2, 1, activation='sigmoid')(features),
        'size': layers.Conv2D(2, 1, activation='softplus')(features),
        'offset': layers.Conv2D(2, 1, activation='sigmoid')(features),
    }
    return Model({'image': image}, outputs)
