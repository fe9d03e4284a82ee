"""Commands of `rs-ml-data` that write data sets, each to a new folder."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rs_ml_perception.core.errors import ConfigError, counted
from rs_ml_perception.core.options import REQUIRED, Options, option

from rs_ml_training.cli.data_command import Commands, ToFolder, add_command, open_source, watched
from rs_ml_training.data.augment.presets import ALIASES, PRESETS, preset
from rs_ml_training.data.sample_codec import MAP_CODINGS
from rs_ml_training.data.tfrecords import COMPRESSIONS
from rs_ml_training.teaching.taught_set import TeacherThresholds

if TYPE_CHECKING:
    from rs_ml_training.teaching.cell_detector import CellDetector
    from rs_ml_training.teaching.frozen_detector import FrozenDetector


@dataclass(frozen=True, kw_only=True)
class TileOptions(ToFolder):
    """Tiles of a data set."""

    side: int = option(128, 'of a tile, 0: whole frames', unit='px')
    overlap: int = option(0, 'of neighbours', unit='px')
    by_source: bool = option(False, 'a folder for each image', is_switch=True)


@dataclass(frozen=True, kw_only=True)
class StitchOptions(Options):
    """An image from tiles."""

    size: tuple[int, int] = option(REQUIRED, 'of the image', metavar='WIDTHxHEIGHT')
    overlap: int = option(0, 'as they were cut', unit='px')
    out: Path = option(REQUIRED, 'a new PNG file', group='output')


@dataclass(frozen=True, kw_only=True)
class TfrecordOptions(ToFolder):
    """TFRecord shards of a data set."""

    shards: int = option(1, 'files')
    compression: str = option('none', 'of the files', choices=COMPRESSIONS)
    maps: str = option('png', 'raw: larger, faster', choices=MAP_CODINGS)
    workers: int = option(4, 'threads', low=1)


@dataclass(frozen=True, kw_only=True)
class TfdsOptions(Options):
    """A data set of TFDS."""

    out: Path = option(REQUIRED, 'a new folder', group='output')


@dataclass(frozen=True, kw_only=True)
class AugmentOptions(ToFolder):
    """Augmented copies of a data set."""

    preset: str = option('industrial', 'augmentation', choices=(*PRESETS, *ALIASES))
    size: tuple[int, int] | None = option(None, 'of the copies', metavar='WIDTHxHEIGHT')
    copies: int = option(1, 'of each sample', low=1)
    textures: Path | None = option(None, 'folder of backgrounds for industrial')
    seed: int = option(0, 'of the random numbers', low=0)


@dataclass(frozen=True, kw_only=True)
class TeachOptions(ToFolder):
    """Boxes from a detector."""

    model: str = option(
        'detection', 'directory or name of a model with the decoder gfl or gfl_head'
    )
    graph: Path | None = option(None, 'frozen_inference_graph.pb, in place of a model')
    label_map: Path | None = option(None, '.pbtxt of the classes of --graph')
    sure: float = option(TeacherThresholds.sure, 'least score of an object')
    doubtful: float = option(TeacherThresholds.doubtful, 'least score of a crowd')
    teacher_license: str = option('', 'named in addition to that of the data')
    marked: tuple[str, ...] | None = option(
        None,
        'fully annotated classes of the data; without names: none',
        none_doc='all that both have',
        metavar='CLASS',
    )


def add_commands(commands: Commands) -> None:
    """Add `tile`, `stitch`, `tfrecord`, `tfds`, `augment` and `teach`."""
    add_command(
        commands,
        'tile',
        TileOptions,
        _tile,
        summary='cut samples into square PNG tiles',
        example='rs-ml-data tile --data folder:images --out tiles --side 128 --overlap 16',
    )
    stitch = add_command(
        commands,
        'stitch',
        StitchOptions,
        _stitch,
        summary='join the tiles of one image',
        example='rs-ml-data stitch tiles/*.png --size 640x480 --overlap 16 --out image.png',
    )
    stitch.add_argument('tiles', nargs='+', type=Path, help='PNG files')
    add_command(
        commands,
        'tfrecord',
        TfrecordOptions,
        _tfrecord,
        summary='pack a data set into TFRecord shards',
        example='rs-ml-data tfrecord --data camvid:/data/camvid --out shards --shards 8',
    )
    tfds = add_command(
        commands,
        'tfds',
        TfdsOptions,
        _tfds,
        summary='prepare the TFDS data set full_semantic',
        example='rs-ml-data tfds labelled.zip --out prepared',
    )
    tfds.add_argument('source', type=Path, help='a zip or a folder with rgb/*.png and gt/*.png')
    add_command(
        commands,
        'augment',
        AugmentOptions,
        _augment,
        summary='write augmented copies as rgb/, gt/ and depth/',
        example='rs-ml-data augment --data folder:labelled --preset industrial --out copies',
    )
    add_command(
        commands,
        'teach',
        TeachOptions,
        _teach,
        summary='boxes from a detector, in the layout of COCO',
        example='rs-ml-data teach --data folder:images --model detection --out taught',
    )


def _tile(options: TileOptions, _: argparse.Namespace) -> None:
    from rs_ml_training.data.tiling import write_tiles

    with watched(open_source(options)) as reader:
        count = write_tiles(
            reader,
            options.out,
            options.side or None,
            overlap=options.overlap,
            by_source=options.by_source,
        )
    print(f'{options.out}: {counted(count, "tile")}')


def _stitch(options: StitchOptions, arguments: argparse.Namespace) -> None:
    from rs_ml_training.data.output_folder import png_of, write_file
    from rs_ml_training.data.tiling import read_stitched

    image = read_stitched(arguments.tiles, options.size, options.overlap)
    write_file(options.out, png_of(image))
    print(f'{options.out}: {counted(len(arguments.tiles), "tile")}')


def _tfrecord(options: TfrecordOptions, _: argparse.Namespace) -> None:
    from rs_ml_training.data.tfrecords import write_shards

    reader, out, shards = open_source(options), options.out, options.shards
    with watched(reader) as shown:
        write_shards(shown, out, shards, options.compression, options.workers, options.maps)
    samples = counted(len(reader), 'sample')
    print(f'{out}: {samples} in {counted(shards, "shard")}; --data tfrecord:{out}')


def _tfds(options: TfdsOptions, arguments: argparse.Namespace) -> None:
    try:
        from rs_ml_training.data.full_semantic import prepare
    except ImportError as error:
        raise ConfigError(f'{error}: pip install tensorflow tensorflow-datasets') from error
    prepared = prepare(arguments.source, options.out)
    print(f'{prepared}; --data tfds:{options.out}')


def _augment(options: AugmentOptions, _: argparse.Namespace) -> None:
    from rs_ml_training.data.folder_writing import write_augmented

    augment = preset(options.preset, options.size, textures=options.textures)
    reader, out = open_source(options), options.out
    with watched(reader) as shown:
        count = write_augmented(shown, augment, out, copies=options.copies, seed=options.seed)
    print(f'{out}: {counted(count, "copy", "copies")}')


def _teach(options: TeachOptions, _: argparse.Namespace) -> None:
    from rs_ml_training.teaching.taught_set import TeacherSetup, write_taught_set

    teacher = _teacher(options)
    thresholds = TeacherThresholds(options.sure, options.doubtful)
    setup = TeacherSetup(
        teacher, teacher.labels, thresholds, options.marked, options.teacher_license
    )
    with watched(open_source(options)) as reader:
        counts = write_taught_set(reader, setup, options.out)
    numbers = ', '.join(f'{count} {name}' for name, count in counts.items())
    print(f'{options.out}: {numbers}; --data coco:{options.out}')


def _teacher(options: TeachOptions) -> FrozenDetector | CellDetector:
    if options.graph is not None and options.label_map is not None:
        from rs_ml_training.teaching.frozen_detector import FrozenDetector

        return FrozenDetector(options.graph, options.label_map)
    if options.graph is not None or options.label_map is not None:
        raise ConfigError('--graph and --label-map belong together: give both or neither')
    from rs_ml_training.teaching.cell_detector import CellDetector

    return CellDetector(options.model)
