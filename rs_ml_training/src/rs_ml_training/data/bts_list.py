"""Lists as BTS uses them, and NYU Depth v2 as such a list names it."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rs_ml_perception.core.errors import InputError, counted

from rs_ml_training.data.encodings import read_depth, require_encoding
from rs_ml_training.data.geometry import cropped
from rs_ml_training.data.image_files import read_rgb, require_size
from rs_ml_training.data.nyu import CAMERA, room
from rs_ml_training.data.pairing import natural_key, read_names
from rs_ml_training.data.reader import Reader
from rs_ml_training.data.sample import Sample

NO_DEPTH = 'None'

BORDER_CROP = 43, 45, 565, 427
"""x, y, width, height of the valid part of undistorted 640 x 480 images: rows 45 to 471, columns
43 to 607."""

NYU_FOCAL_PX = 518.8579

KITTI_FOCAL_PX = {
    '2011_09_26': 721.5377,
    '2011_09_28': 707.0493,
    '2011_09_29': 718.3351,
    '2011_09_30': 707.0912,
    '2011_10_03': 718.856,
}
"""Rectified focal length of camera 2 by recording day."""


@dataclass(frozen=True)
class Entry:
    """A line of a list.

    Attributes:
        rgb: image.
        depth: its depth, or None where there is none.
        focal_px: or None where the line does not say.
        key: path of the image as the list gives it, without a leading '/'.
    """

    rgb: Path
    depth: Path | None
    focal_px: float | None
    key: str

    @property
    def name(self) -> str:
        """Unique in the list: the path with _ for /."""
        return '_'.join(Path(self.key).with_suffix('').parts)


def read_entries(path: Path, data_root: Path, gt_root: Path, right: bool = False) -> list[Entry]:
    """Read '<rgb> [<depth or None> [<focal>]]', maybe with '<right rgb> <right depth>' behind.

    A path that starts with '/' is below the root like any other.

    Args:
        path: the list.
        data_root: folder of the images.
        gt_root: folder of the depth.
        right: give the right images too, each after its left one.

    Raises:
        InputError: the list is missing, empty or malformed, or a file is missing; names the line.
    """
    entries = []
    for number, line in enumerate(read_names(path), 1):
        where = f'{path}, entry {number}'
        words = line.split()
        if len(words) not in (1, 2, 3, 5):
            raise InputError(f'{where} {line!r} is not "<rgb> <depth or None> <focal>"')
        focal_px = _focal(words[2], where) if len(words) > 2 else None
        pairs = [[*words, NO_DEPTH][:2]]
        if right:
            if len(words) != 5:
                raise InputError(f'{where} {line!r} names no right image and its depth')
            pairs.append(words[3:])
        for rgb, depth in pairs:
            entries.append(_entry(rgb, depth, focal_px, (data_root, gt_root), where))
    return entries


def _entry(
    rgb: str, depth: str, focal_px: float | None, roots: tuple[Path, Path], where: str
) -> Entry:
    key = rgb.lstrip('/')
    depth_path = None if depth == NO_DEPTH else roots[1] / depth.lstrip('/')
    entry = Entry(roots[0] / key, depth_path, focal_px, key)
    for file in (entry.rgb, entry.depth):
        if file is not None and not file.is_file():
            raise InputError(f'{where} names {file}, which is missing: check the root folders')
    return entry


def _focal(word: str, where: str) -> float:
    try:
        focal_px = float(word)
    except ValueError:
        focal_px = math.nan
    if not focal_px > 0 or math.isinf(focal_px):
        raise InputError(f'{where} has focal length {word!r}, which is no number of pixels')
    return focal_px


class ListReader(Reader):
    """Images and depth that a list names.

    Attributes:
        without_depth: how many entries have None for a depth; left out by default.
    """

    encoding = 'mm'
    max_depth_m: float | None = None
    gt_folder = ''

    def __init__(
        self,
        path: Path,
        list_file: str | Path | None,
        data_root: str | Path | None,
        gt_root: str | Path | None,
        keep_without_depth: bool,
        right: bool = False,
    ) -> None:
        path = Path(path)
        if list_file is None:
            list_path, root = path, Path(data_root or path.parent)
        else:
            inside, root = path / list_file, Path(data_root or path)
            list_path = inside if inside.is_file() else Path(list_file)
        own = root / self.gt_folder
        entries = read_entries(
            list_path, root, Path(gt_root or (own if own.is_dir() else root)), right
        )
        known = [entry for entry in entries if entry.depth is not None]
        self.without_depth = len(entries) - len(known)
        self._entries = entries if keep_without_depth else known
        if self.without_depth and not keep_without_depth:
            self.notes = (f'without depth: {counted(self.without_depth, "image")} of {list_path}',)
        if not self._entries:
            raise InputError(
                f'{list_path} names no depth: to predict, set keep_without_depth=true'
            )

    def __len__(self) -> int:
        return len(self._entries)

    def name(self, index: int) -> str:
        return self._entries[index].name

    def scene(self, index: int) -> str:
        return self._scene(self._entries[index])

    def read(self, index: int) -> Sample:
        entry = self._entries[index]
        image = read_rgb(entry.rgb)
        size = image.shape[1], image.shape[0]
        depth_m = None
        if entry.depth is not None:
            depth_m = read_depth(entry.depth, self.encoding, self.max_depth_m)
            require_size(entry.depth, depth_m, size)
        return self._sample(entry, image, depth_m)

    @abstractmethod
    def _scene(self, entry: Entry) -> str: ...

    @abstractmethod
    def _sample(self, entry: Entry, image: np.ndarray, depth_m: np.ndarray | None) -> Sample:
        """A sample of image and depth, cropped as the data set wants it."""


class BtsList(ListReader):
    """A list of '<rgb> <depth or None> <focal>' with 16-bit millimetres; see path_list.

    A scene is a room: the folder of the image without the letter that numbers recordings.
    """

    license = 'NYU Depth v2: research use only'

    def __init__(
        self,
        path: Path,
        list_file: str | Path | None = None,
        data_root: str | Path | None = None,
        gt_root: str | Path | None = None,
        border_crop: bool = False,
        encoding: str = 'mm',
        max_depth_m: float | None = None,
        keep_without_depth: bool = False,
    ) -> None:
        """Read the list.

        Args:
            path: the list, or with `list_file` the folder of the images.
            list_file: the list; looked for in `path` too.
            data_root: folder of the images; None: that of the list.
            gt_root: folder of the depth; None: data_root.
            border_crop: cut the blank borders off, as BTS trains.
            encoding: of the depth files, a name of encodings.ENCODINGS.
            max_depth_m: for the encoding share-of-max.
            keep_without_depth: keep entries without depth, for prediction.

        Raises:
            ConfigError: no such encoding, or it needs max_depth_m.
            InputError: the list is malformed or names a missing file.
        """
        require_encoding(encoding, max_depth_m)
        self.encoding, self.max_depth_m = encoding, max_depth_m
        super().__init__(path, list_file, data_root, gt_root, keep_without_depth)
        self._crop = border_crop

    def _scene(self, entry: Entry) -> str:
        return room(Path(entry.key).parent.name)

    def _sample(self, entry: Entry, image: np.ndarray, depth_m: np.ndarray | None) -> Sample:
        height, width = image.shape[:2]
        sample = Sample(
            name=entry.name,
            scene=self._scene(entry),
            image=image,
            depth_m=depth_m,
            intrinsics=CAMERA.resized(width, height),
            focal_px=entry.focal_px,
        )
        if not self._crop:
            return sample
        if (width, height) != (CAMERA.width, CAMERA.height):
            raise InputError(f'{entry.rgb} is {width} x {height}: border_crop needs 640 x 480')
        return cropped(sample, *BORDER_CROP)


def nyu_lines(root: Path) -> list[str]:
    """'/<scene>/rgb_N.jpg /<scene>/sync_depth_N.png focal' of all pairs below a folder.

    Raises:
        InputError: there is none, or an image has no depth.
    """
    lines = []
    for rgb in _sorted(root.glob('**/rgb_*.jpg')):
        depth = rgb.with_name(f'sync_depth_{rgb.stem.removeprefix("rgb_")}.png')
        if not depth.is_file():
            raise InputError(f'{rgb} has no {depth.name} next to it: add it or remove the image')
        lines.append(f'/{_below(rgb, root)} /{_below(depth, root)} {NYU_FOCAL_PX}')
    return _some(lines, root, '<scene>/rgb_*.jpg')


def kitti_lines(root: Path, gt_root: Path) -> list[str]:
    """'<day>/<drive>/image_02/data/N.png <drive>/.../N.png focal'; 'None' without truth.

    Args:
        root: folder of the days.
        gt_root: folder of the drives with annotated depth, maybe within train/ or val/.

    Raises:
        InputError: there is no image, or one of a day without known camera.
    """
    lines = []
    for rgb in _sorted(root.glob('*/*_sync/image_02/data/*.png')):
        day, drive = rgb.parts[-5:-3]
        if day not in KITTI_FOCAL_PX:
            raise InputError(f'{rgb} is of {day}, not of {", ".join(KITTI_FOCAL_PX)}')
        truth = f'{drive}/proj_depth/groundtruth/image_02/{rgb.name}'
        places = (p + truth for p in ('', 'train/', 'val/'))
        depth = next((p for p in places if (gt_root / p).is_file()), None)
        lines.append(f'{_below(rgb, root)} {depth} {KITTI_FOCAL_PX[day]}')
    return _some(lines, root, '<day>/<drive>_sync/image_02/data/*.png')


def _sorted(paths: Iterable[Path]) -> list[Path]:
    return sorted(paths, key=lambda path: natural_key(path.as_posix()))


def _below(path: Path, root: Path) -> str:
    return path.relative_to(root).as_posix()


def _some(lines: list[str], root: Path, pattern: str) -> list[str]:
    if not lines:
        raise InputError(f'{root} holds no {pattern}')
    return lines
