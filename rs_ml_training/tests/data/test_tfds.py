import zipfile
from pathlib import Path

import cv2
import numpy as np
import pytest
from rs_ml_perception.core.errors import InputError
from rs_ml_training.data.formats import open_data
from rs_ml_training.data.tfds_folder import TfdsFolder

LABELS = np.array([[0, 1, 2], [2, 255, 1]], np.uint8)


def picture(index: int) -> np.ndarray:
    return np.random.default_rng(index).integers(0, 256, (2, 3, 3), np.uint8)


@pytest.fixture
def folder(tmp_path) -> Path:
    """rgb/ and gt/ with three pictures."""
    for index in (1, 2, 10):
        for name, array in (('rgb', picture(index)[..., ::-1]), ('gt', LABELS)):
            (tmp_path / 'set' / name).mkdir(parents=True, exist_ok=True)
            assert cv2.imwrite(str(tmp_path / 'set' / name / f'p{index}.png'), array)
    return tmp_path / 'set'


def zipped(folder: Path, top: str = '') -> Path:
    path = folder.parent / 'full_semantic.zip'
    with zipfile.ZipFile(path, 'w') as archive:
        for file in sorted(folder.glob('*/*.png')):
            archive.write(file, top + f'{file.parent.name}/{file.name}')
    return path


@pytest.mark.parametrize('top', ['', 'full_semantic/'])
def test_the_zip_itself(folder, top):
    reader = open_data(f'tfds:{zipped(folder, top)}')
    assert [reader.name(i) for i in range(3)] == ['p1', 'p2', 'p10']
    sample = reader.read(2)
    np.testing.assert_array_equal(sample.image, picture(10))
    np.testing.assert_array_equal(sample.labels, LABELS)
    assert reader.labels == ('class 0', 'class 1', 'class 2')


@pytest.mark.parametrize(
    ('options', 'labels', 'expected'),
    [
        ({'labels': 'a,b,c'}, ('a', 'b', 'c'), LABELS),
        ({'kind': 'foreground'}, ('background', 'foreground'), LABELS > 0),
        ({'kind': 'binary'}, ('background', 'foreground'), LABELS >= 200),
        ({'labels': ('x', 'y'), 'values': (1, 2)}, ('x', 'y'), [[None, 0, 1], [1, 255, 0]]),
    ],
)
def test_codings(folder, options, labels, expected):
    reader = TfdsFolder(zipped(folder), **options)
    assert reader.labels == labels
    if 'values' in options:
        with pytest.raises(InputError, match=r'gt/p1\.png holds the values \[0\]'):
            reader.read(0)
    else:
        np.testing.assert_array_equal(reader.read(0).labels, expected)


def test_an_image_without_partner(folder):
    (folder / 'gt' / 'p2.png').unlink()
    with pytest.raises(InputError, match=r'rgb/p2\.png has no partner'):
        TfdsFolder(zipped(folder))


@pytest.mark.parametrize('name', ['gt', 'rgb'])
def test_a_damaged_image(folder, name):
    (folder / name / 'p2.png').write_bytes(b'\x89PNG')
    with pytest.raises(InputError, match=rf'{name}/p2\.png is neither JPEG nor PNG'):
        TfdsFolder(zipped(folder)).read(1)


def test_other_files_and_folders(tmp_path):
    (tmp_path / 'a.zip').write_text('no zip')
    with pytest.raises(InputError, match='neither a zip'):
        TfdsFolder(tmp_path / 'a.zip')
    with pytest.raises(InputError, match=r'holds 0 dataset_info\.json'):
        TfdsFolder(tmp_path)
    (tmp_path / 'dataset_info.json').write_text('{}')
    with pytest.raises(InputError, match='prepare it as tfrecord'):
        TfdsFolder(tmp_path)
    (tmp_path / 'x-train.tfrecord-00000-of-00001').write_bytes(bytes([200]) + bytes(30))
    with pytest.raises(InputError, match='cut off at byte 0'):
        TfdsFolder(tmp_path)


def test_prepared_by_tfds_and_read_without_it(folder, tmp_path):
    pytest.importorskip('tensorflow_datasets')
    from rs_ml_training.data.full_semantic import FullSemantic, prepare

    prepared = prepare(zipped(folder), tmp_path / 'from_zip')
    assert prepared == tmp_path / 'from_zip' / 'full_semantic' / '1.0.0'
    builder = FullSemantic(data_dir=tmp_path / 'from_zip')
    assert builder.info.splits['train'].num_examples == 3
    wanted = sorted(picture(i).tobytes() for i in (1, 2, 10))
    examples = list(builder.as_dataset(split='train'))
    assert sorted(e['rgb'].numpy().tobytes() for e in examples) == wanted
    for reader in (TfdsFolder(prepared), TfdsFolder(tmp_path / 'from_zip')):
        samples = [reader.read(i) for i in range(len(reader))]
        assert sorted(s.image.tobytes() for s in samples) == wanted
        for sample, example in zip(samples, examples, strict=True):
            np.testing.assert_array_equal(sample.image, example['rgb'])
            np.testing.assert_array_equal(sample.labels, LABELS)


def test_preparing_a_folder_checks_the_names(folder, tmp_path):
    pytest.importorskip('tensorflow_datasets')
    from rs_ml_training.data.full_semantic import prepare

    (folder / 'rgb' / 'p1.png').unlink()
    with pytest.raises(InputError, match=r'gt/p1\.png has no partner'):
        prepare(folder, tmp_path / 'out')
    with pytest.raises(InputError, match='neither a zip nor a folder'):
        prepare(tmp_path / 'nothing', tmp_path / 'out')
    assert not (tmp_path / 'out').exists()
