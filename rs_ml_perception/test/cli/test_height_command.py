"""`rs-ml height` with boxes and gravity of files: no model is asked."""

import json

import cv2
import numpy as np
import pytest
from rs_ml_perception.cli.main import main

FX, CAMERA_M, FAR_M, STATURE_M = 100.0, 1.0, 3.0, 1.7
SHAPE = 120, 160
BOX = [60, 35, 100, 95]


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
    line = {'image': 'a.png', 'detections': [{'label': 'person', 'score': 1.0, 'box': BOX}]}
    (tmp_path / 'boxes.jsonl').write_text(json.dumps(line))
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
