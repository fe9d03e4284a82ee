"""Networks by name. Keras is imported only when one is built."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from rs_ml_perception.core.errors import ConfigError

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True)
class NetworkEntry:
    """A network that can be trained by name.

    Attributes:
        name: what `--model` takes.
        task: name of a task of tasks.registry.
        builder: 'package.module:function'; keyword arguments only, the first `input_size` =
            (width, height) or None for any; returns a functional model with dictionaries of named
            inputs and outputs.
        default_size: (width, height) to train at by default.
        stride: width and height must be multiples of it.
        summary: one line for `--help`.
        takes_depth: it reads measured depth as well, if there is any.
        recommended: options of the training that differ from the task's defaults, as the authors
            of the network trained it.
        published_weights: suffix of files of published weights -> module with `load(model, path)`
            and `credit_of(path)`, which returns their source and licence.
    """

    name: str
    task: str
    builder: str
    default_size: tuple[int, int]
    stride: int
    summary: str
    takes_depth: bool = False
    recommended: Mapping[str, Any] = field(default_factory=dict)
    published_weights: Mapping[str, str] = field(default_factory=dict)


_HERE = 'rs_ml_training.networks'
NETWORKS: dict[str, NetworkEntry] = {
    entry.name: entry
    for entry in (
        NetworkEntry(
            'unet',
            'denoise',
            f'{_HERE}.unet.original:unet',
            (848, 480),
            16,
            'U-Net of 31 M parameters',
            recommended={'batch_size': 2, 'learning_rate': 0.0001, 'loss': 'l1'},
        ),
        NetworkEntry(
            'unet-planes',
            'denoise',
            f'{_HERE}.unet.planes:unet_planes',
            (848, 480),
            16,
            'real-time U-Net, two planes a cell',
        ),
        NetworkEntry(
            'unet-light',
            'denoise',
            f'{_HERE}.unet.light:unet_light',
            (848, 480),
            16,
            'real-time U-Net',
        ),
        NetworkEntry(
            'ddrnet23-slim',
            'segmentation',
            f'{_HERE}.ddrnet:ddrnet23_slim',
            (640, 480),
            32,
            'DDRNet-23-slim, 5.7 M parameters',
        ),
        NetworkEntry(
            'deeplab-effnetv2s',
            'segmentation',
            f'{_HERE}.deeplab:deeplab_effnetv2s',
            (512, 512),
            16,
            'EfficientNetV2-S with the DeepLabV3+ decoder, 20.7 M parameters',
            recommended={'loss': 'focal', 'epochs': 100},
        ),
        NetworkEntry(
            'unet-small',
            'segmentation',
            f'{_HERE}.unet.small:unet_small',
            (320, 240),
            16,
            'small U-Net',
            recommended={'epochs': 100},
        ),
        NetworkEntry(
            'mobile-seg',
            'segmentation',
            f'{_HERE}.mobilenetv2.segmentation:mobile_seg',
            (512, 384),
            32,
            'MobileNetV2 with a light decoder, from colour and any depth, 2.0 M parameters',
            takes_depth=True,
        ),
        NetworkEntry(
            'fastdepth',
            'depth',
            f'{_HERE}.fastdepth:fastdepth',
            (256, 192),
            32,
            'MobileNet with additive skips, 4.0 M parameters',
        ),
        NetworkEntry(
            'fastdepth-pruned',
            'depth',
            f'{_HERE}.fastdepth:fastdepth_pruned',
            (256, 192),
            32,
            'the channel plan found by NetAdapt, 1.4 M parameters',
        ),
        NetworkEntry(
            'mobile-depth',
            'depth',
            f'{_HERE}.mobilenetv2.depth:mobile_depth',
            (256, 192),
            32,
            'MobileNetV2 with a light decoder, 2.2 M parameters',
        ),
        NetworkEntry(
            'meter',
            'depth',
            f'{_HERE}.meter.model:meter',
            (256, 192),
            64,
            'METER: MobileViT with a light decoder, 0.7 M parameters (variant=xxs, xs, s)',
            published_weights={'.pt': f'{_HERE}.meter.torch_weights'},
        ),
        NetworkEntry(
            'bts',
            'depth',
            f'{_HERE}.bts.model:bts',
            (544, 416),
            32,
            'local planar guidance on DenseNet-161 or any keras.applications encoder',
            recommended={
                'loss': 'silog',
                'augment': 'bts-nyu',
                'batch_size': 4,
                'learning_rate': 0.0001,
                'end_learning_rate': 0.1,
                'adam_epsilon': 0.001,
                'epochs': 50,
            },
        ),
        NetworkEntry(
            'pano-depth',
            'depth',
            f'{_HERE}.panorama:pano_depth',
            (512, 256),
            32,
            'equirectangular depth with circular padding',
            recommended={
                'loss': 'l1_normal_ssim_sphere',
                'augment': 'panorama',
                'batch_size': 8,
                'learning_rate': 0.0001,
                'epochs': 40,
            },
        ),
        NetworkEntry(
            'centernet-light',
            'detection',
            f'{_HERE}.centernet.model:centernet_light',
            (320, 256),
            32,
            'anchor-free light detector',
        ),
        NetworkEntry(
            'nanodet-plus',
            'detection',
            f'{_HERE}.nanodet.model:nanodet_plus',
            (320, 256),
            32,
            'NanoDet-Plus-m: ShuffleNetV2, Ghost-PAN, generalized focal head, 1.2 M parameters',
            recommended={'loss': 'generalized_focal'},
            published_weights={'.onnx': f'{_HERE}.nanodet.onnx_weights'},
        ),
    )
}


def entry_of(name: str, task: str | None = None) -> NetworkEntry:
    """The entry of a name.

    Raises:
        ConfigError: no such network, or it is made for another task.
    """
    fitting = {n: e for n, e in NETWORKS.items() if task in (None, e.task)}
    if name not in fitting:
        raise ConfigError(f'no network {name!r} for this task; there are {", ".join(fitting)}')
    return fitting[name]


def takes_depth(name: str) -> bool:
    """Whether a network reads measured depth as well; unknown networks do not."""
    return name in NETWORKS and NETWORKS[name].takes_depth


class PublishedWeights(Protocol):
    """A module that reads files of published weights."""

    def load(self, model: keras.Model, path: Path) -> None: ...

    def credit_of(self, path: Path) -> str: ...


def published_weights(name: str, path: Path) -> PublishedWeights | None:
    """The module that reads a file of published weights of a network; None: no such file."""
    module = NETWORKS[name].published_weights.get(path.suffix) if name in NETWORKS else None
    if module is None:
        return None
    reader: PublishedWeights = importlib.import_module(module)
    return reader


def build(name: str, input_size: tuple[int, int] | None = None, **options: Any) -> keras.Model:
    """Make a network with fresh weights.

    Args:
        name: key of NETWORKS.
        input_size: (width, height), or None: any multiple of the stride.
        options: keyword arguments of the builder.

    Raises:
        ConfigError: the size is no multiple of the stride, or an option is unknown.
    """
    entry = entry_of(name)
    if input_size is not None and any(side <= 0 or side % entry.stride for side in input_size):
        raise ConfigError(
            f'{name} needs a width and height that are multiples of {entry.stride}, '
            f'got {input_size[0]}x{input_size[1]}'
        )
    module, _, function = entry.builder.partition(':')
    builder = getattr(importlib.import_module(module), function)
    allowed = [n for n in inspect.signature(builder).parameters if n != 'input_size']
    for key in options:
        if key not in allowed:
            raise ConfigError(f'{name} has no option {key!r}; its options: {", ".join(allowed)}')
    return builder(input_size=input_size, **options)
