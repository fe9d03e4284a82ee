"""Square tiles of samples, in the order and with the file names of Intel's denoising set."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from rs_ml_perception.core.errors import ConfigError, InputError

from rs_ml_training.data import geometry
from rs_ml_training.data.encodings import encode
from rs_ml_training.data.output_folder import new_folder, write_png
from rs_ml_training.data.reader import Reader
from rs_ml_training.data.sample import Sample
from rs_ml_training.data.text_files import write_license, write_scenes

_NAME = re.compile(
    r'(?P<stem>.+)_(?P<index>\d{3,})_row_(?P<y>\d+)_col_(?P<x>\d+)'
    r'_width(?P<width>\d+)_height(?P<height>\d+)'
)
_PREFIXES = {
    'raw_depth_m': 'res',
    'depth_m': 'gt',
    'infrared': 'left',
    'image': 'rgb',
    'labels': 'labels',
}


@dataclass(frozen=True)
class Tile:
    """Where a tile lies in its image.

    Attributes:
        index: in column-major order.
        x: left column [px].
        y: upper row [px].
        width: of the tile, which may reach beyond the image [px].
        height: of the tile, which may reach beyond the image [px].
    """

    index: int
    x: int
    y: int
    width: int
    height: int

    def name(self, stem: str) -> str:
        """Name of the tile of an image, as in the published set."""
        place = f'row_{self.y}_col_{self.x}'
        return f'{stem}_{self.index:03}_{place}_width{self.width}_height{self.height}'


def grid(size: tuple[int, int], side: int | None, overlap: int = 0) -> list[Tile]:
    """Tiles that cover an image, column by column.

    Args:
        size: (width, height) of the image [px].
        side: of a tile [px]; None: one tile, the whole image.
        overlap: of neighbours [px].

    Raises:
        ConfigError: the overlap is not smaller than the side, or either is negative.
    """
    if side is None:
        return [Tile(0, 0, 0, *size)]
    if side < 1 or not 0 <= overlap < side:
        raise ConfigError(f'tiles of {side} px cannot overlap by {overlap} px')
    step = side - overlap
    columns, rows = (max(-(-(length - overlap) // step), 1) for length in size)
    places = [(x * step, y * step) for x in range(columns) for y in range(rows)]
    return [Tile(index, x, y, side, side) for index, (x, y) in enumerate(places)]


def tile_sample(sample: Sample, side: int | None, overlap: int = 0) -> list[Sample]:
    """The tiles of a sample; beyond the border is black and unknown."""
    return [
        replace(
            geometry.cropped(sample, tile.x, tile.y, tile.width, tile.height),
            name=tile.name(sample.name),
            scene=sample.scene or sample.name,
        )
        for tile in grid(sample.size, side, overlap)
    ]


def stitch(
    tiles: Sequence[np.ndarray],
    size: tuple[int, int],
    overlap: int = 0,
    unknown: float | None = None,
) -> np.ndarray:
    """Put tiles together again, without losing a row or column.

    Where tiles overlap, each weighs less towards its border.

    Args:
        tiles: (S, S) or (S, S, C) each, in the order of `grid`.
        size: (width, height) of the image [px].
        overlap: as they were cut [px].
        unknown: a value that says nothing and must not be mixed with others, as 0 in depth.

    Returns:
        (H, W) or (H, W, C) of the tiles' type.

    Raises:
        InputError: the number of tiles does not fit the size.
    """
    if not len(tiles):
        raise InputError(f'there are no tiles to make an image of {size[0]}x{size[1]} from')
    side = tiles[0].shape[0]
    places = grid(size, side, overlap)
    if len(places) != len(tiles):
        wanted = f'{size[0]}x{size[1]} needs {len(places)} tiles of {side} px'
        raise InputError(f'{wanted}, got {len(tiles)}')
    if not overlap:
        return _pasted(tiles, places, size)
    return _blended(tiles, places, size, overlap, unknown)


def place_of(name: str) -> tuple[str, Tile]:
    """Stem of the image and the tile of a file name, without its ending.

    Raises:
        InputError: it is not the name of a tile.
    """
    match = _NAME.fullmatch(name)
    if not match:
        raise InputError(f'{name!r} is not <stem>_<NNN>_row_<y>_col_<x>_width<w>_height<h>')
    numbers = {key: int(match[key]) for key in ('index', 'x', 'y', 'width', 'height')}
    return match['stem'], Tile(**numbers)


def write_tiles(
    reader: Reader, out: Path, side: int | None, *, overlap: int = 0, by_source: bool = False
) -> int:
    """Cut all samples of a reader into PNG files `res-`, `gt-`, `left-`, `rgb-`, `labels-`.

    Depth becomes 16-bit millimetres. The format 'intel-denoise' reads the folder back; all tiles
    of an image are in its scene.

    Args:
        reader: the samples to cut.
        out: a new folder.
        side: of the tiles [px]; None: whole images.
        overlap: of neighbours [px].
        by_source: a folder for each image.

    Returns:
        How many tiles were written.
    """
    scenes: dict[str, str] = {}
    with new_folder(out) as folder:
        for index in range(len(reader)):
            sample = reader.read(index)
            inside = folder / sample.name if by_source else folder
            for tile in tile_sample(sample, side, overlap):
                _write(tile, inside)
                scenes[tile.name] = reader.scene(index)
        if not by_source:
            write_scenes(scenes, folder)
        write_license(reader.license, folder)
    return len(scenes)


def read_stitched(paths: Sequence[Path], size: tuple[int, int], overlap: int = 0) -> np.ndarray:
    """Read the tiles of one image and put them together, depth in millimetres as stored.

    Args:
        paths: PNG files in any order, named as `write_tiles` does.
        size: (width, height) of the image [px].
        overlap: as they were cut [px].

    Raises:
        InputError: a file is missing, damaged or of another image.
    """
    from rs_ml_training.data.image_files import read_stored

    found = sorted((place_of(path.stem)[1].index, path) for path in paths)
    stems = {place_of(path.stem)[0] for path in paths}
    if len(stems) != 1:
        raise InputError(f'tiles of one image are needed, got those of {sorted(stems)}')
    if [index for index, _ in found] != list(range(len(found))):
        raise InputError(f'tiles of {stems.pop()} are missing: there are only {len(found)}')
    return stitch([read_stored(path) for _, path in found], size, overlap, unknown=0)


def _write(tile: Sample, folder: Path) -> None:
    for field, prefix in _PREFIXES.items():
        array = getattr(tile, field)
        if array is not None:
            stored = encode(array, 'mm') if array.dtype == np.float32 else array
            write_png(folder / f'{prefix}-{tile.name}.png', stored)


def _pasted(
    tiles: Sequence[np.ndarray], places: Sequence[Tile], size: tuple[int, int]
) -> np.ndarray:
    out = np.zeros((*size[::-1], *tiles[0].shape[2:]), tiles[0].dtype)
    for tile, place in zip(tiles, places, strict=True):
        part = out[place.y : place.y + place.height, place.x : place.x + place.width]
        part[:] = tile[: part.shape[0], : part.shape[1]]
    return out


def _blended(
    tiles: Sequence[np.ndarray],
    places: Sequence[Tile],
    size: tuple[int, int],
    overlap: int,
    unknown: float | None,
) -> np.ndarray:
    more = tiles[0].shape[2:]
    total, weights = np.zeros((*size[::-1], *more)), np.zeros((*size[::-1], *more))
    ramp = np.minimum(np.arange(1, len(tiles[0]) + 1), overlap + 1) / (overlap + 1)
    ramp = np.minimum(ramp, ramp[::-1])
    for tile, place in zip(tiles, places, strict=True):
        weight = np.multiply.outer(ramp, ramp).reshape(*tile.shape[:2], *[1] * len(more))
        weight = weight * (np.ones(tile.shape) if unknown is None else tile != unknown)
        rows = slice(place.y, min(place.y + place.height, size[1]))
        columns = slice(place.x, min(place.x + place.width, size[0]))
        inside = slice(rows.stop - rows.start), slice(columns.stop - columns.start)
        total[rows, columns] += (weight * tile)[inside]
        weights[rows, columns] += weight[inside]
    mean = np.divide(total, weights, out=np.full_like(total, unknown or 0), where=weights > 0)
    return _as_type(mean, tiles[0].dtype)


def _as_type(values: np.ndarray, dtype: np.dtype) -> np.ndarray:
    return (np.rint(values) if dtype.kind in 'iu' else values).astype(dtype)
