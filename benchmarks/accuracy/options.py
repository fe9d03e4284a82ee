"""What can be chosen of the evaluation of all shipped models."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from rs_ml_perception.core.errors import ConfigError
from rs_ml_training.cli.flags import flag

DATA_VARIABLE = 'RS_ML_TEST_DATA'


@dataclass(frozen=True)
class ShippedOptions:
    """Accuracy and speed of every shipped model beside others; the flags of `--all`."""

    data: Path | None = flag(None, f'folder of the data sets (default: {DATA_VARIABLE})')
    synth: Path | None = flag(None, 'test side of the synthetic world (default: rendered)')
    rooms: int = flag(60, 'rooms of the synthetic world, where it is rendered', low=1)
    seed: int = flag(700_000, 'of the rooms', low=0)
    exposures: int = flag(4, 'frames of each, of which filters see all', low=1)
    upright: Path | None = flag(None, 'the same with people upright (default: rendered)')
    upright_rooms: int = flag(40, 'rooms of it, one frame of each, where it is rendered', low=1)
    only: tuple[str, ...] = flag((), 'names of contests (default: all); speed is one too')
    out: Path | None = flag(None, 'Markdown file; what stands between its markers is replaced')
    cards: Path | None = flag(None, 'folder of the model directories: their cards get figures')
    json_file: Path | None = flag(None, 'file for the figures', name='json')
    quick: bool = flag(False, 'a few pictures of each, for a look: not for the record')

    def data_folder(self) -> Path:
        """The folder of the data sets.

        Raises:
            ConfigError: none is named.
        """
        chosen = self.data or os.environ.get(DATA_VARIABLE)
        if not chosen:
            raise ConfigError(f'no data: give --data DIR, or set {DATA_VARIABLE}')
        return Path(chosen)
