"""Loading a model with the best runtime for this machine."""

from __future__ import annotations

import os

from rs_ml_perception.core.errors import BackendError, GoldenError, MissingArtifactError
from rs_ml_perception.inference.backends import Backend, BackendOptions
from rs_ml_perception.inference.golden import require_golden
from rs_ml_perception.inference.manifest import ModelManifest
from rs_ml_perception.inference.manifest_file import read_manifest
from rs_ml_perception.inference.model import Model
from rs_ml_perception.inference.selection import open_first, proposals
from rs_ml_perception.inference.shelf import find_model


def load_model(
    name_or_dir: str | os.PathLike[str],
    *,
    backend: str = 'auto',
    device: str = 'auto',
    threads: int = 0,
    precision: str | None = None,
    checks_golden: bool = False,
) -> Model:
    """Load a model by name or directory.

    With backend 'auto' and no precision, the first of these that loads is used: the result of
    `rs-ml models tune` on this machine, OpenVINO in bfloat16 where the CPU has it and the golden
    outputs are reproduced, the backends in the order of BACKENDS.

    Args:
        name_or_dir: a directory with a manifest, or a name of the shelf.
        backend: 'auto' or a key of BACKENDS.
        device: 'auto', 'cpu', 'gpu' or 'npu', if the backend has it.
        threads: CPU threads per inference; 0 is the runtime's (or the tuned) choice.
        precision: 'float32', 'bfloat16' or 'float16'; None: chosen, float32 for a named backend.
        checks_golden: refuse a backend that does not reproduce golden outputs, if there are any.

    Raises:
        ModelError: there is no such model, or its files are missing or damaged.
        GoldenError: the golden outputs are not reproduced.
        BackendError: no runtime can load it, or the device is absent.
        ConfigError: unknown backend, device or precision.
    """
    manifest = read_manifest(find_model(name_or_dir))
    options = BackendOptions(device, threads, precision or 'float32')
    loader = _Loader(manifest)
    if backend == 'auto' and precision is None:
        for proposal in proposals(manifest, options):
            checks, known = checks_golden or proposal.must_verify, loader.concerns
            try:
                return loader.load(proposal.backend, proposal.options, checks_golden=checks)
            except (BackendError, GoldenError, MissingArtifactError) as error:
                loader.concerns = (*known, f'{proposal.origin}, cannot be used: {error}')
    return loader.load(backend, options, checks_golden=checks_golden)


class _Loader:
    """Opens a model and notes what is not as it should be.

    Attributes:
        concerns: about the choices that failed.
    """

    def __init__(self, manifest: ModelManifest) -> None:
        self.concerns: tuple[str, ...] = ()
        self._manifest = manifest

    def load(self, backend: str, options: BackendOptions, *, checks_golden: bool) -> Model:
        """The model with the first backend that works."""

        def finish(name: str, network: Backend) -> Model:
            concerns = (*self.concerns, *_differences(name, network, options))
            model = Model(self._manifest, name, network, concerns)
            if checks_golden:
                self._require_golden(model)
            return model

        return open_first(self._manifest, backend, options, finish)

    def _require_golden(self, model: Model) -> None:
        try:
            require_golden(model)
        except GoldenError as error:
            self.concerns = (*self.concerns, str(error))
            raise


def _differences(name: str, network: Backend, asked: BackendOptions) -> list[str]:
    """Sentences on what a network does not do as asked."""
    found, device = [], network.device.upper()
    if asked.device not in ('auto', network.device):
        found.append(
            f'device {asked.device} was asked for, {name} runs on the {device}: set device: '
            f'{network.device}, or another backend'
        )
    if asked.precision != network.precision:
        found.append(
            f'{asked.precision} was asked for, {name} computes in {network.precision} on this '
            f'{device}: set precision: {network.precision}, or tune again'
        )
    return found
