from pathlib import Path

import cv2
import numpy as np
import pytest
from rs_ml_perception.core.errors import InputError
from rs_ml_perception.core.geometry.camera import CameraModel
from rs_ml_training.cli.data import main
from rs_ml_training.data.capture import Captured, at_rate, write_captured
from rs_ml_training.data.formats import open_data
from rs_ml_training.data.sample import Sample


@pytest.fixture
def video(tmp_path) -> Path:
    """Two seconds of 10 frames each, brighter from frame to frame."""
    path = tmp_path / 'video.avi'
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*'MJPG'), 10, (64, 48))
    for index in range(20):
        writer.write(np.full((48, 64, 3), 10 * index, np.uint8))
    writer.release()
    return path


@pytest.mark.parametrize(
    ('rate', 'numbers'),
    [
        (0, list(range(20))),
        (3, [0, 4, 7, 10, 14, 17]),
        (1, [0, 10]),
        (100, list(range(20))),
    ],
)
def test_rate(rate, numbers):
    sample = Sample('s', labels=np.zeros((1, 1), np.uint8))
    taken = at_rate((Captured(5 + i / 10, sample) for i in range(20)), rate)
    assert [round(10 * (frame.time_s - 5)) for frame in taken] == numbers


def test_a_pause_is_not_made_up_for():
    times = [0, 0.1, 0.2, 9.0, 9.1, 9.2, 10.1]
    sample = Sample('s', labels=np.zeros((1, 1), np.uint8))
    taken = [frame.time_s for frame in at_rate((Captured(t, sample) for t in times), 1)]
    assert taken == [0, 9.0, 10.1]


def test_a_capture_goes_on_where_one_was_interrupted(tmp_path):
    depth_m = np.full((4, 6), 1.5, np.float32)
    frame = Captured(0, Sample('s', image=np.zeros((4, 6, 3), np.uint8), depth_m=depth_m))
    assert write_captured([frame] * 2, tmp_path) == 2
    (tmp_path / 'rgb' / '000001.png').unlink()
    assert write_captured([frame] * 2, tmp_path) == 2
    assert len(open_data(f'folder:{tmp_path}')) == 3


def test_control_c_ends_a_capture(tmp_path):
    def frames():
        yield Captured(0, Sample('s', image=np.zeros((4, 6, 3), np.uint8)))
        raise KeyboardInterrupt

    assert write_captured(frames(), tmp_path) == 1


CAMERA = CameraModel(6, 4, 5.0, 5.0, 3.0, 2.0)


@pytest.mark.parametrize('second', [None, CameraModel(6, 4, 7.0, 5.0, 3.0, 2.0)])
@pytest.mark.parametrize('turned', [False, True])
def test_images_of_two_cameras_are_not_mixed(tmp_path, second, turned):
    frames = [
        Captured(0, Sample('s', image=np.zeros((4, 6, 3), np.uint8), intrinsics=camera))
        for camera in ((second, CAMERA) if turned else (CAMERA, second))
    ]
    assert write_captured(frames[:1] * 2, tmp_path) == 2
    with pytest.raises(InputError, match='name a new folder'):
        write_captured(frames[1:], tmp_path)
    assert write_captured(frames[:1], tmp_path) == 1


def test_nothing_captured(tmp_path):
    assert list(at_rate([], 3)) == []
    assert write_captured([], tmp_path / 'out') == 0
    assert not (tmp_path / 'out').exists()


def test_frames_of_a_video(video, tmp_path, capsys):
    out = tmp_path / 'out'
    assert main(['capture', str(video), '--out', str(out), '--rate', '5', '--count', '3']) == 0
    assert main(['capture', str(video), '--out', str(out), '--roi', '4,8,16,12']) == 0
    assert '6 new frames' in capsys.readouterr().out
    files = sorted((out / 'rgb').iterdir())
    assert [p.name for p in files] == [f'{n:06}.png' for n in range(9)]
    assert cv2.imread(str(files[1])).mean() == pytest.approx(20, abs=3)
    assert cv2.imread(str(files[8])).shape == (12, 16, 3)


def test_frames_chosen_one_by_one(tmp_path):
    sample = Sample('s', image=np.zeros((4, 6, 3), np.uint8))
    answers = iter([True, False, True, None])
    found = [Captured(i, sample) for i in range(9)]
    assert write_captured(found, tmp_path / 'out', chosen=lambda _: next(answers)) == 2


def test_depth_becomes_a_data_set(tmp_path):
    depth_m = np.full((4, 6), 1.234, np.float32)
    sample = Sample('s', image=np.zeros((4, 6, 3), np.uint8), depth_m=depth_m)
    assert write_captured([Captured(0, sample)], tmp_path / 'out') == 1
    back = open_data(f'folder:{tmp_path / "out"}')
    np.testing.assert_allclose(back.read(0).depth_m, 1.234, atol=1e-6)


def test_recording_of_a_realsense(data_file, tmp_path):
    bag = data_file('realsense_bag/single_depth_color_640x480.bag')
    out = tmp_path / 'out'
    assert main(['capture', f'realsense:{bag}', '--out', str(out), '--count', '1']) == 0
    sample = open_data(f'folder:{out}').read(0)
    assert sample.size == (640, 480)
    assert 0.2 < (sample.depth_m > 0).mean() < 1
    assert 300 < sample.intrinsics.fx < 900


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (['nowhere.mp4'], 'nowhere.mp4'),
        (['nowhere.mp4', '--rate', '-1'], '--rate must be at least 0'),
        (['nowhere.mp4', '--count', '0'], '--count must be at least 1'),
    ],
)
def test_errors_are_one_sentence(tmp_path, capsys, arguments, message):
    assert main(['capture', *arguments, '--out', str(tmp_path / 'out')]) == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize('roi', ['1,2,3', 'a,b,c,d', '0,0,0,5'])
def test_bad_roi(roi, capsys):
    with pytest.raises(SystemExit):
        main(['capture', 'x', '--out', 'y', '--roi', roi])
    assert 'is not X,Y,WIDTH,HEIGHT' in capsys.readouterr().err
