"""`rs-ml height` with boxes and gravity of files: no model is asked."""

import json

import cv2
import numpy as np
import pytest
from rs_ml_perception.cli.main import main
from rs_ml_perception.core.frames.frame import Frame
from rs_ml_perception.core.geometry.camera import CameraModel
from rs_ml_perception.core.images.depth import DepthImage
from rs_ml_perception.recordings.frame_recorder import FrameRecorder
from rs_ml_perception.recordings.message_factory import header, imu
from rs_ml_perception.recordings.messages import IMU
from rs_ml_perception.recordings.writer import RecordingWriter

START_NS = 1_700_000_000_000_000_000
FX, CAMERA_M, FAR_M, STATURE_M = 100.0, 1.0, 3.0, 1.7
SHAPE = 120, 160
BOX = [60, 35, 100, 95]


def write_boxes(folder, name):
    line = {'image': name, 'detections': [{'label': 'person', 'score': 1.0, 'box': BOX}]}
    (folder / 'boxes.jsonl').write_text(json.dumps(line))


@pytest.fixture
def room(tmp_path):
    """A level camera 1 m above the floor sees a slab 1.7 m high before a wall."""
    v, _ = np.mgrid[: SHAPE[0], : SHAPE[1]] + 0.5
    depth_m = np.minimum(CAMERA_M * FX / np.maximum(v - 60, 1e-9), 6.0)
    top, bottom = (60 - (h - CAMERA_M) / FAR_M * FX for h in (STATURE_M, 0.0))
    rows = slice(round(top), round(bottom))
    depth_m[rows, 70:90] = FAR_M
    for name, picture in (
        ('pictures', np.zeros((*SHAPE, 3), np.uint8)),
        ('depth', (1000 * depth_m).astype(np.uint16)),
    ):
        (tmp_path / name).mkdir()
        cv2.imwrite(str(tmp_path / name / 'a.png'), picture)
    write_boxes(tmp_path, 'a.png')
    (tmp_path / 'gravity.json').write_text(json.dumps({'a': [[0, -9.81, 0]]}))
    return tmp_path


@pytest.mark.parametrize(
    ('more', 'method'), [([], 'FLOOR_PLANE'), (['--accelerometer', 'gravity.json'], 'IMU')]
)
def test_a_slab_on_the_floor(room, monkeypatch, more, method):
    monkeypatch.chdir(room)
    words = ['height', 'pictures', '--depth', 'depth', '--intrinsics', f'{FX},{FX},80,60']
    assert main([*words, '--boxes', 'boxes.jsonl', '--out', 'out', '--no-pictures', *more]) == 0
    (line,) = (room / 'out/results.jsonl').read_text().splitlines()
    (person,) = json.loads(line)['detections']
    assert (person['label'], person['box'], person['method']) == ('person', BOX, method)
    assert person['height_m'] == pytest.approx(STATURE_M, abs=0.04)


@pytest.mark.parametrize(('readings', 'method'), [(0, 'FLOOR_PLANE'), (3, 'IMU')])
def test_a_recording_knows_up(room, monkeypatch, readings, method):
    monkeypatch.chdir(room)
    depth = DepthImage(cv2.imread('depth/a.png', cv2.IMREAD_UNCHANGED), 0.001)
    camera = CameraModel(SHAPE[1], SHAPE[0], FX, FX, 80.0, 60.0)
    rgb = np.zeros((*SHAPE, 3), np.uint8)
    with RecordingWriter(room / 'bag') as writer:
        for number in range(readings):
            stamp_ns = START_NS - 1_000_000 * number
            reading = imu(header(stamp_ns, 'imu'), np.zeros(3), np.array([0, -9.8, 0]))
            writer.add_topic('/camera/camera/accel/sample', IMU)
            writer.write_message('/camera/camera/accel/sample', stamp_ns, reading)
        frame = Frame(rgb=rgb, depth=depth, camera=camera, stamp_ns=START_NS)
        FrameRecorder(writer).write(frame)
    write_boxes(room, 'bag_000000')
    words = ['height', 'bag', '--boxes', 'boxes.jsonl', '--out', 'out', '--no-pictures']
    assert main(words) == 0
    (line,) = (room / 'out/results.jsonl').read_text().splitlines()
    (person,) = json.loads(line)['detections']
    assert person['method'] == method
    assert person['height_m'] == pytest.approx(STATURE_M, abs=0.04)
