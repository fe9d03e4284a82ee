"""`--data FORMAT:PATH`: the reader of each format."""

from __future__ import annotations

import importlib
import inspect
import logging
import types
import typing
from pathlib import Path
from typing import Any

from rs_ml_perception.core.errors import ConfigError, InputError, printable

from rs_ml_training.data.reader import Reader

_logger = logging.getLogger(__name__)

_DATA = 'rs_ml_training.data'
FORMATS: dict[str, str] = {
    'nyu-labelled': f'{_DATA}.nyu:NyuLabelled',
    'nyu-h5': f'{_DATA}.nyu:NyuH5',
    'nyu-rgbd': f'{_DATA}.nyu:NyuRgbd',
    'bts-list': f'{_DATA}.bts_list:BtsList',
    'kitti-list': f'{_DATA}.kitti_list:KittiList',
    'camvid': f'{_DATA}.camvid:CamVid',
    'cityscapes': f'{_DATA}.cityscapes:Cityscapes',
    'folder': f'{_DATA}.folder:PairedFolder',
    'tfds': f'{_DATA}.tfds_folder:TfdsFolder',
    'yolo': f'{_DATA}.yolo:Yolo',
    'yolo-masks': f'{_DATA}.yolo:YoloMasks',
    'coco': f'{_DATA}.coco:Coco',
    'intel-denoise': f'{_DATA}.stereo_frames:IntelDenoise',
    'depth-pairs': f'{_DATA}.depth_pairs:DepthPairs',
    'pano-csv': f'{_DATA}.pano_csv:PanoCsv',
    'tfrecord': f'{_DATA}.tfrecords:TfRecords',
    'seven-scenes': f'{_DATA}.seven_scenes:SevenScenes',
    'seven-scenes-fused': f'{_DATA}.seven_scenes:FusedSevenScenes',
    'mix': f'{_DATA}.mix:Mix',
    'synth': f'{_DATA}.stereo_frames:SynthStereo',
    'synth-color': f'{_DATA}.stereo_frames:SynthColor',
}
"""Format -> 'module:class'; the constructor takes the path and keyword options."""


def open_data(source: str, **options: Any) -> Reader:
    """Open 'FORMAT:PATH', as 'camvid:/data/camvid/train', and log what the reader leaves out.

    Args:
        source: the format and where the data lie.
        options: keyword arguments of the reader; None means not given.

    Raises:
        ConfigError: no such format, or an option that this format does not have.
        InputError: there is no such path.
    """
    name, separator, path = source.partition(':')
    if not separator or name not in FORMATS:
        known = ', '.join(FORMATS)
        raise ConfigError(f'{source!r} is not FORMAT:PATH with a FORMAT of {known}')
    if not Path(path).exists():
        raise InputError(f'{path} does not exist: give the folder or list of the {name} data')
    module, _, class_name = FORMATS[name].partition(':')
    reader = getattr(importlib.import_module(module), class_name)
    given = {key: value for key, value in options.items() if value is not None}
    hints = _option_types(reader)
    for key, value in given.items():
        if key not in hints:
            fitting = ', '.join(hints) or 'none'
            raise ConfigError(f'{name} data have no option {key!r}; theirs: {fitting}')
        given[key] = _of_type(key, value, hints[key])
    opened = reader(Path(path), **given)
    if not len(opened):
        raise InputError(f'{source} holds no samples')
    for note in opened.notes:
        _logger.warning('%s: %s', source, printable(note))
    return opened


def _option_types(reader: type[Reader]) -> dict[str, Any]:
    """Types of the constructor's options, those among them that it hands on to its base class."""
    found: dict[str, Any] = {}
    for owner in (cls for cls in reader.__mro__ if '__init__' in vars(cls)):
        constructor = vars(owner)['__init__']
        parameters = inspect.signature(constructor).parameters.values()
        named = [p.name for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD]
        hints = typing.get_type_hints(constructor)
        found = {name: hints[name] for name in named if name not in ('self', 'path')} | found
        if all(p.kind is not p.VAR_KEYWORD for p in parameters):
            break
    return found


def _of_type(key: str, value: Any, hint: Any) -> Any:
    """The value, checked against the option's type; a number for a text becomes that text.

    Raises:
        ConfigError: it is something else.
    """
    kinds = set(typing.get_args(hint) if isinstance(hint, types.UnionType) else (hint,))
    scalars: dict[type, set[type]] = {
        bool: {bool},
        int: {int, float},
        float: {float},
        str: {str, Path},
    }
    fitting = scalars.get(type(value), {Path} if isinstance(value, Path) else set())
    fits = fitting or {k for k in kinds if isinstance(value, typing.get_origin(k) or ())}
    if fits & kinds:
        return value
    if str in kinds and isinstance(value, (int, float)) and not isinstance(value, bool):
        return str(value)
    wanted = ' or '.join(getattr(kind, '__name__', str(kind)) for kind in kinds - {type(None)})
    raise ConfigError(f'option {key}={value!r} is of the wrong type: give {wanted}')
