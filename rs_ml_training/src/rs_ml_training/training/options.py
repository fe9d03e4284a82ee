"""What can be chosen of a training, and what holds when nothing is."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from rs_ml_training.cli.flags import flag

OPTIMIZERS = ('adamw', 'adam', 'sgd', 'radam')
SCHEDULES = ('poly', 'cosine', 'constant')
PRECISIONS = ('float32', 'mixed_bfloat16', 'mixed_float16')
# What differs from the task's defaults for a network, as its authors trained it.
RECOMMENDED: dict[str, dict[str, object]] = {
    'bts': {
        'loss': 'silog',
        'augment': 'bts-nyu',
        'batch_size': 4,
        'learning_rate': 1e-4,
        'end_learning_rate': 0.1,
        'adam_epsilon': 1e-3,
        'epochs': 50,
    },
    'pano-depth': {
        'loss': 'l1_normal_ssim_sphere',
        'augment': 'panorama',
        'batch_size': 8,
        'learning_rate': 1e-4,
        'epochs': 40,
    },
    'unet': {'batch_size': 2, 'learning_rate': 1e-4, 'loss': 'l1'},
    'deeplab-effnetv2s': {'loss': 'focal', 'epochs': 100},
    'unet-small': {'epochs': 100},
    'nanodet-plus': {'loss': 'generalized_focal'},
}


@dataclass(frozen=True)
class TrainOptions:
    """Flags of every task; the flag of a field is its name with dashes."""

    data: tuple[str, ...] = flag((), 'FORMAT:PATH of the training data, several are joined')
    list_file: Path | None = flag(
        None, 'file that names the training samples (default: all)', name='list'
    )
    validation_data: tuple[str, ...] = flag((), 'FORMAT:PATH of the validation data')
    validation_list: Path | None = flag(None, 'file that names the validation samples')
    validation_share: float = flag(0.1, 'held out by scene when no validation data are given')
    data_option: tuple[str, ...] = flag((), 'NAME=VALUE for the reader of the data')
    validation_data_option: tuple[str, ...] = flag((), 'more of them, for the validation data')
    model: str = flag('', 'the network')
    model_option: tuple[str, ...] = flag((), 'NAME=VALUE for the builder of the network')
    input_size: tuple[int, int] | None = flag(None, 'WIDTHxHEIGHT of the network input')
    encoder_weights: str | None = flag(None, "file with weights of the encoder, or 'imagenet'")
    initial_weights: Path | None = flag(
        None, 'run folder whose weights to start from; of nanodet-plus also its ONNX file'
    )
    initial_fitting: bool = flag(
        False, 'take of them what fits by name and shape: other classes, further layers'
    )
    epochs: int = flag(60, 'passes over the training data', low=1)
    batch_size: int = flag(16, 'samples a step, of all devices together', low=1)
    optimizer: str = flag('adamw', 'update rule', choices=OPTIMIZERS)
    learning_rate: float = flag(1e-3, 'highest learning rate', low=0)
    encoder_rate: float = flag(1.0, 'share of the learning rate that the encoder gets', low=0)
    end_learning_rate: float = flag(0.01, 'share of it at the end', low=0)
    schedule: str = flag('poly', 'course of the learning rate', choices=SCHEDULES)
    power: float = flag(0.9, 'exponent of the poly schedule', low=0)
    warmup_epochs: float = flag(1.0, 'epochs of linear rise', low=0)
    weight_decay: float = flag(1e-4, 'decoupled, of kernels only', low=0)
    decay_encoder_only: bool = flag(False, 'decay the kernels of the encoder alone, as BTS does')
    momentum: float = flag(0.9, 'of sgd', low=0)
    adam_epsilon: float = flag(1e-7, 'of adam, adamw, radam', low=0)
    clip_norm: float = flag(5.0, 'largest norm of all gradients together, 0: any', low=0)
    ema: float = flag(0.99, 'momentum of the averaged weights, 0: none', low=0)
    start_share: float = flag(
        0.0, 'fraction of the starting weights in those that are kept, 0 to 1', low=0
    )
    settle_batches: int = flag(
        0,
        'training batches that batch normalisation is measured on for the averaged weights',
        low=0,
    )
    precision: str = flag('float32', 'of the layers', choices=PRECISIONS)
    augment: str = flag('', 'augmentation preset')
    loss: str = flag('', 'loss of the task')
    loss_option: tuple[str, ...] = flag((), 'NAME=VALUE for the loss, as gamma=2')
    monitor: str = flag('', 'validation metric that chooses the best weights')
    keep_best: tuple[str, ...] = flag((), 'more metrics whose best weights are kept: best-NAME')
    validate_every: int = flag(1, 'epochs between validations', low=1)
    patience: int = flag(0, 'validations without a better one before it stops, 0: never', low=0)
    name: str = flag('', 'of the run (default: task and network)')
    runs: Path = flag(Path('runs'), 'folder of run folders')
    resume: bool = flag(True, 'go on from the last epoch of a run of that name')
    seed: int = flag(1, 'of weights, order and augmentation', low=0)
    workers: int = flag(2, 'threads that read and augment', low=0)
    cache: bool = flag(False, 'keep decoded samples in memory')
    pictures: int = flag(4, 'validation samples drawn after each validation', low=0)
    profile: bool = flag(False, 'measure reading, training and both for some batches, then stop')
    devices: int = flag(0, 'devices to spread each batch over, 0: all there are', low=0)
    processes: int = flag(1, 'processes that train together (jax)', low=1)
    process_index: int = flag(0, 'which of them this one is, from 0; 0 writes', low=0)
    coordinator: str = flag('', 'HOST:PORT where they meet, on the machine of process 0')


@dataclass(frozen=True)
class DepthOptions(TrainOptions):
    """Monocular depth."""

    model: str = flag('fastdepth', 'the network')
    loss: str = flag('l1', 'see rs_ml_training.losses.depth')
    augment: str = flag('depth', 'augmentation preset')
    monitor: str = flag('d1', 'validation metric that chooses the best weights')
    batch_size: int = flag(8, 'samples a step, of all devices together', low=1)
    min_depth_m: float = flag(0.1, 'nearest truth that counts [m]', low=0)
    max_depth_m: float = flag(10.0, 'farthest truth that counts [m]', low=0)


@dataclass(frozen=True)
class SegmentationOptions(TrainOptions):
    """Semantic segmentation."""

    model: str = flag('ddrnet23-slim', 'the network')
    loss: str = flag('cross_entropy', 'see rs_ml_training.losses.segmentation')
    augment: str = flag('segmentation', 'augmentation preset')
    monitor: str = flag('miou', 'validation metric that chooses the best weights')
    batch_size: int = flag(8, 'samples a step, of all devices together', low=1)
    crop_size: tuple[int, int] | None = flag(None, 'WIDTHxHEIGHT trained on, smaller than input')
    textures: Path | None = flag(None, "folder of backgrounds for the preset 'industrial'")
    class_weights: bool = flag(False, 'weigh classes by 1 / ln(1.02 + share)')
    aux_weight: float = flag(0.4, 'of the auxiliary head', low=0)
    unlisted_weight: float = flag(0.2, 'of pixels known to be none of some classes', low=0)
    cutouts: str = flag('', 'FORMAT:PATH of masks whose people are pasted by the preset indoor')
    confidence: bool = flag(False, 'train the confidence head: BCE beside the loss')


@dataclass(frozen=True)
class DenoiseOptions(TrainOptions):
    """Depth denoising and hole filling."""

    model: str = flag('unet-light', 'the network')
    loss: str = flag('denoise', "'denoise' (in units of the camera's noise) or one of depth")
    augment: str = flag('denoise', 'augmentation preset')
    monitor: str = flag('rmse_m', 'validation metric that chooses the best weights')
    batch_size: int = flag(2, 'samples a step, of all devices together', low=1)
    min_depth_m: float = flag(0.1, 'nearest truth that counts [m]', low=0)
    max_depth_m: float = flag(10.0, 'farthest truth that counts [m]', low=0)


@dataclass(frozen=True)
class DetectionOptions(TrainOptions):
    """Objects and their boxes."""

    model: str = flag('centernet-light', 'the network')
    loss: str = flag('centernet', 'see rs_ml_training.tasks.detection_losses')
    augment: str = flag('detection', 'augmentation preset')
    monitor: str = flag('ap50', 'validation metric that chooses the best weights')
    classes: tuple[str, ...] = flag((), 'names of the classes to learn (default: all)')
    cutouts: str = flag('', 'FORMAT:PATH of objects and pictures mixed in by detection-mixed')
    teacher: Path | None = flag(
        None,
        'looks at every picture as it is trained on: a frozen CenterNet (.pb), or for '
        'generalized_focal a model directory of such a network',
    )
    teacher_labels: Path | None = flag(None, 'label map (.pbtxt) of a frozen CenterNet')
    teacher_share: float = flag(
        0.7, 'fraction of its view in the target; the boxes are the rest', low=0
    )


OPTIONS: dict[str, type[TrainOptions]] = {
    'depth': DepthOptions,
    'segmentation': SegmentationOptions,
    'denoise': DenoiseOptions,
    'detection': DetectionOptions,
}
