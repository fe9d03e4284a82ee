"""NYU Depth v2: the labelled frames as folders of images, and the frames of FastDepth as HDF5."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
from rs_ml_perception.core.errors import ConfigError, InputError
from rs_ml_perception.core.geometry.camera import CameraModel

from rs_ml_training.data.classes import ClassTable, class_mapping
from rs_ml_training.data.encodings import decode
from rs_ml_training.data.image_files import read_labels, read_rgb, read_stored, require_size
from rs_ml_training.data.pairing import chosen_names, files_by_stem, natural_key, paired_by_stem
from rs_ml_training.data.reader import NamedReader
from rs_ml_training.data.sample import Boxes, Sample
from rs_ml_training.data.text_files import read_text

CAMERA = CameraModel(640, 480, 518.8579, 519.4696, 325.5824, 253.7362)
"""Colour camera of the Kinect that took them."""

LABELS = (
    'wall',
    'floor',
    'cabinet',
    'bed',
    'chair',
    'sofa',
    'table',
    'door',
    'window',
    'bookshelf',
    'picture',
    'counter',
    'blinds',
    'desk',
    'shelves',
    'curtain',
    'dresser',
    'pillow',
    'mirror',
    'floor mat',
    'clothes',
    'ceiling',
    'books',
    'refrigerator',
    'television',
    'paper',
    'towel',
    'shower curtain',
    'box',
    'whiteboard',
    'person',
    'night stand',
    'toilet',
    'sink',
    'lamp',
    'bathtub',
    'bag',
    'other structure',
    'other furniture',
)
"""By stored value, which is the NYU40 id - 1; the 40th merges other props with unlabelled."""

OTHER_PROP = 39

HELD_OUT = ('00001.h5', '00201.h5')
"""Frames of every training scene that FastDepth holds out."""


class NyuLabelled(NamedReader):
    """`rgb/`, `depth/` and `labels40/` with one file an id in each, and lists of ids.

    8-bit depth counts 1 / 25.5 m, 16-bit depth millimetres. `labels40/` may be absent, and
    `person_boxes.json` too: then there are no boxes. An image without an entry there holds no
    person. Scenes are runs of consecutive ids.
    """

    license = 'NYU Depth v2: research use only'

    def __init__(
        self,
        path: Path,
        list_file: str | Path | None = None,
        classes: ClassTable | str | Path | None = None,
    ) -> None:
        """Pair the files.

        Args:
            path: the folder.
            list_file: ids, one a line, as train.txt; looked for in `path` too. None: all.
            classes: fewer classes than 39; see `classes.class_mapping`.

        Raises:
            InputError: a file without partner, an id in the list without image.
        """
        path = Path(path)
        self._rgb = files_by_stem(path / 'rgb')
        self._depth = _partners(path, 'depth')
        self._labels = _partners(path, 'labels40') if (path / 'labels40').exists() else {}
        self._scenes = runs(list(self._rgb))
        self._names = chosen_names(self._rgb, list_file, path)
        self._mapping = class_mapping(LABELS, classes, ignored=[OTHER_PROP])
        self.labels = self._mapping.labels
        self._boxes = _person_boxes(path / 'person_boxes.json')

    def read(self, index: int) -> Sample:
        name = self._names[index]
        image = read_rgb(self._rgb[name])
        size = image.shape[1], image.shape[0]
        depth_path = self._depth[name]
        return Sample(
            name=name,
            scene=self.scene(index),
            image=image,
            depth_m=require_size(depth_path, _read_depth(depth_path), size),
            labels=self._read_labels(name, size),
            boxes=self._read_boxes(name),
            intrinsics=CAMERA.resized(*size),
        )

    def _read_labels(self, name: str, size: tuple[int, int]) -> np.ndarray | None:
        if not self._labels:
            return None
        path = self._labels[name]
        stored = require_size(path, read_labels(path), size)
        return self._mapping.map(stored, path)

    def _read_boxes(self, name: str) -> Boxes | None:
        if self._boxes is None:
            return None
        return self._mapping.map_boxes(self._boxes.get(name, Boxes.of([], [])))


def runs(names: list[str]) -> dict[str, str]:
    """The scene of each numbered name: consecutive numbers belong to one.

    Raises:
        InputError: a name is not a number.
    """
    scenes: dict[str, str] = {}
    previous, scene = None, ''
    for name in names:
        if not name.isdigit():
            raise InputError(f'{name!r} is not a number: NYU images are named as 0002.jpg')
        if previous is None or int(name) != previous + 1:
            scene = f'run-{name}'
        scenes[name], previous = scene, int(name)
    return scenes


def _partners(path: Path, folder: str) -> dict[str, Path]:
    pairs = paired_by_stem(path / 'rgb', path / folder)
    return {name: partner for name, (_, partner) in pairs.items()}


def _read_depth(path: Path) -> np.ndarray:
    stored = read_stored(path)
    return decode(stored, 'eight-bit-10m' if stored.dtype == np.uint8 else 'mm')


def _person_boxes(path: Path) -> dict[str, Boxes] | None:
    if not path.is_file():
        return None
    person = LABELS.index('person')
    try:
        images = json.loads(read_text(path))['images']
        found = {}
        for name, people in images.items():
            xywh = np.array([p['bbox_xywh'] for p in people], np.float32).reshape(-1, 4)
            xyxy = np.hstack([xywh[:, :2], xywh[:, :2] + xywh[:, 2:]])
            found[name] = Boxes.of(xyxy, [person] * len(people))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(f'{path} does not list boxes of persons: {error!r}') from error
    return found


class NyuRgbd(NyuLabelled):
    """The layout of `NyuLabelled`, its depth as measured depth instead of the truth."""

    def read(self, index: int) -> Sample:
        sample = super().read(index)
        return dataclasses.replace(sample, raw_depth_m=sample.depth_m, depth_m=None)


class NyuH5(NamedReader):
    """A tree of folders with `*.h5`: `rgb` uint8 (3, H, W) and `depth` float32 (H, W) [m].

    A scene is a room: the folder without the letter that numbers its recordings.
    """

    license = 'NYU Depth v2: research use only'

    def __init__(
        self, path: Path, list_file: str | Path | None = None, part: str | None = None
    ) -> None:
        """List the files.

        Args:
            path: the folder of the scenes, as train/ or val/.
            list_file: names of samples, one a line; looked for in `path` too. None: all.
            part: 'train' leaves out the frames that FastDepth holds out, 'holdout' gives only
                those. Their scenes are in training too, so they are a weak test.

        Raises:
            ConfigError: no such part.
        """
        path = Path(path)
        if part not in (None, 'train', 'holdout'):
            raise ConfigError(f"part {part!r} is neither 'train' nor 'holdout'")
        files = sorted(path.rglob('*.h5'), key=lambda file: natural_key(str(file)))
        if part:
            files = [f for f in files if (f.name in HELD_OUT) == (part == 'holdout')]
        self._files = {_name(file, path): file for file in files}
        self._names = chosen_names(self._files, list_file, path)

    def scene(self, index: int) -> str:
        return room(self._files[self._names[index]].parent.name)

    def read(self, index: int) -> Sample:
        image, depth_m = _read(self._files[self._names[index]])
        return Sample(
            name=self.name(index),
            scene=self.scene(index),
            image=image,
            depth_m=depth_m,
            intrinsics=CAMERA.resized(image.shape[1], image.shape[0]),
        )


def room(folder: str) -> str:
    """'kitchen_0004' of 'kitchen_0004b': the recordings of one room are one scene."""
    return folder[:-1] if folder[-2:-1].isdigit() and folder[-1:].isalpha() else folder


def _name(file: Path, root: Path) -> str:
    return '_'.join(file.relative_to(root).with_suffix('').parts)


def _read(path: Path) -> tuple[np.ndarray, np.ndarray]:
    import h5py

    try:
        with h5py.File(path) as file:
            rgb, depth = np.asarray(file['rgb']), np.asarray(file['depth'])
    except (OSError, KeyError, TypeError) as error:
        raise InputError(f'{path} is damaged or lacks rgb or depth: fetch it again') from error
    if rgb.dtype != np.uint8 or rgb.shape != (3, *depth.shape):
        raise InputError(
            f'{path} holds rgb {rgb.dtype} {rgb.shape} and depth {depth.shape}: '
            'expected uint8 (3, H, W) and (H, W)'
        )
    return np.ascontiguousarray(rgb.transpose(1, 2, 0)), decode(depth, 'metres')
