"""`make demo` as users run it: whole runs on real DDS, and one sentence where it cannot run."""

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import pytest
import yaml
from rs_ml_perception.inference.shelf import find_model
from rs_ml_perception.recordings.message_types import message_types
from rs_ml_perception.recordings.open_recording import open_recording
from rs_ml_perception.recordings.writer import RecordingWriter

pytest.importorskip('rclpy', reason='rclpy is not installed')

from rs_ml_perception.demo.main import main

pytestmark = pytest.mark.ros

NODES = ('detection', 'height', 'denoise', 'mono_depth', 'segmentation')
COLOR = '/camera/camera/color/image_raw'
DEPTH = '/camera/camera/aligned_depth_to_color/image_raw'


def run_demo(out, *arguments):
    """Run it; returns (exit code, everything it printed, summary or None)."""
    command = [sys.executable, '-m', 'rs_ml_perception.demo', '--out', str(out), *arguments]
    environment = {key: value for key, value in os.environ.items() if key != 'ROS_DOMAIN_ID'}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=200)
    text = done.stdout + done.stderr
    assert 'Traceback' not in text, text
    path = out / 'summary.json'
    return done.returncode, text, json.loads(path.read_text()) if path.exists() else None


def derive(source, out, change):
    """Copy a recording; change(recording, message, its number) gives bytes or None."""
    counts = {}
    with open_recording(source) as recording, RecordingWriter(out) as writer:
        for topic in recording.topics:
            writer.add_topic(topic.name, topic.type)
        for message in recording.messages():
            counts[message.topic] = counts.get(message.topic, 0) + 1
            changed = change(recording, message, counts[message.topic])
            if changed is not None:
                writer.write(message.topic, message.log_time_ns, changed)
    return out


def painted_depth(recording, message, number):
    if message.topic != DEPTH:
        return message.data
    image = recording.decode(message)
    image.encoding, image.step = 'rgb8', 3 * image.width
    image.data = np.zeros(3 * image.width * image.height, np.uint8)
    return bytes(message_types().serialize_cdr(image, message.type))


def truncated_third_without_depth(recording, message, number):
    if 'depth' in message.topic:
        return None
    if message.topic != COLOR or number != 3:
        return message.data
    image = recording.decode(message)
    image.data = image.data[:1000]
    return bytes(message_types().serialize_cdr(image, message.type))


def test_shipped_files_suffice_for_all_nodes(tmp_path, monkeypatch):
    for variable in ('RS_ML_TEST_DATA', 'RS_ML_MODEL_PATH'):
        monkeypatch.delenv(variable, raising=False)
    code, text, summary = run_demo(tmp_path)
    assert code == 0, text
    assert set(summary['nodes']) == set(NODES)
    panels = len(list((tmp_path / 'frames').glob('*.png')))
    assert panels >= 10
    for name, books in summary['nodes'].items():
        assert (books['received'], books['published'], books['dropped']) == (panels, panels, {}), (
            name
        )
    assert not (tmp_path / 'real').exists()
    with open_recording(tmp_path / 'results') as results:
        heights = [
            person.height_m
            for message in results.messages(['/rs_ml/height/heights'])
            for person in results.decode(message).heights
            if person.status == 0
        ]
    assert heights
    assert summary['peak_rss_mb'] < 700


@pytest.mark.parametrize(
    ('composed', 'is_composed', 'nodes'),
    [('1', True, NODES), ('0', False, ('detection', 'height', 'segmentation'))],
)
def test_people_pass_through_the_whole_graph(data, tmp_path, composed, is_composed, nodes):
    people = str(data / 'recordings' / 'nyu_people')
    # The heights asserted below are those of a detector that finds these people.
    params = tmp_path / 'params.yaml'
    params.write_text('/**/detection:\n  ros__parameters:\n    model: centernet_mnv3_coco\n')
    arguments = ['--recording', people, '--composed', composed, '--params', str(params)]
    arguments += ['--nodes', ','.join(nodes)]
    code, text, summary = run_demo(tmp_path, *arguments)
    assert code == 0, text
    assert summary['composed'] is is_composed
    assert set(summary) == {
        *('ros_distro', 'rmw', 'composed', 'recording', 'nodes', 'wall_s', 'cpu_s'),
        'peak_rss_mb',
    }
    assert set(summary['nodes']) == set(nodes)
    for name in nodes:
        books = summary['nodes'][name]
        assert (books['received'], books['published'], books['dropped']) == (14, 14, {}), text
    panels = sorted((tmp_path / 'frames').glob('*.png'))
    assert len(panels) == 14
    assert cv2.imread(str(panels[0])).std() > 20
    with open_recording(tmp_path / 'results') as results:
        counts = {topic.name: topic.count for topic in results.topics}
        heights = [
            person
            for message in results.messages(['/rs_ml/height/heights'])
            for person in results.decode(message).heights
        ]
    for topic in ('detection/detections', 'height/heights', 'segmentation/mask'):
        assert counts[f'/rs_ml/{topic}'] == 14
    assert counts['/rs_ml/detection/label_info'] == 1
    standing = [p.height_m for p in heights if p.status == 0]
    assert standing
    assert all(1.2 < height_m < 2.2 for height_m in standing)


ONE_REJECTED = 9, {'rejected': 1}


@pytest.mark.parametrize(
    ('change', 'expected', 'sentences'),
    [
        (
            painted_depth,
            {'detection': (10, {}), 'mono_depth': (10, {}), 'height': (0, {'rejected': 10})},
            ['colorizer.enable'],
        ),
        (
            truncated_third_without_depth,
            {'detection': ONE_REJECTED, 'mono_depth': ONE_REJECTED},
            ['has no depth', 'must have 921600 bytes, got 1000'],
        ),
    ],
)
def test_strange_recordings(data, tmp_path, change, expected, sentences):
    source = data / 'recordings' / 'realsense_room'
    recording = derive(source, tmp_path / 'strange #1: room', change)
    out = tmp_path / 'out #1'
    nodes = 'detection,mono_depth,height'
    code, text, summary = run_demo(out, '--recording', str(recording), '--nodes', nodes)
    assert code == 0, text
    assert all(sentence in text for sentence in sentences), text
    for name, (published, dropped) in expected.items():
        books = summary['nodes'][name]
        assert (books['received'], books['published'], books['dropped']) == (
            10,
            published,
            dropped,
        )


def test_a_realsense_bag_with_unaligned_depth(data, tmp_path):
    bag = data / 'realsense_bag' / 'single_depth_color_640x480.bag'
    nodes = ('detection', 'height', 'denoise')
    words = '--recording', str(bag), '--nodes', ','.join(nodes)
    code, text, summary = run_demo(tmp_path, *words)
    assert code == 0, text
    for name in nodes:
        # It holds one frameset, and a depth image after it.
        assert summary['nodes'][name]['published'] == (2 if name == 'denoise' else 1), text


def test_a_damaged_model_is_named(data, tmp_path):
    model = tmp_path / 'model'
    model.mkdir()
    source = next(p for p in (data / 'models' / 'depth').glob('*.tflite'))
    (model / source.name).write_bytes(source.read_bytes() + b'x')
    manifest = yaml.safe_load((find_model('nyu_mobilenet_unet') / 'manifest.yaml').read_text())
    manifest['golden'] = None
    manifest = {key: value for key, value in manifest.items() if value is not None}
    (model / 'manifest.yaml').write_text(yaml.safe_dump(manifest))
    params = tmp_path / 'params.yaml'
    params.write_text(f'/**/mono_depth:\n  ros__parameters:\n    model: {model}\n')
    arguments = ['--nodes', 'mono_depth', '--params', str(params)]
    code, text, summary = run_demo(tmp_path / 'out', *arguments)
    assert code != 0
    assert summary is None
    assert 'sha256' in text


@pytest.mark.parametrize(
    ('arguments', 'sentence'),
    [
        (['--recording', '/no/such/recording'], '/no/such/recording does not exist'),
        (['--recording', 'EMPTY'], 'is no recording'),
        (['--recording', '/no', '--nodes', 'heigth'], 'does not exist'),
        (['--nodes', 'height'], 'height needs detection'),
        (['--out', '/dev/null'], '/dev/null cannot be written'),
    ],
)
def test_a_demo_that_cannot_run_gives_the_reason(
    tmp_path, arguments, sentence, capsys, monkeypatch
):
    monkeypatch.delenv('RS_ML_TEST_DATA', raising=False)
    empty = tmp_path / 'empty'
    empty.mkdir()
    arguments = [str(empty) if word == 'EMPTY' else word for word in arguments]
    assert main(['--out', str(tmp_path), *arguments]) == 2
    text = capsys.readouterr().err
    assert re.fullmatch(r'demo: .*\n', text), text
    assert sentence in text
    assert not (tmp_path / 'summary.json').exists()


def processes_of(out):
    """Ids of the processes whose command line names the folder."""
    found = []
    for folder in Path('/proc').glob('[0-9]*'):
        try:
            words = (folder / 'cmdline').read_bytes()
        except OSError:
            continue
        if str(out).encode() in words:
            found.append(int(folder.name))
    return found


@pytest.mark.skipif(sys.platform != 'linux', reason='looks at /proc')
def test_a_demo_that_is_killed_leaves_nothing_running(tmp_path):
    """The next run would hear a recorder that is left over."""
    out = tmp_path / 'out'
    command = [sys.executable, '-m', 'rs_ml_perception.demo', '--out', str(out)]
    environment = {key: value for key, value in os.environ.items() if key != 'RS_ML_TEST_DATA'}
    demo = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 60.0
    while len(processes_of(out)) < 3:
        assert demo.poll() is None
        assert time.monotonic() < deadline, 'graph and recorder never started'
        time.sleep(0.05)
    demo.kill()
    demo.wait()
    while processes_of(out):
        assert time.monotonic() < deadline + 60.0, processes_of(out)
        time.sleep(0.05)
