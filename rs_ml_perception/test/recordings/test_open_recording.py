"""Opening recordings of every format, and refusing other files."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from rs_ml_perception.core.errors import InputError
from rs_ml_perception.recordings.messages import IMAGE
from rs_ml_perception.recordings.open_recording import (
    is_recording,
    open_recording,
    shipped_recording,
)
from rs_ml_perception.recordings.writer import RecordingWriter

COLOR = '/camera/camera/color/image_raw'
TOPICS = {
    '/camera/camera/aligned_depth_to_color/camera_info': 3,
    '/camera/camera/aligned_depth_to_color/image_raw': 3,
    '/camera/camera/color/camera_info': 3,
    COLOR: 3,
    '/tf_static': 1,
}


def whole(path: Path) -> Path:
    return path


def storage_file(path: Path) -> Path:
    return next(p for p in path.iterdir() if p.suffix in ('.mcap', '.db3'))


@pytest.mark.parametrize('storage', ['mcap', 'sqlite3'])
@pytest.mark.parametrize('part', [whole, storage_file])
def test_recordings_are_read_as_written(storage, part, write_recording, make_frame):
    path = part(write_recording([make_frame(i) for i in range(3)], storage=storage))
    assert is_recording(path)
    with open_recording(path) as recording:
        assert {topic.name: topic.count for topic in recording.topics} == TOPICS
        messages = list(recording.messages())
        assert [m.log_time_ns for m in messages] == sorted(m.log_time_ns for m in messages)
        assert recording.start_ns == messages[0].log_time_ns
        assert recording.end_ns == messages[-1].log_time_ns
        images = list(recording.messages([COLOR]))
        assert [recording.decode(m).data[0] for m in images] == [0, 1, 2]
        assert [m.stamp_ns for m in images] == [m.log_time_ns for m in images]
        assert {m.type for m in images} == {IMAGE}


def test_no_such_topic_gives_no_messages(write_recording, make_frame):
    with open_recording(write_recording([make_frame(0)])) as recording:
        assert list(recording.messages(['/nope'])) == []
        assert recording.topic('/nope') is None
        assert recording.first('/nope') is None


def nothing(path: Path) -> Path:
    return path / 'nothing'


def empty_directory(path: Path) -> Path:
    return path


def text_file(path: Path) -> Path:
    file = path / 'notes.txt'
    file.write_text('hello')
    return file


def false_mcap(path: Path) -> Path:
    file = path / 'false.mcap'
    file.write_bytes(b'no mcap at all')
    return file


def false_db3(path: Path) -> Path:
    file = path / 'false.db3'
    file.write_bytes(b'SQLite format 3 not')
    return file


def false_bag(path: Path) -> Path:
    file = path / 'false.bag'
    file.write_bytes(b'#ROSBAG V2.0\n')
    return file


def broken_metadata(path: Path) -> Path:
    (path / 'metadata.yaml').write_text('rosbag2_bagfile_information: 3')
    return path


@pytest.mark.parametrize(
    ('make', 'reason'),
    [
        (nothing, 'does not exist'),
        (empty_directory, 'holds no metadata.yaml'),
        (text_file, 'is no recording'),
        (false_mcap, 'cannot be read'),
        (false_db3, 'cannot be read'),
        (false_bag, 'cannot be read'),
        (broken_metadata, 'cannot be read'),
    ],
)
def test_refuses_with_one_sentence(make, reason, tmp_path):
    with pytest.raises(InputError, match=reason) as caught:
        open_recording(make(tmp_path))
    assert '\n' not in str(caught.value)


@pytest.fixture
def closed_files():
    """A folder of recordings that this process has no right to read, not even as root."""
    with TemporaryDirectory() as folder:
        path = Path(folder)
        path.chmod(0o755)
        for name in ('folder', 'closed'):
            (path / name).mkdir()
        for name in ('x.mcap', 'x.db3', 'x.bag', 'folder/x.mcap', 'closed'):
            (path / name).touch()
            (path / name).chmod(0)
        is_root = os.geteuid() == 0
        if is_root:
            os.seteuid(65534)
        yield path
        if is_root:
            os.seteuid(0)
        (path / 'closed').chmod(0o755)


@pytest.mark.parametrize('name', ['x.mcap', 'x.db3', 'x.bag', 'folder', 'closed'])
def test_no_right_to_read_is_the_reason_given(name, closed_files):
    with pytest.raises(InputError, match='Permission denied'):
        open_recording(closed_files / name)


def test_empty_recording_is_refused(tmp_path):
    RecordingWriter(tmp_path / 'bag').close()
    with pytest.raises(InputError, match='holds no messages'):
        open_recording(tmp_path / 'bag')


def test_killed_recorder_is_named_with_the_way_out(write_recording, make_frame):
    path = write_recording([make_frame(0)])
    (path / 'metadata.yaml').unlink()
    with pytest.raises(InputError, match='ros2 bag reindex'):
        open_recording(path)


def without_footer(path: Path) -> Path:
    data = path.read_bytes()
    path.write_bytes(data[: int(0.9 * len(data))])
    return path


def killed(path: Path) -> Path:
    (path.parent / 'metadata.yaml').unlink()
    return without_footer(path).parent


def cut_in_a_directory(path: Path) -> Path:
    return without_footer(path).parent


@pytest.mark.parametrize('make', [without_footer, killed, cut_in_a_directory])
def test_an_unfinished_mcap_names_the_tool_that_repairs_it(make, write_recording, make_frame):
    path = make(storage_file(write_recording([make_frame(i) for i in range(9)])))
    with pytest.raises(InputError, match='mcap recover') as caught:
        open_recording(path)
    assert 'reindex' not in str(caught.value)


@pytest.mark.parametrize('share', [0.0, 0.3, 0.9])
@pytest.mark.parametrize('storage', ['mcap', 'sqlite3'])
def test_truncated_file_is_an_input_error_that_names_it(
    storage, share, write_recording, make_frame, tmp_path
):
    frames = [make_frame(i) for i in range(9)]
    source = storage_file(write_recording(frames, storage=storage))
    cut = tmp_path / f'cut{source.suffix}'
    data = source.read_bytes()
    cut.write_bytes(data[: int(share * len(data))])
    with pytest.raises(InputError, match='cut'), open_recording(cut) as recording:
        list(recording.messages())


def test_damaged_message_is_an_input_error_that_names_it(write_recording, make_frame):
    with open_recording(write_recording([make_frame(0)])) as recording:
        message = next(recording.messages([COLOR]))
        short = type(message)(message.topic, message.type, message.log_time_ns, message.data[:40])
        with pytest.raises(InputError, match=COLOR):
            recording.decode(short)


def test_a_closed_recording_is_an_error(write_recording, make_frame):
    recording = open_recording(write_recording([make_frame(0)]))
    recording.close()
    recording.close()
    with pytest.raises(InputError, match='was closed'):
        list(recording.messages())


def test_copied_recording_reads_the_same(write_recording, make_frame, tmp_path):
    path = write_recording([make_frame(0), make_frame(1)])
    shutil.copytree(path, tmp_path / 'elsewhere')
    with open_recording(path) as one, open_recording(tmp_path / 'elsewhere') as other:
        assert list(one.messages()) == list(other.messages())


@pytest.mark.parametrize(('name', 'count'), [('realsense_room', 10), ('nyu_people', 14)])
def test_real_recordings(name, count, data_file):
    with open_recording(data_file(f'recordings/{name}')) as recording:
        assert recording.topic(COLOR).count == count
        assert ('camera_link', 'camera_color_frame') in recording.static_transforms


@pytest.mark.parametrize('suffix', ['.mcap', '.db3', '.bag'])
def test_a_pipe_is_no_recording(tmp_path, write_recording, make_frame, suffix):
    os.mkfifo(tmp_path / f'pipe{suffix}')
    with pytest.raises(InputError, match='not a regular file'):
        open_recording(tmp_path / f'pipe{suffix}')
    folder = write_recording([make_frame(0)])
    os.mkfifo(folder / f'more{suffix}')
    with pytest.raises(InputError, match='not a regular file'):
        open_recording(folder)


def test_found_under_a_prefix(tmp_path, monkeypatch):
    folder = tmp_path / 'share' / 'rs_ml_perception' / 'recordings' / 'corridor'
    folder.mkdir(parents=True)
    monkeypatch.setenv('AMENT_PREFIX_PATH', str(tmp_path))
    with pytest.raises(InputError, match='corridor was not installed'):
        shipped_recording('corridor')
    (folder / 'metadata.yaml').touch()
    assert shipped_recording('corridor') == folder
