"""A reader that decodes every sample once."""

from __future__ import annotations

from rs_ml_training.data.reader import Reader, Subset
from rs_ml_training.data.sample import Sample


class Remembered(Subset):
    """All samples of a reader, kept in memory from their first reading on.

    Args:
        reader: whose samples fit into memory, and are not written to.
    """

    def __init__(self, reader: Reader) -> None:
        super().__init__(reader, range(len(reader)))
        self._samples: dict[int, Sample] = {}

    def read(self, index: int) -> Sample:
        if index not in self._samples:
            self._samples[index] = super().read(index)
        return self._samples[index]
