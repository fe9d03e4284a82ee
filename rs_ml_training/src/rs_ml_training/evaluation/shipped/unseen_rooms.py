"""Frames of rooms that training never drew."""

from __future__ import annotations

from pathlib import Path

from rs_ml_training.errors import ConfigError
from rs_ml_training.evaluation.shipped.options import ShippedOptions

QUICK_ROOMS = 2


class UnseenRooms:
    """The set that the options name, else one that is made when it is first asked for.

    Args:
        options: which rooms.
        folder: to make them in.
    """

    def __init__(self, options: ShippedOptions, folder: Path) -> None:
        self._options, self._folder = options, folder

    def path(self) -> Path:
        """The folder of the set.

        Raises:
            ConfigError: embreex, which renders them, is not installed.
        """
        if self._options.synth is not None:
            return self._options.synth
        if not self._folder.exists():
            _render(self._options, self._folder)
        return self._folder


def _render(options: ShippedOptions, folder: Path) -> None:
    try:
        import embreex  # noqa: F401
    except ImportError as error:
        raise ConfigError(
            f'rendering needs embreex ({error}): pip install embreex, or give --synth'
        ) from error
    from rs_ml_training.synth.side import Side
    from rs_ml_training.synth.writing.frame_set import write_frame_set
    from rs_ml_training.synth.writing.set_options import INTEL, SetOptions

    rooms = SetOptions(
        count=QUICK_ROOMS if options.quick else options.rooms,
        seed=options.seed,
        side=Side.TEST.value,
        repeats=options.exposures,
        layouts=(INTEL,),
    )
    write_frame_set(folder, rooms)
