import json
from dataclasses import fields

import numpy as np
import pytest
from rs_ml_perception.core.errors import ConfigError, InputError
from rs_ml_perception.core.geometry.camera import CameraModel
from rs_ml_training.data import tfrecords
from rs_ml_training.data.formats import open_data
from rs_ml_training.data.reader import Reader
from rs_ml_training.data.sample import IGNORE, Boxes, Sample
from rs_ml_training.data.sample_codec import MAP_CODINGS, pack, unpack
from rs_ml_training.data.tfrecord_format import crc32c, features_of, masked_crc32c, message_of
from rs_ml_training.data.tfrecords import TfRecords, write_shards

RNG = np.random.default_rng(0)
SAMPLES = [
    Sample('labels only', labels=np.full((3, 4), IGNORE, np.uint8)),
    Sample(
        'äöü/everything',
        'a scene',
        image=RNG.integers(0, 256, (12, 16, 3), np.uint8),
        depth_m=RNG.integers(0, 9000, (12, 16)).astype(np.float32) * np.float32(0.001),
        raw_depth_m=RNG.random((12, 16), np.float32) * 5,
        infrared=RNG.integers(0, 256, (12, 16), np.uint8),
        labels=RNG.integers(0, 9, (12, 16), np.uint8),
        boxes=Boxes.of([[1.25, 2, 3, 4.1], [0, 0, 5, 5]], [3, 0], [False, True]),
        intrinsics=CameraModel(16, 12, 20.1, 20.2, 7.3, 5.5),
        focal_px=518.8579,
        extra={
            'mask': RNG.random((12, 16)) < 0.5,
            'normal': RNG.random((12, 16, 3), np.float32),
            'right': RNG.integers(0, 256, (12, 16), np.uint8),
        },
    ),
    Sample('nothing found', image=np.zeros((2, 2, 3), np.uint8), boxes=Boxes.of([], [])),
    Sample('kitti', depth_m=np.float32([[0, 1, 20000]]) / np.float32(256)),
    Sample('eight bit', depth_m=np.arange(256, dtype=np.float32)[None] * np.float32(1 / 25.5)),
]


class Listed(Reader):
    labels, colors, license = ('sky', 'road'), ((1, 2, 3), (4, 5, 6)), 'CC0'
    reference_focal_px = 715.0873

    def __init__(self, samples: list[Sample]) -> None:
        self.samples = samples

    def __len__(self) -> int:
        return len(self.samples)

    def name(self, index: int) -> str:
        return self.samples[index].name

    def scene(self, index: int) -> str:
        return self.samples[index].scene

    def read(self, index: int) -> Sample:
        return self.samples[index]


def assert_same(a: Sample, b: Sample) -> None:
    assert set(a.maps()) == set(b.maps())
    for name, array in a.maps().items():
        assert array.dtype == b.maps()[name].dtype
        np.testing.assert_array_equal(array, b.maps()[name])
    for field in fields(Sample):
        if field.name in ('name', 'scene', 'intrinsics', 'focal_px'):
            assert getattr(a, field.name) == getattr(b, field.name)
    assert (a.boxes is None) == (b.boxes is None)
    if a.boxes is not None:
        for name in ('xyxy', 'class_ids', 'is_crowd'):
            np.testing.assert_array_equal(getattr(a.boxes, name), getattr(b.boxes, name))


@pytest.mark.parametrize(
    ('data', 'expected'),
    [
        (b'', 0),
        (b'123456789', 0xE3069283),
        (bytes(32), 0x8A9136AA),
        (b'\xff' * 32, 0x62A8AB43),
        (bytes(range(32)), 0x46DD794E),
    ],
)
def test_crc32c_of_the_standard(data, expected):
    assert crc32c(data) == expected


@pytest.mark.parametrize('length', [511, 512, 513, 2048, 5000])
def test_crc32c_of_long_data_is_that_of_single_bytes(length):
    data = np.random.default_rng(length).bytes(length)
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0x82F63B78 if crc & 1 else 0)
    assert crc32c(data) == crc ^ 0xFFFFFFFF
    assert masked_crc32c(data) != crc32c(data)


@pytest.mark.parametrize(
    'features', [{}, {'a': b''}, {'a': b'x' * 127, 'b': b'y' * 128}, {'long': b'z' * 70000}]
)
def test_example_message_and_back(features):
    assert features_of(message_of(features)) == features


@pytest.mark.parametrize('message', [b'\x0a', b'\x0a\x05abc', b'\x08\x01', b'\x0a\xff\xff'])
def test_other_messages_are_refused(message):
    with pytest.raises(InputError, match=r'tf\.train\.Example'):
        features_of(message)


@pytest.mark.parametrize('maps', MAP_CODINGS)
@pytest.mark.parametrize('sample', SAMPLES, ids=lambda s: s.name)
def test_packed_sample_comes_back_without_loss(sample, maps):
    found = unpack(pack(sample, maps))
    assert_same(found, sample)
    assert all(array.flags.writeable for array in found.maps().values())


def test_raw_maps_are_the_bytes_of_the_array():
    features = pack(SAMPLES[1], 'raw')
    assert features['image'] == SAMPLES[1].image.tobytes()
    whole = np.frombuffer(features['depth_m'], np.uint16)
    np.testing.assert_allclose(whole / 1000, SAMPLES[1].depth_m.ravel(), atol=1e-6)


@pytest.mark.parametrize('name', ['kitti', 'eight bit'])
def test_known_depth_steps_are_stored_as_png(name):
    sample = next(s for s in SAMPLES if s.name == name)
    assert pack(sample)['depth_m'].startswith(b'\x89PNG')


@pytest.mark.parametrize(
    'damage',
    [{'meta': b'{'}, {'image': b'\x89PNG'}, {'meta': b'{}'}, {'extra/normal': b'\x78\x9c'}],
)
def test_damaged_features_are_refused(damage):
    with pytest.raises(InputError, match='not a sample'):
        unpack(pack(SAMPLES[1]) | damage)


@pytest.mark.parametrize(('shards', 'compression'), [(1, 'none'), (3, 'none'), (2, 'gzip')])
def test_written_shards_are_the_same_data_set(tmp_path, shards, compression):
    write_shards(Listed(SAMPLES), tmp_path / 'out', shards, compression)
    assert len(list((tmp_path / 'out').glob('*.tfrecord'))) == shards
    back = open_data(f'tfrecord:{tmp_path / "out"}')
    assert len(back) == len(SAMPLES)
    for index in (3, 0, 4, 1, 2):
        assert_same(back.read(index), SAMPLES[index])
        assert back.name(index) == SAMPLES[index].name
        assert back.scene(index) == SAMPLES[index].scene
    assert (back.labels, back.colors) == (Listed.labels, Listed.colors)
    assert (back.license, back.reference_focal_px) == ('CC0', 715.0873)


def test_an_empty_data_set_is_written_and_read(tmp_path):
    write_shards(Listed([]), tmp_path / 'out')
    assert len(TfRecords(tmp_path / 'out')) == 0


@pytest.mark.parametrize('compression', ['none', 'gzip'])
def test_tensorflow_reads_the_files(tmp_path, compression):
    tf = pytest.importorskip('tensorflow')
    write_shards(Listed(SAMPLES), tmp_path / 'out', 1, compression)
    path = str(next((tmp_path / 'out').glob('*.tfrecord')))
    records = tf.data.TFRecordDataset(path, compression.upper().replace('NONE', ''))
    wanted = {
        'name': tf.io.FixedLenFeature([], tf.string),
        'image': tf.io.VarLenFeature(tf.string),
    }
    parsed = [tf.io.parse_single_example(r, wanted) for r in records]
    assert [p['name'].numpy().decode() for p in parsed] == [s.name for s in SAMPLES]
    image = tf.io.decode_png(parsed[1]['image'].values[0])
    np.testing.assert_array_equal(image, SAMPLES[1].image)


@pytest.mark.parametrize(
    'options',
    [{'shards': 0}, {'shards': 6}, {'compression': 'zip'}, {'maps': 'jpeg'}],
    ids=str,
)
def test_senseless_options(tmp_path, options):
    with pytest.raises(ConfigError):
        write_shards(Listed(SAMPLES), tmp_path / 'out', **options)
    assert not (tmp_path / 'out').exists()


def test_full_disk_leaves_nothing_behind(tmp_path, monkeypatch):
    def full(file, message):
        raise OSError(28, 'No space left on device')

    monkeypatch.setattr(tfrecords, '_write_record', full)
    with pytest.raises(InputError, match='No space left'):
        write_shards(Listed(SAMPLES), tmp_path / 'out', 2)
    assert not list(tmp_path.iterdir())


def test_interrupted_writing_leaves_nothing_behind(tmp_path):
    class Interrupted(Listed):
        def read(self, index: int) -> Sample:
            if index == 3:
                raise KeyboardInterrupt
            return super().read(index)

    with pytest.raises(KeyboardInterrupt):
        write_shards(Interrupted(SAMPLES), tmp_path / 'out', 2)
    assert not list(tmp_path.iterdir())


def test_damaged_folders(tmp_path):
    out = tmp_path / 'out'
    with pytest.raises(InputError, match=r'index\.json is missing'):
        TfRecords(tmp_path)
    write_shards(Listed(SAMPLES), out, 2)
    shard = sorted(out.glob('*.tfrecord'))[1]
    data = bytearray(shard.read_bytes())
    data[60] ^= 255
    shard.write_bytes(data)
    assert TfRecords(out).read(0).name == SAMPLES[0].name
    with pytest.raises(InputError, match=rf'{shard.name}: the record of .* is damaged'):
        [TfRecords(out).read(i) for i in range(len(SAMPLES))]
    shard.unlink()
    with pytest.raises(InputError, match=rf'{shard.name} is missing'):
        TfRecords(out)
    (out / 'index.json').write_text(json.dumps({'version': 7}))
    with pytest.raises(InputError, match='version 7'):
        TfRecords(out)
    (out / 'index.json').write_text('no json')
    with pytest.raises(InputError, match='damaged'):
        TfRecords(out)
