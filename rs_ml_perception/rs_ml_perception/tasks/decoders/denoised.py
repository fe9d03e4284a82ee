"""The inputs and outputs of a network that denoises depth, and its default threshold."""

from __future__ import annotations

from rs_ml_perception.core.errors import ModelError
from rs_ml_perception.inference.model import Model
from rs_ml_perception.tasks.decoders.checks import check_outputs, fill_options

RAW_DEPTH, INFRARED = 'raw_depth', 'infrared'
INPUT_DTYPES = {RAW_DEPTH: 'float32', INFRARED: 'uint8'}
"""Metres with 0 in holes; brightness, all 0 where there is no image."""

DEPTH, CONFIDENCE = 'depth', 'confidence'
_DECODER_OPTIONS = {'confidence_threshold': 0.0}


def check_model(model: Model) -> None:
    """Raise ModelError unless the model is one that Denoiser can run."""
    manifest = model.manifest
    manifest.require('denoise', decoders=('depth',))
    check_outputs(manifest.name, (DEPTH,), manifest.outputs)
    _check_inputs(model)


def default_threshold(model: Model) -> float:
    """The manifest's confidence threshold, 0 without one.

    Raises:
        ModelError: it is not within 0..1, or the network predicts no confidence.
    """
    manifest = model.manifest
    options = fill_options(manifest.name, _DECODER_OPTIONS, manifest.decoder_options)
    threshold = options['confidence_threshold']
    if not isinstance(threshold, int | float) or not 0 <= threshold <= 1:
        raise ModelError(
            f'{manifest.name}: confidence_threshold must be within 0..1, got {threshold!r}'
        )
    if threshold and CONFIDENCE not in manifest.outputs:
        raise ModelError(f'{manifest.name}: confidence_threshold needs an output {CONFIDENCE}')
    return float(threshold)


def _check_inputs(model: Model) -> None:
    specs = {spec.name: spec for spec in model.manifest.inputs}
    if RAW_DEPTH not in specs or not set(specs) <= set(INPUT_DTYPES):
        raise ModelError(
            f'{model.title}: inputs must be {RAW_DEPTH} and maybe {INFRARED}, got {sorted(specs)}'
        )
    for name, spec in specs.items():
        if spec.dtype != INPUT_DTYPES[name] or spec.channels != 1 or spec.layout != 'NHWC':
            raise ModelError(
                f'{model.title}: {name} must be {INPUT_DTYPES[name]} of one channel, NHWC, '
                f'got {spec.dtype} of {spec.channels}, {spec.layout}'
            )
    if len({spec.size for spec in specs.values()}) > 1:
        sizes = {name: spec.size for name, spec in specs.items()}
        raise ModelError(f'{model.title}: all inputs must have one size, got {sizes}')
