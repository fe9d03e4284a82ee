"""What a training trains and on which data, as its options name them."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rs_ml_perception.core.errors import ConfigError
from rs_ml_perception.core.geometry.camera import CameraModel
from rs_ml_perception.inference.manifest import MANIFEST_NAME
from rs_ml_perception.inference.manifest_file import read_manifest

from rs_ml_training import trained
from rs_ml_training.data.augment.presets import CROPPING, fitted
from rs_ml_training.data.formats import open_data
from rs_ml_training.data.mix import Joined, formats_of
from rs_ml_training.data.reader import Reader
from rs_ml_training.data.sample import Sample
from rs_ml_training.data.splits import split_by_scene
from rs_ml_training.networks import registry
from rs_ml_training.networks.registry import entry_of
from rs_ml_training.tasks.options import TrainOptions, name_values
from rs_ml_training.tasks.task import Task
from rs_ml_training.trained import ModelSpec

_LISTS = (('train.txt', 'val.txt'), ('train.csv', 'valid.csv'))
_FOLDERS = (('train', 'val'), ('train', 'valid'))


def spec_of(
    task: Task[Any, Any], options: TrainOptions, data: Reader, command: str = ''
) -> ModelSpec:
    """The network to train.

    Raises:
        ConfigError: the network does not fit the task or its options, or the data lack a map.
    """
    entry = entry_of(options.model, task.name)
    sample = data.read(0)
    size = options.input_size or task.default_size(entry, sample)
    spec = ModelSpec(
        task=task.name,
        network=options.model,
        input_size=size,
        options=task.network_options(name_values(options.model_option), options, data),
        labels=task.labels(options, data),
        colors=task.colors(data),
        depth_range_m=task.depth_range_m(options),
        intrinsics=_camera(options, data, sample, size),
        cropped=options.augment in CROPPING,
        reference_focal_px=data.reference_focal_px,
        data=', '.join(dict.fromkeys(n for source in options.data for n in formats_of(source))),
        license=data.license,
        weights=origin_of(options),
        command=command,
    )
    _require_maps(task, sample)
    return spec


def origin_of(options: TrainOptions) -> str:
    """Whose weights a training starts from and under which licence, for the model card.

    A run that starts from another one passes on what that one was trained on and started from;
    empty: random weights.
    """
    parts = (
        _run_origin(options.model, options.initial_weights) if options.initial_weights else '',
        _encoder_origin(options.encoder_weights) if options.encoder_weights else '',
    )
    return '; '.join(part for part in parts if part)


def _camera(
    options: TrainOptions, data: Reader, sample: Sample, size: tuple[int, int]
) -> CameraModel | None:
    """The camera of the images as trained on, with the focal length that is learned."""
    camera = fitted(sample, options.augment, size).intrinsics
    if camera is None or data.reference_focal_px is None or sample.focal_px is None:
        return camera
    change = data.reference_focal_px / sample.focal_px
    return dataclasses.replace(camera, fx=camera.fx * change, fy=camera.fy * change)


def _require_maps(task: Task[Any, Any], sample: Sample) -> None:
    """Fail before anything is written when the data cannot serve the task."""
    missing = [name for name in task.needs if getattr(sample, name) is None]
    if missing:
        has = [f.name for f in dataclasses.fields(sample) if getattr(sample, f.name) is not None]
        raise ConfigError(
            f'{task.name} needs {" and ".join(missing)}, but samples of these data have only '
            f'{", ".join(n for n in has if n not in ("name", "scene", "extra"))}'
        )


def _run_origin(network: str, run: Path) -> str:
    """The origin of a run, of a weights file, of an export or of a published network."""
    if (run.parent / MANIFEST_NAME).is_file():
        manifest = read_manifest(run.parent)
        return f'{manifest.name}: {manifest.source} ({manifest.license})'
    published = registry.published_weights(network, run)
    if published is not None:
        return published.credit_of(run)
    folder = run.parent if run.is_file() else run
    if not (folder / trained.SPEC_NAME).is_file():
        return run.name
    spec = trained.read_spec(folder)
    name = f'{spec.network} trained on {spec.data or "data not recorded"}'
    terms = f' ({spec.license})' if spec.license else ''
    return name + terms + (f', which started from {spec.weights}' if spec.weights else '')


def _encoder_origin(source: str) -> str:
    from rs_ml_training.networks.encoder_weights import IMAGENET
    from rs_ml_training.networks.folded_encoder import credit_of

    if source == IMAGENET:
        return 'encoder: keras.applications on ImageNet'
    return f'encoder: {credit_of(Path(source))}'


def open_sources(options: TrainOptions) -> tuple[Reader, Reader]:
    """(training, validation) data.

    Without validation data: the lists train.txt and val.txt in the folder where it has them, else
    its folders train/ and val/ (or valid/), else a fraction split off by scene.

    Raises:
        ConfigError, InputError: flags or files are missing.
    """
    if not options.data:
        raise ConfigError('--data is missing: give FORMAT:PATH, as nyu-labelled:/data/nyu_v2')
    reader_options = name_values(options.data_option)
    own_options = name_values(options.validation_data_option)
    if options.validation_data or options.validation_list or own_options:
        sources = options.validation_data or options.data
        return (
            _open(options.data, options.list_file, reader_options),
            _open(sources, options.validation_list, reader_options | own_options),
        )
    found = _own_split(options) if len(options.data) == 1 and options.list_file is None else None
    if found:
        training, validation = (_open([s], names, reader_options) for s, names in found)
        return training, validation
    whole = _open(options.data, options.list_file, reader_options)
    return split_by_scene(whole, options.validation_share, options.seed)


def _own_split(options: TrainOptions) -> list[tuple[str, Path | None]] | None:
    """(source, list) for training and validation if the folder has its own split."""
    source = options.data[0]
    kind, _, path = source.partition(':')
    for names in _LISTS:
        lists = [Path(path) / name for name in names]
        if all(file.is_file() for file in lists):
            return [(source, file) for file in lists]
    for names in _FOLDERS:
        folders = [Path(path) / name for name in names]
        if all(folder.is_dir() for folder in folders):
            return [(f'{kind}:{folder}', None) for folder in folders]
    return None


def _open(sources: Sequence[str], names: Path | None, options: dict[str, Any]) -> Reader:
    # A source named several times is opened once, so that a split keeps its scenes together.
    opened = {s: open_data(s, list_file=names, **options) for s in dict.fromkeys(sources)}
    readers = [opened[source] for source in sources]
    return readers[0] if len(readers) == 1 else Joined(readers)
