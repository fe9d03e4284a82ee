"""`rs-ml models list|check|download|tune|inspect|add`."""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rs_ml_perception.cli.new_model_command import add_add, add_inspect
from rs_ml_perception.cli.task_options import MODEL, OUTPUT
from rs_ml_perception.core.errors import ConfigError, ModelError, RsMlError, printable
from rs_ml_perception.core.flags import add_flags, from_flags
from rs_ml_perception.core.options import Options, option
from rs_ml_perception.inference.manifest import ModelManifest
from rs_ml_perception.inference.manifest_file import read_manifest
from rs_ml_perception.inference.shelf import find_model, locate, shelf
from rs_ml_perception.tasks.options import ModelOptions

if TYPE_CHECKING:
    from rs_ml_perception.inference.model import Model
    from rs_ml_perception.inference.tune import Trial


@dataclass(frozen=True)
class ListOptions(Options):
    """Flags of `list`."""

    json: bool = option(False, 'print JSON lines', is_switch=True, group=OUTPUT)


@dataclass(frozen=True)
class CheckOptions(Options):
    """Flags of `check` in addition to those of the model."""

    record_golden: str | None = option(
        None,
        "record this backend's outputs for an image, or for the first frame of a recording, "
        'as the golden ones instead of comparing; without IMAGE: for the shipped recording',
        metavar='IMAGE',
        bare='',
        group=OUTPUT,
    )
    pictures: Path | None = option(
        None,
        'folder for an image of what each model makes of the shipped recording',
        metavar='DIR',
        group=OUTPUT,
    )


@dataclass(frozen=True)
class DownloadOptions(Options):
    """Flags of `download`."""

    sha256: str | None = option(
        None, 'digest of the download, if the manifest has none', group=MODEL
    )


@dataclass(frozen=True)
class TuneOptions(Options):
    """Flags of `tune` in addition to the device."""

    threads: int = option(0, 'try only this thread count; 0: several', low=0, group=MODEL)
    runs: int = option(30, 'inferences per trial', low=1, group=MODEL)


def add_models(subparsers: Any) -> None:
    """Add `models` and its verbs; each sets `run`, called with the parsed arguments."""
    parser = subparsers.add_parser(
        'models',
        help='list, check, download and tune models, and add your own',
        description='List, check, download and tune models, and add your own.',
        example='rs-ml models tune detection',
    )
    verbs = parser.add_subparsers(dest='verb', required=True, metavar='VERB')
    _add_list(verbs)
    _add_check(verbs)
    _add_download(verbs)
    _add_tune(verbs)
    add_inspect(verbs)
    add_add(verbs)


def _add_list(verbs: Any) -> None:
    parser = verbs.add_parser(
        'list',
        help='list every known model and its missing files',
        description='List every known model and its missing files.',
        example='rs-ml models list --json',
    )
    add_flags(parser, ListOptions)
    parser.set_defaults(run=run_list)


def _add_check(verbs: Any) -> None:
    parser = verbs.add_parser(
        'check',
        help='check checksums, loading and golden outputs',
        description='Check checksums, loading and golden outputs of models.',
        example='rs-ml models check detection --backend openvino',
    )
    group = parser.group(MODEL)
    group.add_argument('models', nargs='+', metavar='NAME|DIR', help='names or directories')
    add_flags(parser, ModelOptions, group=MODEL, only=('backend', 'device', 'precision'))
    add_flags(parser, CheckOptions)
    parser.set_defaults(run=run_check)


def _add_download(verbs: Any) -> None:
    parser = verbs.add_parser(
        'download',
        help='download a third-party model into the cache',
        description='Download third-party models into the cache.',
        example='rs-ml models download centernet_mnv3_coco',
    )
    group = parser.group(MODEL)
    group.add_argument('models', nargs='+', metavar='NAME', help='names of models')
    add_flags(parser, DownloadOptions)
    parser.set_defaults(run=run_download)


def _add_tune(verbs: Any) -> None:
    parser = verbs.add_parser(
        'tune',
        help='find the fastest correct backend on this machine',
        description='Find the fastest correct backend for models on this machine, and save it.',
        example='rs-ml models tune detection segmentation --runs 50',
    )
    group = parser.group(MODEL)
    group.add_argument('models', nargs='+', metavar='NAME|DIR', help='names or directories')
    add_flags(parser, ModelOptions, group=MODEL, only=('device',))
    add_flags(parser, TuneOptions)
    parser.set_defaults(run=run_tune)


def run_list(args: argparse.Namespace) -> int:
    """Print name, task, formats, licence and missing files."""
    options = from_flags(ListOptions, args)
    for name, directory in shelf().items():
        row = _describe(name, directory)
        if options.json:
            print(json.dumps(row))
        else:
            formats = ','.join(row['formats'])
            print(f'{printable(name):48}{row["task"]:14}{formats:16}{row["state"]}')
    return 0


def _describe(name: str, directory: Path) -> dict[str, Any]:
    row: dict[str, Any] = {'name': name, 'directory': str(directory)}
    row |= {'task': '', 'formats': [], 'license': ''}
    try:
        manifest = read_manifest(directory)
        row |= {
            'task': manifest.task,
            'formats': [artifact.format for artifact in manifest.artifacts],
            'license': manifest.license,
        }
        _locate_all(manifest)
    except RsMlError as error:
        return row | {'state': str(error)}
    return row | {'state': 'ready'}


def _locate_all(manifest: ModelManifest) -> None:
    from rs_ml_perception.inference.download import files_of

    for file in files_of(manifest):
        locate(manifest, file)


def run_check(args: argparse.Namespace) -> int:
    """Load every model and compare it with its golden outputs; 1 if one fails."""
    choice, options = from_flags(ModelOptions, args), from_flags(CheckOptions, args)
    return _each(args.models, lambda manifest: _check(manifest, choice, options))


def _check(manifest: ModelManifest, choice: ModelOptions, options: CheckOptions) -> None:
    from rs_ml_perception.inference.golden import verify_golden

    _locate_all(manifest)
    chosen = replace(choice, model=str(manifest.directory))
    with chosen.load(checks_golden=False) as model:
        if options.pictures is not None:
            print(_picture(model, options.pictures / f'{manifest.name}.png'))
        how = f'{model.title}: {model.backend_name} {model.device} {model.precision}'
        if options.record_golden is not None:
            path = _record(model, options.record_golden)
            print(f'{how}: wrote {path} ({path.stat().st_size} bytes) and its manifest')
            return
        if manifest.golden is None:
            ms = model.warm_up()
            print(f'{how}: loads and runs ({ms:.0f} ms warm-up); it has no golden outputs')
            return
        result = verify_golden(model)
    if not result.is_reproduced:
        raise ModelError(f'{how}: {result}: do not use this backend for it')
    print(f'{how}: {result}')


def _picture(model: Model, path: Path) -> str:
    from rs_ml_perception.cli.result_picture import draw_result
    from rs_ml_perception.recordings.inputs import example_frame
    from rs_ml_perception.recordings.open_recording import shipped_recording

    return f'{path} shows {draw_result(model, example_frame(shipped_recording()), path)}'


def _record(model: Model, image: str) -> Path:
    from rs_ml_perception.inference.golden_recording import record_golden
    from rs_ml_perception.recordings.inputs import example_frame
    from rs_ml_perception.recordings.open_recording import shipped_recording

    if image:
        return record_golden(model, example_frame(Path(image)), Path(image).name)
    path = shipped_recording()
    return record_golden(model, example_frame(path), f'first frame of recordings/{path.name}')


def run_download(args: argparse.Namespace) -> int:
    """Download and check; 1 if one fails."""
    from rs_ml_perception.inference.download import download

    sha256 = from_flags(DownloadOptions, args).sha256
    if sha256 and len(args.models) > 1:
        raise ConfigError('--sha256 belongs to one model: name only that one')

    def fetch(manifest: ModelManifest) -> None:
        for path in download(manifest, sha256=sha256):
            print(f'{manifest.name}: {path}')

    return _each(args.models, fetch)


def run_tune(args: argparse.Namespace) -> int:
    """Measure, print the table, save the best; 1 if a model cannot be tuned."""
    from rs_ml_perception.inference.tune import tune
    from rs_ml_perception.inference.tuned import tune_file

    options, device = from_flags(TuneOptions, args), from_flags(ModelOptions, args).device

    def measure(manifest: ModelManifest) -> None:
        trials = tune(manifest, device=device, runs=options.runs, threads=options.threads)
        head = f'{"backend":14}{"precision":12}{"threads":>8}{"ms":>10}{"CPU ms":>10}  golden'
        print('\n'.join((manifest.title, head, *map(_trial_line, trials))))
        if device == 'auto':
            print(f'saved {trials[0].choice.backend} in {tune_file()}')

    return _each(args.models, measure)


def _trial_line(trial: Trial) -> str:
    choice = trial.choice
    ms = '-' if math.isnan(choice.median_ms) else f'{choice.median_ms:.2f}'
    cpu_ms = '-' if choice.cpu_ms is None else f'{choice.cpu_ms:.2f}'
    verdict = trial.reason or f'{trial.error_ratio:.0%} of the tolerance'
    way = f'{choice.backend:14}{choice.precision:12}{choice.threads:8}'
    return f'{way}{ms:>10}{cpu_ms:>10}  {verdict}'


def _each(names: list[str], act: Callable[[ModelManifest], None]) -> int:
    """Call act for every model; a failure is printed and does not stop the others."""
    failed = 0
    for name in names:
        try:
            act(read_manifest(find_model(name)))
        except RsMlError as error:
            print(f'rs-ml models: {error}', file=sys.stderr)
            failed += 1
    return 1 if failed else 0
