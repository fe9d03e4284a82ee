"""An unusable topic does not affect the others."""

from __future__ import annotations

import sqlite3

import pytest
import yaml
from rosbags.rosbag2 import (
    CompressionFormat,
    CompressionMode,
    StoragePlugin,
    Writer,
    storage_mcap,
)
from rs_ml_perception.core.errors import InputError
from rs_ml_perception.recordings.frames import frames
from rs_ml_perception.recordings.message_types import message_types
from rs_ml_perception.recordings.open_recording import open_recording
from rs_ml_perception.recordings.writer import qos_profile

SEPARATOR = '=' * 80 + '\n'
SERVICE = 'int64 a\n---\nint64 sum\n'
IDL = (
    f'{SEPARATOR}IDL: made_up_msgs/msg/Lateral\n#include "builtin_interfaces/msg/Time.idl"\n\n'
    'module made_up_msgs {\n  module msg {\n    struct Lateral {\n'
    '      builtin_interfaces::msg::Time stamp;\n\n      float angle;\n    };\n  };\n};\n'
    f'{SEPARATOR}IDL: builtin_interfaces/msg/Time\nmodule builtin_interfaces {{\n  module msg {{\n'
    '    struct Time {\n      int32 sec;\n      uint32 nanosec;\n    };\n  };\n};\n'
)
HASH = 'RIHS01_' + 64 * '0'


def write(
    path,
    make_frame,
    *,
    plugin=StoragePlugin.MCAP,
    prefix='/',
    compression=CompressionMode.NONE,
    **stranger,
):
    """Three colour images, and a topic with one message, as its keywords declare it."""
    store = message_types()
    writer = Writer(path, version=9, storage_plugin=plugin)
    if compression != CompressionMode.NONE:
        writer.set_compression(compression, CompressionFormat.ZSTD)
    writer.open()
    image = 'sensor_msgs/msg/Image'
    own = writer.add_connection(f'{prefix}camera/color/image_raw', image, typestore=store)
    if stranger:
        other = writer.add_connection(**{'rihs01': HASH, **stranger})
    for number in range(3):
        frame = make_frame(number)
        msg = store.types[image](
            header=store.types['std_msgs/msg/Header'](
                stamp=store.types['builtin_interfaces/msg/Time'](sec=number + 1, nanosec=0),
                frame_id='optical',
            ),
            height=24,
            width=32,
            encoding='rgb8',
            is_bigendian=0,
            step=96,
            data=frame.rgb.ravel(),
        )
        writer.write(own, (number + 1) * 10**9, bytes(store.serialize_cdr(msg, image)))
    if stranger:
        writer.write(other, 10**9, b'{"a": 1}' + bytes(8))
    writer.close()
    return path


STRANGERS = {
    'service event': {
        'topic': '/add/_service_event',
        'msgtype': 'made_up/srv/Add_Event',
        'msgdef': SERVICE,
    },
    'a definition with holes': {
        'topic': '/x',
        'msgtype': 'made_up/msg/X',
        'msgdef': 'nowhere_msgs/Part part\n',
    },
    'no ROS name at all': {'topic': '/x', 'msgtype': 'X', 'msgdef': 'int64 a\n'},
    'another hash': {'topic': '/x', 'msgtype': 'made_up/msg/X', 'msgdef': 'int64 a\n'},
    'JSON': {
        'topic': '/x',
        'msgtype': 'made_up/msg/X',
        'msgdef': '{}',
        'serialization_format': 'json',
    },
}


@pytest.mark.parametrize('plugin', list(StoragePlugin))
@pytest.mark.parametrize('part', ['directory', 'file'])
@pytest.mark.parametrize('name', STRANGERS)
def test_an_unusable_topic_is_left_out_and_named(name, part, plugin, make_frame, tmp_path):
    path = write(tmp_path / 'bag', make_frame, plugin=plugin, **STRANGERS[name])
    if part == 'file':
        (path,) = (file for file in path.iterdir() if file.suffix in ('.mcap', '.db3'))
    with open_recording(path) as recording:
        assert len(list(frames(recording))) == 3
        # MCAP has no place for the hash.
        if name != 'another hash' or plugin is StoragePlugin.SQLITE3:
            (left_out,) = recording.left_out
            assert left_out == STRANGERS[name]['topic']
            assert '\n' not in recording.left_out[left_out]


@pytest.mark.parametrize('encoding', ['protobuf', 'jsonschema', 'flatbuffer'])
def test_definitions_in_another_language_are_named(encoding, make_frame, tmp_path, monkeypatch):
    own = storage_mcap.write_schema

    def write_schema(bio, schema):
        is_stranger = schema.name.startswith('made_up')
        own(bio, schema._replace(encoding=encoding) if is_stranger else schema)

    monkeypatch.setattr(storage_mcap, 'write_schema', write_schema)
    stranger = {'topic': '/log', 'msgtype': 'made_up.Log', 'msgdef': 'x'}
    path = write(tmp_path / 'bag', make_frame, serialization_format=encoding, **stranger)
    with open_recording(path) as recording:
        assert len(list(frames(recording))) == 3
        assert recording.left_out == {'/log': f'its messages are {encoding}, not CDR'}


def test_idl_with_includes_is_read(make_frame, tmp_path):
    stranger = {'topic': '/x', 'msgtype': 'made_up_msgs/msg/Lateral', 'msgdef': IDL}
    with open_recording(write(tmp_path / 'bag', make_frame, **stranger)) as recording:
        assert recording.left_out == {}
        message = next(recording.messages(['/x']))
        store = message_types()
        stamp = store.types['builtin_interfaces/msg/Time'](sec=3, nanosec=4)
        head = store.serialize_cdr(stamp, 'builtin_interfaces/msg/Time')
        data = bytes(head) + b'\x00\x00\x80?'
        decoded = recording.decode(type(message)('/x', message.type, 0, data))
        assert (decoded.stamp.sec, decoded.angle) == (3, 1.0)


def test_a_definition_that_its_recorder_did_not_find_is_left_out(make_frame, tmp_path):
    stranger = STRANGERS['another hash']
    path = write(tmp_path / 'bag', make_frame, plugin=StoragePlugin.SQLITE3, **stranger)
    (file,) = path.glob('*.db3')
    with sqlite3.connect(file) as database:
        # As rosbag2 writes it.
        database.execute(
            "UPDATE message_definitions SET encoding = 'unknown', encoded_message_definition = '' "
            "WHERE topic_type = 'made_up/msg/X'"
        )
    database.close()
    with open_recording(path) as recording:
        assert len(list(frames(recording))) == 3
        assert list(recording.left_out) == ['/x']
        with pytest.raises(InputError, match='no definition'):
            recording.first('/x')


@pytest.mark.parametrize('plugin', list(StoragePlugin))
def test_names_without_a_leading_slash_are_absolute(plugin, make_frame, tmp_path):
    with open_recording(
        write(tmp_path / 'bag', make_frame, plugin=plugin, prefix='')
    ) as recording:
        assert [topic.name for topic in recording.topics] == ['/camera/color/image_raw']
        assert [m.topic for m in recording.messages()] == 3 * ['/camera/color/image_raw']


def test_a_directory_may_be_called_bag(make_frame, tmp_path):
    with open_recording(write(tmp_path / 'room.bag', make_frame)) as recording:
        assert len(list(frames(recording))) == 3


@pytest.mark.parametrize(
    ('plugin', 'compression'),
    [
        (StoragePlugin.MCAP, CompressionMode.FILE),
        (StoragePlugin.MCAP, CompressionMode.MESSAGE),
        (StoragePlugin.MCAP, CompressionMode.STORAGE),
        (StoragePlugin.SQLITE3, CompressionMode.FILE),
        (StoragePlugin.SQLITE3, CompressionMode.MESSAGE),
    ],
)
def test_compressed_directories_are_read(plugin, compression, make_frame, tmp_path):
    path = write(tmp_path / 'bag', make_frame, plugin=plugin, compression=compression)
    with open_recording(path) as recording:
        assert [int(frame.rgb[0, 0, 0]) for frame in frames(recording)] == [0, 1, 2]


def edit_metadata(path, change):
    file = path / 'metadata.yaml'
    metadata = yaml.safe_load(file.read_text())
    change(metadata['rosbag2_bagfile_information'])
    file.write_text(yaml.safe_dump(metadata, sort_keys=False))


def replace_qos(information):
    for topic in information['topics_with_message_count']:
        topic['topic_metadata']['offered_qos_profiles'] = [{'depth': 1, 'history': 'keep_last'}]


@pytest.mark.parametrize('plugin', list(StoragePlugin))
def test_edited_qos_lose_no_message(plugin, make_frame, tmp_path):
    path = write(tmp_path / 'bag', make_frame, plugin=plugin)
    edit_metadata(path, replace_qos)
    with open_recording(path) as recording:
        assert len(list(frames(recording))) == 3


@pytest.mark.parametrize('plugin', list(StoragePlugin))
def test_a_directory_of_several_files_is_one_recording(plugin, make_frame, tmp_path):
    """As `ros2 bag record` splits it; here both files cover the same time."""
    path = write(tmp_path / 'bag', make_frame, plugin=plugin)
    (second,) = (
        file for file in write(tmp_path / 'b', make_frame, plugin=plugin).iterdir()
        if file.suffix != '.yaml'
    )  # fmt: skip
    second.rename(path / second.name)

    def join(information):
        information['relative_file_paths'].append(f'of/another/computer/{second.name}')
        information['topics_with_message_count'][0]['message_count'] = 6

    edit_metadata(path, join)
    with open_recording(path) as recording:
        assert [topic.count for topic in recording.topics] == [6]
        stamps = [message.stamp_ns for message in recording.messages()]
    assert stamps == [second * 10**9 for second in (1, 1, 2, 2, 3, 3)]


def announce_more(information):
    information['topics_with_message_count'][0]['message_count'] = 5


def announce_another(information):
    information['topics_with_message_count'][0]['topic_metadata']['name'] = '/other'


@pytest.mark.parametrize('plugin', list(StoragePlugin))
def test_announced_and_not_delivered_is_an_error(plugin, make_frame, tmp_path):
    path = write(tmp_path / 'bag', make_frame, plugin=plugin)
    edit_metadata(path, announce_more)
    found = []
    with open_recording(path) as recording:
        with pytest.raises(InputError, match=r'announces 5 messages of .*_raw and holds 3'):
            found.extend(recording.messages())
        assert len(found) == 3  # what is there comes first
        assert next(recording.messages()) == found[0]


def test_a_topic_that_is_only_announced_is_named(make_frame, tmp_path):
    path = write(tmp_path / 'bag', make_frame)
    edit_metadata(path, announce_another)
    with open_recording(path) as recording:
        assert len(list(frames(recording))) == 3
        assert recording.left_out == {'/other': '3 messages are announced, none is there'}


def set_version(information):
    information['version'] = 10


def set_storage(information):
    information['storage_identifier'] = 'tape'


def rename_file(information):
    information['relative_file_paths'] = ['gone.mcap']


def drop_files(information):
    del information['relative_file_paths']


@pytest.mark.parametrize(
    ('change', 'remedy'),
    [
        (set_version, 'rosbag2 version 10, newer .* pip install -U rosbags'),
        (set_storage, "storage is 'tape': convert it to mcap"),
        (rename_file, 'gone.mcap is missing in it: copy the whole directory'),
        (drop_files, 'ros2 bag reindex'),
    ],
)
def test_unusable_metadata_names_the_way_out(change, remedy, make_frame, tmp_path):
    path = write(tmp_path / 'bag', make_frame)
    edit_metadata(path, change)
    with pytest.raises(InputError, match=remedy) as caught:
        open_recording(path)
    assert '\n' not in str(caught.value)


@pytest.mark.parametrize('part', ['directory', 'file'])
def test_a_journal_that_was_never_merged_is_named(part, make_frame, tmp_path):
    """As a recorder with the resilient preset leaves it when it is killed."""
    path = write(tmp_path / 'bag', make_frame, plugin=StoragePlugin.SQLITE3)
    (file,) = path.glob('*.db3')
    file.with_name(f'{file.name}-wal').write_bytes(b'journal')
    with open_recording(path if part == 'directory' else file) as recording:
        assert len(list(frames(recording))) == 3
        assert 'wal_checkpoint' in recording.left_out['bag.db3-wal']
        assert f'`sqlite3 {file} ' in recording.left_out['bag.db3-wal']


def test_qos_are_those_of_the_file(tmp_path, make_frame):
    path = write(
        tmp_path / 'bag',
        make_frame,
        topic='/x',
        msgtype='std_msgs/msg/String',
        msgdef='string data\n',
        rihs01=message_types().hash_rihs01('std_msgs/msg/String'),
        offered_qos_profiles=[qos_profile(latched=True)],
    )
    with open_recording(path) as recording:
        assert recording.topic('/x').is_latched
