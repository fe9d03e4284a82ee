"""rs-ml with real models."""

from __future__ import annotations

import json
import subprocess
import sys

import cv2
import numpy as np
import pytest
from rs_ml_perception.cli.main import main

DETECTION, SEGMENTATION = 'centernet_mnv3_coco', 'deeplabv3_mnv2_dm05_pascal_quant'
MONO_DEPTH = 'nyu_mobilenet_unet'
PEOPLE = 'recordings/nyu_people'


def results(out):
    return [json.loads(line) for line in (out / 'results.jsonl').read_text().splitlines()]


@pytest.mark.usefixtures('models')
def test_detect(data_file, tmp_path):
    words = ['detect', str(data_file(PEOPLE)), '--model', DETECTION, '--out', str(tmp_path)]
    assert main([*words, '--max-frames', '2', '--classes', 'person']) == 0
    first, second = results(tmp_path)
    assert first['image'] == 'nyu_people_000000'
    (person,) = first['detections']
    assert person['label'] == 'person'
    assert 0.5 < person['score'] <= 1
    x_min, y_min, x_max, y_max = person['box']
    assert 0 <= x_min < x_max <= 640
    assert 0 <= y_min < y_max <= 480
    assert 0.5 < person['distance_m'] < 4
    assert len(second['detections']) >= 1
    assert (tmp_path / 'nyu_people_000001_annotated.png').is_file()


@pytest.mark.usefixtures('models')
def test_a_lower_threshold_finds_more(data_file, tmp_path):
    counts = []
    for threshold in ('0.9', '0.05'):
        out = tmp_path / threshold
        words = ['detect', str(data_file(PEOPLE)), '--model', DETECTION, '--out', str(out)]
        words += ['--score-threshold', threshold, '--max-frames', '2', '--no-pictures']
        assert main(words) == 0
        counts.append(sum(len(r['detections']) for r in results(out)))
        assert [path.name for path in out.iterdir()] == ['results.jsonl']
    assert counts[0] < counts[1]


@pytest.mark.usefixtures('models')
def test_height(data_file, tmp_path):
    words = ['height', str(data_file(PEOPLE)), '--model', DETECTION, '--out', str(tmp_path)]
    assert main([*words, '--max-frames', '2', '--no-pictures']) == 0
    persons = [person for r in results(tmp_path) for person in r['detections']]
    assert persons
    for person in persons:
        assert person['label'] == 'person'
        assert person['status'] in ('OK', 'TRUNCATED', 'OCCLUDED', 'NOT_STANDING', 'NO_DEPTH')
        assert person['method'] in ('FLOOR_PLANE', 'CAMERA_VERTICAL')
        assert person['height_m'] is None or 0.2 < person['height_m'] < 2.3


@pytest.mark.usefixtures('models')
def test_segment(data_file, tmp_path):
    words = ['segment', str(data_file(PEOPLE)), '--model', SEGMENTATION, '--out', str(tmp_path)]
    assert main([*words, '--max-frames', '1']) == 0
    mask = cv2.imread(str(tmp_path / 'nyu_people_000000_mask.png'), cv2.IMREAD_UNCHANGED)
    assert (mask.shape, mask.dtype) == ((480, 640), np.uint8)
    assert np.any(mask == 15)  # Pascal's person
    assert (tmp_path / 'nyu_people_000000_annotated.png').is_file()
    assert not (tmp_path / 'results.jsonl').exists()


@pytest.mark.usefixtures('models')
def test_depth(data_file, tmp_path, capsys):
    words = ['depth', str(data_file(PEOPLE)), '--model', MONO_DEPTH, '--out', str(tmp_path)]
    assert main([*words, '--max-frames', '1', '--json']) == 0
    depth = cv2.imread(str(tmp_path / 'nyu_people_000000_depth.png'), cv2.IMREAD_UNCHANGED)
    assert (depth.shape, depth.dtype) == ((480, 640), np.uint16)
    assert 500 < np.median(depth) < 10000
    fields = json.loads(capsys.readouterr().out)
    assert fields['median_m'] == pytest.approx(np.median(depth) / 1000, abs=0.01)


@pytest.mark.parametrize(('mode', 'is_aligned'), [('off', False), ('scale', True)])
def test_depth_from_colour_in_measured_metres(tmp_path, mode, is_aligned):
    rgb = np.random.default_rng(0).integers(0, 255, (48, 64, 3), np.uint8)
    (tmp_path / 'measured').mkdir()
    cv2.imwrite(str(tmp_path / 'a.png'), rgb)
    cv2.imwrite(str(tmp_path / 'measured' / 'a.png'), np.full((48, 64), 30000, np.uint16))
    words = ['depth', str(tmp_path / 'a.png'), '--out', str(tmp_path / 'out'), '--no-pictures']
    words += ['--depth', str(tmp_path / 'measured'), '--align-to-depth', mode]
    assert main(words) == 0
    depth = cv2.imread(str(tmp_path / 'out' / 'a_depth.png'), cv2.IMREAD_UNCHANGED)
    assert (abs(np.median(depth) - 30000) < 3000) == is_aligned


@pytest.mark.usefixtures('models')
@pytest.mark.parametrize(
    ('words', 'status', 'reason'),
    [
        (['detect', '/no/such/path', '--model', DETECTION], 2, 'does not exist'),
        (['detect', '{picture}', '--model', 'dragon'], 1, "no model 'dragon'"),
        (['detect', '{picture}', '--model', DETECTION, '--classes', 'dragon'], 2, 'no class'),
        (['detect', '{picture}', '--model', SEGMENTATION], 1, 'detection'),
        (
            ['detect', '{picture}', '--model', DETECTION, '--score-threshold', '7'],
            2,
            '[0, 1], got 7',
        ),
        (['detect', '{picture}', '--model', DETECTION, '--backend', 'dragon'], 2, 'dragon'),
        (['height', '{picture}', '--model', DETECTION], 2, '--depth DIR'),
    ],
)
def test_errors_are_one_sentence(words, status, reason, write_pictures, capsys, tmp_path):
    picture = write_pictures('a.png') / 'a.png'
    words = [word.format(picture=picture) for word in words]
    assert main([*words, '--out', str(tmp_path / 'out')]) == status
    error = capsys.readouterr().err
    assert reason in error
    assert 'Traceback' not in error
    assert error.startswith('rs-ml: ')
    assert len(error.splitlines()) == 1


def test_damaged_model_is_one_sentence(data_file, write_pictures, monkeypatch, tmp_path, capsys):
    folder = tmp_path / 'models'
    folder.mkdir()
    name = 'deeplabv3_mnv2_dm05_pascal_quant.tflite'
    (folder / name).write_bytes(data_file(f'models/segmentation/{name}').read_bytes()[:-1])
    monkeypatch.setenv('RS_ML_MODEL_PATH', str(folder))
    picture = str(write_pictures('a.png') / 'a.png')
    assert main(['segment', picture, '--model', SEGMENTATION, '--out', str(tmp_path / 'o')]) == 1
    error = capsys.readouterr().err
    assert 'sha256' in error
    assert 'Traceback' not in error


def test_debug_shows_where(monkeypatch, tmp_path):
    monkeypatch.setenv('RS_ML_DEBUG', '1')
    with pytest.raises(Exception, match='does not exist'):
        main(['detect', str(tmp_path / 'nothing'), '--model', DETECTION])


def test_help_needs_no_runtime():
    """The parser loads neither a network runtime nor ROS."""
    code = (
        'import sys\n'
        'from rs_ml_perception.cli.main import build_parser\n'
        'build_parser().format_help()\n'
        "heavy = {'tensorflow', 'openvino', 'ai_edge_litert', 'onnxruntime', 'rclpy'}\n"
        'print(sorted(heavy & set(sys.modules)))\n'
    )
    printed = subprocess.run(
        [sys.executable, '-c', code], capture_output=True, text=True, check=True
    ).stdout
    assert printed.strip() == '[]'


@pytest.mark.parametrize('words', [[], ['--quick', '--only', 'graph'], ['--help']])
def test_bench_says_where_it_is(words, capsys):
    assert main(['bench', *words]) == 2
    assert 'benchmarks.speed' in capsys.readouterr().err
