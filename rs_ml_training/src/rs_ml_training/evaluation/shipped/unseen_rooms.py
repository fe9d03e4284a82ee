"""Frames of rooms that training never drew."""

from __future__ import annotations

from pathlib import Path

from rs_ml_training.data.formats import open_data
from rs_ml_training.data.reader import Reader
from rs_ml_training.errors import ConfigError
from rs_ml_training.evaluation.shipped.options import ShippedOptions

QUICK_ROOMS = 2


def unseen_rooms(options: ShippedOptions, folder: Path) -> Reader:
    """The set that the options name, else one made in `folder`.

    Raises:
        ConfigError: embreex, which renders them, is not installed.
        DataError: the set is missing or damaged.
    """
    if options.synth is not None:
        return open_data(f'synth:{options.synth}')
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
    return open_data(f'synth:{folder}')
