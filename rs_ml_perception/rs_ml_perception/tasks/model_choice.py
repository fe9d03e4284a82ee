"""Which network, and how it runs."""

from __future__ import annotations

from dataclasses import dataclass

from rs_ml_perception.inference.golden import require_golden
from rs_ml_perception.inference.model import Model, load_model


@dataclass(frozen=True)
class ModelChoice:
    """Arguments of load_model: a name or directory, backend, device, threads (0: as it likes)."""

    model: str
    backend: str = 'auto'
    device: str = 'auto'
    threads: int = 0

    def load(self) -> Model:
        """Load it, and see that it computes what its golden outputs say.

        Raises:
            ModelError: there is no such model, it is damaged, or it computes something else.
            BackendError: nothing installed can run it.
        """
        model = load_model(
            self.model, backend=self.backend, device=self.device, threads=self.threads
        )
        try:
            require_golden(model)
        except Exception:
            model.close()
            raise
        return model


def describe(model: Model) -> dict[str, str]:
    """Facts of a loaded model for logs and diagnostics."""
    size = model.input_size
    return {
        'model': model.title,
        'licence': model.manifest.license,
        'backend': model.backend_name,
        'device': model.device,
        'input_size': 'any' if size is None else f'{size[0]}x{size[1]}',
    }
