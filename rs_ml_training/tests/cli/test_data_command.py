import io
import json
import os
import subprocess
import sys
from contextlib import redirect_stderr
from pathlib import Path

import cv2
import numpy as np
import pytest
from rs_ml_training.cli.data import main
from rs_ml_training.cli.data_command import watched
from rs_ml_training.data.formats import open_data
from rs_ml_training.data.splits import split_by_scene

LABELS = np.zeros((30, 40), np.uint8)
LABELS[10:20, 10:25] = 1
LABELS[:5, :5] = 2


def write(path: Path, array: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), array)


@pytest.fixture
def folder(tmp_path) -> Path:
    """Three pictures with class ids."""
    rng = np.random.default_rng(0)
    for index in range(3):
        write(
            tmp_path / 'set' / 'rgb' / f'{index}.png', rng.integers(0, 256, (30, 40, 3), np.uint8)
        )
        write(tmp_path / 'set' / 'gt' / f'{index}.png', LABELS)
    return tmp_path / 'set'


@pytest.fixture
def frames(tmp_path) -> Path:
    """Two frames as Intel's set has them."""
    rng = np.random.default_rng(0)
    for index in (1, 2):
        for kind in ('res', 'gt'):
            depth_mm = rng.integers(0, 60000, (100, 150), np.uint16)
            write(tmp_path / 'frames' / f'{kind}-{index}.png', depth_mm)
        infrared = rng.integers(0, 256, (100, 150), np.uint8)
        write(tmp_path / 'frames' / f'left-{index}.png', infrared)
    return tmp_path / 'frames'


def test_tile_and_stitch(frames, tmp_path, capsys):
    tiles = tmp_path / 'tiles'
    assert (
        main(['tile', '--data', f'intel-denoise:{frames}', '--side', '64', '--out', f'{tiles}'])
        == 0
    )
    assert '12 tiles' in capsys.readouterr().out
    assert len(open_data(f'intel-denoise:{tiles}')) == 12
    paths = [str(p) for p in tiles.glob('res-2_*.png')]
    whole = tmp_path / 'whole.png'
    assert main(['stitch', *paths, '--size', '150x100', '--out', str(whole)]) == 0
    np.testing.assert_array_equal(
        cv2.imread(str(whole), cv2.IMREAD_UNCHANGED),
        cv2.imread(str(frames / 'res-2.png'), cv2.IMREAD_UNCHANGED),
    )


@pytest.mark.parametrize('more', [[], ['--maps', 'raw'], ['--maps', 'png']])
def test_tfrecord(folder, tmp_path, more):
    out = tmp_path / 'records'
    arguments = ['--data', f'folder:{folder}', '--data-option', 'kind=index', 'labels=a,b,c']
    assert main(['tfrecord', *arguments, '--out', str(out), '--shards', '2', *more]) == 0
    back, original = open_data(f'tfrecord:{out}'), open_data(f'folder:{folder}')
    assert back.labels == ('a', 'b', 'c')
    np.testing.assert_array_equal(back.read(2).image, original.read(2).image)
    np.testing.assert_array_equal(back.read(2).labels, LABELS)


@pytest.mark.parametrize('preset', ['industrial', 'segmentation'])
def test_augment_writes_a_folder_that_can_be_trained_on(folder, tmp_path, preset):
    outs = [tmp_path / 'one', tmp_path / 'two']
    for out in outs:
        arguments = ['--preset', preset, '--copies', '4', '--size', '32x24', '--out', str(out)]
        assert main(['augment', '--data', f'folder:{folder}', *arguments]) == 0
    first, second = (open_data(f'folder:{out}') for out in outs)
    assert len(first) == 12
    assert first.labels == open_data(f'folder:{folder}').labels
    images = [first.read(i).image for i in range(12)]
    assert len({image.tobytes() for image in images}) > 8
    for index, image in enumerate(images):
        assert image.shape == (24, 32, 3)
        np.testing.assert_array_equal(image, second.read(index).image)


def test_augment_keeps_depth_with_class_ids(miniature, tmp_path):
    data, out = f'nyu-labelled:{miniature("nyu-labelled")}', tmp_path / 'out'
    assert main(['augment', '--data', data, '--preset', 'none', '--out', str(out)]) == 0
    before, labels = open_data(data).read(1), open_data(f'folder:{out}').read(1)
    depth = open_data(f'folder:{out}', kind='depth').read(1)
    np.testing.assert_array_equal(labels.labels, before.labels)
    np.testing.assert_allclose(depth.depth_m, before.depth_m, atol=0.0006)
    assert open_data(f'folder:{out}').license == 'NYU Depth v2: research use only'


def test_augment_of_frames_without_colour(frames, tmp_path):
    out = tmp_path / 'out'
    source = ['--data', f'intel-denoise:{frames}', '--preset', 'denoise']
    assert main(['augment', *source, '--out', str(out), '--size', '64x48']) == 0
    reader = open_data(f'intel-denoise:{out}')
    assert len(reader) == 2
    assert reader.read(0).size == (64, 48)


def test_augment_of_boxes(tmp_path):
    write(tmp_path / 'set' / 'images' / 'a.png', np.full((40, 80, 3), 99, np.uint8))
    (tmp_path / 'set' / 'labels').mkdir()
    (tmp_path / 'set' / 'labels' / 'a.txt').write_text('1 0.5 0.5 0.25 0.5\n')
    (tmp_path / 'set' / 'classes.yaml').write_text('names: [cat, dog]\n')
    out = tmp_path / 'out'
    source = ['--data', f'yolo:{tmp_path / "set"}', '--size', '80x40', '--copies', '5']
    assert main(['augment', *source, '--preset', 'none', '--out', str(out)]) == 0
    reader = open_data(f'yolo:{out}')
    assert (len(reader), reader.labels) == (5, ('cat', 'dog'))
    np.testing.assert_allclose(reader.read(0).boxes.xyxy, [[30, 10, 50, 30]], atol=1e-3)
    assert reader.read(0).boxes.class_ids.tolist() == [1]
    moved = tmp_path / 'moved'
    assert main(['augment', *source, '--preset', 'detection', '--out', str(moved)]) == 0
    assert len(open_data(f'yolo:{moved}')) == 5


def test_augment_keeps_measured_depth(miniature, tmp_path):
    data, out = f'depth-pairs:{miniature("depth-pairs")}', tmp_path / 'out'
    assert main(['augment', '--data', data, '--preset', 'none', '--out', str(out)]) == 0
    before, after = open_data(data), open_data(f'depth-pairs:{out}')
    assert len(after) == len(before)
    for index in range(len(before)):
        old, new = before.read(index), after.read(index)
        assert new.scene == old.scene
        assert new.maps().keys() == old.maps().keys()
        for name, array in old.maps().items():
            np.testing.assert_allclose(new.maps()[name], array, atol=1e-6)


SPLITTABLE = [
    # command and its options, format that is read, format of the result
    (['augment', '--preset', 'none', '--copies', '6'], 'folder', 'folder'),
    (['augment', '--preset', 'none', '--copies', '6'], 'yolo', 'yolo'),
    (['augment', '--preset', 'none', '--copies', '6'], 'intel-denoise', 'intel-denoise'),
    (['tile', '--side', '16'], 'intel-denoise', 'intel-denoise'),
]


@pytest.mark.parametrize(('command', 'source', 'written'), SPLITTABLE)
def test_copies_and_tiles_of_a_picture_stay_on_one_side(
    miniature, tmp_path, command, source, written
):
    out, data = tmp_path / 'out', f'{source}:{miniature(source)}'
    assert main([*command, '--data', data, '--out', str(out)]) == 0
    reader, whole = open_data(f'{written}:{out}'), open_data(data)
    scenes = [reader.scene(index) for index in range(len(reader))]
    assert set(scenes) == {whole.scene(index) for index in range(len(whole))}
    assert [reader.read(index).scene for index in range(len(reader))] == scenes
    train, valid = split_by_scene(reader, 0.3)
    assert len(train) == 2 * len(valid)


def test_stats(folder, tmp_path, capsys):
    found = tmp_path / 'stats.json'
    assert main(['stats', '--data', f'folder:{folder}', '--json', str(found)]) == 0
    assert 'size 40x30: 3' in capsys.readouterr().out
    classes = json.loads(found.read_text())['classes']
    assert classes['class 1']['pixel_share'] == pytest.approx(150 / 1200)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ('words', 'expected'),
    [
        (['stats'], '0/3'),
        (['stats', '--limit', '2'], '0/2'),
        (['tile', '--side', '0', '--out', 'out'], '0/3'),
        (['tfrecord', '--out', 'out'], '0/3'),
        (['augment', '--copies', '2', '--out', 'out'], '0/3'),
    ],
)
def test_a_terminal_shows_the_samples_that_are_read(
    words, expected, folder, tmp_path, monkeypatch
):
    pytest.importorskip('tqdm')
    monkeypatch.chdir(tmp_path)
    with redirect_stderr(Terminal()) as shown:
        assert main([*words, '--data', f'folder:{folder}']) == 0
    assert expected in shown.getvalue()
    assert shown.getvalue().rpartition('\r')[2].strip() == ''


def test_watched_data_are_the_same_data(folder):
    reader = open_data(f'folder:{folder}')
    with watched(reader) as same:
        assert [same.name(i) for i in range(len(same))] == ['0', '1', '2']
        assert same.labels == reader.labels
        np.testing.assert_array_equal(same.read(2).image, reader.read(2).image)
        assert same.notes == reader.notes
        with pytest.raises(AttributeError, match='novel'):
            _ = same.novel


def test_split_is_a_list_that_readers_take(folder, tmp_path):
    out = tmp_path / 'lists'
    arguments = ['--data', f'folder:{folder}', '--valid-share', '0.34', '--out', str(out)]
    assert main(['split', *arguments]) == 0
    parts = [
        open_data(f'folder:{folder}', list_file=str(out / f'{name}.txt'))
        for name in ('train', 'val')
    ]
    names = [{part.name(i) for i in range(len(part))} for part in parts]
    assert names[0] | names[1] == {'0', '1', '2'}
    assert not names[0] & names[1]


def test_split_leaves_neighbours_out(folder, tmp_path):
    for margin, samples in ((0, 3), (1, 2)):
        out = tmp_path / str(margin)
        arguments = ['--data', f'folder:{folder}', '--valid-share', '0.34', '--out', str(out)]
        assert main(['split', *arguments, '--margin', str(margin), '--seed', '4']) == 0
        names = [(out / f'{name}.txt').read_text().split() for name in ('train', 'val')]
        assert len(names[0]) + len(names[1]) == samples, names
        assert min(abs(int(a) - int(b)) for a in names[0] for b in names[1]) == margin + 1


def test_nyu_list(tmp_path):
    root, out = tmp_path / 'sync', tmp_path / 'train.txt'
    for number in ('00002', '00010'):
        write(root / 'kitchen_1' / f'rgb_{number}.jpg', np.zeros((480, 640, 3), np.uint8))
        depth_mm = np.full((480, 640), 1500, np.uint16)
        write(root / 'kitchen_1' / f'sync_depth_{number}.png', depth_mm)
    assert main(['lists', 'nyu', str(root), '--out', str(out)]) == 0
    lines = out.read_text().splitlines()
    assert lines[0] == '/kitchen_1/rgb_00002.jpg /kitchen_1/sync_depth_00002.png 518.8579'
    reader = open_data(f'bts-list:{out}', data_root=str(root))
    assert reader.read(1).depth_m.max() == pytest.approx(1.5)


def test_kitti_list(tmp_path):
    root, truth, out = tmp_path / 'kitti', tmp_path / 'gt', tmp_path / 'train.txt'
    drive = '2011_09_26_drive_0001_sync'
    for number in (5, 6):
        write(
            root / '2011_09_26' / drive / 'image_02' / 'data' / f'{number:010}.png',
            np.zeros((375, 1242, 3), np.uint8),
        )
    gt = truth / 'train' / drive / 'proj_depth' / 'groundtruth' / 'image_02' / '0000000006.png'
    write(gt, np.full((375, 1242), 2560, np.uint16))
    assert main(['lists', 'kitti', str(root), '--gt-root', str(truth), '--out', str(out)]) == 0
    lines = out.read_text().splitlines()
    assert lines[0].split()[1:] == ['None', '721.5377']
    reader = open_data(f'kitti-list:{out}', data_root=str(root), gt_root=str(truth))
    assert len(reader) == 1
    assert reader.read(0).focal_px is not None


def test_panorama_lists(tmp_path):
    for scan in ('a', 'b', 'c'):
        write(
            tmp_path / 'scans' / scan / 'pan' / 'images' / '0.png', np.zeros((4, 8, 3), np.uint8)
        )
        write(tmp_path / 'scans' / scan / 'depth' / '0.png', np.ones((4, 8), np.uint16))
    arguments = [
        str(tmp_path / 'scans'),
        '--valid-share',
        '0.34',
        '--out',
        str(tmp_path / 'lists'),
    ]
    assert main(['lists', 'panorama', *arguments]) == 0
    lengths = [len(open_data(f'pano-csv:{tmp_path}/lists/{n}.csv')) for n in ('train', 'valid')]
    assert lengths == [2, 1]


def test_tfds(folder, tmp_path):
    pytest.importorskip('tensorflow_datasets')
    out = tmp_path / 'tfds'
    assert main(['tfds', str(folder), '--out', str(out)]) == 0
    assert len(open_data(f'tfds:{out}')) == 3


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (['tile', '--data', 'folder:nowhere', '--out', 'x'], 'nowhere does not exist'),
        (['tile', '--data', 'folder', '--out', 'x'], 'is not FORMAT:PATH'),
        (['stats', '--data', 'folder:SET', '--limit', '0'], '--limit must be at least 1'),
        (['augment', '--data', 'folder:SET', '--out', 'x', '--copies', '0'], '--copies'),
        (['tfrecord', '--data', 'folder:SET', '--out', 'SET'], 'SET holds files'),
        (['tfrecord', '--data', 'folder:SET', '--out', 'x', '--shards', '9'], '9 shards'),
        (['tile', '--data', 'folder:SET', '--out', 'x', '--data-option', 'a=1'], "option 'a'"),
        (['lists', 'nyu', 'SET', '--out', 'x'], r'holds no <scene>'),
        (['lists', 'kitti', 'SET', '--out', 'x'], r'holds no <day>'),
        (['stats', '--data', 'folder:SET', '--json', 'no/where.json'], 'cannot be written'),
    ],
)
def test_errors_are_one_sentence_and_leave_nothing(
    folder, tmp_path, monkeypatch, capsys, arguments, message
):
    monkeypatch.chdir(tmp_path)
    filled = [a.replace('SET', str(folder)) for a in arguments]
    before = sorted(tmp_path.rglob('*'))
    assert main(filled) == 2
    error = capsys.readouterr().err
    assert message.replace('SET', str(folder)) in error
    assert error.count('\n') == 1
    assert sorted(tmp_path.rglob('*')) == before


def test_nobody_need_read_to_the_end(folder):
    reading, writing = os.pipe()
    os.close(reading)
    code = (
        'import sys; from rs_ml_training.cli.data import main; '
        f'sys.exit(main(["stats", "--data", "folder:{folder}"]))'
    )
    done = subprocess.run([sys.executable, '-c', code], stdout=writing, stderr=subprocess.PIPE)
    os.close(writing)
    assert (done.returncode, done.stderr) == (141, b'')


def test_commands_on_data_need_no_framework(folder, tmp_path):
    source = ['--data', f'folder:{folder}']
    commands = [
        ['stats', *source],
        ['tfrecord', *source, '--out', str(tmp_path / 'records')],
        ['augment', *source, '--out', str(tmp_path / 'copies')],
    ]
    code = (
        'import sys; from rs_ml_training.cli.data import main; '
        f'assert not any(main(command) for command in {commands!r}); '
        'assert not {"tensorflow", "keras", "jax", "torch"} & set(sys.modules)'
    )
    subprocess.run([sys.executable, '-c', code], check=True)
