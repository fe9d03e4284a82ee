"""Cityscapes: street scenes with 19 classes, and depth from its stereo disparity."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from rs_ml_perception.core.errors import InputError
from rs_ml_perception.core.geometry.camera import CameraModel

from rs_ml_training.data.classes import ClassTable, class_mapping
from rs_ml_training.data.image_files import read_labels, read_rgb, read_stored, require_size
from rs_ml_training.data.pairing import chosen_names, natural_key
from rs_ml_training.data.reader import NamedReader
from rs_ml_training.data.sample import Sample
from rs_ml_training.data.text_files import read_text

CLASSES = (
    (7, 'road', (128, 64, 128)),
    (8, 'sidewalk', (244, 35, 232)),
    (11, 'building', (70, 70, 70)),
    (12, 'wall', (102, 102, 156)),
    (13, 'fence', (190, 153, 153)),
    (17, 'pole', (153, 153, 153)),
    (19, 'traffic light', (250, 170, 30)),
    (20, 'traffic sign', (220, 220, 0)),
    (21, 'vegetation', (107, 142, 35)),
    (22, 'terrain', (152, 251, 152)),
    (23, 'sky', (70, 130, 180)),
    (24, 'person', (220, 20, 60)),
    (25, 'rider', (255, 0, 0)),
    (26, 'car', (0, 0, 142)),
    (27, 'truck', (0, 0, 70)),
    (28, 'bus', (0, 60, 100)),
    (31, 'train', (0, 80, 100)),
    (32, 'motorcycle', (0, 0, 230)),
    (33, 'bicycle', (119, 11, 32)),
)
"""(value in the labelIds files, name, colour) of the classes that are evaluated, by train id."""

LABELS = tuple(name for _, name, _ in CLASSES)
VALUES = 34
"""Number of values in the labelIds files; those without a train id are unlabelled."""

_IMAGE = '_leftImg8bit.png'


class Cityscapes(NamedReader):
    """`leftImg8bit/SPLIT/CITY/*_leftImg8bit.png` and `gtFine/SPLIT/CITY/*_gtFine_labelIds.png`.

    A scene is a city. `camera/` gives intrinsics where it exists.
    """

    license = 'Cityscapes: research use only'

    def __init__(
        self,
        path: Path,
        split: str = 'train',
        disparity: bool = False,
        classes: ClassTable | str | Path | None = None,
        list_file: str | Path | None = None,
    ) -> None:
        """Pair the files.

        Args:
            path: the folder with leftImg8bit/ and gtFine/.
            split: train, val or test.
            disparity: read `disparity/` with `camera/` as raw_depth_m.
            classes: fewer classes than 19; see `classes.class_mapping`.
            list_file: names as aachen_000000_000019, one a line; looked for in `path` too.

        Raises:
            InputError: an image without its labels, or its disparity and camera if wanted.
        """
        self._path, self._split = Path(path), split
        folder = self._path / 'leftImg8bit' / split
        if not folder.is_dir():
            raise InputError(f'{folder} is missing: give the folder with leftImg8bit/ and gtFine/')
        found = sorted(folder.glob(f'*/*{_IMAGE}'), key=lambda file: natural_key(file.name))
        self._images = {file.name.removesuffix(_IMAGE): file for file in found}
        self._names = chosen_names(self._images, list_file, self._path)
        self._disparity = disparity
        self._require_files()
        values = {value: train_id for train_id, (value, _, _) in enumerate(CLASSES)}
        mapping = class_mapping(LABELS, classes)
        self._mapping = mapping.after(values, ignored=range(VALUES))
        self.labels = mapping.labels
        self.colors = mapping.colors([color for _, _, color in CLASSES])

    def scene(self, index: int) -> str:
        return self._images[self._names[index]].parent.name

    def read(self, index: int) -> Sample:
        name = self._names[index]
        image = read_rgb(self._images[name])
        size = image.shape[1], image.shape[0]
        labels_path = self._file(name, 'gtFine', 'gtFine_labelIds.png')
        camera_path = self._file(name, 'camera', 'camera.json')
        camera, baseline_m = (
            read_camera_json(camera_path, size) if camera_path.is_file() else (None, 0.0)
        )
        return Sample(
            name=name,
            scene=self.scene(index),
            image=image,
            labels=self._mapping.map(
                require_size(labels_path, read_labels(labels_path), size), labels_path
            ),
            raw_depth_m=self._depth(name, size, camera, baseline_m) if camera else None,
            intrinsics=camera,
        )

    def _depth(
        self, name: str, size: tuple[int, int], camera: CameraModel, baseline_m: float
    ) -> np.ndarray | None:
        if not self._disparity:
            return None
        path = self._file(name, 'disparity', 'disparity.png')
        stored = require_size(path, read_stored(path), size)
        return depth_from_disparity(stored, camera.fx * baseline_m)

    def _file(self, name: str, kind: str, suffix: str) -> Path:
        city = self._images[name].parent.name
        return self._path / kind / self._split / city / f'{name}_{suffix}'

    def _require_files(self) -> None:
        wanted = [('gtFine', 'gtFine_labelIds.png')]
        if self._disparity:
            wanted += [('disparity', 'disparity.png'), ('camera', 'camera.json')]
        for name in self._names:
            for kind, suffix in wanted:
                path = self._file(name, kind, suffix)
                if not path.is_file():
                    raise InputError(f'{path} is missing: {self._images[name].name} needs it')


def depth_from_disparity(stored: np.ndarray, focal_times_baseline: float) -> np.ndarray:
    """Depth of the stored disparity p, which is (p - 1) / 256 px for p > 0 (Cityscapes README).

    Args:
        stored: uint16 (H, W), 0 where unknown.
        focal_times_baseline: [px m].

    Returns:
        float32 (H, W) [m], 0 where unknown or infinitely far.
    """
    disparity_px = (stored.astype(np.float32) - 1) / 256
    known = disparity_px > 0
    depth_m = focal_times_baseline / np.where(known, disparity_px, 1)
    return np.where(known, depth_m, 0).astype(np.float32)


def read_camera_json(path: Path, size: tuple[int, int]) -> tuple[CameraModel, float]:
    """The camera and the stereo baseline [m].

    Raises:
        InputError: it is not such a file.
    """
    try:
        values = json.loads(read_text(path))
        k = values['intrinsic']
        fx, fy, cx, cy = (float(k[key]) for key in ('fx', 'fy', 'u0', 'v0'))
        camera = CameraModel(*size, fx, fy, cx, cy)
        return camera, float(values['extrinsic']['baseline'])
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f'{path} does not describe a camera: {error!r}') from error
