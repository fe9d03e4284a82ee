"""Where the weights of a training come from, for the model card."""

from __future__ import annotations

from pathlib import Path

from rs_ml_training import trained
from rs_ml_training.training.options import TrainOptions


def origin_of(options: TrainOptions) -> str:
    """Whose weights a training starts from and under which licence; empty: random ones.

    A run that starts from another one carries on what that one was trained on and started from.
    """
    parts = (
        _of_run(options.initial_weights) if options.initial_weights else '',
        _of_encoder(options.encoder_weights) if options.encoder_weights else '',
    )
    return '; '.join(part for part in parts if part)


def _of_run(run: Path) -> str:
    """Of a run, of a file of weights in its folder, or of a published network."""
    from rs_ml_training.networks.nanodet import onnx_weights

    if run.suffix == onnx_weights.SUFFIX:
        return onnx_weights.credit_of(run)
    folder = run.parent if run.is_file() else run
    if not (folder / trained.SPEC_NAME).is_file():
        return run.name
    spec = trained.read_spec(folder)
    name = f'{spec.network} trained on {spec.data or "data not recorded"}'
    terms = f' ({spec.license})' if spec.license else ''
    return name + terms + (f', which started from {spec.weights}' if spec.weights else '')


def _of_encoder(source: str) -> str:
    from rs_ml_training.networks.encoder_weights import IMAGENET
    from rs_ml_training.networks.folded_encoder import credit_of

    if source == IMAGENET:
        return 'encoder: keras.applications on ImageNet'
    return f'encoder: {credit_of(Path(source))}'
