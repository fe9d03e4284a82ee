"""Networks of a few kilobytes with the outputs of each task."""

from __future__ import annotations

from pathlib import Path

from rs_ml_training.trained import ModelSpec, Trained

SIZE = (64, 48)
CLASSES = 5


def toy(task: str, size: tuple[int, int] = SIZE, **spec) -> Trained:
    """A trained network of random weights; the same weights every time."""
    import keras

    keras.utils.set_random_seed(7)
    make = {'depth': _depth, 'segmentation': _segmentation, 'denoise': _denoise}[task]
    spec = {'depth_range_m': (0.3, 10.0), 'data': 'noise', 'metrics': {'abs_rel': 0.5}} | spec
    return Trained(ModelSpec(task, 'toy', size, **spec), make(*size), Path('run'))


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
