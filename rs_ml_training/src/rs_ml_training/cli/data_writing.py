"""Commands of `rs-ml-data` that write data sets; each refuses a folder that holds files."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from rs_ml_perception.core.errors import ConfigError

from rs_ml_training.cli.data_source import add_source, reader_of
from rs_ml_training.cli.flags import size
from rs_ml_training.data.augment.presets import ALIASES, PRESETS, preset
from rs_ml_training.data.sample_codec import MAP_CODINGS
from rs_ml_training.data.tfrecords import COMPRESSIONS


def add_commands(commands: Any) -> None:
    """Add `tile`, `stitch`, `tfrecord`, `tfds` and `augment`."""
    _add_tile(commands)
    _add_stitch(commands)
    _add_tfrecord(commands)
    _add_tfds(commands)
    _add_augment(commands)


def _add_tile(commands: Any) -> None:
    sub = commands.add_parser('tile', help='cut samples into square PNG tiles')
    add_source(sub)
    sub.add_argument('--out', type=Path, required=True, help='a new folder')
    sub.add_argument('--side', type=int, default=128, help='of a tile [px], 0: whole frames')
    sub.add_argument('--overlap', type=int, default=0, help='of neighbours [px]')
    sub.add_argument('--by-source', action='store_true', help='a folder for each picture')
    sub.set_defaults(run=_tile)


def _tile(arguments: argparse.Namespace) -> int:
    from rs_ml_training.data.tiling import write_tiles

    count = write_tiles(
        reader_of(arguments),
        arguments.out,
        arguments.side or None,
        overlap=arguments.overlap,
        by_source=arguments.by_source,
    )
    return _say(f'{arguments.out}: {count} tiles')


def _add_stitch(commands: Any) -> None:
    sub = commands.add_parser('stitch', help='put the tiles of one picture together')
    sub.add_argument('tiles', nargs='+', type=Path, help='PNG files')
    sub.add_argument('--size', type=size, required=True, help='WIDTHxHEIGHT of the picture')
    sub.add_argument('--overlap', type=int, default=0, help='as they were cut [px]')
    sub.add_argument('--out', type=Path, required=True, help='a new PNG file')
    sub.set_defaults(run=_stitch)


def _stitch(arguments: argparse.Namespace) -> int:
    from rs_ml_training.data.output_folder import png_of, write_file
    from rs_ml_training.data.tiling import read_stitched

    picture = read_stitched(arguments.tiles, arguments.size, arguments.overlap)
    write_file(arguments.out, png_of(picture))
    return _say(f'{arguments.out}: {len(arguments.tiles)} tiles')


def _add_tfrecord(commands: Any) -> None:
    sub = commands.add_parser('tfrecord', help='pack a data set into TFRecord shards')
    add_source(sub)
    sub.add_argument('--out', type=Path, required=True, help='a new folder')
    sub.add_argument('--shards', type=int, default=1, help='files')
    sub.add_argument('--compression', default='none', choices=COMPRESSIONS, help='of the files')
    sub.add_argument('--maps', default='png', choices=MAP_CODINGS, help='raw: larger, faster')
    sub.add_argument('--workers', type=int, default=4, help='threads')
    sub.set_defaults(run=_tfrecord)


def _tfrecord(arguments: argparse.Namespace) -> int:
    from rs_ml_training.data.tfrecords import write_shards

    reader = reader_of(arguments)
    _at_least('--workers', arguments.workers, 1)
    out, shards = arguments.out, arguments.shards
    compression, workers = arguments.compression, arguments.workers
    write_shards(reader, out, shards, compression, workers, arguments.maps)
    return _say(f'{out}: {len(reader)} samples in {shards} shards; --data tfrecord:{out}')


def _add_tfds(commands: Any) -> None:
    sub = commands.add_parser('tfds', help='prepare the TFDS data set full_semantic')
    sub.add_argument('source', type=Path, help='a zip or a folder with rgb/*.png and gt/*.png')
    sub.add_argument('--out', type=Path, required=True, help='a new folder')
    sub.set_defaults(run=_tfds)


def _tfds(arguments: argparse.Namespace) -> int:
    try:
        from rs_ml_training.data.full_semantic import prepare
    except ImportError as error:
        raise ConfigError(f'{error}: pip install tensorflow tensorflow-datasets') from error
    prepared = prepare(arguments.source, arguments.out)
    return _say(f'{prepared}; --data tfds:{arguments.out}')


def _add_augment(commands: Any) -> None:
    sub = commands.add_parser('augment', help='write augmented copies as rgb/, gt/ and depth/')
    add_source(sub)
    sub.add_argument('--out', type=Path, required=True, help='a new folder')
    sub.add_argument(
        '--preset', default='industrial', choices=(*PRESETS, *ALIASES), help='what is done'
    )
    sub.add_argument('--size', type=size, help='WIDTHxHEIGHT of the copies')
    sub.add_argument('--copies', type=int, default=1, help='of each sample')
    sub.add_argument('--textures', type=Path, help='folder of backgrounds for industrial')
    sub.add_argument('--seed', type=int, default=0, help='of the random numbers')
    sub.set_defaults(run=_augment)


def _augment(arguments: argparse.Namespace) -> int:
    from rs_ml_training.data.folder_writing import write_augmented

    _at_least('--copies', arguments.copies, 1)
    _at_least('--seed', arguments.seed, 0)
    augment = preset(arguments.preset, arguments.size, textures=arguments.textures)
    reader, out = reader_of(arguments), arguments.out
    count = write_augmented(reader, augment, out, copies=arguments.copies, seed=arguments.seed)
    return _say(f'{out}: {count} copies')


def _at_least(name: str, value: int, low: int) -> None:
    if value < low:
        raise ConfigError(f'{name} must be at least {low}, got {value}')


def _say(text: str) -> int:
    print(text)
    return 0
