"""BTS, "From Big to Small": arXiv 1907.10326."""

from __future__ import annotations

import keras
from rs_ml_perception.core.errors import ConfigError

from rs_ml_training.networks import freezing
from rs_ml_training.networks.bts.decoder import DecoderForm, decode
from rs_ml_training.networks.bts.encoders import EncoderPlan, encoder_taps, plan_of

REDUCTIONS = ('chain', 'single')
PAPER_FEATURES = 512


def bts(
    input_size: tuple[int, int] | None = None,
    encoder: str = 'densenet161',
    features: int | None = None,
    max_depth_m: float = 10.0,
    reduce: str = 'chain',
    intermediates: bool = False,
    frozen_batch_norm: bool = False,
    fixed_blocks: int | None = None,
) -> keras.Model:
    """Depth from one image.

    Scaling by the focal length (KITTI) is not in the network: if the truth was divided by
    focal / reference, the output has to be multiplied by it.

    Args:
        input_size: (width, height), multiples of 32; None: any.
        encoder: key of encoders.ENCODERS. Its layers have the names of keras.applications.
        features: channels at 1/16 resolution, a multiple of 16, at least 64; None: 512 with
            'chain'; with 'single' 512 for the larger encoders and 256 for densenet121,
            densenet169, resnet50 and mobilenetv2.
        max_depth_m: the largest depth that can be predicted.
        reduce: how features become planes: 'chain' as in the paper, 'single' as in the lighter
            TensorFlow 2 form; see decoder.DecoderForm for all differences.
        intermediates: also return the depths of the coarser stages.
        frozen_batch_norm: the encoder's batch normalisation is frozen, as in the paper; useful
            only with pretrained weights.
        fixed_blocks: see freezing.fixed_blocks; None: nothing is frozen.

    Returns:
        A model {'image': (B, H, W, 3) RGB 0..255} -> {'depth_m': (B, H, W, 1)}, and with
        intermediates 'lpg8_m', 'lpg4_m', 'lpg2_m' (and 'reduc1_m' with 'chain') of that shape.

    Raises:
        ConfigError: an unknown encoder or reduction, or features that cannot be divided.
    """
    plan = plan_of(encoder)
    form = _form(plan, features, reduce)
    width, height = input_size or (None, None)
    image = keras.Input((height, width, 3), name='image')
    depth, coarse = decode(encoder_taps(image, plan), form)
    outputs = {'depth_m': _metres(depth, max_depth_m, 'depth_m')}
    if intermediates:
        outputs |= {f'{n}_m': _metres(x, max_depth_m, f'{n}_m') for n, x in coarse.items()}
    model = keras.Model({'image': image}, outputs, name=f'bts_{encoder}')
    if frozen_batch_norm:
        freezing.freeze_encoder_batch_norm(model)
    if fixed_blocks is not None:
        freezing.fixed_blocks(model, fixed_blocks)
    return model


def _form(plan: EncoderPlan, features: int | None, reduce: str) -> DecoderForm:
    if reduce not in REDUCTIONS:
        raise ConfigError(f'no reduction {reduce!r}; there are {", ".join(REDUCTIONS)}')
    chain = reduce == 'chain'
    features = features or (PAPER_FEATURES if chain else plan.light_features)
    if features < 64 or features % 16:
        raise ConfigError(f'features must be a multiple of 16 and at least 64, got {features}')
    return DecoderForm(features, chain)


def _metres(share: keras.KerasTensor, max_depth_m: float, name: str) -> keras.KerasTensor:
    return keras.layers.Rescaling(max_depth_m, dtype='float32', name=name)(share)
