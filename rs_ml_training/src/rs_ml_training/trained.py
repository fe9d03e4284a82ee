"""A trained network on disk: its description `model.yaml` and its weights."""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from rs_ml_perception.core.errors import InputError
from rs_ml_perception.core.geometry.camera import CameraModel

from rs_ml_training.data.output_folder import write_file
from rs_ml_training.data.text_files import pinhole_values
from rs_ml_training.errors import CheckpointError
from rs_ml_training.networks import registry

if TYPE_CHECKING:
    import keras

SPEC_NAME = 'model.yaml'
BEST_WEIGHTS = 'best.weights.h5'
LAST_WEIGHTS = 'last.weights.h5'


@dataclass(frozen=True)
class ModelSpec:
    """Everything needed to rebuild a network and to use it.

    Attributes:
        task: depth, segmentation, denoise or detection.
        network: key of networks.registry.NETWORKS.
        options: keyword arguments of its builder.
        input_size: (width, height) the images are brought to.
        crop: [x, y, width, height] as fractions of the image, seen by the network; None: all.
        labels: class names by id.
        colors: [r, g, b] by class id; empty: the default palette.
        depth_range_m: distances the network was trained for.
        intrinsics: camera of the training images at input_size, or None.
        reference_focal_px: depth was divided by focal / this (KITTI); the output must be
            multiplied by it. None: no such scaling.
        cropped: training cut the input out of images as they are, so that a focal length
            is the same at another input size; else images were stretched to it.
        data: of the training.
        license: of that data.
        weights: where training started and the licence of that; empty: from random weights.
        metrics: name -> value, measured on validation data at the weights kept.
        command: that reproduces it.
    """

    task: str
    network: str
    input_size: tuple[int, int]
    options: Mapping[str, Any] = field(default_factory=dict)
    crop: tuple[float, float, float, float] | None = None
    labels: tuple[str, ...] = ()
    colors: tuple[tuple[int, int, int], ...] = ()
    depth_range_m: tuple[float, float] = (0.0, 10.0)
    intrinsics: CameraModel | None = None
    reference_focal_px: float | None = None
    cropped: bool = False
    data: str = ''
    license: str = ''
    weights: str = ''
    metrics: Mapping[str, float] = field(default_factory=dict)
    command: str = ''

    def camera_at(self, size: tuple[int, int]) -> CameraModel | None:
        """The camera of training for a network of another input size (width, height)."""
        camera = self.intrinsics
        if camera is None or not self.cropped:
            return camera and camera.resized(*size)
        x, y = (camera.width - size[0]) // 2, (camera.height - size[1]) // 2
        return camera.cropped(x, y, *size)


def best_weights_of(metric: str) -> str:
    """File of the best weights by a further metric."""
    return f'best-{metric.replace("/", "_")}.weights.h5'


@dataclass(frozen=True)
class Trained:
    """A network with its weights.

    Attributes:
        spec: its description.
        model: functional Keras model; dictionaries of named inputs and outputs.
        directory: where it came from.
    """

    spec: ModelSpec
    model: keras.Model
    directory: Path


def build(spec: ModelSpec, input_size: tuple[int, int] | None = None) -> keras.Model:
    """The network of a spec with fresh weights, at another size if given."""
    return registry.build(spec.network, input_size or spec.input_size, **spec.options)


def write_spec(spec: ModelSpec, directory: Path) -> None:
    """Write `model.yaml`."""
    values = dataclasses.asdict(spec)
    values['intrinsics'] = spec.intrinsics and pinhole_values(spec.intrinsics)
    text = yaml.safe_dump(_plain(values), sort_keys=False, allow_unicode=True)
    write_file(directory / SPEC_NAME, text.encode(), replace=True)


def read_spec(directory: Path) -> ModelSpec:
    """Read `model.yaml`.

    Raises:
        CheckpointError: it is missing or not such a file.
    """
    path = directory / SPEC_NAME
    if not path.is_file():
        raise CheckpointError(f'{path} is missing: give the run folder of a training')
    try:
        values = yaml.safe_load(path.read_text())
        if values.get('intrinsics'):
            values['intrinsics'] = CameraModel(**values['intrinsics'])
        for key in ('input_size', 'crop', 'labels', 'depth_range_m'):
            values[key] = tuple(values[key]) if values.get(key) is not None else None
        values['colors'] = tuple(map(tuple, values.get('colors') or ()))
        return ModelSpec(**values)
    except (yaml.YAMLError, TypeError, AttributeError, KeyError, InputError) as error:
        raise CheckpointError(f'{path} does not describe a trained network: {error}') from error


def load(
    directory: Path,
    *,
    weights: str | None = None,
    input_size: tuple[int, int] | None = None,
    **model_options: Any,
) -> Trained:
    """Build a trained network and load its weights.

    The metrics of the spec are those of the best weights at the size of the training; for others
    it has none.

    Args:
        directory: a run folder.
        weights: file name; None: the best, else the last.
        input_size: (width, height) to build it at; None: as trained.
        model_options: of the builder in place of the spec's, as intermediates=True of `bts`.

    Raises:
        CheckpointError: a file is missing, damaged or of another network.
        ConfigError: the network has no such option, or the size does not suit it.
    """
    spec = read_spec(directory)
    spec = dataclasses.replace(spec, options={**spec.options, **model_options})
    names = (weights,) if weights else (BEST_WEIGHTS, LAST_WEIGHTS)
    path = next((directory / n for n in names if (directory / n).is_file()), None)
    if path is None:
        raise CheckpointError(f'{directory} holds none of {", ".join(names)}: train first')
    model = build(spec, input_size)
    load_weights(model, path, spec.network)
    if path.name != BEST_WEIGHTS or input_size not in (None, spec.input_size):
        spec = dataclasses.replace(spec, metrics={})
    return Trained(spec, model, directory)


def load_weights(model: keras.Model, path: Path, network: str) -> None:
    """Load weights, all of them or none.

    Raises:
        CheckpointError: the file is damaged or of another network.
    """
    try:
        with warnings.catch_warnings():
            # Keras only warns of some layers that the file lacks, and leaves them at random.
            warnings.filterwarnings('error', message='Skipping')
            model.load_weights(path)
    except (ValueError, OSError, KeyError, UserWarning) as error:
        reason = str(error).splitlines()[0]
        raise CheckpointError(f'{path} does not hold weights of {network}: {reason}') from error


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value.item() if hasattr(value, 'item') else value
