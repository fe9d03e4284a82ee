"""Data sets as recordings: topics, pixels, cameras, stamps, and what is refused."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

pytest.importorskip('rosbags')

from rosbags.highlevel import AnyReader
from rs_ml_perception.core.errors import InputError
from rs_ml_perception.core.geometry.camera import CameraModel
from rs_ml_perception.recordings.message_types import message_types
from rs_ml_training.cli.data import main
from rs_ml_training.data.bag_writing import START_NS, BagOptions, streams_of, write_bag
from rs_ml_training.data.formats import open_data
from rs_ml_training.data.reader import Reader
from rs_ml_training.data.sample import Sample

CAMERA = '/camera/camera'
ALIGNED = f'{CAMERA}/aligned_depth_to_color'


class Given(Reader):
    """Samples from memory."""

    def __init__(self, *samples, reference_focal_px=None):
        self._samples, self.reference_focal_px = samples, reference_focal_px

    def __len__(self):
        return len(self._samples)

    def name(self, index):
        return self._samples[index].name

    def read(self, index):
        return self._samples[index]


def sample(width=4, height=3, **fields):
    camera = CameraModel(width, height, 5, 6, 1.5, 1)
    depth_m = np.ones((height, width), np.float32)
    return Sample(**{'name': 'one', 'depth_m': depth_m, 'intrinsics': camera} | fields)


def read_bag(path):
    """Topic -> [(log time, message)]."""
    found = {}
    with AnyReader([path], default_typestore=message_types()) as reader:
        for connection, log_time_ns, data in reader.messages():
            message = reader.deserialize(data, connection.msgtype)
            found.setdefault(connection.topic, []).append((log_time_ns, message))
    return found


def pixels(message):
    dtype = {'16UC1': '<u2', 'mono8': 'u1', 'rgb8': 'u1'}[message.encoding]
    rows = np.asarray(message.data).view(dtype).reshape(message.height, -1)
    return rows.reshape(message.height, message.width, -1).squeeze()


INTEL_TOPICS = (f'{CAMERA}/depth', f'{CAMERA}/infra1', '/ground_truth')
TOPICS = [
    # format, options, folders of the topics
    ('intel-denoise', [], INTEL_TOPICS),
    ('nyu-labelled', ['--list', 'val.txt'], (f'{CAMERA}/color', ALIGNED)),
    ('folder-depth', [], (f'{CAMERA}/color', ALIGNED)),
    (
        'depth-pairs',
        ['--intrinsics', '50,51,30,22'],
        ('/ground_truth', f'{CAMERA}/color', ALIGNED),
    ),
    (
        'camvid',
        ['--intrinsics', '50,51,30,22', '--data-option', 'split=val'],
        (f'{CAMERA}/color',),
    ),
]


@pytest.mark.parametrize(('name', 'options', 'folders'), TOPICS, ids=[row[0] for row in TOPICS])
def test_topics_of_a_data_set(miniature, tmp_path, name, options, folders):
    out, source = tmp_path / 'bag', f'{name.removesuffix("-depth")}:{miniature(name)}'
    source = source if name != 'folder-depth' else f'folder:{tmp_path / name}'
    assert main(['to-bag', source, *options, '--out', str(out)]) == 0
    found = read_bag(out)
    pictures = {topic for topic in found if '/image_' in topic}
    assert {topic.rpartition('/')[0] for topic in pictures} == set(folders)
    for topic in pictures:
        infos = found[topic.rpartition('/')[0] + '/camera_info']
        for (_, image), (_, info) in zip(found[topic], infos, strict=True):
            assert image.header == info.header
            assert (image.width, image.height) == (info.width, info.height)


def test_frames_hold_the_maps_of_the_samples(miniature, miniatures, tmp_path):
    path, out = miniature('intel-denoise'), tmp_path / 'bag'
    miniatures.save(path / 'res_denoised-2.png', miniatures.millimetres(7))
    assert main(['to-bag', f'intel-denoise:{path}', '--out', str(out), '--rate', '4']) == 0
    found, reader = read_bag(out), open_data(f'intel-denoise:{path}')
    stamps = [START_NS + k * 250_000_000 for k in range(3)]
    for index, stamp_ns in enumerate(stamps):
        original = reader.read(index)
        for topic, frame, expected in (
            (f'{CAMERA}/depth', 'depth', np.rint(original.raw_depth_m * 1000)),
            (f'{CAMERA}/infra1', 'infra1', original.infrared),
            ('/ground_truth', 'depth', np.rint(original.depth_m * 1000)),
        ):
            log_time_ns, message = found[f'{topic}/image_rect_raw'][index]
            np.testing.assert_array_equal(pixels(message), expected)
            stamp = message.header.stamp
            assert stamp.sec * 10**9 + stamp.nanosec == log_time_ns == stamp_ns
            assert message.header.frame_id == f'camera_{frame}_optical_frame'
    ((log_time_ns, denoised),) = found['/denoised/image_rect_raw']
    assert log_time_ns == stamps[1]
    np.testing.assert_array_equal(pixels(denoised), miniatures.millimetres(7))


def test_camera_info_follows_the_size_of_the_images(miniature, tmp_path):
    miniature('folder-depth')  # its intrinsics.yaml is of twice the size
    main(['to-bag', f'folder:{tmp_path / "folder-depth"}', '--out', str(tmp_path / 'bag')])
    info = read_bag(tmp_path / 'bag')[f'{ALIGNED}/camera_info'][0][1]
    assert (info.width, info.height) == (64, 48)
    np.testing.assert_allclose(info.k, [50, 0, 31.5, 0, 50.5, 23.5, 0, 0, 1])
    np.testing.assert_allclose(info.p, [50, 0, 31.5, 0, 0, 50.5, 23.5, 0, 0, 0, 1, 0])


def test_transforms_lead_from_the_link_to_every_optical_frame(tmp_path):
    infrared = np.zeros((3, 4), np.uint8)
    samples = sample(), sample(infrared=infrared), sample()
    write_bag(Given(*samples), tmp_path / 'bag', BagOptions(camera='/robot/front/'))
    found = read_bag(tmp_path / 'bag')['/tf_static']
    assert len(found) == 2  # again when the second camera came
    tree = {t.child_frame_id: t for t in found[-1][1].transforms}
    for stream in ('depth', 'infra1'):
        optical = tree[f'front_{stream}_optical_frame']
        assert optical.header.frame_id == f'front_{stream}_frame'
        q = optical.transform.rotation
        assert (q.x, q.y, q.z, q.w) == pytest.approx((-0.5, 0.5, -0.5, 0.5))
        assert tree[f'front_{stream}_frame'].header.frame_id == 'front_link'


@pytest.mark.parametrize(
    ('depth_m', 'millimetres'),
    [(0, 0), (0.0001, 1), (1.2346, 1235), (65.535, 65535), (65.54, 0), (80, 0), (np.nan, 0)],
)
def test_depth_that_millimetres_cannot_hold_is_unknown(depth_m, millimetres):
    one = sample(1, 1, depth_m=np.full((1, 1), depth_m, np.float32))
    (stream,) = streams_of(one, CAMERA)
    assert stream.pixels.item() == millimetres


def test_depth_that_was_divided_by_the_focal_length_is_in_metres_again(tmp_path):
    reader = Given(sample(focal_px=700.0), reference_focal_px=350.0)
    write_bag(reader, tmp_path / 'bag', BagOptions())
    image = read_bag(tmp_path / 'bag')[f'{CAMERA}/depth/image_rect_raw'][0][1]
    np.testing.assert_array_equal(pixels(image), np.full((3, 4), 2000))


@pytest.mark.parametrize('storage', ['mcap', 'sqlite3'])
def test_the_same_data_give_the_same_bytes(miniature, tmp_path, storage):
    reader = open_data(f'intel-denoise:{miniature("intel-denoise")}')
    bytes_of = []
    for parent in 'ab':
        out = tmp_path / parent / 'bag'
        counts = write_bag(reader, out, BagOptions(storage=storage))
        assert sum(counts.values()) == sum(map(len, read_bag(out).values())) == 19
        bytes_of.append({p.name: p.read_bytes() for p in out.iterdir()})
    assert bytes_of[0] == bytes_of[1]


REFUSED = [
    # arguments after the data, what the error says
    ([], '--intrinsics fx,fy,cx,cy'),
    (['--rate', '0'], '--rate must lie in [0.001, 1e+06], got 0.0'),
    (['--rate', 'nan'], '--rate must lie in [0.001, 1e+06], got nan'),
    (['--camera', 'my camera'], "'my camera' is no namespace"),
    (['--camera', ''], "'' is no namespace"),
    (['--camera', '/ground_truth'], 'is no namespace'),
    (['--storage', 'realsense'], "--storage must be one of mcap, sqlite3, got 'realsense'"),
    (['--denoised', 'DATA'], 'holds no denoised depth'),
    (['--data', 'folder:x'], 'name the data once'),
]


@pytest.mark.parametrize(('arguments', 'sentence'), REFUSED)
def test_invalid_options_leave_no_files(miniature, tmp_path, capsys, arguments, sentence):
    path = miniature('folder')
    arguments = [str(path / 'rgb') if a == 'DATA' else a for a in arguments]
    out = tmp_path / 'out' / 'bag'
    assert main(['to-bag', f'folder:{path}', '--out', str(out), *arguments]) == 2
    assert sentence in capsys.readouterr().err
    assert not out.parent.exists() or not any(out.parent.iterdir())


def test_data_must_be_named(tmp_path, capsys):
    assert main(['to-bag', '--out', str(tmp_path / 'bag')]) == 2
    assert 'name the data once' in capsys.readouterr().err


@pytest.mark.parametrize('text', ['', '1,2,3', '1,2,3,x', '0,1,2,3', '1,nan,2,3', '1,2,3,4,5'])
def test_intrinsics_are_four_numbers(tmp_path, capsys, text):
    with pytest.raises(SystemExit):
        main(['to-bag', 'folder:x', '--out', str(tmp_path / 'bag'), '--intrinsics', text])
    assert 'is not FX,FY,CX,CY' in capsys.readouterr().err


@pytest.mark.parametrize(
    ('samples', 'options', 'sentence'),
    [
        ([sample(depth_m=None)], {}, 'one has neither image nor depth'),
        (
            [dataclasses.replace(sample(), intrinsics=CameraModel(8, 6, 5, 5, 4, 3))],
            {},
            'one is 4x3, its intrinsics are of 8x6',
        ),
        ([sample(), sample(6)], {'pinhole_px': (5, 5, 1, 1)}, 'one is 6x3, the first was 4x3'),
    ],
)
def test_samples_that_fit_no_camera(tmp_path, samples, options, sentence):
    with pytest.raises(InputError, match=sentence):
        write_bag(Given(*samples), tmp_path / 'bag', BagOptions(**options))
    assert list(tmp_path.iterdir()) == []


def test_only_a_recording_is_replaced_and_only_on_demand(tmp_path, capsys, miniature):
    path, out = miniature('intel-denoise'), tmp_path / 'bag'
    arguments = ['to-bag', f'intel-denoise:{path}', '--out', str(out)]
    out.mkdir()
    assert main(arguments) == 0
    first = {p.name: p.read_bytes() for p in out.iterdir()}
    assert main([*arguments, '--rate', '5']) == 2
    assert '--force' in capsys.readouterr().err
    assert {p.name: p.read_bytes() for p in out.iterdir()} == first
    assert main([*arguments, '--storage', 'sqlite3', '--force']) == 0
    assert sorted(p.name for p in out.iterdir()) == ['bag.db3', 'metadata.yaml']
    (out / 'notes.txt').write_text('mine')
    assert main([*arguments, '--force']) == 2
    assert 'notes.txt' in capsys.readouterr().err
    assert sorted(p.name for p in tmp_path.iterdir()) == ['bag', 'intel-denoise']


@pytest.mark.parametrize('name', ['file', 'bag.bag'])
def test_out_must_be_a_folder(tmp_path, name):
    (tmp_path / 'file').write_text('mine')
    out = tmp_path / name
    assert main(['to-bag', f'folder:{tmp_path}', '--out', str(out), '--force']) == 2
    assert [p.name for p in tmp_path.iterdir()] == ['file']


def test_a_fault_within_keeps_the_old_recording(tmp_path, miniature, capsys):
    path, out = miniature('intel-denoise'), tmp_path / 'bag'
    arguments = ['to-bag', f'intel-denoise:{path}', '--out', str(out), '--force']
    assert main(arguments) == 0
    first = {p.name: p.read_bytes() for p in out.iterdir()}
    (path / 'res-10.png').write_bytes(b'no picture')
    assert main(arguments) == 2
    assert 'res-10.png' in capsys.readouterr().err
    assert {p.name: p.read_bytes() for p in out.iterdir()} == first
    assert sorted(p.name for p in tmp_path.iterdir()) == ['bag', 'intel-denoise']
