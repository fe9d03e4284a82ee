"""Data sets of a few small pictures, each exactly in its published layout."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

SIZE = 64, 48
PANORAMA = 64, 32
NYU_IDS = ('0002', '0003', '0004', '0009', '0010', '0012')
PERSON = 30


def image(seed: int, size: tuple[int, int] = SIZE) -> np.ndarray:
    """Blocks of random colours, uint8 (H, W, 3)."""
    blocks = np.random.default_rng(seed).integers(0, 256, (6, 8, 3), np.uint8)
    return cv2.resize(blocks, size, interpolation=cv2.INTER_NEAREST)


def depth_m(seed: int, size: tuple[int, int] = SIZE) -> np.ndarray:
    """A slope from 1 m to 4 m with a hole at the upper left, float64 (H, W)."""
    slope = np.linspace(1, 4, size[0])[None] + np.zeros((size[1], 1)) + 0.01 * seed
    slope[:4, :4] = 0
    return slope


def labels(values: list[int], size: tuple[int, int] = SIZE) -> np.ndarray:
    """Upright stripes of the values, uint8 (H, W)."""
    stripes = np.array(values, np.uint8)[np.arange(size[0]) * len(values) // size[0]]
    return np.repeat(stripes[None], size[1], axis=0)


def save(path: Path, array: np.ndarray) -> Path:
    """Write a picture (colours are RGB) and the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), array[..., ::-1] if array.ndim == 3 else array)
    return path


def millimetres(seed: int, size: tuple[int, int] = SIZE) -> np.ndarray:
    """depth_m as uint16."""
    return np.rint(depth_m(seed, size) * 1000).astype(np.uint16)


def nyu_labelled(root: Path) -> Path:
    """Six ids in three runs, of which the lists give the last to validation."""
    for seed, name in enumerate(NYU_IDS):
        save(root / 'rgb' / f'{name}.png', image(seed))
        save(root / 'depth' / f'{name}.png', np.rint(depth_m(seed) * 25.5).astype(np.uint8))
        save(root / 'labels40' / f'{name}.png', labels([0, 4, PERSON, 39]))
    (root / 'train.txt').write_text('\n'.join(NYU_IDS[:5]) + '\n')
    (root / 'val.txt').write_text(NYU_IDS[5] + '\n')
    person = {'bbox_xywh': [32, 0, 16, 48], 'area_px': 768}
    (root / 'person_boxes.json').write_text(json.dumps({'images': {'0003': [person]}}))
    return root


def nyu_h5(root: Path) -> Path:
    """Two rooms, one of them in two recordings."""
    import h5py

    for seed, scene in enumerate(('kitchen_0004a', 'kitchen_0004b', 'office_0001')):
        for number in (1, 2):
            path = root / scene / f'{number:05d}.h5'
            path.parent.mkdir(parents=True, exist_ok=True)
            with h5py.File(path, 'w') as file:
                file['rgb'] = image(seed).transpose(2, 0, 1)
                file['depth'] = depth_m(seed).astype(np.float32)
    return root


def bts_list(root: Path) -> Path:
    """A training list with a leading '/', one entry without depth."""
    lines = []
    for seed, scene in enumerate(('bedroom_0001', 'bedroom_0001b', 'office_0002')):
        save(root / scene / 'rgb_00045.jpg', image(seed))
        save(root / scene / 'sync_depth_00045.png', millimetres(seed))
        lines.append(f'/{scene}/rgb_00045.jpg /{scene}/sync_depth_00045.png 518.8579')
    save(root / 'bath_0003/rgb_00001.jpg', image(7))
    lines.append('/bath_0003/rgb_00001.jpg None 518.8579')
    (root / 'list.txt').write_text('\n'.join(lines) + '\n')
    return root / 'list.txt'


def kitti_list(root: Path) -> Path:
    """Two drives of the first day at full size, one entry without depth, the calibration."""
    size, lines = (1242, 375), []
    for seed, (drive, focal) in enumerate(
        (('0001', 721.5377), ('0002', 718.856), ('0005', 718.856))
    ):
        name = f'2011_09_26_drive_{drive}_sync'
        rgb = f'2011_09_26/{name}/image_02/data/0000000069.png'
        depth = f'{name}/proj_depth/groundtruth/image_02/0000000069.png'
        save(root / rgb, image(seed, size))
        if drive == '0005':
            depth = 'None'
        else:
            stored = np.rint(depth_m(seed, size) * 10 * 256).astype(np.uint16)
            save(root / 'data_depth_annotated' / depth, stored)
        lines.append(f'{rgb} {depth} {focal}')
    (root / 'list.txt').write_text('\n'.join(lines) + '\n')
    projection = '721.5377 0 609.5593 44.85728 0 722.5 172.854 0.2163791 0 0 1 0.002745884'
    (root / '2011_09_26/calib_cam_to_cam.txt').write_text(
        f'calib_time: 09-Jan-2012 13:57:47\nS_rect_02: 1242 375\nP_rect_02: {projection}\n'
    )
    return root / 'list.txt'


def camvid(root: Path) -> Path:
    """train/ and val/ of two sequences at 1 Hz, 40 s each."""
    for split, sequence, frames in (
        ('train', '0001TP_', range(6690, 7890, 150)),
        ('train', '0006R0_f', range(930, 2130, 150)),
        ('val', '0016E5_', range(7959, 7969, 2)),
    ):
        for frame in frames:
            name = f'{sequence}{frame:05d}'
            save(root / split / 'rgb' / f'{name}.jpg', image(frame))
            save(root / split / 'gt' / f'{name}.png', labels([0, 3, 8, 11]))
    return root


def cityscapes(root: Path) -> Path:
    """Two cities in train."""
    for seed, name in enumerate(('aachen_000000_000019', 'bochum_000000_000313')):
        city = name.split('_')[0]
        save(root / f'leftImg8bit/train/{city}/{name}_leftImg8bit.png', image(seed))
        save(root / f'gtFine/train/{city}/{name}_gtFine_labelIds.png', labels([0, 7, 24, 33]))
        disparity = np.full(SIZE[::-1], 1 + 256 * 10, np.uint16)
        disparity[:4] = 0
        save(root / f'disparity/train/{city}/{name}_disparity.png', disparity)
        camera = root / f'camera/train/{city}/{name}_camera.json'
        camera.parent.mkdir(parents=True, exist_ok=True)
        intrinsic = {'fx': 70.0, 'fy': 71.0, 'u0': 31.0, 'v0': 23.0}
        camera.write_text(
            json.dumps({'intrinsic': intrinsic, 'extrinsic': {'baseline': 0.2, 'pitch': 0.03}})
        )
    return root


def folder(root: Path) -> Path:
    """Class ids 0 to 2 with 255."""
    for number in (1, 2, 10):
        save(root / f'rgb/{number}.png', image(number))
        save(root / f'gt/{number}.png', labels([0, 1, 2, 255]))
    return root


def folder_binary(root: Path) -> Path:
    """Masks of 0 and 255 in mask/, named n_mask."""
    for number in (1, 2, 10):
        save(root / f'rgb/{number}.png', image(number))
        save(root / f'mask/{number}_mask.png', labels([0, 255]))
    return root


def folder_depth(root: Path) -> Path:
    """16-bit depth and the camera, as a capture writes them."""
    for number in (1, 2, 10):
        save(root / f'rgb/{number}.png', image(number))
        save(root / f'depth/{number}.tif', millimetres(number))
    camera = 'width: 128\nheight: 96\nfx: 100\nfy: 101\ncx: 63.5\ncy: 47.5\n'
    (root / 'intrinsics.yaml').write_text(camera)
    return root


def yolo(root: Path) -> Path:
    """Three pictures: two objects, a polygon and a box without extent, nothing."""
    for number in (1, 2, 10):
        save(root / f'images/{number}.jpg', image(number))
    (root / 'labels').mkdir()
    (root / 'labels/1.txt').write_text('0 0.5 0.5 0.25 0.5\n1 0.125 0.125 0.25 0.25\n')
    (root / 'labels/2.txt').write_text('1 0.25 0.25 0.75 0.25 0.5 0.75\n0 0.5 0.5 0 0.1\n')
    (root / 'data.yaml').write_text('names:\n  0: person\n  1: chair\n')
    return root


def coco(root: Path) -> Path:
    """The same pictures; categories 1 and 90, a crowd, boxes across and beyond the border."""
    images, annotations = [], []
    for number in (1, 2, 10):
        save(root / f'train2017/{number:012d}.jpg', image(number))
        described = {'id': number, 'file_name': f'{number:012d}.jpg'}
        images.append(described | {'width': SIZE[0], 'height': SIZE[1]})
    for picture, category, bbox, crowd in (
        (1, 90, [24, 12, 16, 24], 0),
        (1, 1, [0, 0, 16, 12], 1),
        (2, 1, [50, 40, 30, 30], 0),
        (2, 90, [-6, -4, 16, 14], 0),
        (2, 90, [64, 0, 16, 14], 0),
    ):
        annotations.append(
            {'image_id': picture, 'category_id': category, 'bbox': bbox, 'iscrowd': crowd}
        )
    categories = [{'id': 90, 'name': 'toothbrush'}, {'id': 1, 'name': 'person'}]
    content = {'images': images, 'annotations': annotations, 'categories': categories}
    (root / 'annotations').mkdir(parents=True)
    (root / 'annotations/instances_train2017.json').write_text(json.dumps(content))
    return root


def intel_denoise(root: Path) -> Path:
    """Three frames with holes in `res`, three-channel infrared."""
    for number in (1, 2, 10):
        raw = millimetres(number)
        raw[:, 30:34] = 0
        save(root / f'res-{number}.png', raw)
        save(root / f'gt-{number}.png', millimetres(number))
        gray = np.repeat(image(number)[..., :1], 3, axis=2)
        save(root / f'left-{number}.png', gray)
        save(root / f'right-{number}.png', gray // 2)
    camera = 'width: 64\nheight: 48\nfx: 50\nfy: 51\ncx: 30\ncy: 22\n'
    (root / 'intrinsics.yaml').write_text(camera)
    return root


def depth_pairs(root: Path) -> Path:
    """Two groups of two frames."""
    for seed, (group, frame) in enumerate((g, f) for g in (1, 2) for f in (1, 3)):
        raw = millimetres(seed)
        raw[:, 30:34] = 0
        name = f'frame_{frame:06d}.png'
        at = root / f'group{group}'
        save(at / 'color_map' / name, image(seed))
        save(at / 'depth_map' / name, raw)
        save(at / 'high_quality_depth' / name, millimetres(seed))
        save(at / 'mask' / name, labels([0, 255]))
    return root


def pano_csv(root: Path) -> Path:
    """Three scans of two panoramas each."""
    for seed in range(6):
        scan = root / f'0a1b2c3d-{seed // 2}'
        save(scan / f'pan/images/{seed % 2}.jpg', image(seed, PANORAMA))
        save(scan / f'depth/{seed % 2}.png', millimetres(seed, PANORAMA))
    return root


MAKERS: dict[str, Callable[[Path], Path]] = {
    'nyu-labelled': nyu_labelled,
    'nyu-h5': nyu_h5,
    'nyu-rgbd': nyu_labelled,
    'bts-list': bts_list,
    'kitti-list': kitti_list,
    'camvid': camvid,
    'cityscapes': cityscapes,
    'folder': folder,
    'folder-binary': folder_binary,
    'folder-depth': folder_depth,
    'yolo': yolo,
    'coco': coco,
    'intel-denoise': intel_denoise,
    'depth-pairs': depth_pairs,
    'pano-csv': pano_csv,
}
"""By format; 'folder' three times."""
