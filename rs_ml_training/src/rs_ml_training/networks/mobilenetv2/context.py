"""What DeepLabV3 (Chen 2017, arXiv 1706.05587) makes of the features of MobileNetV2."""

from __future__ import annotations

from keras import KerasTensor, layers

FEATURES = 256


def deeplab_context(x: KerasTensor, classes: int = 21) -> tuple[KerasTensor, KerasTensor]:
    """Features of what is at a place and in the whole picture, and the scores of classes.

    The light head of DeepLabV3 for MobileNetV2 (TensorFlow models): no dilated convolutions, only
    1 x 1 of the place and of the mean of the picture. The layers have no normalisation, so that
    they take the weights of a file in which it is folded away.

    Args:
        x: (B, h, w, C) features of the last block.
        classes: 21 of Pascal VOC.

    Returns:
        Features (B, h, w, FEATURES), and raw scores (B, h, w, classes).
    """
    local = layers.Conv2D(FEATURES, 1, activation='relu', name='context_local')(x)
    mean = layers.GlobalAveragePooling2D(keepdims=True, name='context_mean')(x)
    whole = layers.Conv2D(FEATURES, 1, activation='relu', name='context_whole')(mean)
    # A 1 x 1 convolution of both side by side, as the sum of one of each: nothing is spread out.
    features = layers.Add(name='context_both')(
        [
            layers.Conv2D(FEATURES, 1, name='context_project')(local),
            layers.Conv2D(FEATURES, 1, use_bias=False, name='context_project_whole')(whole),
        ]
    )
    features = layers.ReLU(name='context')(features)
    return features, layers.Conv2D(classes, 1, name='context_scores')(features)
