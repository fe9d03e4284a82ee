"""What lists of NYU, KITTI and panoramas say is what is read."""

from __future__ import annotations

import csv

import numpy as np
import pytest
from rs_ml_perception.core.errors import ConfigError, InputError
from rs_ml_training.data.formats import open_data
from rs_ml_training.data.kitti_list import REFERENCE_FOCAL_PX
from rs_ml_training.data.nyu import room, runs
from rs_ml_training.data.pairing import natural_key
from rs_ml_training.data.pano_csv import write_lists
from rs_ml_training.data.statistics import as_text, measure


@pytest.mark.parametrize(
    ('names', 'expected'),
    [
        ([], []),
        (['left-10', 'left-2', 'left-1'], ['left-1', 'left-2', 'left-10']),
        (['b', 'a10b2', 'a10b1', '7', 'a9'], ['7', 'a9', 'a10b1', 'a10b2', 'b']),
        (['01', '1', '001'], ['001', '01', '1']),
    ],
)
def test_natural_order(names, expected):
    assert sorted(names, key=natural_key) == expected


@pytest.mark.parametrize(
    ('folder', 'expected'),
    [
        ('kitchen_0004b', 'kitchen_0004'),
        ('kitchen_0004', 'kitchen_0004'),
        ('nyu_office_0', 'nyu_office_0'),
        ('bathroom', 'bathroom'),
        ('', ''),
    ],
)
def test_rooms(folder, expected):
    assert room(folder) == expected


@pytest.mark.parametrize(
    ('names', 'expected'),
    [([], []), (['2', '3', '5'], ['run-2', 'run-2', 'run-5']), (['0007'], ['run-0007'])],
)
def test_runs(names, expected):
    assert list(runs(names).values()) == expected


@pytest.mark.parametrize('slash', [True, False])
@pytest.mark.parametrize('apart', [True, False])
def test_bts_roots(miniature, tmp_path, slash, apart):
    path = miniature('bts-list')
    if not slash:
        path.write_text(path.read_text().replace('/bed', 'bed').replace(' /', ' '))
    if not apart:
        reader = open_data(f'bts-list:{path}')
    else:
        elsewhere = tmp_path / 'my list.txt'
        elsewhere.write_text(path.read_text())
        reader = open_data(f'bts-list:{elsewhere}', data_root=str(path.parent))
    assert (len(reader), reader.without_depth) == (3, 1)
    assert reader.scene(0) == reader.scene(1) == 'bedroom_0001'
    assert reader.name(0) == 'bedroom_0001_rgb_00045'


def test_bts_list_in_its_folder(miniature):
    path = miniature('bts-list')
    reader = open_data(f'bts-list:{path.parent}', list_file='list.txt', keep_without_depth=True)
    assert (len(reader), reader.without_depth) == (4, 1)
    assert reader.read(3).depth_m is None
    assert 'without depth: 1' in as_text(measure(reader, 1))
    path.write_text(path.read_text().splitlines()[3])
    with pytest.raises(InputError, match='names no depth: to predict, set keep_without_depth'):
        open_data(f'bts-list:{path}')


def test_bts_border_crop(tmp_path, miniatures):
    size = (640, 480)
    picture = miniatures.save(tmp_path / 'a/1.png', miniatures.image(0, size))
    miniatures.save(tmp_path / 'a/d1.png', miniatures.millimetres(0, size))
    (tmp_path / 'l.txt').write_text('a/1.png a/d1.png 518.8579')
    whole, cut = (
        open_data(f'bts-list:{tmp_path / "l.txt"}', border_crop=crop).read(0)
        for crop in (False, True)
    )
    assert cut.size == (565, 427)
    assert (cut.image == whole.image[45:472, 43:608]).all()
    assert (cut.depth_m == whole.depth_m[45:472, 43:608]).all()
    assert (cut.intrinsics.cx, cut.intrinsics.cy) == pytest.approx((282.5824, 208.7362))
    miniatures.save(picture, miniatures.image(0, (320, 240)))
    miniatures.save(tmp_path / 'a/d1.png', miniatures.millimetres(0, (320, 240)))
    with pytest.raises(InputError, match='320 x 240'):
        open_data(f'bts-list:{tmp_path / "l.txt"}', border_crop=True).read(0)


def test_kitti_crop(miniature):
    path = miniature('kitti-list')
    whole = open_data(f'kitti-list:{path}', kb_crop=False)
    cut = open_data(f'kitti-list:{path}')
    a, b = whole.read(0), cut.read(0)
    assert (a.size, b.size) == ((1242, 375), (1216, 352))
    assert (b.image == a.image[23:, 13:1229]).all()
    assert (b.depth_m == a.depth_m[23:, 13:1229]).all()
    assert (cut.without_depth, cut.scene(1)) == (1, '2011_09_26_drive_0002')


def test_kitti_focal_scaling_can_be_undone(miniature):
    path = miniature('kitti-list')
    plain = open_data(f'kitti-list:{path}')
    scaled = open_data(f'kitti-list:{path}', focal_scaling=True)
    assert plain.reference_focal_px is None
    assert scaled.reference_focal_px == REFERENCE_FOCAL_PX == 715.0873
    for i in range(2):
        a, b = plain.read(i), scaled.read(i)
        undone = b.depth_m * b.focal_px / scaled.reference_focal_px
        np.testing.assert_allclose(undone, a.depth_m, rtol=1e-6)
        assert (a.depth_m != b.depth_m).any()


@pytest.mark.parametrize(
    ('options', 'line', 'named'),
    [
        ({'focal_scaling': True}, '{rgb} {depth}', 'no focal length'),
        ({'right': True}, '{rgb} {depth} 721', 'no right image'),
    ],
)
def test_kitti_lists_that_lack_something(miniature, options, line, named):
    path = miniature('kitti-list')
    rgb, depth, _ = path.read_text().splitlines()[0].split()
    path.write_text(line.format(rgb=rgb, depth=depth))
    with pytest.raises(InputError, match=named):
        open_data(f'kitti-list:{path}', **options)


def test_kitti_right_images(miniature):
    path = miniature('kitti-list')
    rgb, depth, focal = path.read_text().splitlines()[0].split()
    other = rgb.replace('0001', '0002')
    path.write_text(f'{rgb} {depth} {focal} {other} {depth}')
    assert len(open_data(f'kitti-list:{path}')) == 1
    both = open_data(f'kitti-list:{path}', right=True)
    assert [both.scene(i)[-4:] for i in range(len(both))] == ['0001', '0002']


@pytest.mark.parametrize(('share', 'held_out'), [(0.1, 2), (0.34, 2), (0.6, 4), (0.9, 4)])
def test_panorama_lists(miniature, tmp_path, share, held_out):
    root, out = miniature('pano-csv'), tmp_path / 'lists'
    counts = write_lists(root, out, share, seed=3)
    parts = [open_data(f'pano-csv:{out / name}') for name in ('train.csv', 'valid.csv')]
    assert tuple(map(len, parts)) == counts
    assert counts == (6 - held_out, held_out)
    held = [{part.scene(i) for i in range(len(part))} for part in parts]
    assert held[0]
    assert held[1]
    assert not held[0] & held[1]
    with (out / 'train.csv').open() as file:
        first = next(csv.DictReader(file))
    assert first['rgb'].startswith('../pano-csv/')
    assert (out / first['rgb']).is_file()
    assert parts[0].read(0).size == (64, 32)
    before = (out / 'valid.csv').read_bytes()
    write_lists(root, tmp_path / 'again', share, seed=3)
    assert (tmp_path / 'again' / 'valid.csv').read_bytes() == before
    with pytest.raises(ConfigError, match='lists holds files'):
        write_lists(root, out, share, seed=4)
    assert (out / 'valid.csv').read_bytes() == before
    assert sorted(p.name for p in out.iterdir()) == ['train.csv', 'valid.csv']


@pytest.mark.parametrize(
    ('share', 'error'), [(0, ConfigError), (1, ConfigError), (-0.5, ConfigError)]
)
def test_panorama_lists_that_cannot_be(miniature, tmp_path, share, error):
    with pytest.raises(error, match=str(share)):
        write_lists(miniature('pano-csv'), tmp_path / 'lists', share)
    assert not (tmp_path / 'lists').exists()


@pytest.mark.parametrize(('part', 'count'), [(None, 6), ('train', 3), ('holdout', 3)])
def test_h5_parts(miniature, part, count):
    assert len(open_data(f'nyu-h5:{miniature("nyu-h5")}', part=part)) == count


@pytest.mark.parametrize('path', ['train', 'all', 'val'])
def test_camvid_folders(miniature, path):
    root = miniature('camvid')
    opened = {
        'train': lambda: open_data(f'camvid:{root / "train"}'),
        'val': lambda: open_data(f'camvid:{root}', split='val'),
        'all': lambda: open_data(f'camvid:{root}'),
    }
    assert len(opened[path]()) == {'train': 16, 'val': 5, 'all': 21}[path]


def test_camvid_parts(miniature):
    path = miniature('camvid')
    train, valid = (open_data(f'camvid:{path}', part=p, margin=1) for p in ('train', 'valid'))
    numbers = {name: i for i, name in enumerate(_names(open_data(f'camvid:{path}')))}
    kept, held = ([numbers[name] for name in _names(part)] for part in (train, valid))
    assert min(abs(a - b) for a in kept for b in held) == 2
    assert len(held) > 0


def _names(reader):
    return [reader.name(i) for i in range(len(reader))]


def test_intel_images_without_truth(miniature):
    path = miniature('intel-denoise')
    for file in path.glob('gt-*'):
        file.unlink()
    sample = open_data(f'intel-denoise:{path}', right=True).read(0)
    assert set(sample.maps()) == {'raw_depth_m', 'infrared', 'right'}
    assert (sample.extra['right'] == sample.infrared // 2).all()
    assert (sample.raw_depth_m[:, 30:34] == 0).all()
