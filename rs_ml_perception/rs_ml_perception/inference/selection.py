"""Selection of a backend and an artefact."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from rs_ml_perception.core.errors import BackendError, ConfigError, MissingArtifactError
from rs_ml_perception.inference.backends import (
    BACKENDS,
    DEVICES,
    PRECISIONS,
    Backend,
    BackendInfo,
    BackendOptions,
    NetworkFile,
)
from rs_ml_perception.inference.manifest import Artifact, ModelManifest, TensorSpec
from rs_ml_perception.inference.preprocess import InputSpec
from rs_ml_perception.inference.shelf import locate


def check_choice(backend: str, options: BackendOptions) -> None:
    """Raise ConfigError for an unknown backend, device or precision."""
    for option, value, known in (
        ('backend', backend, ('auto', *BACKENDS)),
        ('device', options.device, DEVICES),
        ('precision', options.precision, PRECISIONS),
    ):
        if value not in known:
            raise ConfigError(f'{option} {value!r} is unknown, choose one of {", ".join(known)}')
    if options.threads < 0:
        raise ConfigError(
            f'threads must be 0 (the runtime decides) or more, got {options.threads}'
        )


def open_backend(
    manifest: ModelManifest, backend: str, options: BackendOptions
) -> tuple[str, Backend]:
    """Load the model with the first backend that succeeds, in the order of BACKENDS.

    Args:
        manifest: the model.
        backend: 'auto', or the only one to try.
        options: device, threads, precision.

    Returns:
        The name of the backend, and the loaded network.

    Raises:
        ModelError: a file of the model is damaged or does not fit the manifest, or all usable
            files are missing.
        BackendError: no backend succeeded; every artefact tried is named with the reason.
    """
    check_choice(backend, options)
    reasons = []
    missing: MissingArtifactError | None = None
    for info, artifact in candidates(manifest, backend):
        reason = _unsuitable(info, options)
        if reason is None:
            try:
                network = network_file(manifest, artifact)
                return info.name, info.load_class()(network, options)
            except MissingArtifactError as error:
                missing, reason = error, str(error)
            except BackendError as error:
                reason = str(error)
            except ImportError as error:
                reason = f'{info.module} does not import ({error}): {info.install}'
        reasons.append(f'{info.name} on {artifact.file.path}: {reason}')
    if missing is not None:
        raise missing
    raise BackendError(_nothing_worked(manifest, backend, reasons))


def candidates(manifest: ModelManifest, backend: str) -> Iterator[tuple[BackendInfo, Artifact]]:
    """Usable pairs, best first."""
    infos = BACKENDS.values() if backend == 'auto' else [BACKENDS[backend]]
    for info in infos:
        for file_format in info.formats:
            for artifact in manifest.artifacts:
                if artifact.format == file_format:
                    yield info, artifact


def network_file(manifest: ModelManifest, artifact: Artifact) -> NetworkFile:
    """Find and check the files of an artefact, and combine them with names and shapes."""
    return NetworkFile(
        model=manifest.title,
        format=artifact.format,
        path=locate(manifest, artifact.file),
        inputs={
            **{spec.name: _input_tensor(spec, artifact) for spec in manifest.inputs},
            **{
                key: TensorSpec(artifact.names.get(key, key), value.shape, value.dtype.name)
                for key, value in manifest.constants.items()
            },
        },
        outputs={
            key: replace(tensor, name=artifact.names.get(key, tensor.name))
            for key, tensor in manifest.outputs.items()
        },
        companions=tuple(locate(manifest, file) for file in artifact.companions),
    )


def _input_tensor(spec: InputSpec, artifact: Artifact) -> TensorSpec:
    shape = None if spec.size is None else spec.shape(spec.size)
    return TensorSpec(artifact.names.get(spec.name, spec.name), shape, spec.dtype)


def _unsuitable(info: BackendInfo, options: BackendOptions) -> str | None:
    if not info.is_installed:
        return f'not installed ({info.install})'
    if options.precision not in info.precisions:
        return f'computes in {" or ".join(info.precisions)}, not in {options.precision}'
    return None


def _nothing_worked(manifest: ModelManifest, backend: str, reasons: list[str]) -> str:
    if reasons:
        return f'{manifest.name}: no backend could load it: {"; ".join(reasons)}'
    formats = sorted({artifact.format for artifact in manifest.artifacts})
    able = [i.name for i in BACKENDS.values() if set(i.formats) & set(formats)]
    return (
        f'{manifest.name}: {backend} reads {", ".join(BACKENDS[backend].formats)}, the model has '
        f'{", ".join(formats)}: choose {" or ".join(able)}'
    )
