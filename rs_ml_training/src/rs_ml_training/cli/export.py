"""`rs-ml-export RUN_DIR --out DIR`: from a trained network to a model directory.

`rs-ml-export MODEL_DIR` adds ONNX to a model that has TFLite alone.
"""

from __future__ import annotations

import os
import shlex
import sys
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING

from rs_ml_perception.core.errors import ConfigError
from rs_ml_perception.core.flags import FlagParser, add_flags, from_flags
from rs_ml_perception.core.options import option
from rs_ml_perception.inference.manifest import MANIFEST_NAME

from rs_ml_training.cli.command import command
from rs_ml_training.data.formats import open_data
from rs_ml_training.export.artifact import DEFAULT_FORMATS, FLOAT32_ONLY, FORMATS, PRECISIONS
from rs_ml_training.tasks.options import name_values
from rs_ml_training.tasks.task import ServingOptions

if TYPE_CHECKING:
    from rs_ml_training.data.reader import Reader
    from rs_ml_training.export.exporter import ExportOptions

_ALL = 'all'
_DATA = 'data'
EXAMPLE = """
rs-ml-export runs/depth --out models/depth --formats all
rs-ml-export runs/seg --out models/seg --precision int8 --representative folder:/data/rooms
"""


@dataclass(frozen=True)
class ExportFlags(ServingOptions):
    """Flags of the command; those of ServingOptions are among them."""

    out: Path | None = option(None, 'folder of the model, to be made', group='output')
    formats: str = option(
        ','.join(DEFAULT_FORMATS),
        f'some of {", ".join(FORMATS)}, separated by commas; all: those the precision allows',
        group='output',
    )
    precision: str = option(
        'float32', 'of weights; int8: of all', choices=PRECISIONS, group='output'
    )
    name: str = option('', 'of the model, by default that of its folder', group='output')
    version: str = option('1', 'of the model', group='output')
    force: bool = option(
        False, 'replace the model that is already in --out', group='output', is_switch=True
    )
    weights: str | None = option(
        None, 'weights file of the run', none_doc='the best, then the last', group='network'
    )
    input_size: tuple[int, int] | None = option(
        None, 'to serve at', none_doc='as trained', metavar='WxH', group='network'
    )
    representative: str | None = option(
        None,
        'samples to compare on and to measure int8 ranges on',
        metavar='FORMAT:PATH',
        group=_DATA,
    )
    representative_list: Path | None = option(None, 'list file of --representative', group=_DATA)
    representative_option: tuple[str, ...] = option(
        (), 'for its reader', metavar='NAME=VALUE', group=_DATA
    )
    calibration_samples: int = option(100, 'of them that int8 reads', low=1, group=_DATA)
    golden: str | None = option(
        None,
        'its first sample is the golden input',
        none_doc='a shipped frame',
        metavar='FORMAT:PATH',
        group=_DATA,
    )
    golden_list: Path | None = option(None, 'list file of --golden', group=_DATA)
    data: str | None = option(
        None,
        'samples with truth to measure on',
        none_doc='int8: the representative ones',
        metavar='FORMAT:PATH',
        group=_DATA,
    )
    data_list: Path | None = option(None, 'list file of --data', group=_DATA)
    data_option: tuple[str, ...] = option((), 'for its reader', metavar='NAME=VALUE', group=_DATA)
    data_samples: int = option(200, 'of them that are read', low=1, group=_DATA)


def parser() -> FlagParser:
    """The flags."""
    top = FlagParser(prog='rs-ml-export', description=__doc__, example=EXAMPLE)
    top.add_argument('run', type=Path, metavar='DIR', help='folder of a training; or of a model')
    add_flags(top, ExportFlags, group='served outputs')
    return top


@command
def main(argv: Sequence[str] | None = None) -> int:
    """Entry point."""
    arguments = parser().parse_args(argv)
    flags = from_flags(ExportFlags, arguments)
    if flags.out is None:
        return _add_onnx(arguments.run, flags)
    written = ['rs-ml-export', *(sys.argv[1:] if argv is None else argv)]
    _quiet()
    from rs_ml_training.export.exporter import check_options, export
    from rs_ml_training.export.report import summary
    from rs_ml_training.export.serving import require_tensorflow
    from rs_ml_training.trained import load

    require_tensorflow()
    options = _options(flags, shlex.join(written))
    check_options(flags.out, options)
    trained = load(arguments.run, weights=flags.weights, input_size=flags.input_size)
    print(summary(export(trained, flags.out, options)))
    return 0


def _add_onnx(directory: Path, flags: ExportFlags) -> int:
    if not (directory / MANIFEST_NAME).is_file():
        raise ConfigError(
            f'{directory} is no model that ONNX can be added to: give --out DIR to export a '
            'training there'
        )
    if flags != ExportFlags():
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
    """Choose exact kernels and silence notes; before TensorFlow is imported."""
    os.environ.setdefault('TF_CPP_MIN_LOG_LEVEL', '3')
    # oneDNN's float32 differs by more than 1e-3 in places, and the reference must be exact.
    os.environ.setdefault('TF_ENABLE_ONEDNN_OPTS', '0')
    warnings.filterwarnings('ignore', message=r'(?s).*tf\.lite\.Interpreter is deprecated')


def _options(flags: ExportFlags, written: str) -> ExportOptions:
    from rs_ml_training.export.exporter import ExportOptions

    return ExportOptions(
        formats=_formats(flags.formats, flags.precision),
        precision=flags.precision,
        name=flags.name,
        version=flags.version,
        serving=ServingOptions(**{f.name: getattr(flags, f.name) for f in fields(ServingOptions)}),
        golden=_open(flags.golden, flags.golden_list, ()),
        representative=_open(
            flags.representative, flags.representative_list, flags.representative_option
        ),
        calibration_samples=flags.calibration_samples,
        data=_open(flags.data, flags.data_list, flags.data_option),
        data_samples=flags.data_samples,
        force=flags.force,
        command=written,
    )


def _formats(text: str, precision: str) -> tuple[str, ...]:
    if text == _ALL:
        return tuple(f for f in FORMATS if precision == 'float32' or f not in FLOAT32_ONLY)
    return tuple(word.strip() for word in text.split(',') if word.strip())


def _open(source: str | None, list_file: Path | None, given: Sequence[str]) -> Reader | None:
    if source is None:
        return None
    return open_data(source, list_file=list_file, **name_values(given))


if __name__ == '__main__':
    sys.exit(main())
