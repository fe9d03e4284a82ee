"""Every format: what its miniature holds comes out as metres, class ids and boxes."""

from __future__ import annotations

import numpy as np
import pytest
from rs_ml_training.data.formats import open_data
from rs_ml_training.data.sample import IGNORE

ALL = {
    # format: (samples, scenes, name of the last, maps)
    'nyu-labelled': (6, 3, '0012', {'image', 'depth_m', 'labels'}),
    'nyu-h5': (6, 2, 'office_0001_00002', {'image', 'depth_m'}),
    'nyu-rgbd': (6, 3, '0012', {'image', 'raw_depth_m', 'labels'}),
    'bts-list': (3, 2, 'office_0002_rgb_00045', {'image', 'depth_m'}),
    'kitti-list': (
        2,
        2,
        '2011_09_26_2011_09_26_drive_0002_sync_image_02_data_0000000069',
        {'image', 'depth_m'},
    ),
    'camvid': (21, 6, '0016E5_07967', {'image', 'labels'}),
    'cityscapes': (2, 2, 'bochum_000000_000313', {'image', 'labels'}),
    'folder': (3, 3, '10', {'image', 'labels'}),
    'folder-binary': (3, 3, '10', {'image', 'labels'}),
    'folder-depth': (3, 3, '10', {'image', 'depth_m'}),
    'yolo': (3, 3, '10', {'image'}),
    'coco': (3, 3, '000000000010', {'image'}),
    'intel-denoise': (3, 3, '10', {'raw_depth_m', 'depth_m', 'infrared'}),
    'depth-pairs': (4, 2, 'group2_frame_000003', {'image', 'raw_depth_m', 'depth_m', 'mask'}),
    'pano-csv': (6, 3, '0a1b2c3d-2_pan_images_1', {'image', 'depth_m'}),
}
DTYPES = {'depth_m': np.float32, 'raw_depth_m': np.float32}


@pytest.fixture
def opened(miniature):
    def open_it(name, **options):
        return open_data(f'{format_of(name)}:{miniature(name)}', **options)

    return open_it


def format_of(name):
    return 'folder' if name.startswith('folder') else name


@pytest.mark.parametrize('name', ALL)
def test_samples(opened, name):
    reader = opened(name)
    count, scenes, last, maps = ALL[name]
    samples = [reader.read(i) for i in range(len(reader))]
    names = [reader.name(i) for i in range(len(reader))]
    assert (len(reader), names[-1], len(set(names))) == (count, last, count)
    assert len({reader.scene(i) for i in range(len(reader))}) == scenes
    for i, sample in enumerate(samples):
        assert (sample.name, sample.scene) == (reader.name(i), reader.scene(i))
        assert set(sample.maps()) == maps
        for map_name, array in sample.maps().items():
            assert array.dtype == DTYPES.get(map_name, np.uint8), map_name
        known = [a for n, a in sample.maps().items() if n in DTYPES]
        assert all((a[:4, :4] == 0).all() or name == 'kitti-list' for a in known)


@pytest.mark.parametrize(
    ('name', 'field', 'unit_m', 'scale'),
    [
        ('nyu-labelled', 'depth_m', 1 / 25.5, 1),
        ('nyu-rgbd', 'raw_depth_m', 1 / 25.5, 1),
        ('nyu-h5', 'depth_m', 1e-6, 1),
        ('bts-list', 'depth_m', 0.001, 1),
        ('folder-depth', 'depth_m', 0.001, 1),
        ('intel-denoise', 'depth_m', 0.001, 1),
        ('depth-pairs', 'depth_m', 0.001, 1),
        ('cityscapes', 'raw_depth_m', 1e-6, None),
    ],
)
def test_depth_in_metres(opened, miniatures, name, field, unit_m, scale):
    options = {'disparity': True} if name == 'cityscapes' else {}
    depth_m = getattr(opened(name, **options).read(0), field)
    seed = 1 if name in ('folder-depth', 'intel-denoise') else 0
    expected = miniatures.depth_m(seed)
    if scale is None:  # disparity of 10 px, baseline 0.2 m, focal length 70 px
        expected = np.full(depth_m.shape, 70 * 0.2 / 10)
        expected[:4] = 0
    assert np.abs(depth_m - expected).max() <= unit_m / 2 + 1e-6


@pytest.mark.parametrize(
    ('name', 'options', 'stripes', 'labels'),
    [
        ('nyu-labelled', {}, [0, 4, 30, IGNORE], 39),
        ('nyu-labelled', {'classes': {'person': 'person'}}, [IGNORE, IGNORE, 0, IGNORE], 1),
        ('nyu-labelled', {'classes': {'rest': '*', 'person': 'person'}}, [0, 0, 1, IGNORE], 2),
        ('camvid', {}, [0, 3, 8, IGNORE], 11),
        ('camvid', {'classes': {'way': ['Road', 'Pavement']}}, [IGNORE, 0, IGNORE, IGNORE], 1),
        ('cityscapes', {}, [IGNORE, 0, 11, 18], 19),
        ('cityscapes', {'classes': {'person': ['person', 'rider']}}, [255, 255, 0, 255], 1),
        ('folder', {}, [0, 1, 2, IGNORE], 3),
        ('folder', {'labels': 'a, b, c, d'}, [0, 1, 2, IGNORE], 4),
        ('folder', {'values': [1, 2, 0], 'labels': ['a', 'b', 'c']}, [2, 0, 1, IGNORE], 3),
        ('folder', {'kind': 'foreground'}, [0, 1, 1, 1], 2),
        ('folder-binary', {}, [0, 1], 2),
        ('folder-binary', {'labels': 'a,b'}, [0, 1], 2),
        ('folder-binary', {'labels': 'a,b,c'}, [0, IGNORE], 3),
        ('folder-binary', {'kind': 'index', 'labels': 'a'}, [0, IGNORE], 1),
    ],
)
def test_class_ids(opened, miniatures, name, options, stripes, labels):
    reader = opened(name, **options)
    assert (reader.read(0).labels == miniatures.labels(stripes)).all()
    assert len(reader.labels) == labels


@pytest.mark.parametrize(
    ('name', 'options', 'index', 'xyxy', 'class_ids', 'crowd'),
    [
        ('nyu-labelled', {}, 0, [], [], []),
        ('nyu-labelled', {}, 1, [[32, 0, 48, 48]], [30], [0]),
        ('nyu-labelled', {'classes': {'person': 'person'}}, 1, [[32, 0, 48, 48]], [0], [0]),
        ('nyu-labelled', {'classes': {'chair': 'chair'}}, 1, [], [], []),
        ('yolo', {}, 0, [[24, 12, 40, 36], [0, 0, 16, 12]], [0, 1], [0, 0]),
        ('yolo', {}, 1, [[16, 12, 48, 36]], [1], [0]),
        ('yolo', {}, 2, [], [], []),
        ('yolo', {'classes': {'chair': 'chair'}}, 0, [[0, 0, 16, 12]], [0], [0]),
        ('coco', {}, 0, [[24, 12, 40, 36], [0, 0, 16, 12]], [1, 0], [0, 1]),
        ('coco', {}, 1, [[50, 40, 64, 48], [0, 0, 10, 10]], [0, 1], [0, 0]),
        ('coco', {}, 2, [], [], []),
    ],
)
def test_boxes(opened, name, options, index, xyxy, class_ids, crowd):
    boxes = opened(name, **options).read(index).boxes
    assert boxes.xyxy.tolist() == xyxy
    assert boxes.class_ids.tolist() == class_ids
    assert boxes.is_crowd.tolist() == crowd


@pytest.mark.parametrize(
    ('name', 'options', 'expected'),
    [
        # fx, cx, cy of the picture as it is read, and the focal length of the list
        ('nyu-labelled', {}, (51.88579, (325.5824 + 0.5) / 10 - 0.5, 24.92362, None)),
        ('bts-list', {}, (51.88579, (325.5824 + 0.5) / 10 - 0.5, 24.92362, 518.8579)),
        ('kitti-list', {}, (721.5377, 609.5593 - 13, 172.854 - 23, 721.5377)),
        ('kitti-list', {'kb_crop': False}, (721.5377, 609.5593, 172.854, 721.5377)),
        ('cityscapes', {}, (70, 31, 23, None)),
        ('folder-depth', {}, (50, 31.5, 23.5, None)),
        ('intel-denoise', {}, (50, 30, 22, None)),
    ],
)
def test_camera_follows(opened, name, options, expected):
    sample = opened(name, **options).read(0)
    camera = sample.intrinsics
    assert (camera.width, camera.height) == sample.size
    assert (camera.fx, camera.cx) == pytest.approx(expected[:2])
    assert camera.cy == pytest.approx(expected[2])
    assert sample.focal_px == expected[3]


def test_both_focal_lengths_of_kitti(opened):
    camera = opened('kitti-list').read(0).intrinsics
    assert (camera.fx, camera.fy) == (721.5377, 722.5)


def test_mask_of_depth_pairs(opened, miniatures):
    mask = opened('depth-pairs').read(0).extra['mask']
    assert (mask == miniatures.labels([0, 1])).all()


@pytest.mark.parametrize('group', ['group1', 'group2'])
def test_a_group_of_depth_pairs_can_be_opened_by_its_folder(group, miniature):
    path = miniature('depth-pairs')
    alone = open_data(f'depth-pairs:{path / group}')
    chosen = open_data(f'depth-pairs:{path}', groups=group)
    names = [alone.name(index) for index in range(len(alone))]
    assert names == [chosen.name(index) for index in range(len(chosen))]
    assert alone.scene(0) == group


@pytest.mark.parametrize('name', ['nyu-labelled', 'camvid', 'cityscapes'])
def test_colors_go_with_labels(opened, name):
    reader = opened(name)
    assert len(reader.colors) in (0, len(reader.labels))
    assert reader.license


def test_depth_next_to_class_ids_is_read_when_asked_for(miniature, miniatures):
    path = miniature('folder')
    for number in (1, 2, 10):
        miniatures.save(path / f'depth/{number}.png', miniatures.millimetres(number))
    assert open_data(f'folder:{path}').read(0).depth_m is None
    for options in ({'kind': 'depth'}, {'encoding': 'mm'}):
        sample = open_data(f'folder:{path}', **options).read(0)
        assert set(sample.maps()) == {'image', 'depth_m'}
