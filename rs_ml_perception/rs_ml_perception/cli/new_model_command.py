"""`rs-ml models inspect` and `rs-ml models add`: exported networks of others."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rs_ml_perception.cli.task_options import INPUT, MODEL, OUTPUT
from rs_ml_perception.core.errors import RsMlError, printable, shortened
from rs_ml_perception.core.flags import add_flags, from_flags
from rs_ml_perception.core.options import Options, option
from rs_ml_perception.tasks.new_model import NewModel, NewModelOptions, plain_name

if TYPE_CHECKING:
    from rs_ml_perception.inference.contents import FileContents

_FILE_HELP = '.onnx, .tflite, .pb, OpenVINO .xml, or folder of a SavedModel'
_LONGEST = 300
_PICTURE = 'picture.png'
_RESTRICTED = ('agpl', 'gpl', 'non-commercial', 'noncommercial', '-nc', 'research')
_COMMANDS = {'detection': 'detect', 'segmentation': 'segment', 'mono_depth': 'depth'}


@dataclass(frozen=True)
class InspectOptions(Options):
    """Output of `inspect`."""

    json: bool = option(False, 'print JSON', is_switch=True, group=OUTPUT)


@dataclass(frozen=True)
class AddOptions(Options):
    """Input and output of `add`."""

    picture: Path | None = option(
        None,
        'image, or recording whose first frame is taken',
        none_doc='the shipped recording',
        metavar='FILE',
        group=INPUT,
    )
    out: Path | None = option(
        None, 'model directory', none_doc='./NAME', metavar='DIR', group=OUTPUT
    )


def add_inspect(verbs: Any) -> None:
    """Add the verb `inspect`."""
    parser = verbs.add_parser(
        'inspect',
        help='show inputs, outputs and metadata of a network file',
        description='Show inputs, outputs and metadata of a network file.',
        example='rs-ml models inspect yolox_nano.onnx',
    )
    parser.group(INPUT).add_argument('file', metavar='FILE', help=_FILE_HELP)
    add_flags(parser, InspectOptions)
    parser.set_defaults(run=run_inspect)


def add_add(verbs: Any) -> None:
    """Add the verb `add`."""
    parser = verbs.add_parser(
        'add',
        help='make a model directory of an exported network',
        description='Make a model directory of an exported network: recognise its outputs, write '
        'the manifest, record golden outputs, and draw the result of an image.',
        example='rs-ml models add yolox_nano.onnx --labels detection --license Apache-2.0',
    )
    parser.group(INPUT).add_argument('file', metavar='FILE', help=_FILE_HELP)
    add_flags(parser, NewModelOptions, group=MODEL)
    add_flags(parser, AddOptions)
    parser.set_defaults(run=run_add)


def run_inspect(args: argparse.Namespace) -> int:
    """Print what the file contains."""
    from rs_ml_perception.inference.contents import inspect_file

    contents = inspect_file(Path(args.file).expanduser())
    print(
        json.dumps(_row(contents), default=str)
        if from_flags(InspectOptions, args).json
        else _table(contents)
    )
    return 0


def _row(contents: FileContents) -> dict[str, Any]:
    return {
        'file': str(contents.path),
        'format': contents.format,
        'read_by': contents.runtime,
        'inputs': [asdict(tensor) for tensor in contents.inputs],
        'outputs': [asdict(tensor) for tensor in contents.outputs],
        'metadata': dict(contents.metadata),
        'files': sorted(contents.files),
    }


def _table(contents: FileContents) -> str:
    rows = [f'{contents.path}: {contents.format}, read by {contents.runtime}']
    for kind, tensors in (('input', contents.inputs), ('output', contents.outputs)):
        rows += [f'  {kind:8}{printable(t.name):40} {t}' for t in tensors]
    for key, value in contents.metadata.items():
        rows.append(f'  {printable(key)}: {printable(shortened(str(value), _LONGEST))}')
    rows += [f'  contains {printable(name)}' for name in sorted(contents.files)]
    return '\n'.join(rows)


def run_add(args: argparse.Namespace) -> int:
    """Write the model directory, try every installed runtime and draw the result."""
    from rs_ml_perception.cli.result_picture import draw_result
    from rs_ml_perception.inference.loading import load_model
    from rs_ml_perception.recordings.inputs import example_frame
    from rs_ml_perception.recordings.open_recording import shipped_recording
    from rs_ml_perception.tasks.new_model import recognise, require_free, write_model

    options = from_flags(NewModelOptions, args)
    path = Path(args.file).expanduser()
    files = from_flags(AddOptions, args)
    picture = files.picture or shipped_recording()
    directory = files.out or Path(options.name or plain_name(path))
    require_free(directory)
    frame = example_frame(picture)
    new = recognise(path, options, frame)
    manifest = write_model(new, options, directory, frame, picture.name)
    print(f'wrote {manifest}, and golden outputs: {_summary(new)}')
    _try_runtimes(directory)
    with load_model(directory) as model:
        words = draw_result(model, frame, directory / _PICTURE)
    print(f'{directory / _PICTURE} shows {words}')
    print(f'use it: rs-ml {_COMMANDS[new.head.task]} IMAGE --model {directory}')
    print(
        '        ros2 launch rs_ml_perception perception.launch.py '
        f'{new.head.task}_model:={directory.resolve()}'
    )
    _warn_of_license(new.license)
    return 0


def _summary(new: NewModel) -> str:
    image = new.image
    size = 'any size' if image.size is None else '{}x{}'.format(*image.size)
    return (
        f'{new.head.task} with decoder {new.head.decoder}, {len(new.labels.names)} classes, '
        f'{size} {image.color} {image.resize}, licence {new.license}'
    )


def _try_runtimes(directory: Path) -> None:
    """Print how well each installed runtime reproduces the golden outputs."""
    from rs_ml_perception.inference.golden import verify_golden
    from rs_ml_perception.inference.loading import load_model
    from rs_ml_perception.inference.manifest_file import read_manifest
    from rs_ml_perception.inference.selection import candidates

    for info in dict.fromkeys(info for info, _ in candidates(read_manifest(directory), 'auto')):
        if not info.is_installed or info.name == 'opencv':
            continue  # OpenCV is a fallback, and reads few of the files that it takes
        try:
            with load_model(directory, backend=info.name) as model:
                result = verify_golden(model)
            words = 'reproduces them' if result.is_reproduced else f'differs: {result}'
            print(f'  {info.name} {words}')
        except RsMlError as error:
            print(f'  {info.name}: {error}')


def _warn_of_license(license_text: str) -> None:
    if any(word in license_text.lower() for word in _RESTRICTED):
        print(
            f'rs-ml models: the licence is {license_text}: check whether your use is allowed',
            file=sys.stderr,
        )
    elif license_text == 'not stated':
        print(
            'rs-ml models: the file states no licence: look it up, and write it into the manifest',
            file=sys.stderr,
        )
