"""Training and validation data as the options name them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rs_ml_perception.core.errors import ConfigError

from rs_ml_training.data.formats import open_data
from rs_ml_training.data.mix import Joined
from rs_ml_training.data.reader import Reader
from rs_ml_training.data.splits import split_by_scene
from rs_ml_training.tasks.options import TrainOptions, name_values

_LISTS = (('train.txt', 'val.txt'), ('train.csv', 'valid.csv'))
_FOLDERS = (('train', 'val'), ('train', 'valid'))


def open_sources(options: TrainOptions) -> tuple[Reader, Reader]:
    """(training, validation) data.

    Without validation data: the lists train.txt and val.txt in the folder where it has them, else
    its folders train/ and val/ (or valid/), else a share split off by scene.

    Raises:
        ConfigError, InputError: flags or files are missing.
    """
    if not options.data:
        raise ConfigError('--data is missing: give FORMAT:PATH, as nyu-labelled:/data/nyu_v2')
    reader_options = name_values(options.data_option)
    own_options = name_values(options.validation_data_option)
    if options.validation_data or options.validation_list or own_options:
        sources = options.validation_data or options.data
        return (
            _open(options.data, options.list_file, reader_options),
            _open(sources, options.validation_list, reader_options | own_options),
        )
    found = _own_split(options) if len(options.data) == 1 and options.list_file is None else None
    if found:
        training, validation = (_open([s], names, reader_options) for s, names in found)
        return training, validation
    whole = _open(options.data, options.list_file, reader_options)
    return split_by_scene(whole, options.validation_share, options.seed)


def _own_split(options: TrainOptions) -> list[tuple[str, Path | None]] | None:
    """(source, list) for training and validation where the folder brings its own split."""
    source = options.data[0]
    kind, _, path = source.partition(':')
    for names in _LISTS:
        lists = [Path(path) / name for name in names]
        if all(file.is_file() for file in lists):
            return [(source, file) for file in lists]
    for names in _FOLDERS:
        folders = [Path(path) / name for name in names]
        if all(folder.is_dir() for folder in folders):
            return [(f'{kind}:{folder}', None) for folder in folders]
    return None


def _open(sources: Sequence[str], names: Path | None, options: dict[str, Any]) -> Reader:
    # One that is named several times stays one, so that a split puts its scenes on one side.
    opened = {s: open_data(s, list_file=names, **options) for s in dict.fromkeys(sources)}
    readers = [opened[source] for source in sources]
    return readers[0] if len(readers) == 1 else Joined(readers)
