"""From a trained network to a model directory that rs_ml_perception runs."""

from __future__ import annotations

import math
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from rs_ml_perception.core.errors import ConfigError, InputError
from rs_ml_perception.core.progress import progress
from rs_ml_perception.inference.golden import GOLDEN_NAME, picture_inputs, write_golden
from rs_ml_perception.inference.manifest import MANIFEST_NAME
from rs_ml_perception.inference.output_errors import judged_outputs

from rs_ml_training.data.classes import class_table, with_classes
from rs_ml_training.data.output_folder import put_in_place
from rs_ml_training.data.reader import Reader, Subset
from rs_ml_training.errors import ExportError
from rs_ml_training.export import formats
from rs_ml_training.export.artifact import DEFAULT_FORMATS, Arrays, ExportedArtifact, Network
from rs_ml_training.export.comparison import (
    LIMITS,
    Errors,
    difference,
    measure,
    refuse_if_beyond,
    served_samples,
    worst_of,
)
from rs_ml_training.export.cross_checks import CrossCheck, networks, tolerances
from rs_ml_training.export.manifest import GoldenOutputs, input_spec, write_manifest
from rs_ml_training.export.report import ExportedFile, ExportReport, write_card
from rs_ml_training.export.serving import Serving, serving_of
from rs_ml_training.tasks.task import ServingOptions
from rs_ml_training.trained import ModelSpec, Trained

_COMPARED_SAMPLES = 4
_INT8_MARGIN = 1.5
_INT8_TOLERANCE = 0.02


def check_destination(out: Path, *, force: bool) -> None:
    """Raise ConfigError unless a model may be written there."""
    if not out.exists() or (out.is_dir() and not any(out.iterdir())):
        return
    if not out.is_dir():
        raise ConfigError(f'{out} is a file: give a folder that does not exist yet')
    if not force:
        raise ConfigError(f'{out} exists: give another folder, or --force to replace this one')
    if not (out / MANIFEST_NAME).is_file():
        raise ConfigError(
            f'{out} holds no {MANIFEST_NAME}, so it is no model and is not replaced: give another '
            'folder'
        )


@contextmanager
def staged(out: Path, *, force: bool = False) -> Iterator[Path]:
    """A scratch folder next to `out` that replaces it when the block ends without an error.

    Raises:
        ConfigError: `out` may not be replaced.
        ExportError: it cannot be written.
    """
    check_destination(out, force=force)
    scratch = None
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        scratch = Path(tempfile.mkdtemp(prefix=f'.{out.name}-', dir=out.parent))
        scratch.chmod(0o755)
        yield scratch
        with tempfile.TemporaryDirectory(prefix=f'.{out.name}-old-', dir=out.parent) as aside:
            put_in_place(scratch, out, Path(aside) / 'model')
    except OSError as error:
        raise ExportError(f'{out} cannot be written: {error}') from error
    finally:
        if scratch is not None:
            shutil.rmtree(scratch, ignore_errors=True)


@dataclass(frozen=True)
class ExportOptions:
    """How a network is exported.

    Attributes:
        formats: some of artifact.FORMATS.
        precision: one of artifact.PRECISIONS.
        name: of the model; '': that of its folder.
        version: of the model.
        serving: options of the served outputs.
        golden: its first sample becomes the golden input; None: the first frame of the shipped
            recording.
        representative: samples to compare on, and to measure activations on for int8.
        calibration_samples: number of them that int8 reads.
        data: samples with truth to measure int8 on; None: the representative ones.
        data_samples: number of them to read.
        force: replace a model that is already there.
        command: the command line, for the card.
    """

    formats: tuple[str, ...] = DEFAULT_FORMATS
    precision: str = 'float32'
    name: str = ''
    version: str = '1'
    serving: ServingOptions = field(default_factory=ServingOptions)
    golden: Reader | None = None
    representative: Reader | None = None
    calibration_samples: int = 100
    data: Reader | None = None
    data_samples: int = 200
    force: bool = False
    command: str = ''


def export(trained: Trained, out: Path, options: ExportOptions) -> ExportReport:
    """Write a model directory, which appears at `out` once everything in it has been compared.

    Args:
        trained: the network, built at the size to serve.
        out: folder of the model.
        options: how.

    Raises:
        ConfigError: invalid options, or `out` may not be replaced.
        InputError: samples lack a map that the network reads, or the truth.
        ExportError: a format cannot express the network, or does not reproduce it.
    """
    check_options(out, options)
    serving = serving_of(trained, options.serving)
    picture, golden = _golden_inputs(serving, trained.spec, options.golden)
    with staged(out, force=options.force) as folder:
        report, outputs = _write_files(serving, trained.spec, folder, golden, options)
        report = replace(report, directory=out)
        kept, limits = _golden_outputs(options.precision, outputs)
        tolerance = tolerances(kept, limits, report.checks)
        write_golden(folder / GOLDEN_NAME, golden, kept)
        golden_outputs = GoldenOutputs(picture, kept, tolerance)
        _describe(serving, trained.spec, folder, report, golden_outputs, options)
    return report


def check_options(out: Path, options: ExportOptions) -> None:
    """Raise ConfigError for errors that show before a network is built."""
    formats.check_formats(options.formats, options.precision)
    check_destination(out, force=options.force)
    if options.precision == 'int8' and options.representative is None:
        raise ConfigError(
            'int8 needs samples to measure activations on: give --representative FORMAT:PATH'
        )


def _write_files(
    serving: Serving, spec: ModelSpec, folder: Path, golden: Arrays, options: ExportOptions
) -> tuple[ExportReport, list[Arrays]]:
    """Write, read back and compare; returns the outputs for the golden input too, ours first."""
    calibration = _calibration(serving, spec, options)
    compared = [golden, *_some(serving, spec, options, _COMPARED_SAMPLES)]
    expected = [serving(inputs) for inputs in compared]
    data = _measured_data(options)

    def measured(network: Network) -> dict[str, float]:
        return _metrics(network, serving, spec, data, options)

    files: list[ExportedFile] = []
    checks: list[CrossCheck] = []
    outputs: list[Arrays] = [expected[0]]
    for name in progress(dict.fromkeys(options.formats), unit='file'):
        artifact = formats.write(name, serving, folder, options.precision, calibration)
        network = formats.load(artifact, folder, serving.outputs)
        given = [network(inputs) for inputs in compared]
        found = worst_of(map(difference, expected, given))
        outputs.append(given[0])
        refuse_if_beyond(found, options.precision, artifact.path)
        size = artifact.megabytes(folder)
        files.append(ExportedFile(artifact, size, found, measured(network)))
        checks += _cross_checks(artifact, folder, golden, given[0], measured)
    report = ExportReport(
        folder,
        options.precision,
        tuple(files),
        len(compared),
        measured(serving),
        0 if data is None else min(len(data), options.data_samples),
        tuple(checks),
    )
    return report, outputs


def _cross_checks(
    artifact: ExportedArtifact,
    folder: Path,
    golden: Arrays,
    expected: Arrays,
    measured: Callable[[Network], dict[str, float]],
) -> list[CrossCheck]:
    """The file in other runtimes, compared with its own on the golden input."""
    return [
        CrossCheck(title, precision, difference(expected, network(golden)), measured(network))
        for title, precision, network in networks(artifact, folder)
    ]


def _calibration(serving: Serving, spec: ModelSpec, options: ExportOptions) -> list[Arrays]:
    if options.precision != 'int8':
        return []
    return _some(serving, spec, options, options.calibration_samples)


def _some(serving: Serving, spec: ModelSpec, options: ExportOptions, limit: int) -> list[Arrays]:
    if options.representative is None:
        return []
    samples = served_samples(options.representative, serving.inputs, spec.crop, limit)
    return [sample.inputs for sample in samples]


def _measured_data(options: ExportOptions) -> Reader | None:
    """Samples for the task's metrics: those of `data`; for int8 at least the representative."""
    if options.data is None and options.precision == 'int8':
        return options.representative
    return options.data


def _metrics(
    network: Network,
    serving: Serving,
    spec: ModelSpec,
    data: Reader | None,
    options: ExportOptions,
) -> dict[str, float]:
    if data is None:
        return {}
    samples = served_samples(data, serving.inputs, spec.crop, options.data_samples)
    if serving.task.has_labels and spec.labels:
        table = class_table(spec.labels, data.labels)
        samples = (replace(s, sample=with_classes(s.sample, table)) for s in samples)
    return measure(network, spec, samples)


def _golden_inputs(serving: Serving, spec: ModelSpec, reader: Reader | None) -> tuple[str, Arrays]:
    """The source of the golden inputs, in words, and the inputs."""
    if reader is not None:
        (sample,) = served_samples(Subset(reader, [0]), serving.inputs, spec.crop, 1)
        return f'{sample.sample.name} of the data', sample.inputs
    from rs_ml_perception.recordings.inputs import example_frame
    from rs_ml_perception.recordings.open_recording import shipped_recording

    try:
        path = shipped_recording()
        specs = [input_spec(port, spec) for port in serving.inputs]
        inputs = picture_inputs(specs, example_frame(path), model=spec.network)
    except InputError as error:
        raise ExportError(f'no golden input: {error}; or give --golden FORMAT:PATH') from error
    return f'first frame of recordings/{path.name}', inputs


def _golden_outputs(precision: str, outputs: Sequence[Arrays]) -> tuple[Arrays, Errors]:
    """The golden outputs, and the least tolerance of each.

    For int8 they are the outputs of the first file, with 1.5 times the deviation of the others:
    against the trained network, rounding would hide all but gross errors.
    """
    limit = LIMITS.get(precision)
    if limit is not None:
        return outputs[0], dict.fromkeys(sorted(judged_outputs(outputs[0])), limit)
    kept = outputs[1]
    spread = worst_of(difference(kept, other) for other in outputs[1:])
    return kept, {
        name: max(_INT8_TOLERANCE, math.ceil(error * _INT8_MARGIN * 1e3) / 1e3)
        for name, error in spread.items()
    }


def _describe(
    serving: Serving,
    spec: ModelSpec,
    folder: Path,
    report: ExportReport,
    golden: GoldenOutputs,
    options: ExportOptions,
) -> None:
    name = options.name or report.directory.resolve().name
    artifacts: list[ExportedArtifact] = [file.artifact for file in report.files]
    write_manifest(
        folder,
        spec,
        serving,
        artifacts,
        name=name,
        version=options.version,
        golden=golden,
    )
    write_card(folder, spec, serving, report, name, options.command)
