"""Sets of synthetic frames: files, truth, readers, workers, and what is refused."""

from __future__ import annotations

import dataclasses
import json
import os
from functools import partial

import numpy as np
import pytest
import yaml
from rs_ml_perception.core.errors import ConfigError, InputError
from rs_ml_training.cli.data import main
from rs_ml_training.data.formats import open_data
from rs_ml_training.data.indoor_classes import INDOOR_LABELS
from rs_ml_training.synth.camera import CameraPose, d435
from rs_ml_training.synth.frame import BOXED_CLASSES, BoxTruth, PeopleTruth, Posture, SynthFrame
from rs_ml_training.synth.writing.data_set import (
    FEWEST_PIXELS,
    LICENSE,
    SetOptions,
    exposures,
    write_frame_set,
)
from rs_ml_training.synth.writing.processes import spread

SMALL = SetOptions(count=3, seed=10, size=(48, 32), color_size=(40, 30), repeats=2)


def people_of(count):
    boxes = np.array([[4, 5, 14, 25], [20, 6, 30, 30]], np.float32)[:count]
    values = np.array([1.71, 1.2], np.float32)[:count]
    postures = (Posture.STANDING, Posture.SITTING)[:count]
    return PeopleTruth(boxes, values, values - 0.1, postures, values / 2, values > 1.5)


def boxes_of(count):
    boxes = np.array([[4, 5, 14, 25], [20, 6, 30, 30], [1, 1, 3, 3]], np.float32)[:count]
    pixels = np.array([180, FEWEST_PIXELS, FEWEST_PIXELS - 1])[:count]
    return BoxTruth(boxes, np.array([0, 3, 5])[:count], pixels)


def shaded(rng, shape):
    """A picture that JPEG keeps nearly as it is."""
    rows = np.linspace(0, 50, shape[0])[:, None, None]
    return np.broadcast_to(rng.integers(0, 200, 3) + rows, (*shape, 3)).astype(np.uint8)


def frames(options, room, people=2):
    """Frames of noise that know their truth."""
    for exposure in range(options.repeats):
        rng = np.random.default_rng([room, exposure])
        rig, seed = d435(options.size, options.color_size), options.room_seed(room)
        shape, color_shape = options.size[::-1], options.color_size[::-1]
        labels = rng.integers(0, len(INDOOR_LABELS) + 1, color_shape)
        yield SynthFrame(
            seed=seed,
            left=rng.integers(0, 256, shape).astype(np.uint8),
            right=rng.integers(0, 256, shape).astype(np.uint8),
            depth_m=rng.uniform(0.3, 9, shape).astype(np.float32),
            raw_depth_m=np.where(rng.random(shape) < 0.2, 0, 1.234).astype(np.float32),
            color=shaded(rng, color_shape),
            color_depth_m=rng.uniform(0.3, 9, color_shape).astype(np.float32),
            aligned_depth_m=np.where(rng.random(color_shape) < 0.3, 0, 2.5).astype(np.float32),
            labels=np.where(labels == len(INDOOR_LABELS), 255, labels).astype(np.uint8),
            people=people_of(people),
            boxes=boxes_of(people and 3),
            rig=rig,
            pose=CameraPose(1.1, pitch_rad=-0.2),
            accelerometer=np.full((2, 3), -9.8),
            emitter=exposure == 0,
        )


@pytest.fixture(scope='module')
def written(tmp_path_factory):
    out = tmp_path_factory.mktemp('synthetic') / 'set'
    write_frame_set(out, SMALL, expose=frames)
    return out


def truth(number):
    """The frame of a name."""
    room, exposure = divmod(number - 1, SMALL.repeats)
    return list(frames(SMALL, room + 1))[exposure]


def test_depth_camera_reads_back(written):
    reader = open_data(f'synth:{written}', right=True)
    assert [reader.name(i) for i in range(len(reader))] == ['1', '2', '3', '4', '5', '6']
    sample, expected = reader.read(3), truth(4)
    np.testing.assert_array_equal(sample.infrared, expected.left)
    np.testing.assert_array_equal(sample.extra['right'], expected.right)
    np.testing.assert_allclose(sample.depth_m, expected.depth_m, atol=0.00051)
    np.testing.assert_allclose(sample.raw_depth_m, expected.raw_depth_m, atol=1e-6)
    assert sample.intrinsics == pytest.approx(expected.rig.depth)


def test_color_camera_reads_back(written):
    reader = open_data(f'synth-color:{written}')
    sample, expected = reader.read(3), truth(4)
    assert reader.labels == INDOOR_LABELS
    np.testing.assert_array_equal(sample.image, expected.color)
    np.testing.assert_array_equal(sample.labels, expected.labels)
    np.testing.assert_allclose(sample.depth_m, expected.color_depth_m, atol=0.00051)
    np.testing.assert_allclose(sample.raw_depth_m, expected.aligned_depth_m, atol=1e-6)
    assert sample.intrinsics == pytest.approx(expected.rig.color)


def test_plain_folders_read_back(written):
    masks = open_data(f'folder:{written}/nyu').read(1)
    np.testing.assert_array_equal(masks.labels, truth(2).labels)
    depth = open_data(f'folder:{written}/nyu', kind='depth').read(1)
    np.testing.assert_allclose(depth.depth_m, truth(2).color_depth_m, atol=0.00051)


def test_boxes_of_visible_objects_read_back(written):
    reader = open_data(f'yolo:{written}/yolo')
    sample, expected = reader.read(0), boxes_of(2)
    assert reader.labels == BOXED_CLASSES
    np.testing.assert_allclose(sample.boxes.xyxy, expected.boxes_px, atol=1e-3)
    np.testing.assert_array_equal(sample.boxes.class_ids, expected.class_ids)
    error = sample.image.astype(float) - truth(1).color
    assert np.abs(error).mean() < 3


@pytest.mark.parametrize('source', ['synth:{}', 'synth-color:{}', 'yolo:{}/yolo'])
def test_exposures_of_a_room_are_a_scene(written, source):
    reader = open_data(source.format(written))
    scenes = [reader.scene(i) for i in range(len(reader))]
    assert scenes == ['room-11', 'room-11', 'room-12', 'room-12', 'room-13', 'room-13']
    assert reader.license == LICENSE


def test_heights(written):
    records = json.loads((written / 'heights.json').read_text())
    assert [record['image'] for record in records] == ['1', '2', '3', '4', '5', '6']
    record = records[3]
    assert record['scene'] == 'room-12'
    assert not record['emitter']
    assert record['people'][0] == {
        'box': [4, 5, 14, 25],
        'stature_m': 1.71,
        'top_m': 1.61,
        'posture': 'standing',
        'visible_share': 0.855,
        'cut': True,
    }
    assert record['camera']['pitch_deg'] == pytest.approx(-11.459, abs=1e-3)
    assert record['camera']['up_in_camera'] == pytest.approx([0, -0.9801, -0.1987], abs=1e-3)
    assert record['accelerometer'] == [[-9.8] * 3] * 2


def test_options_stay_with_the_set(written):
    described = yaml.safe_load((written / 'synth.yaml').read_text())
    assert described['options']['seed'] == 10
    assert described['options']['size'] == [48, 32]
    assert described['rig']['baseline_m'] == 0.05


def test_a_room_without_people(tmp_path):
    write_frame_set(tmp_path / 'set', SMALL, expose=partial(frames, people=0))
    assert json.loads((tmp_path / 'set/heights.json').read_text())[0]['people'] == []
    assert len(open_data(f'yolo:{tmp_path}/set/yolo').read(0).boxes) == 0


def test_one_layout_alone(tmp_path):
    options = SetOptions(count=1, size=(48, 32), color_size=(40, 30), layouts=('yolo',))
    write_frame_set(tmp_path / 'set', options, expose=frames)
    assert not (tmp_path / 'set/intel').exists()
    assert len(open_data(f'yolo:{tmp_path}/set/yolo')) == 1


@pytest.mark.parametrize(
    ('options', 'words'),
    [
        ({'count': 0}, 'count must be at least 1, got 0'),
        ({'repeats': 0}, 'repeats must be at least 1'),
        ({'seed': -1}, 'seed must be at least 0'),
        ({'side': 'left'}, "side must be one of train, test, got 'left'"),
        ({'size': (8, 480)}, 'size must be at least 16, got 8'),
        ({'layouts': ('coco',)}, 'coco'),
        ({'layouts': ()}, 'layouts'),
        ({'people': 'all'}, "people must be one of any, upright, got 'all'"),
    ],
)
def test_senseless_options(options, words):
    with pytest.raises(ConfigError, match=words):
        SetOptions(**options)


def test_nothing_is_left_of_a_set_that_failed(tmp_path):
    def broken(options, room):
        yield from frames(options, room)
        raise InputError('room 1 is broken')

    with pytest.raises(InputError, match='broken'):
        write_frame_set(tmp_path / 'set', SMALL, expose=broken)
    with pytest.raises(ConfigError, match='0 workers'):
        write_frame_set(tmp_path / 'set', SMALL, expose=frames, spread=partial(spread, workers=0))
    assert list(tmp_path.iterdir()) == []


def test_a_class_that_does_not_exist(written, tmp_path):
    from rs_ml_training.data.output_folder import write_png

    write_frame_set(tmp_path / 'set', SMALL, expose=frames)
    write_png(tmp_path / 'set/nyu/gt/1.png', np.full((30, 40), 14, np.uint8))
    with pytest.raises(InputError, match='holds class 14'):
        open_data(f'synth-color:{tmp_path}/set').read(0)


def test_processes_give_results_in_order():
    assert list(spread(abs, range(-3, 3), workers=2)) == [3, 2, 1, 0, 1, 2]


def test_processes_use_one_thread(monkeypatch):
    monkeypatch.setenv('OMP_NUM_THREADS', '7')
    assert list(spread(os.getenv, ['OMP_NUM_THREADS', 'MKL_NUM_THREADS'], workers=1)) == ['1', '1']
    assert os.environ['OMP_NUM_THREADS'] == '7'


@pytest.mark.parametrize(
    ('before', 'expected'),
    [
        (None, 'glibc.malloc.hugetlb=1:glibc.malloc.top_pad=67108864:'),
        ('glibc.malloc.check=1', 'glibc.malloc.check=1'),
    ],
)
def test_processes_keep_the_memory_of_images(monkeypatch, before, expected):
    monkeypatch.delenv('GLIBC_TUNABLES', raising=False)
    if before:
        monkeypatch.setenv('GLIBC_TUNABLES', before)
    (found,) = spread(os.getenv, ['GLIBC_TUNABLES'], workers=1)
    assert found.startswith(expected)
    assert os.environ.get('GLIBC_TUNABLES') == before


@pytest.fixture
def world():
    pytest.importorskip('embreex')
    return SetOptions(count=2, seed=3, size=(128, 96), color_size=(96, 64))


def bytes_by_name(folder):
    files = sorted(path for path in folder.rglob('*') if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def test_command_writes_rooms(world, tmp_path, capsys):
    out = tmp_path / 'set'
    sizes = ['--size', '128x96', '--color-size', '96x64', '--layouts', 'intel', 'nyu']
    assert main(['synth', '--out', str(out), '--count', '1', '--seed', '3', *sizes]) == 0
    assert '1 frame of 1 room' in capsys.readouterr().out
    (expected,) = exposures(world, 1)
    sample = open_data(f'synth:{out}').read(0)
    np.testing.assert_array_equal(sample.infrared, expected.left)
    np.testing.assert_allclose(sample.raw_depth_m, expected.raw_depth_m, atol=1e-6)
    assert open_data(f'synth-color:{out}').scene(0) == 'room-4'


@pytest.mark.slow
def test_processes_change_nothing(world, tmp_path):
    for workers in (1, 2):
        write_frame_set(tmp_path / str(workers), world, spread=partial(spread, workers=workers))
    assert bytes_by_name(tmp_path / '1') == bytes_by_name(tmp_path / '2')


def test_exposures_of_a_room_differ_in_noise_alone(world):
    first, second = exposures(dataclasses.replace(world, repeats=2), 1)
    np.testing.assert_array_equal(first.depth_m, second.depth_m)
    assert not np.array_equal(first.left, second.left)
    assert not np.array_equal(first.raw_depth_m, second.raw_depth_m)
