"""Selection of a backend and an artefact."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TypeVar

from rs_ml_perception.core.errors import (
    BackendError,
    ConfigError,
    GoldenError,
    MissingArtifactError,
)
from rs_ml_perception.inference.backends import (
    BACKENDS,
    DEVICES,
    PRECISIONS,
    Backend,
    BackendInfo,
    BackendOptions,
    NetworkFile,
)
from rs_ml_perception.inference.cpu import this_cpu
from rs_ml_perception.inference.manifest import Artifact, ModelManifest, TensorSpec
from rs_ml_perception.inference.model import NETWORKS
from rs_ml_perception.inference.preprocess import InputSpec
from rs_ml_perception.inference.shelf import locate
from rs_ml_perception.inference.tuned import recall

PRECISION_VARIABLE = 'RS_ML_PRECISION'
"""float32: networks with precision `auto` that were not tuned do not use bfloat16."""

T = TypeVar('T')


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
    """The name of the backend and the loaded network; see open_first."""
    return open_first(manifest, backend, options, lambda name, network: (name, network))


def open_first(
    manifest: ModelManifest,
    backend: str,
    options: BackendOptions,
    finish: Callable[[str, Backend], T],
) -> T:
    """Load the model with the first backend that succeeds, in the order of BACKENDS.

    Args:
        manifest: the model.
        backend: 'auto', or the only one to try.
        options: device, threads, precision.
        finish: makes the result of the name of the backend and the loaded network; raises
            GoldenError to refuse it, and the next one is tried.

    Raises:
        ModelError: a file of the model is damaged or does not fit the manifest, or all usable
            files are missing.
        GoldenError: every network that could be loaded was refused.
        BackendError: no backend succeeded; every artefact tried is named with the reason.
    """
    check_choice(backend, options)
    reasons = []
    defect: MissingArtifactError | GoldenError | None = None
    for info, artifact in candidates(manifest, backend):
        reason = _unsuitable(info, options)
        if reason is None:
            try:
                return _load(info, network_file(manifest, artifact), options, finish)
            except (MissingArtifactError, GoldenError) as error:
                defect, reason = error, str(error)
            except BackendError as error:
                reason = str(error)
            except ImportError as error:
                reason = f'{info.module} does not import ({error}): {info.install}'
        reasons.append(f'{info.name} on {artifact.file.path}: {reason}')
    if defect is not None:
        raise defect
    raise BackendError(_nothing_worked(manifest, backend, reasons))


def _load(
    info: BackendInfo,
    network: NetworkFile,
    options: BackendOptions,
    finish: Callable[[str, Backend], T],
) -> T:
    key = (info.name, network.path, repr(network), options)
    loaded = NETWORKS.open(key, lambda: info.load_class()(network, options))
    try:
        return finish(info.name, loaded)
    except Exception:
        loaded.close()
        raise


@dataclass(frozen=True)
class Proposal:
    """A choice for a model whose backend and precision the user leaves to `auto`.

    Attributes:
        origin: for messages.
        backend: a key of BACKENDS.
        options: with its precision.
        must_verify: whether the golden outputs were not yet reproduced on this machine.
    """

    origin: str
    backend: str
    options: BackendOptions
    must_verify: bool


def proposals(manifest: ModelManifest, options: BackendOptions) -> Iterator[Proposal]:
    """Choices that go before the order of BACKENDS, best first.

    Raises:
        ConfigError: PRECISION_VARIABLE has an unknown value.
    """
    device, threads = options.device, options.threads
    tuned = recall(manifest) if device == 'auto' else None
    if tuned is not None:
        chosen = BackendOptions(device, threads or tuned.threads, tuned.precision)
        origin = f'the choice of `rs-ml models tune`, {tuned.backend} in {tuned.precision}'
        yield Proposal(origin, tuned.backend, chosen, False)
    if device in ('auto', 'cpu') and _judges(manifest, 'bfloat16') and _may_use_bfloat16():
        chosen = replace(options, precision='bfloat16')
        yield Proposal('bfloat16, which this CPU has', 'openvino', chosen, True)


def _judges(manifest: ModelManifest, precision: str) -> bool:
    """Whether the golden outputs have a tolerance for the precision."""
    tolerances = manifest.golden.tolerance.values() if manifest.golden else ()
    return bool(tolerances) and all(precision in t.limits for t in tolerances)


def _may_use_bfloat16() -> bool:
    wanted = os.environ.get(PRECISION_VARIABLE) or 'auto'
    if wanted not in ('auto', 'float32'):
        raise ConfigError(f'{PRECISION_VARIABLE} must be auto or float32, got {wanted!r}')
    return wanted == 'auto' and BACKENDS['openvino'].is_installed and this_cpu().has_bfloat16


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
