"""A model directory from an exported network: recognised, run once, and written."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from rs_ml_perception.core.errors import ConfigError, InputError
from rs_ml_perception.core.flags import size as parse_size
from rs_ml_perception.core.frames.frame import Frame
from rs_ml_perception.core.objects.labels import LabelMap
from rs_ml_perception.core.options import Options, option
from rs_ml_perception.inference.backends import BackendOptions
from rs_ml_perception.inference.contents import FileContents, inspect_file, plain
from rs_ml_perception.inference.foreign_labels import given_labels, labels_of
from rs_ml_perception.inference.golden import picture_inputs
from rs_ml_perception.inference.golden_recording import record_golden
from rs_ml_perception.inference.image_input import STYLES, find_image, is_scaled, scaling
from rs_ml_perception.inference.loading import load_model
from rs_ml_perception.inference.manifest import (
    DEPTH_FORMS,
    MANIFEST_NAME,
    ModelManifest,
    TensorSpec,
)
from rs_ml_perception.inference.manifest_values import checked_name
from rs_ml_perception.inference.model_folder import artifact_of, input_row, write_folder
from rs_ml_perception.inference.preprocess import COLORS, InputSpec
from rs_ml_perception.inference.selection import open_backend
from rs_ml_perception.tasks.recognition import (
    Clues,
    Recognised,
    recognise_depth,
    recognise_detector,
    recognise_masks,
)

NEW_TASKS = ('detection', 'segmentation', 'mono_depth')
NOT_STATED = 'not stated'
_FIT = ('stretch', 'letterbox', 'letterbox-centered', 'crop')
_TASK_WORDS = {
    'detect': 'detection',
    'segment': 'detection',
    'pose': 'detection',
    'semantic': 'segmentation',
}
_ANY_SIZE = ('image_tensor', 'input_tensor')
"""Inputs of TF Object Detection, which resizes inside."""
_SCORE, _IOU = 0.4, 0.6


@dataclass(frozen=True)
class NewModelOptions(Options):
    """What a file may leave open."""

    name: str = option('', 'name of the model', none_doc='that of the file')
    task: str | None = option(
        None, 'task of the network', choices=NEW_TASKS, none_doc='as recognised'
    )
    labels: str = option(
        '',
        'class names: text file with one a line, .pbtxt, .yaml, or a model that has the same',
        none_doc='those in the file',
        metavar='FILE|MODEL',
    )
    size: tuple[int, int] | None = option(
        None,
        'input size, where the file leaves it free',
        metavar='WIDTHxHEIGHT',
        parse=parse_size,
        none_doc='that of the file',
    )
    scaling: str = option(
        '',
        'scaling of pixels: pixels (0..255), unit (0..1), signed (-1..1), imagenet, or MEAN/STD',
        metavar='WORD|MEAN/STD',
        none_doc='that of the recognised family',
    )
    color: str | None = option(
        None, 'order of the channels', choices=COLORS[:2], none_doc='that of the family'
    )
    fit: str | None = option(
        None,
        'how images are fitted to the input',
        choices=_FIT,
        none_doc='that of the family, else stretch',
    )
    metres_per_unit: float | None = option(
        None, 'distance of a depth output of 1', unit='m', low=1e-6, none_doc='required for depth'
    )
    depth_form: str = option(
        'metric', 'inverse: metres are --metres-per-unit / output', choices=DEPTH_FORMS
    )
    constants: str = option(
        '',
        'values of further inputs, as {orig_target_sizes: [[640, 640]]}',
        flag='constants',
        metavar='YAML',
    )
    license: str = option(
        '', 'licence of the weights', none_doc='that in the file', metavar='TEXT'
    )


@dataclass(frozen=True)
class NewModel:
    """A network, recognised.

    Attributes:
        contents: of the file.
        head: how it is read.
        image: how images are prepared.
        labels: of its classes.
        constants: of further inputs.
        license: of the weights, as stated.
    """

    contents: FileContents
    head: Recognised
    image: InputSpec
    labels: LabelMap
    constants: Mapping[str, np.ndarray]
    license: str


def recognise(path: Path, options: NewModelOptions, frame: Frame) -> NewModel:
    """Find out how a file is used, by running it on a picture.

    Raises:
        ConfigError: something remains open; the message names the flag that says it.
        InputError: the file is no network for images, or no head that is known.
        BackendError: no runtime reads it.
    """
    contents = inspect_file(path)
    labels = given_labels(options.labels) if options.labels else labels_of(contents)
    image = find_image(contents, options.size or _stated_size(contents))
    constants = _constants(contents, image, options)
    if image.size is None and image.name.removesuffix(':0') not in _ANY_SIZE:
        raise ConfigError(f'{path} takes images of any size: choose one with --size WIDTHxHEIGHT')
    classes = max(labels.names, default=-1) + 1
    first = _run(contents, replace(image, **STYLES['unit']), constants, frame)
    head = _head(contents, options, first, _input_size(image, frame), classes)
    image = _prepared(contents, image, head, options)
    second = _run(contents, image, constants, frame)
    head = _head(contents, options, second, _input_size(image, frame), classes)
    stated = options.license or str(contents.metadata.get('license') or NOT_STATED)
    return NewModel(contents, head, image, labels, constants, stated)


def write_model(
    new: NewModel, options: NewModelOptions, directory: Path, frame: Frame, picture: str
) -> Path:
    """Write the model directory, with golden outputs of a picture.

    Args:
        new: from `recognise`.
        options: those given there.
        directory: to be created.
        frame: the picture.
        picture: its description for the manifest.

    Raises:
        ConfigError: the directory exists, or cannot be written to.
        ModelError: the written model does not load.
    """
    require_free(directory)
    try:
        directory.parent.mkdir(parents=True, exist_ok=True)
        scratch = Path(tempfile.mkdtemp(prefix=f'.{directory.name}.', dir=directory.parent))
    except OSError as error:
        raise ConfigError(
            f'{directory} cannot be made ({error.strerror}): choose another with --out DIR'
        ) from error
    try:
        artifact = artifact_of(new.contents.path, new.contents.format)
        values = _manifest_values(new, options)
        write_folder(scratch, new.contents.path.parent, artifact, new.labels, values)
        with load_model(scratch, precision='float32') as model:
            record_golden(model, frame, picture)
        if directory.exists():
            directory.rmdir()
        scratch.rename(directory)
        directory.chmod(0o755)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return directory / MANIFEST_NAME


def require_free(directory: Path) -> None:
    """Raise ConfigError if a folder exists and is not empty."""
    if directory.exists() and not (directory.is_dir() and not any(directory.iterdir())):
        raise ConfigError(f'{directory} exists: remove it, or choose another with --out DIR')


def plain_name(path: Path) -> str:
    """The name of a file as that of a model."""
    return re.sub(r'[^\w.+-]+', '_', path.stem).strip('._-') or 'model'


def _input_size(image: InputSpec, frame: Frame) -> tuple[int, int]:
    if image.size is not None:
        return image.size
    assert frame.rgb is not None
    return frame.rgb.shape[1], frame.rgb.shape[0]


def _stated_size(contents: FileContents) -> tuple[int, int] | None:
    """Of the metadata of Ultralytics: [height, width]."""
    size = contents.metadata.get('imgsz')
    if isinstance(size, list) and len(size) == 2 and all(isinstance(n, int) for n in size):
        return size[1], size[0]
    return None


def _run(
    contents: FileContents,
    image: InputSpec,
    constants: Mapping[str, np.ndarray],
    frame: Frame,
) -> dict[str, np.ndarray]:
    """All outputs of the file for a picture."""
    manifest = ModelManifest(
        directory=contents.path.parent,
        name=contents.path.name,
        version='as exported',
        task='',
        decoder='',
        artifacts=(artifact_of(contents.path, contents.format),),
        inputs=(image,),
        outputs={tensor.name: TensorSpec(tensor.name) for tensor in contents.outputs},
        labels=LabelMap({}),
        constants=constants,
    )
    inputs = picture_inputs(manifest.inputs, frame, model=manifest.name)
    _, backend = open_backend(manifest, 'auto', BackendOptions())
    try:
        return backend({**inputs, **constants})
    finally:
        backend.close()


def _constants(
    contents: FileContents, image: InputSpec, options: NewModelOptions
) -> dict[str, np.ndarray]:
    """Values of the inputs other than the image."""
    given = plain(options.constants) or {}
    if not isinstance(given, dict):
        raise ConfigError(f'--constants must be a mapping, got {options.constants!r}')
    values = {**_usual_constants(image), **given}
    constants = {}
    for tensor in contents.inputs:
        if tensor.name == image.name:
            continue
        if tensor.name not in values:
            raise ConfigError(
                f'{contents.path} also has the input {tensor.name!r}, {tensor}: give its value '
                f"with --constants '{{{tensor.name}: VALUE}}'"
            )
        constants[tensor.name] = np.array(values[tensor.name]).astype(tensor.dtype or 'float32')
    return constants


def _usual_constants(image: InputSpec) -> dict[str, Any]:
    """Inputs of RT-DETR and PaddleDetection that ask for the size of the image."""
    if image.size is None:
        return {}
    width, height = image.size
    return {
        'orig_target_sizes': [[width, height]],
        'im_shape': [[height, width]],
        'scale_factor': [[1, 1]],
    }


def _head(
    contents: FileContents,
    options: NewModelOptions,
    outputs: Mapping[str, np.ndarray],
    size: tuple[int, int],
    classes: int,
) -> Recognised:
    clues = Clues(outputs, size, classes)
    task = options.task or _TASK_WORDS.get(str(contents.metadata.get('task')))
    shown = ', '.join(f'{name} {list(a.shape)}' for name, a in outputs.items())
    if task == 'mono_depth':
        head = recognise_depth(clues)
    elif not classes and (task is not None or any(a.ndim < 4 for a in outputs.values())):
        raise ConfigError(
            f'the outputs {shown} need the class names: give --labels FILE, or --labels with a '
            'model that has the same (`--labels detection`: the 80 of COCO); --task mono_depth '
            'for depth'
        )
    elif task == 'segmentation' or (task is None and _is_class_map(outputs)):
        head = recognise_masks(clues)
    else:
        head = recognise_detector(clues)
        if head is None and task is None and all(a.ndim > 3 for a in outputs.values()):
            raise ConfigError(
                f'the outputs {shown} do not say what they are: give --task '
                f'{" or ".join(NEW_TASKS)}'
            )
    if head is None:
        kind = task or ('segmentation' if _is_class_map(outputs) else 'detection')
        raise InputError(
            f'no {kind} decoder fits the outputs {shown} with {classes} classes'
            f'{_counts_that_fit(outputs)}: compare --labels and --size with the training, or '
            'write the manifest by hand (docs/models-own.md)'
        )
    return head


def _counts_that_fit(outputs: Mapping[str, np.ndarray]) -> str:
    """Numbers of classes of a single head without and with objectness."""
    heads = [a for a in outputs.values() if a.ndim == 3]
    columns = min(heads[0].shape[1:]) if len(heads) == 1 else 0
    return f' ({columns - 5} or {columns - 4} might)' if columns > 5 else ''


def _is_class_map(outputs: Mapping[str, np.ndarray]) -> bool:
    return len(outputs) == 1 and all(
        a.ndim >= 3 and a.dtype.kind in 'iu' for a in outputs.values()
    )


def _prepared(
    contents: FileContents, image: InputSpec, head: Recognised, options: NewModelOptions
) -> InputSpec:
    """The image input with scaling, colour and fit: of the options, else of the family."""
    dtype = next(t.dtype for t in contents.inputs if t.name == image.name)
    style = dict(STYLES.get(head.style, {}))
    if is_scaled(dtype, image):
        style = {key: value for key, value in style.items() if key not in ('scale', 'offset')}
    elif options.scaling:
        style |= scaling(options.scaling)
    elif not style:
        raise ConfigError(
            f'{contents.path} does not say how it scales pixels: give --scaling pixels, unit, '
            'signed, imagenet or MEAN/STD, as in its training'
        )
    if options.color:
        style['color'] = options.color
    if options.fit:
        style['resize'], _, centered = options.fit.partition('-')
        style['centered'] = bool(centered)
    if image.size is None:
        style = {k: v for k, v in style.items() if k not in ('resize', 'pad_value', 'centered')}
    if image.color == 'GRAY':
        style['color'] = 'GRAY'
        if isinstance(style.get('scale'), tuple):
            raise ConfigError(
                f'{contents.path} takes grey images: give --scaling MEAN/STD of one number each'
            )
    return replace(image, **style)


def _manifest_values(new: NewModel, options: NewModelOptions) -> dict[str, Any]:
    head, about = new.head, new.contents.metadata
    values: dict[str, Any] = {
        'name': checked_name(options.name or plain_name(new.contents.path), where='--name'),
        'version': str(about.get('version', '1')),
        'task': head.task,
        'decoder': head.decoder,
        'input': input_row(new.image),
        'outputs': dict(head.outputs),
        'license': new.license,
        'source': str(about.get('description') or f'added from {new.contents.path.name}'),
    }
    if head.options:
        values['decoder_options'] = {
            key: list(value) if isinstance(value, tuple) else value
            for key, value in head.options.items()
        }
    if new.constants:
        values['constants'] = {
            name: {'value': array.tolist(), 'dtype': array.dtype.name}
            for name, array in new.constants.items()
        }
    if head.task == 'detection':
        values['thresholds'] = {'score': _SCORE, 'iou': _IOU}
    if head.task == 'mono_depth':
        if options.metres_per_unit is None:
            raise ConfigError(
                'say what the depth output means: --metres-per-unit 1 for metres, 0.001 for '
                'millimetres, and --depth-form inverse for disparity; relative depth has no unit '
                'and is not supported'
            )
        values['depth'] = {'unit': 'm', 'scale': options.metres_per_unit}
        if options.depth_form != 'metric':
            values['depth']['form'] = options.depth_form
    return values
