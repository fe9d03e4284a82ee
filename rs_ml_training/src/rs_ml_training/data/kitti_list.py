"""KITTI as BTS lists it."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
from rs_ml_perception.core.errors import InputError
from rs_ml_perception.core.geometry.camera import CameraModel

from rs_ml_training.data.bts_list import Entry, ListReader
from rs_ml_training.data.geometry import cropped
from rs_ml_training.data.sample import Sample
from rs_ml_training.data.text_files import read_text

KB_SIZE = 1216, 352
"""(width, height) of the crop that KITTI's depth benchmark cuts from the bottom centre."""

REFERENCE_FOCAL_PX = 715.0873
"""Mean focal length of the Eigen training list."""

_DRIVE = re.compile(r'\d{4}_\d\d_\d\d_drive_\d+')


class KittiList(ListReader):
    """A list of '<rgb> <depth or None> <focal>' with depth as uint16 / 256 m; see path_list.

    A scene is a drive. `calib_cam_to_cam.txt` in the folder of the date gives the camera, if it
    is there.
    """

    license = 'KITTI: CC BY-NC-SA 3.0'
    encoding = 'kitti'
    gt_folder = 'data_depth_annotated'

    def __init__(
        self,
        path: Path,
        list_file: str | Path | None = None,
        data_root: str | Path | None = None,
        gt_root: str | Path | None = None,
        kb_crop: bool = True,
        focal_scaling: bool = False,
        right: bool = False,
        keep_without_depth: bool = False,
    ) -> None:
        """Read the list.

        Args:
            path: the list, or with `list_file` the folder of the images.
            list_file: the list; looked for in `path` too.
            data_root: folder of the dates; None: that of the list.
            gt_root: folder of the depth; None: data_depth_annotated/ in data_root, else data_root.
            kb_crop: give the benchmark crop of 1216 x 352.
            focal_scaling: divide depth by focal / 715.0873, so that one focal length is learned;
                `reference_focal_px` says so.
            right: the right images too; the list must name them.
            keep_without_depth: keep entries without depth, for prediction.

        Raises:
            InputError: the list is malformed or names a missing file, or focal lengths are
                missing that the scaling needs.
        """
        super().__init__(path, list_file, data_root, gt_root, keep_without_depth, right)
        self._crop = kb_crop
        self._cameras: dict[Path, CameraModel | None] = {}
        if focal_scaling:
            self.reference_focal_px = REFERENCE_FOCAL_PX
            for entry in self._entries:
                if entry.focal_px is None:
                    raise InputError(f'{path} gives no focal length for {entry.key}: add it')

    def _scene(self, entry: Entry) -> str:
        match = _DRIVE.search(entry.key)
        return match[0] if match else str(Path(entry.key).parent)

    def _sample(self, entry: Entry, image: np.ndarray, depth_m: np.ndarray | None) -> Sample:
        if depth_m is not None and self.reference_focal_px and entry.focal_px:
            depth_m = depth_m / np.float32(entry.focal_px / self.reference_focal_px)
        sample = Sample(
            name=entry.name,
            scene=self._scene(entry),
            image=image,
            depth_m=depth_m,
            intrinsics=self._camera(entry, image),
            focal_px=entry.focal_px,
        )
        return kb_cropped(sample) if self._crop else sample

    def _camera(self, entry: Entry, image: np.ndarray) -> CameraModel | None:
        camera_folder = next((p for p in entry.rgb.parents if p.name.startswith('image_0')), None)
        if camera_folder is None:
            return None
        if camera_folder not in self._cameras:
            calibration = camera_folder.parent.parent / 'calib_cam_to_cam.txt'
            self._cameras[camera_folder] = read_calibration(calibration, camera_folder.name[-2:])
        camera = self._cameras[camera_folder]
        return camera and camera.resized(image.shape[1], image.shape[0])


def kb_cropped(sample: Sample) -> Sample:
    """The benchmark crop of a sample; see kb_rect."""
    try:
        return cropped(sample, *kb_rect(sample.size))
    except InputError as error:
        raise InputError(f'{sample.name}: {error}') from error


def kb_rect(size: tuple[int, int]) -> tuple[int, int, int, int]:
    """x, y, width, height of the benchmark crop of a KITTI image of (width, height).

    Raises:
        InputError: the image is smaller.
    """
    width, height = size
    if width < KB_SIZE[0] or height < KB_SIZE[1]:
        raise InputError(
            f'the KITTI crop of {KB_SIZE[0]}x{KB_SIZE[1]} does not fit an image of '
            f'{width}x{height}: set kb_crop to false'
        )
    return (width - KB_SIZE[0]) // 2, height - KB_SIZE[1], *KB_SIZE


def read_calibration(path: Path, camera: str) -> CameraModel | None:
    """The rectified camera of `calib_cam_to_cam.txt`, or None where there is no such file.

    Args:
        path: the file.
        camera: number of the camera, as '02'.

    Raises:
        InputError: it does not hold S_rect and P_rect of that camera.
    """
    if not path.is_file():
        return None
    lines = (line.partition(':') for line in read_text(path).splitlines())
    rows = {key: values.split() for key, _, values in lines}
    try:
        width, height = (int(float(v)) for v in rows[f'S_rect_{camera}'])
        p = [float(v) for v in rows[f'P_rect_{camera}']]
        return CameraModel(width, height, p[0], p[5], p[2], p[6])
    except (KeyError, ValueError, IndexError) as error:
        raise InputError(f'{path} lacks S_rect_{camera} or P_rect_{camera}') from error
