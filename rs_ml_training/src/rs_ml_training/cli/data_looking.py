"""Commands of `rs-ml-data` that look at data sets and list or split them."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from rs_ml_perception.core.errors import ConfigError

from rs_ml_training.cli.data_source import add_source, reader_of
from rs_ml_training.data.output_folder import new_folder, write_file

LISTS = ('panorama', 'nyu', 'kitti')


def add_commands(commands: Any) -> None:
    """Add `stats`, `lists` and `split`."""
    _add_stats(commands)
    _add_lists(commands)
    _add_split(commands)


def _add_stats(commands: Any) -> None:
    sub = commands.add_parser('stats', help='sizes, colours, depth histogram, classes, boxes')
    add_source(sub)
    sub.add_argument('--limit', type=int, help='look at so many samples, evenly spread')
    sub.add_argument('--json', type=Path, help='write the numbers into this file')
    sub.set_defaults(run=_stats)


def _stats(arguments: argparse.Namespace) -> int:
    from rs_ml_training.data.statistics import as_text, measure

    if arguments.limit is not None and arguments.limit < 1:
        raise ConfigError(f'--limit must be at least 1, got {arguments.limit}')
    result = measure(reader_of(arguments), arguments.limit)
    print(as_text(result))
    if arguments.json:
        write_file(arguments.json, (json.dumps(result, indent=1) + '\n').encode(), replace=True)
    return 0


def _add_lists(commands: Any) -> None:
    sub = commands.add_parser('lists', help='write the lists of a data set from its folders')
    sub.add_argument('kind', choices=LISTS, help='panorama: uuid folders to train and valid CSV')
    sub.add_argument('root', type=Path, help='folder of the scans, scenes or days')
    sub.add_argument('--gt-root', type=Path, help='kitti: folder of the annotated depth')
    sub.add_argument('--valid-share', type=float, default=0.1, help='panorama: of the scans')
    sub.add_argument('--seed', type=int, default=0, help='panorama: of the drawing')
    sub.add_argument('--out', type=Path, required=True, help='a new folder; nyu, kitti: a file')
    sub.set_defaults(run=_lists)


def _lists(arguments: argparse.Namespace) -> int:
    root, out = arguments.root, arguments.out
    if arguments.kind == 'panorama':
        from rs_ml_training.data.pano_csv import write_lists

        train, valid = write_lists(root, out, arguments.valid_share, arguments.seed)
        print(f'{out}: train.csv with {train}, valid.csv with {valid} pairs')
        return 0
    from rs_ml_training.data.bts_list import kitti_lines, nyu_lines

    is_kitti = arguments.kind == 'kitti'
    lines = kitti_lines(root, arguments.gt_root or root) if is_kitti else nyu_lines(root)
    write_file(out, ('\n'.join(lines) + '\n').encode())
    print(f'{out}: {len(lines)} pictures')
    return 0


def _add_split(commands: Any) -> None:
    sub = commands.add_parser('split', help='write train.txt and val.txt that share no scene')
    add_source(sub)
    sub.add_argument('--valid-share', type=float, default=0.1, help='of the samples')
    sub.add_argument('--seed', type=int, default=0, help='of the drawing')
    sub.add_argument(
        '--margin', type=int, default=0, help='samples left out beside each held-out scene'
    )
    sub.add_argument('--out', type=Path, required=True, help='a new folder')
    sub.set_defaults(run=_split)


def _split(arguments: argparse.Namespace) -> int:
    from rs_ml_training.data.splits import hold_out_blocks

    share, seed, margin = arguments.valid_share, arguments.seed, arguments.margin
    parts = hold_out_blocks(reader_of(arguments), share, seed, margin)
    with new_folder(arguments.out) as folder:
        for name, part in zip(('train', 'val'), parts, strict=True):
            names = [part.name(index) for index in range(len(part))]
            (folder / f'{name}.txt').write_text('\n'.join(names) + '\n')
    print(f'{arguments.out}: train.txt with {len(parts[0])}, val.txt with {len(parts[1])} names')
    return 0
