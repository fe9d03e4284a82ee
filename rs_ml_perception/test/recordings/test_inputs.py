"""All kinds of colour inputs."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from rs_ml_perception.core.errors import BackendError, InputError
from rs_ml_perception.core.geometry.camera import CameraModel
from rs_ml_perception.recordings.inputs import read_inputs, resolve_inputs
from rs_ml_perception.recordings.pictures import write_picture
from rs_ml_perception.recordings.realsense_camera import import_pyrealsense2
from rs_ml_perception.recordings.videos import video_frames


def read(*texts, **options):
    """(stems, frames, rejected) of inputs."""
    rejected = []
    found = list(
        read_inputs(
            resolve_inputs([str(text) for text in texts]),
            on_rejected=lambda name, error: rejected.append((name, str(error))),
            **options,
        )
    )
    return [image.stem for image in found], [image.frame for image in found], rejected


@pytest.fixture
def video(tmp_path) -> Path:
    """Five grey frames, each lighter than the one before."""
    path = tmp_path / 'walk.avi'
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*'MJPG'), 10, (64, 48))
    for number in range(5):
        writer.write(np.full((48, 64, 3), 40 * number, np.uint8))
    writer.release()
    return path


def test_no_input_at_all():
    with pytest.raises(InputError, match='no input'):
        resolve_inputs([])


def test_video(video):
    stems, frames, rejected = read(video)
    assert stems == [f'walk_{number:06d}' for number in range(5)]
    assert [round(float(f.rgb.mean()) / 40) for f in frames] == [0, 1, 2, 3, 4]
    stamps = [f.stamp_ns for f in frames]
    assert stamps == sorted(set(stamps))
    assert rejected == []


def test_intrinsics_take_the_size_of_the_image(video):
    camera = CameraModel(1, 1, 50.0, 50.0, 32.0, 24.0)
    _, frames, _ = read(video, camera=camera)
    assert {(f.camera.width, f.camera.height, f.camera.fx) for f in frames} == {(64, 48, 50.0)}


def test_recording_keeps_its_own_intrinsics(write_recording, make_frame):
    path = write_recording([make_frame(0)])
    _, (frame,), _ = read(path, camera=CameraModel(1, 1, 5.0, 5.0, 3.0, 2.0))
    assert frame.camera.fx == 30.0


@pytest.mark.parametrize('content', [b'', b'no video'])
def test_a_broken_video_is_rejected_and_the_others_go_on(content, video, tmp_path):
    broken = tmp_path / 'broken.mp4'
    broken.write_bytes(content)
    stems, _, rejected = read(broken, video)
    assert len(stems) == 5
    assert [name for name, _ in rejected] == ['broken']
    with pytest.raises(InputError, match='no frame'):
        next(video_frames(broken))


def test_kinds_can_be_mixed(video, write_recording, make_frame, tmp_path):
    write_picture(tmp_path / 'one.png', np.zeros((4, 5, 3), np.uint8))
    stems, _, _ = read(tmp_path / 'one.png', video, write_recording([make_frame(0)]))
    assert stems == ['one', *(f'walk_{number:06d}' for number in range(5)), 'bag_000000']


def test_absent_webcam_is_rejected():
    _, frames, rejected = read('97')
    assert frames == []
    assert 'there is no camera 97' in rejected[0][1]


def test_absent_realsense_is_rejected(librealsense):
    _, frames, rejected = read('realsense:000000000000')
    assert frames == []
    assert 'no RealSense camera 000000000000' in rejected[0][1]


def test_a_file_named_like_a_webcam_is_a_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / '0').mkdir()
    write_picture(tmp_path / '0' / 'a.png', np.zeros((4, 5, 3), np.uint8))
    assert read('0')[0] == ['a']


@pytest.mark.parametrize('suffix', ['.png', '.jpg', '.bmp', '.webp', '.tif'])
def test_colours_survive(suffix, tmp_path):
    red = np.zeros((16, 16, 3), np.uint8)
    red[..., 0] = 250
    write_picture(tmp_path / f'red{suffix}', red)
    _, (frame,), _ = read(tmp_path / f'red{suffix}')
    assert np.abs(frame.rgb.astype(int) - red).max() <= 8


def test_grey_and_transparent_images_become_rgb(tmp_path):
    cv2.imwrite(str(tmp_path / 'grey.png'), np.full((4, 5), 7, np.uint8))
    cv2.imwrite(str(tmp_path / 'clear.png'), np.full((4, 5, 4), 7, np.uint8))
    _, frames, _ = read(tmp_path / 'grey.png', tmp_path / 'clear.png')
    assert [f.rgb.shape for f in frames] == [(4, 5, 3), (4, 5, 3)]
    assert all((f.rgb == 7).all() for f in frames)


@pytest.mark.parametrize('name', ['a.jpg', 'a.png'])
@pytest.mark.parametrize('share', [0.2, 0.6, 0.98])
def test_truncated_images_are_rejected(name, share, tmp_path):
    noise = np.random.default_rng(0).integers(0, 255, (48, 64, 3), np.uint8)
    write_picture(tmp_path / name, noise)
    data = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(data[: int(share * len(data))])
    _, frames, rejected = read(tmp_path / name)
    assert frames == []
    assert 'truncated' in rejected[0][1]


def test_bytes_after_the_end_do_no_harm(tmp_path):
    write_picture(tmp_path / 'a.jpg', np.zeros((8, 8, 3), np.uint8))
    with (tmp_path / 'a.jpg').open('ab') as file:
        file.write(b'\0' * 100)
    assert read(tmp_path / 'a.jpg')[2] == []


def test_unreadable_directory_entry_is_rejected(tmp_path):
    (tmp_path / 'in').mkdir()
    (tmp_path / 'in' / 'link.png').symlink_to(tmp_path / 'nowhere.png')
    write_picture(tmp_path / 'in' / 'a.png', np.zeros((4, 5, 3), np.uint8))
    stems, _, rejected = read(tmp_path / 'in')
    assert stems == ['a']
    assert 'cannot be read' in rejected[0][1]


@pytest.mark.parametrize(
    ('source', 'remedy'),
    [
        ("raise ModuleNotFoundError('pyrealsense2')", 'pip install pyrealsense2'),
        ("raise ImportError('libusb-1.0.so.0: cannot open')", 'apt-get install libusb-1.0-0'),
    ],
)
def test_missing_parts_of_librealsense_are_named(tmp_path, monkeypatch, source, remedy):
    (tmp_path / 'pyrealsense2.py').write_text(source)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, 'pyrealsense2', raising=False)
    with pytest.raises(BackendError, match=remedy):
        import_pyrealsense2()


def test_videos_of_gigapixels_are_rejected(video, monkeypatch):
    monkeypatch.setattr('rs_ml_perception.core.images.image_files.MAX_PIXELS', 64 * 48 - 1)
    with pytest.raises(InputError, match='impossible size of 64x48'):
        next(video_frames(video))


def test_a_pipe_is_no_video(tmp_path):
    os.mkfifo(tmp_path / 'pipe.mp4')
    with pytest.raises(InputError, match='not a regular file'):
        next(video_frames(tmp_path / 'pipe.mp4'))


def test_foreign_names_are_shown_without_escape_codes(tmp_path):
    (tmp_path / 'a\x1b[2J.png').write_bytes(b'no picture')
    ((_, reason),) = read(tmp_path / 'a\x1b[2J.png')[2]
    assert '\x1b' not in reason
    assert r'a\x1b[2J.png is neither' in reason
