"""Sequences of 7-Scenes (Shotton et al., Scene Coordinate Regression Forests, CVPR 2013)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from rs_ml_perception.core.errors import ConfigError, InputError
from rs_ml_perception.core.geometry.camera import CameraModel
from rs_ml_perception.core.geometry.registration import register_depth
from rs_ml_perception.core.geometry.transforms import RigidTransform
from rs_ml_perception.core.images.depth import DepthImage

from rs_ml_training.data.encodings import read_depth
from rs_ml_training.data.fusion import PosedDepth, fuse_depth
from rs_ml_training.data.image_files import read_rgb, require_size
from rs_ml_training.data.pairing import chosen_names, files_by_stem, require_pairs
from rs_ml_training.data.reader import NamedReader
from rs_ml_training.data.sample import Sample

_COLOR = CameraModel(640, 480, 525.6, 525.6, 322.14, 235.0)
_DEPTH = CameraModel(640, 480, 585.0, 585.0, 320.0, 240.0)
_COLOR_FROM_DEPTH = RigidTransform(np.eye(3), np.array([-15.71, 4.84, 0.0]) / _COLOR.fx)
"""Fitted on edges of depth and colour: the files' depth is that of the depth camera, which the
published single set of intrinsics (585) describes; the colour camera of a Kinect is another."""


class SevenScenes(NamedReader):
    """`rgb/` and `depth/` (uint16 mm, 65535 or 0: none) with one file a frame, registered here.

    A scene is a block of consecutive frames, so that whole blocks are held out.
    """

    license = 'Microsoft Research 7-Scenes: research use only'

    def __init__(
        self, path: Path, list_file: str | Path | None = None, block_frames: int = 25
    ) -> None:
        """Pair the files.

        Args:
            path: the folder.
            list_file: names of frames, one a line; looked for in `path` too. None: all.
            block_frames: files in a scene.

        Raises:
            ConfigError: a block shorter than a frame.
            InputError: a file without partner, a name in the list without files.
        """
        if block_frames < 1:
            raise ConfigError(f'block_frames {block_frames} is no length: give 1 or more')
        path = Path(path)
        self._rgb, self._depth = (files_by_stem(path / name) for name in ('rgb', 'depth'))
        require_pairs(self._rgb, self._depth, path / 'depth')
        self._names = chosen_names(self._rgb, list_file, path)
        self._scenes = {name: f'{i // block_frames}' for i, name in enumerate(sorted(self._rgb))}

    def read(self, index: int) -> Sample:
        name = self._names[index]
        image = read_rgb(self._rgb[name])
        size = image.shape[1], image.shape[0]
        if size != (_COLOR.width, _COLOR.height):
            raise InputError(f'{self._rgb[name]} is {size[0]}x{size[1]}, 7-Scenes has 640x480')
        return Sample(
            name=name,
            scene=self.scene(index),
            image=image,
            depth_m=_registered(self._measured_m(name)),
            intrinsics=_COLOR,
        )

    def _measured_m(self, name: str) -> np.ndarray:
        """Depth of the depth camera, float32 (480, 640), 0 where unknown."""
        path = self._depth[name]
        depth_m = require_size(path, read_depth(path), (_DEPTH.width, _DEPTH.height))
        return np.where(depth_m < 60, depth_m, 0).astype(np.float32)


class FusedSevenScenes(SevenScenes):
    """Pairs of measured depth and depth fused from the frames around it, by `pose/<name>.txt`.

    Both are in the pixels of the depth camera, a Kinect. A frame takes no part in its own truth;
    what all views of a place get wrong alike stays in it.
    """

    def __init__(
        self,
        path: Path,
        list_file: str | Path | None = None,
        block_frames: int = 25,
        neighbours: int = 10,
        step_px: int = 1,
    ) -> None:
        """Pair the files.

        Args:
            path: the folder.
            list_file: names of frames, one a line; the others are still fused. None: all.
            block_frames: files in a scene.
            neighbours: frames to either side that are fused.
            step_px: truth of only every so many rows and columns.

        Raises:
            ConfigError: a block shorter than a frame, no neighbour, a step below 1.
            InputError: a file without partner, a name in the list without files.
        """
        if min(neighbours, step_px) < 1:
            raise ConfigError(
                f'neighbours {neighbours} and step_px {step_px} must both be 1 or more'
            )
        super().__init__(path, list_file, block_frames)
        self._poses = files_by_stem(Path(path) / 'pose', ('.txt',))
        require_pairs(self._depth, self._poses, Path(path) / 'pose')
        self._neighbours, self._step_px = neighbours, step_px
        self._order = tuple(sorted(self._depth))

    def read(self, index: int) -> Sample:
        name = self._names[index]
        at = self._order.index(name)
        around = self._order[max(0, at - self._neighbours) : at + self._neighbours + 1]
        frames = [
            PosedDepth(self._measured_m(other), self._pose(other))
            for other in around
            if other != name
        ]
        truth_m = fuse_depth(frames, _DEPTH, self._pose(name), step_px=self._step_px)
        return Sample(
            name=name,
            scene=self.scene(index),
            raw_depth_m=self._measured_m(name),
            depth_m=truth_m,
            intrinsics=_DEPTH,
        )

    def _pose(self, name: str) -> np.ndarray:
        path = self._poses[name]
        try:
            pose = np.loadtxt(path)
        except (OSError, ValueError) as error:
            raise InputError(f'{path} is no pose: {error}') from error
        if pose.shape != (4, 4) or not np.isfinite(pose).all():
            raise InputError(f'{path} must hold a matrix of 4 x 4 numbers')
        return pose


def _registered(depth_m: np.ndarray) -> np.ndarray:
    stored = DepthImage(depth_m, 1.0)
    moved = register_depth(stored, _DEPTH, _COLOR, _COLOR_FROM_DEPTH)
    return np.nan_to_num(moved.values, nan=0.0)
