"""Segmentation heads: raw tensors to a class per pixel of the network's output."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from rs_ml_perception.core.errors import ModelError
from rs_ml_perception.core.objects.labels import UNLABELLED
from rs_ml_perception.tasks.decoders.checks import require_numbers

_MAX_SUM_ERROR = 0.1
_CHANNEL_AXES = {'NHWC': 3, 'NCHW': 1}


def decode_class_map(output: np.ndarray, layout: str, threshold: float) -> np.ndarray:
    """Class ids (1, h, w) or (1, h, w, 1), any number type, to uint8 (h, w).

    Ids beyond 255 are unlabelled. There is no confidence in such an output.
    """
    ids = _plane(output)
    if ids.min(initial=0) >= 0 and ids.max(initial=0) < UNLABELLED:
        return ids.astype(np.uint8)  # the usual case, at a fifth of the cost
    return np.where((ids >= 0) & (ids < UNLABELLED), ids, UNLABELLED).astype(np.uint8)


def decode_softmax(output: np.ndarray, layout: str, threshold: float) -> np.ndarray:
    """Scores (1, h, w, C), or (1, C, h, w) with NCHW, to the best class, uint8 (h, w).

    Pixels whose best probability is below the threshold are unlabelled. Numbers that are no
    probabilities (outside 0..1, or not summing to about 1) are taken for logits.
    """
    scores = _channels_last(output, layout)
    ids: np.ndarray = scores.argmax(axis=2).astype(np.uint8)
    if threshold > 0:
        ids[_best_probability(scores) < threshold] = UNLABELLED
    return ids


def decode_sigmoid(output: np.ndarray, layout: str, threshold: float) -> np.ndarray:
    """One independent probability per class: the best class at or above the threshold.

    With a single channel, class 1 is the object and class 0 the rest; with more, class ids are
    the channels, and where none reaches the threshold (0.5 unless given) there is no label.
    Numbers outside 0..1 are taken for logits.
    """
    scores = _channels_last(output, layout)
    if scores.min() < 0 or scores.max() > 1:
        scores = 1 / (1 + np.exp(-scores.astype(np.float32)))
    cut = threshold or 0.5
    if scores.shape[2] == 1:
        return np.asarray(scores[:, :, 0] >= cut, np.uint8)
    ids: np.ndarray = scores.argmax(axis=2).astype(np.uint8)
    ids[scores.max(axis=2) < cut] = UNLABELLED
    return ids


def mask_layout(decoder: str, shape: tuple[int, ...], layout: str, classes: int) -> str:
    """The layout of class scores: that in which their channels are the classes.

    Args:
        decoder: a key of MASK_DECODERS.
        shape: of the output.
        layout: of the network's input, taken where the number of classes is unknown, or both fit.
        classes: number of class ids, 0: unknown.

    Raises:
        ModelError: neither axis has one channel per class.
    """
    if decoder == 'class_map' or not classes or len(shape) != 4:
        return layout
    fitting = {classes, 1} if decoder == 'sigmoid' and classes <= 2 else {classes}
    found = [word for word, axis in _CHANNEL_AXES.items() if shape[axis] in fitting]
    if not found:
        raise ModelError(
            f'mask has shape {list(shape)}, but labels name the classes 0 to {classes - 1}: name '
            'one class for each channel in labels, in order'
        )
    return layout if layout in found else found[0]


def _plane(output: np.ndarray) -> np.ndarray:
    plane: np.ndarray = output[0] if output.ndim > 2 else output
    plane = plane[..., 0] if plane.ndim == 3 and plane.shape[-1] == 1 else plane
    plane = plane[0] if plane.ndim == 3 and plane.shape[0] == 1 else plane
    if plane.ndim != 2:
        raise ModelError(f'a class map must have shape (1, h, w) or (h, w), got {output.shape}')
    return plane


def _channels_last(output: np.ndarray, layout: str) -> np.ndarray:
    if output.ndim != 4 or output.shape[0] != 1:
        raise ModelError(f'class scores must have shape (1, h, w, C), got {output.shape}')
    require_numbers(output, 'class scores')
    scores: np.ndarray = output[0]
    return scores.transpose(1, 2, 0) if layout == 'NCHW' else scores


def _best_probability(scores: np.ndarray) -> np.ndarray:
    best: np.ndarray = scores.max(axis=2)
    sums = scores.sum(axis=2)
    # Of quantised probabilities many are rounded to 0, so that the sum is off at some pixels.
    if scores.min() >= 0 and scores.max() <= 1.01 and abs(np.median(sums) - 1) < _MAX_SUM_ERROR:
        return best
    probability: np.ndarray = 1 / np.exp(scores - best[:, :, None]).sum(axis=2)
    return probability


MASK_DECODERS: dict[str, Callable[[np.ndarray, str, float], np.ndarray]] = {
    'class_map': decode_class_map,
    'softmax': decode_softmax,
    'sigmoid': decode_sigmoid,
}
