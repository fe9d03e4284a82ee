"""Faulty data: one clear InputError that names the file."""

from __future__ import annotations

import json

import pytest
from rs_ml_perception.core.errors import ConfigError, InputError
from rs_ml_training.data.formats import FORMATS, open_data


def format_of(name):
    return 'folder' if name.startswith('folder') else name


def remove(file):
    return lambda path: (path / file).unlink()


def rename(file, new):
    return lambda path: (path / file).rename(path / new)


def cut(file):
    def damage(path):
        content = (path / file).read_bytes()
        (path / file).write_bytes(content[: len(content) // 2])

    return damage


def write(file, text):
    return lambda path: (path / file).write_text(text)


def copy(source, target):
    return lambda path: (path / target).write_bytes((path / source).read_bytes())


OPENING = [
    # format, options, what happens to the data, what the error names
    ('nyu-labelled', {}, remove('depth/0003.png'), 'rgb/0003.png'),
    ('nyu-labelled', {}, remove('rgb/0003.png'), 'depth/0003.png'),
    ('nyu-labelled', {}, remove('labels40/0012.png'), 'rgb/0012.png'),
    ('nyu-labelled', {}, rename('depth', 'deep'), 'depth is missing'),
    ('nyu-labelled', {}, rename('rgb/0003.png', 'rgb/three.png'), 'rgb/three.png'),
    ('nyu-labelled', {}, copy('rgb/0003.png', 'rgb/0003.jpg'), '0003.png'),
    ('nyu-labelled', {'list_file': 'train.txt'}, write('train.txt', '\n\n'), 'train.txt is an'),
    ('nyu-labelled', {'list_file': 'train.txt'}, write('train.txt', '0002\n7'), "'7'"),
    ('nyu-labelled', {'list_file': 'no.txt'}, lambda path: None, 'no.txt'),
    ('nyu-labelled', {}, write('person_boxes.json', '{"images": 3}'), 'person_boxes.json'),
    ('nyu-labelled', {}, cut('person_boxes.json'), 'person_boxes.json'),
    ('camvid', {}, remove('train/gt/0006R0_f00930.png'), 'train/rgb/0006R0_f00930.jpg'),
    ('camvid', {'split': 'test'}, lambda path: None, '/test is missing'),
    (
        'camvid/train',
        {},
        lambda path: [
            (path / f'{kind}/0006R0_f00930.{suffix}').rename(path / f'{kind}/first.{suffix}')
            for kind, suffix in (('rgb', 'jpg'), ('gt', 'png'))
        ],
        "'first'",
    ),
    (
        'cityscapes',
        {},
        remove('gtFine/train/aachen/aachen_000000_000019_gtFine_labelIds.png'),
        'aachen_000000_000019_gtFine_labelIds.png',
    ),
    (
        'cityscapes',
        {'disparity': True},
        remove('camera/train/aachen/aachen_000000_000019_camera.json'),
        'camera.json',
    ),
    ('cityscapes', {'split': 'val'}, lambda path: None, 'leftImg8bit/val'),
    ('folder', {}, remove('gt/10.png'), 'rgb/10.png'),
    ('folder', {}, remove('rgb/10.png'), 'gt/10.png'),
    ('folder', {}, rename('gt', 'truth'), 'none of gt, mask, depth'),
    ('folder-depth', {}, write('intrinsics.yaml', 'fx: 3'), 'intrinsics.yaml'),
    ('yolo', {}, remove('data.yaml'), 'data.yaml'),
    ('yolo', {}, write('data.yaml', 'names: {1: person}'), 'data.yaml'),
    ('yolo', {}, copy('images/1.jpg', 'data.yaml'), 'data.yaml is not text'),
    (
        'coco',
        {},
        copy('train2017/000000000001.jpg', 'annotations/instances_train2017.json'),
        'not',
    ),
    ('folder', {}, write('labels.txt', '\n'), 'labels.txt is an empty'),
    ('yolo', {}, rename('labels', 'txt'), 'labels'),
    ('yolo', {'split': 'val'}, lambda path: None, 'images/val'),
    ('yolo', {'split': '/'}, lambda path: None, 'lacks images//'),
    ('depth-pairs/group1/color_map/frame_000001.png', {}, lambda path: None, 'holds no folder'),
    ('coco', {}, remove('train2017/000000000010.jpg'), '000000000010.jpg'),
    ('coco', {}, cut('annotations/instances_train2017.json'), 'instances_train2017.json'),
    ('coco', {}, write('annotations/instances_train2017.json', '[]'), 'instances_train2017'),
    ('coco', {'split': 'val2017'}, lambda path: None, 'instances_val2017.json'),
    ('intel-denoise', {}, remove('left-2.png'), 'res-2.png'),
    ('intel-denoise', {}, remove('left-2.png'), '/left-*.png (1 such)'),
    ('intel-denoise', {}, remove('gt-2.png'), 'res-2.png'),
    ('intel-denoise', {}, remove('res-2.png'), '-2.png'),
    ('intel-denoise', {'right': True}, remove('right-2.png'), 'res-2.png'),
    ('depth-pairs', {}, remove('group1/depth_map/frame_000003.png'), 'color_map/frame_000003'),
    ('depth-pairs', {'groups': 'group7'}, lambda path: None, 'group7'),
    ('depth-pairs', {'groups': 7}, lambda path: None, '/7/'),
    ('folder', {}, write('scenes.csv', 'a,b'), 'scenes.csv'),
    ('yolo', {}, write('scenes.csv', 'name,scene\n1'), 'scenes.csv'),
    ('intel-denoise', {}, write('scenes.csv', ''), 'scenes.csv'),
    ('pano-csv', {}, remove('0a1b2c3d-1/depth/1.png'), 'images/1.jpg'),
    ('pano-csv', {'quality': 'low'}, lambda path: None, 'low'),
    ('pano-csv', {'list_file': 'l.csv'}, write('l.csv', ''), 'l.csv'),
    ('pano-csv', {'list_file': 'l.csv'}, write('l.csv', 'a,b\n1,2\n'), 'l.csv'),
    ('pano-csv', {'list_file': 'l.csv'}, write('l.csv', 'rgb,depth\n'), 'l.csv is an empty'),
    ('pano-csv', {'list_file': 'l.csv'}, write('l.csv', 'rgb,depth\nno.jpg,n.png\n'), 'no.jpg'),
    ('pano-csv', {'list_file': 'l.csv'}, write('l.csv', 'rgb,depth\nno.jpg\n'), 'line 2'),
]


@pytest.mark.parametrize(('name', 'options', 'damage', 'named'), OPENING)
def test_opening(miniature, name, options, damage, named):
    name, _, below = name.partition('/')
    path = miniature(name) / below
    damage(path)
    with pytest.raises(InputError) as caught:
        open_data(f'{format_of(name)}:{path}', **options)
    assert named in str(caught.value)


LISTS = [
    ('bts-list', 'a b 3 c', 'entry 1'),
    ('bts-list', '\n/bedroom_0001/rgb_00045.jpg None wide', "'wide'"),
    ('bts-list', '/bedroom_0001/rgb_00045.jpg None -3', "'-3'"),
    ('bts-list', '/bedroom_0001/rgb_00045.jpg None nan', "'nan'"),
    ('bts-list', '/bedroom_0001/rgb_00045.jpg gone.png 518', 'gone.png'),
    ('bts-list', 'gone.jpg None 518', 'gone.jpg'),
    ('bts-list', '\n \n', 'empty list'),
    ('kitti-list', 'gone.png None 721', 'gone.png'),
]


@pytest.mark.parametrize(('name', 'text', 'named'), LISTS)
def test_lists(miniature, name, text, named):
    path = miniature(name)
    path.write_text(text)
    with pytest.raises(InputError) as caught:
        open_data(f'{name}:{path}')
    assert named in str(caught.value)


def small(file):
    def shrink(path, miniatures):
        miniatures.save(path / file, miniatures.millimetres(0, (32, 24)))

    return shrink


def small_labels(file):
    return lambda path, miniatures: miniatures.save(
        path / file, miniatures.labels([0, 1], (32, 24))
    )


def of(values, file):
    return lambda path, miniatures: miniatures.save(path / file, miniatures.labels(values))


def colored(file):
    return lambda path, miniatures: miniatures.save(path / file, miniatures.image(0))


def plainly(damage):
    return lambda path, miniatures: damage(path)


READING = [
    # format, options, what happens to the data of the first sample, what the error names
    ('nyu-labelled', {}, plainly(cut('rgb/0002.png')), 'rgb/0002.png'),
    ('nyu-labelled', {}, plainly(cut('depth/0002.png')), 'depth/0002.png'),
    ('nyu-labelled', {}, plainly(write('rgb/0002.png', '')), 'rgb/0002.png'),
    ('nyu-labelled', {}, small('depth/0002.png'), 'depth/0002.png is 32 x 24'),
    ('nyu-labelled', {}, small_labels('labels40/0002.png'), 'labels40/0002.png is 32 x 24'),
    ('nyu-labelled', {}, of([40, 3], 'labels40/0002.png'), 'labels40/0002.png holds'),
    ('nyu-labelled', {}, colored('labels40/0002.png'), 'labels40/0002.png has colours'),
    ('nyu-h5', {}, plainly(cut('kitchen_0004a/00001.h5')), 'kitchen_0004a/00001.h5'),
    ('nyu-h5', {}, plainly(write('kitchen_0004a/00001.h5', '')), 'kitchen_0004a/00001.h5'),
    ('camvid', {}, of([12], 'train/gt/0001TP_06690.png'), 'holds the values [12]'),
    (
        'cityscapes',
        {},
        of([34], 'gtFine/train/aachen/aachen_000000_000019_gtFine_labelIds.png'),
        'holds the values [34]',
    ),
    (
        'cityscapes',
        {},
        plainly(write('camera/train/aachen/aachen_000000_000019_camera.json', '{}')),
        'camera.json',
    ),
    ('folder', {'labels': 'a,b'}, of([0, 2], 'gt/1.png'), 'gt/1.png holds the values [2]'),
    ('folder', {'values': [0, 1, 2]}, of([0, 7], 'gt/1.png'), 'gt/1.png holds the values [7]'),
    ('folder', {'kind': 'depth'}, lambda p, m: None, 'gt/1.png holds uint8'),
    ('folder', {'encoding': 'mm'}, lambda p, m: None, 'gt/1.png holds uint8'),
    ('folder-depth', {'kind': 'index', 'labels': 'a'}, lambda p, m: None, 'holds uint16'),
    (
        'folder-depth',
        {},
        of([0, 2], 'depth/1.tif'),
        "uint8, but 'mm' depth is uint16; encodings of uint8: eight-bit-10m",
    ),
    ('folder-depth', {}, small('depth/1.tif'), 'depth/1.tif is 32 x 24'),
    ('yolo', {}, plainly(write('labels/1.txt', '2 0.5 0.5 1 1')), 'class 2'),
    ('yolo', {}, plainly(write('labels/1.txt', '0.5 0.5 0.5 1 1')), 'class 0.5'),
    ('yolo', {}, plainly(write('labels/1.txt', '\n0 0.5 0.5 1')), 'labels/1.txt, line 2'),
    ('yolo', {}, plainly(write('labels/1.txt', '0 a b c d')), 'labels/1.txt, line 1'),
    ('yolo', {}, plainly(write('labels/1.txt', '0 32 24 9 9')), 'leaves the image'),
    ('yolo', {}, plainly(write('labels/1.txt', '0 nan 0 9 9')), 'leaves the image'),
    ('coco', {}, colored('train2017/000000000001.jpg'), None),
    ('coco', {}, small_labels('train2017/000000000001.jpg'), '000000000001.jpg is 32 x 24'),
    ('intel-denoise', {}, small('gt-1.png'), 'gt-1.png is 32 x 24'),
    ('intel-denoise', {}, colored('res-1.png'), 'res-1.png has colours'),
    ('intel-denoise', {}, plainly(cut('left-1.png')), 'left-1.png'),
    ('depth-pairs', {}, small('group1/depth_map/frame_000001.png'), 'is 32 x 24'),
    ('pano-csv', {}, small('0a1b2c3d-0/depth/0.png'), 'depth/0.png is 32 x 24'),
]


@pytest.mark.parametrize(('name', 'options', 'damage', 'named'), READING)
def test_reading(miniature, miniatures, name, options, damage, named):
    path = miniature(name)
    reader = open_data(f'{format_of(name)}:{path}', **options)
    damage(path, miniatures)
    if named is None:  # other colours are no fault
        assert reader.read(0).image is not None
        return
    with pytest.raises(InputError) as caught:
        reader.read(0)
    assert named in str(caught.value)


@pytest.mark.parametrize('name', [name for name in FORMATS if not name.startswith('tf')])
def test_an_empty_folder(tmp_path, name):
    with pytest.raises(InputError, match=r'empty|missing|holds no|has n|lacks|cannot'):
        open_data(f'{name}:{tmp_path}')


@pytest.mark.parametrize(
    ('name', 'options', 'named'),
    [
        ('nyu-labelled', {'classes': {'dog': 'dog'}}, 'dog'),
        ('nyu-labelled', {'classes': {'a': 'wall', 'b': ['wall']}}, 'wall'),
        ('nyu-labelled', {'classes': 'no.yaml'}, 'no.yaml'),
        ('nyu-labelled', {'classes': {'a': ['wall', '*']}}, "'*' is for all the rest"),
        ('nyu-labelled', {'classes': {'a': None}}, "class 'a' stands for None"),
        ('nyu-labelled', {'classes': {'a': [3]}}, "class 'a' stands for [3]"),
        ('folder', {'labels': 'a,b,b'}, "called 'b'"),
        ('nyu-labelled', {'border_crop': True}, 'border_crop'),
        ('nyu-h5', {'part': 'valid'}, 'valid'),
        ('bts-list', {'encoding': 'inch'}, 'inch'),
        ('camvid', {'block_frames': 0}, 'block_frames 0'),
        ('camvid', {'part': 'test'}, "part 'test'"),
        ('camvid', {'part': 'train', 'valid_share': 2}, 'valid_share 2'),
        ('folder', {'kind': 'colour'}, 'colour'),
        ('folder', {'block': 0}, 'block 0'),
        ('folder', {'block': 'two'}, "block='two'"),
        ('folder', {'values': 3}, 'values=3'),
        ('kitti-list', {'kb_crop': 'nein'}, "kb_crop='nein' is of the wrong type: give bool"),
        ('bts-list', {'border_crop': 1}, 'border_crop=1'),
        ('pano-csv', {'max_depth_m': [1]}, 'max_depth_m=[1]'),
        ('camvid', {'split': True}, 'split=True'),
        ('depth-pairs', {'groups': {'a': 1}}, "groups={'a': 1}"),
        ('folder', {'values': [1, 2], 'labels': 'a'}, '2 values'),
        ('folder-binary', {'kind': 'binary', 'labels': 'a,b,c'}, '3 names'),
        ('folder-depth', {'encoding': 'inch'}, 'inch'),
        ('folder-depth', {'encoding': 'share-of-max'}, 'max_depth_m None'),
        ('bts-list', {'encoding': 'share-of-max', 'max_depth_m': -1}, 'max_depth_m -1'),
        ('pano-csv', {'quality': 'best'}, 'best'),
        ('pano-csv', {'encoding': 'inch'}, 'inch'),
    ],
)
def test_options_that_make_no_sense(miniature, name, options, named):
    with pytest.raises(ConfigError) as caught:
        open_data(f'{format_of(name)}:{miniature(name)}', **options)
    assert named in str(caught.value)


@pytest.mark.parametrize('change', ['image_id', 'category_id'])
def test_coco_annotations_of_nothing(miniature, change):
    path = miniature('coco')
    file = path / 'annotations/instances_train2017.json'
    content = json.loads(file.read_text())
    content['annotations'][0][change] = 77
    file.write_text(json.dumps(content))
    with pytest.raises(InputError, match='77'):
        open_data(f'coco:{path}')
