"""`rs-ml-export RUN_DIR --out DIR`: from a trained network to a model directory.

`rs-ml-export MODEL_DIR` adds ONNX to a model that has TFLite alone.
"""

from __future__ import annotations

import argparse
import os
import shlex
import sys
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rs_ml_perception.core.errors import ConfigError
from rs_ml_perception.inference.manifest import MANIFEST_NAME

from rs_ml_training.cli.command import command
from rs_ml_training.cli.flags import FlagParser, size
from rs_ml_training.data.formats import open_data
from rs_ml_training.export.artifact import FORMATS, PRECISIONS
from rs_ml_training.tasks.options import name_values

if TYPE_CHECKING:
    from rs_ml_training.data.reader import Reader
    from rs_ml_training.export.exporter import ExportOptions

_ALL = 'all'


def parser() -> argparse.ArgumentParser:
    """The flags."""
    top = FlagParser(prog='rs-ml-export', description=__doc__)
    add = top.add_argument
    add('run', type=Path, metavar='DIR', help='folder of a training; or of a model')
    add('--out', type=Path, default=None, help='folder of the model, to be made')
    add(
        '--formats',
        default='tflite,onnx,openvino',
        help=f'some of {", ".join(FORMATS)}, with commas; all: whatever the precision allows',
    )
    add('--precision', default='float32', choices=PRECISIONS, help='of weights; int8: of all')
    add('--name', default='', help='of the model; else that of its folder')
    add('--version', default='1', help='of the model')
    add('--weights', default=None, help='weights file of the run; else the best, then the last')
    add('--input-size', type=size, default=None, metavar='WxH', help='else as trained')
    _add_data(add)
    add('--scores', action='store_true', help='segmentation: probabilities, not class ids')
    add('--intermediates', action='store_true', help='keep every further output of the network')
    add(
        '--confidence-threshold',
        type=float,
        default=0.0,
        help='denoising: pixels less certain are dropped by who uses the model',
    )
    add(
        '--score-threshold',
        type=float,
        default=0.3,
        help='detection: finds of less are dropped by who uses the model',
    )
    add('--force', action='store_true', help='replace the model that is already in --out')
    return top


def _add_data(add: Callable[..., Any]) -> None:
    source = {'default': None, 'metavar': 'FORMAT:PATH'}
    option = {'nargs': '+', 'default': (), 'metavar': 'NAME=VALUE', 'help': 'for its reader'}
    add('--representative', **source, help='samples to compare on and to measure int8 ranges on')
    add('--representative-list', type=Path, default=None, help='list file of --representative')
    add('--representative-option', **option)
    add('--calibration-samples', type=int, default=100, help='how many of them int8 reads')
    add('--golden', **source, help='its first sample is the golden input; else a shipped frame')
    add('--golden-list', type=Path, default=None, help='list file of --golden')
    add('--data', **source, help='samples with truth to measure on; int8: else the representative')
    add('--data-list', type=Path, default=None, help='list file of --data')
    add('--data-option', **option)
    add('--data-samples', type=int, default=200, help='how many of them are read')


@command
def main(argv: Sequence[str] | None = None) -> int:
    """Entry point."""
    arguments = parser().parse_args(argv)
    if arguments.out is None:
        return _add_onnx(arguments)
    written = ['rs-ml-export', *(sys.argv[1:] if argv is None else argv)]
    _quiet()
    from rs_ml_training.export.exporter import check_options, export
    from rs_ml_training.export.report import summary
    from rs_ml_training.export.serving import require_tensorflow
    from rs_ml_training.trained import load

    require_tensorflow()
    options = _options(arguments, shlex.join(written))
    check_options(arguments.out, options)
    trained = load(arguments.run, weights=arguments.weights, input_size=arguments.input_size)
    print(summary(export(trained, arguments.out, options)))
    return 0


def _add_onnx(arguments: argparse.Namespace) -> int:
    directory = arguments.run
    if not (directory / MANIFEST_NAME).is_file():
        raise ConfigError(
            f'{directory} is no model that ONNX can be added to: give --out DIR to export a '
            'training there'
        )
    if arguments != parser().parse_args([str(directory)]):
        raise ConfigError(
            f'ONNX is added to {directory} as its manifest says: leave out the other flags, or '
            'give --out DIR to export a training there'
        )
    _quiet()
    from rs_ml_training.export.added_onnx import add_onnx
    from rs_ml_training.export.formats import check_formats

    check_formats(['onnx'], 'float16')

    print(f'{directory / "model.onnx"}: {add_onnx(directory)}')
    return 0


def _quiet() -> None:
    """Before TensorFlow is imported: its exact kernels, and none of its notes."""
    os.environ.setdefault('TF_CPP_MIN_LOG_LEVEL', '3')
    # oneDNN's float32 differs by more than 1e-3 in places, and the reference must be exact.
    os.environ.setdefault('TF_ENABLE_ONEDNN_OPTS', '0')
    warnings.filterwarnings('ignore', message=r'(?s).*tf\.lite\.Interpreter is deprecated')


def _options(arguments: argparse.Namespace, written: str) -> ExportOptions:
    from rs_ml_training.export.exporter import ExportOptions
    from rs_ml_training.tasks.task import ServingOptions

    for name in ('calibration_samples', 'data_samples'):
        if getattr(arguments, name) < 1:
            raise ConfigError(f'--{name.replace("_", "-")} must be at least 1')
    return ExportOptions(
        formats=_formats(arguments.formats, arguments.precision),
        precision=arguments.precision,
        name=arguments.name,
        version=arguments.version,
        serving=ServingOptions(
            arguments.scores,
            arguments.intermediates,
            arguments.confidence_threshold,
            arguments.score_threshold,
        ),
        golden=_open(arguments.golden, arguments.golden_list, ()),
        representative=_open(
            arguments.representative,
            arguments.representative_list,
            arguments.representative_option,
        ),
        calibration_samples=arguments.calibration_samples,
        data=_open(arguments.data, arguments.data_list, arguments.data_option),
        data_samples=arguments.data_samples,
        force=arguments.force,
        command=written,
    )


def _formats(text: str, precision: str) -> tuple[str, ...]:
    if text == _ALL:
        from rs_ml_training.export.formats import FLOAT32_ONLY

        return tuple(f for f in FORMATS if precision == 'float32' or f not in FLOAT32_ONLY)
    return tuple(word.strip() for word in text.split(',') if word.strip())


def _open(source: str | None, list_file: Path | None, given: Sequence[str]) -> Reader | None:
    if source is None:
        return None
    return open_data(source, list_file=list_file, **name_values(given))


if __name__ == '__main__':
    sys.exit(main())
