"""A model directory as a teacher of cells."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest
import yaml
from rs_ml_perception.core.errors import ConfigError
from rs_ml_training.teaching.cell_detector import CellDetector, CellTeacher

SIZE, CELLS = (64, 32), 43


@pytest.fixture
def teacher(tmp_path) -> Path:
    """Scores: in the first cell the mean of red, green and blue less 100, elsewhere 0."""
    onnx = pytest.importorskip('onnx')
    pytest.importorskip('onnxruntime')
    make, kind = onnx.helper, onnx.TensorProto
    ports = [
        make.make_tensor_value_info('image', kind.UINT8, [1, 32, 64, 3]),
        make.make_tensor_value_info('scores', kind.FLOAT, [1, CELLS, 3]),
        make.make_tensor_value_info('distances', kind.FLOAT, [1, CELLS, 32]),
    ]
    constants = {
        'hundred': np.float32(100),
        'flat': np.array([1, -1, 3], np.int64),
        'border': np.array([0, 0, 0, 0, CELLS - 1, 0], np.int64),
        'nothing': np.zeros((1, CELLS, 32), np.float32),
    }
    nodes = [
        make.make_node('Cast', ['image'], ['float'], to=kind.FLOAT),
        make.make_node('ReduceMean', ['float'], ['mean'], axes=[1, 2], keepdims=1),
        make.make_node('Sub', ['mean', 'hundred'], ['dark']),
        make.make_node('Reshape', ['dark', 'flat'], ['cell']),
        make.make_node('Pad', ['cell', 'border'], ['scores']),
        make.make_node('Identity', ['nothing'], ['distances']),
    ]
    arrays = [onnx.numpy_helper.from_array(np.asarray(a), n) for n, a in constants.items()]
    graph = make.make_graph(nodes, 'teacher', ports[:1], ports[1:], arrays)
    model = make.make_model(graph, opset_imports=[make.make_opsetid('', 13)], ir_version=8)
    onnx.save(model, tmp_path / 'model.onnx')
    (tmp_path / 'labels.txt').write_text('person\ncat\ndog\n')
    write(tmp_path, 'gfl')
    return tmp_path


def write(folder: Path, decoder: str, **options: object) -> None:
    checksum = hashlib.sha256((folder / 'model.onnx').read_bytes()).hexdigest()
    manifest = {
        'name': 'teacher',
        'version': '1',
        'task': 'detection',
        'decoder': decoder,
        'decoder_options': options,
        'artifacts': [{'format': 'onnx', 'path': 'model.onnx', 'sha256': checksum}],
        'input': [{'name': 'image', 'size': list(SIZE), 'dtype': 'uint8', 'color': 'RGB'}],
        'outputs': {'scores': 'scores', 'distances': 'distances'},
        'labels': 'labels.txt',
        'license': 'none',
        'source': 'a test',
    }
    (folder / 'manifest.yaml').write_text(yaml.safe_dump(manifest))


def test_scores_in_the_order_of_the_classes(teacher):
    image = np.full((32, 64, 3), (100, 101, 98), np.uint8)
    scores = CellTeacher(teacher, ('dog', 'person'), SIZE)(image)
    assert scores.shape == (CELLS, 2)
    assert scores.dtype == np.float32
    np.testing.assert_allclose(scores[0], 1 / (1 + np.exp([2, 0])), rtol=1e-5)
    np.testing.assert_array_equal(scores[1:], 0.5)


def test_detections_are_in_pixels_of_the_image(teacher):
    """All bins alike are 3.5 cells of 8 px from the corner of the picture, twice as large."""
    image = np.full((64, 128, 3), (99, 103, 100), np.uint8)
    detector = CellDetector(teacher)
    found = detector(image)
    assert detector.labels == ('person', 'cat', 'dog')
    np.testing.assert_allclose(found.xyxy[0], [0, 0, 56, 56], atol=1e-3)
    assert found.scores[0] == pytest.approx(1 / (1 + np.exp(-3)))
    assert found.class_ids[0] == 1


@pytest.mark.parametrize(
    ('labels', 'size', 'message'),
    [
        (('person', 'door'), SIZE, 'has no class door'),
        (('person',), (96, 32), 'export the teacher at 96x32'),
    ],
)
def test_teachers_that_do_not_fit(teacher, labels, size, message):
    with pytest.raises(ConfigError, match=message):
        CellTeacher(teacher, labels, size)


def test_other_models(teacher, tmp_path):
    with pytest.raises(ConfigError, match='nowhere cannot teach'):
        CellTeacher(tmp_path / 'nowhere', ('person',), SIZE)
    for options in ({'cell_offset': 0.5}, {'strides': [8, 16, 32]}):
        write(teacher, 'gfl', **options)
        with pytest.raises(ConfigError, match='without an offset teach'):
            CellDetector(teacher)
    write(teacher, 'yolo_head')
    with pytest.raises(ConfigError, match='has the decoder yolo_head'):
        CellTeacher(teacher, ('person',), SIZE)


def test_the_published_network_teaches(model_files, data_file):
    """Scores and distances in one tensor, cells last."""
    from rs_ml_training.data.formats import open_data

    sample = open_data(f'yolo:{data_file("coco_val_dev")}').read(0)
    detector = CellDetector('nanodet_plus_m')
    found = detector(sample.image)
    assert detector.labels[found.class_ids[0]] == 'bear'
    assert found.scores[0] > 0.7
