"""Writing recordings: same bytes, no surprise on disk."""

from __future__ import annotations

import resource

import pytest
from rs_ml_perception.core.errors import ConfigError
from rs_ml_perception.recordings.message_types import add_message_type, message_types
from rs_ml_perception.recordings.open_recording import open_recording
from rs_ml_perception.recordings.writer import RecordingWriter, qos_profile

STRING = 'std_msgs/msg/String'


def hello(text: str = 'hello') -> bytes:
    store = message_types()
    return bytes(store.serialize_cdr(store.types[STRING](data=text), STRING))


def files_of(path):
    return {file.name: file.read_bytes() for file in path.iterdir()}


@pytest.mark.parametrize('storage', ['mcap', 'sqlite3'])
def test_same_calls_give_the_same_messages(storage, write_recording, make_frame):
    frames = [make_frame(i) for i in range(3)]
    one = write_recording(frames, storage=storage, name='one')
    two = write_recording(frames, storage=storage, name='two')
    with open_recording(one) as first, open_recording(two) as second:
        assert list(first.messages()) == list(second.messages())


def test_mcap_is_the_same_byte_for_byte(write_recording, make_frame, tmp_path):
    frames = [make_frame(i) for i in range(3)]
    one = files_of(write_recording(frames))
    (tmp_path / 'bag').rename(tmp_path / 'first')
    assert files_of(write_recording(frames)) == one


def test_our_messages_are_registered(tmp_path):
    store = message_types()
    name = 'rs_ml_msgs/msg/FrameReport'
    assert {'rs_ml_msgs/msg/DetectionArray', name} <= set(store.types)
    with RecordingWriter(tmp_path / 'bag') as writer:
        writer.add_topic('/a', name)
    assert writer.counts == {'/a': 0}


def test_latched_topics_stay_latched(tmp_path):
    with RecordingWriter(tmp_path / 'bag') as writer:
        writer.add_topic('/a', STRING, qos=[qos_profile(latched=True)])
        writer.add_topic('/b/label_info', STRING, qos=[qos_profile()])
        writer.write('/a', 5, hello())
        writer.write('/b/label_info', 5, hello())
    with open_recording(tmp_path / 'bag') as recording:
        assert {t.name: t.is_latched for t in recording.topics} == {
            '/a': True,
            '/b/label_info': False,
        }


def test_an_exception_leaves_a_readable_recording(tmp_path):
    def fail_after_one_message() -> None:
        with RecordingWriter(tmp_path / 'bag') as writer:
            writer.add_topic('/a', STRING)
            writer.write('/a', 5, hello())
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail_after_one_message()
    with open_recording(tmp_path / 'bag') as recording:
        assert recording.decode(next(recording.messages())).data == 'hello'


@pytest.mark.parametrize(
    ('use', 'reason'),
    [
        (lambda w: w.add_topic('/b', 'no_such_msgs/msg/Thing'), 'no_such_msgs'),
        (lambda w: w.add_topic('/a', 'std_msgs/msg/Header'), 'is of type'),
        (lambda w: w.write('/b', 1, b''), 'was not added'),
    ],
)
def test_wrong_use_is_refused(use, reason, tmp_path):
    with RecordingWriter(tmp_path / 'bag') as writer:
        writer.add_topic('/a', STRING)
        with pytest.raises(ConfigError, match=reason):
            use(writer)


def test_nothing_can_be_added_after_close(tmp_path):
    writer = RecordingWriter(tmp_path / 'bag')
    writer.add_topic('/a', STRING)
    writer.close()
    writer.close()
    with pytest.raises(ConfigError, match='was closed'):
        writer.write('/a', 5, hello())


def test_unknown_storage_is_refused(tmp_path):
    with pytest.raises(ConfigError, match='mcap, sqlite3'):
        RecordingWriter(tmp_path / 'bag', storage='zip')


def test_unknown_package_names_the_package_to_install():
    with pytest.raises(ConfigError, match='no-such-msgs'):
        add_message_type('no_such_msgs/msg/Thing')


@pytest.mark.parametrize('overwrite', [False, True])
def test_an_old_recording_is_replaced_only_when_asked(overwrite, tmp_path):
    RecordingWriter(tmp_path / 'bag').close()
    if overwrite:
        RecordingWriter(tmp_path / 'bag', overwrite=True).close()
        return
    with pytest.raises(ConfigError, match='exists'):
        RecordingWriter(tmp_path / 'bag')


def test_other_files_than_recordings_are_never_removed(tmp_path):
    (tmp_path / 'thesis.txt').write_text('precious')
    with pytest.raises(ConfigError, match='holds thesis'):
        RecordingWriter(tmp_path, overwrite=True)
    with pytest.raises(ConfigError, match='is a file'):
        RecordingWriter(tmp_path / 'thesis.txt', overwrite=True)
    assert (tmp_path / 'thesis.txt').read_text() == 'precious'


def test_an_unwritable_place_is_named(tmp_path):
    (tmp_path / 'file').write_text('')
    with pytest.raises(ConfigError, match='cannot be written'):
        RecordingWriter(tmp_path / 'file' / 'bag')


@pytest.fixture
def small_disk():
    """No file of this process may grow beyond 100 kB."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize('storage', ['mcap', 'sqlite3'])
def test_a_full_disk_is_one_sentence(storage, small_disk, tmp_path):
    data = hello('x' * 5000)

    def record() -> None:
        with RecordingWriter(tmp_path / 'bag', storage=storage) as writer:
            writer.add_topic('/a', STRING)
            for i in range(1000):
                writer.write('/a', i, data)

    with pytest.raises(ConfigError, match='the recording is incomplete'):
        record()
