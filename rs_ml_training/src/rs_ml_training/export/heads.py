"""From what a network was trained to give to what a node wants of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rs_ml_perception.core.errors import ConfigError

from rs_ml_training.errors import ExportError

if TYPE_CHECKING:
    import tensorflow as tf

Tensors = Mapping[str, 'tf.Tensor']

CELL_OUTPUTS = ('scores', 'distances')
PEAK_OUTPUTS = ('heatmap', 'size', 'offset')


@dataclass(frozen=True)
class HeadOptions:
    """What is baked into the served network, and what its users are told to do with it.

    Attributes:
        scores: segmentation: a probability per class in place of the best class.
        intermediates: pass every further output of the network on as well.
        confidence_threshold: denoising: pixels less certain are to be dropped, in [0, 1]; goes
            into the manifest, the network gives them all.
        score_threshold: detection: finds of less are to be dropped, in [0, 1]; likewise.
    """

    scores: bool = False
    intermediates: bool = False
    confidence_threshold: float = 0.0
    score_threshold: float = 0.3

    def __post_init__(self) -> None:
        for name in ('confidence_threshold', 'score_threshold'):
            if not 0 <= getattr(self, name) <= 1:
                raise ConfigError(f'{name} must be within 0..1, got {getattr(self, name)}')


def depth_head(outputs: Tensors, options: HeadOptions) -> dict[str, Any]:
    """`depth` (1, H, W, 1) [m], float32."""
    return {'depth': outputs['depth_m']} | _further(outputs, ('depth_m',), options)


def denoise_head(outputs: Tensors, options: HeadOptions) -> dict[str, Any]:
    """`depth` (1, H, W, 1) [m], and `confidence` (1, H, W, 1) of a network that has one."""
    own = ('depth_m', 'confidence')
    head = {'depth': outputs['depth_m']} | _named(outputs, ('confidence',))
    return head | _further(outputs, own, options)


def segmentation_head(outputs: Tensors, options: HeadOptions) -> dict[str, Any]:
    """`mask`: class ids uint8 (1, H, W), or probabilities (1, H, W, C); `confidence` if any.

    A single channel tells class 1 from the rest.
    """
    import tensorflow as tf

    logits = outputs['logits']
    is_single = logits.shape[-1] == 1
    if options.scores:
        mask = tf.sigmoid(logits) if is_single else tf.nn.softmax(logits)
    elif is_single:
        mask = tf.cast(logits[..., 0] > 0, tf.uint8)
    else:
        mask = tf.cast(tf.argmax(logits, axis=-1, output_type=tf.int32), tf.uint8)
    own = ('logits', 'logits_aux', 'confidence')
    head = {'mask': mask} | _named(outputs, ('confidence',))
    return head | _further(outputs, own, options)


def detection_head(outputs: Tensors, options: HeadOptions) -> dict[str, Any]:
    """What the network gives: boxes are decoded by who runs it.

    `scores` and `distances` of cells, or `heatmap`, `size` and `offset` of peaks.
    """
    own = CELL_OUTPUTS if set(CELL_OUTPUTS) <= set(outputs) else PEAK_OUTPUTS
    return {name: outputs[name] for name in own} | _further(outputs, own, options)


HEADS: dict[str, Callable[[Tensors, HeadOptions], dict[str, Any]]] = {
    'depth': depth_head,
    'denoise': denoise_head,
    'segmentation': segmentation_head,
    'detection': detection_head,
}


def apply_head(task: str, outputs: Tensors, options: HeadOptions) -> dict[str, Any]:
    """The served outputs of a network.

    Raises:
        ExportError: the network lacks an output that its task needs.
    """
    try:
        return HEADS[task](outputs, options)
    except KeyError as error:
        raise ExportError(
            f'a {task} network must give {error}, this one gives {sorted(outputs)}'
        ) from error


def _named(outputs: Tensors, names: tuple[str, ...]) -> dict[str, Any]:
    return {name: outputs[name] for name in names if name in outputs}


def _further(outputs: Tensors, own: tuple[str, ...], options: HeadOptions) -> dict[str, Any]:
    if not options.intermediates:
        return {}
    return {name: tensor for name, tensor in outputs.items() if name not in own}
