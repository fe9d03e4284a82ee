"""Labels from a teacher: how its finds join the marked boxes, and what is written."""

import json

import numpy as np
import pytest
from rs_ml_perception.core.errors import ConfigError, InputError
from rs_ml_training.cli.data import main
from rs_ml_training.data.formats import open_data
from rs_ml_training.data.polygons import OBJECTS
from rs_ml_training.data.reader import NamedReader
from rs_ml_training.data.sample import Boxes, Sample
from rs_ml_training.teaching.frozen_detector import (
    FrozenDetector,
    TeacherDetections,
    read_label_map,
)
from rs_ml_training.teaching.taught_set import (
    TeacherSetup,
    TeacherThresholds,
    merged,
    write_taught_set,
)

TRUST = TeacherThresholds(sure=0.5, doubtful=0.2)
A, NEAR_A, B = [0, 0, 20, 20], [1, 0, 21, 20], [30, 30, 40, 40]


def found(*rows):
    """Rows (box, score, class id)."""
    boxes, scores, ids = zip(*rows, strict=True) if rows else ((), (), ())
    xyxy = np.array(boxes, np.float32).reshape(-1, 4)
    return TeacherDetections(xyxy, np.array(scores, np.float32), np.array(ids, np.int64))


MERGES = {
    'nothing': ([], [], [], []),
    'marked alone': ([A], [], [], [(A, False)]),
    'sure': ([], [(A, 0.5, 0)], [], [(A, False)]),
    'doubtful': ([], [(A, 0.3, 0)], [], [(A, True)]),
    'unlikely': ([], [(A, 0.1, 0)], [], []),
    'marked already': ([A], [(NEAR_A, 0.9, 0)], [], [(A, False)]),
    'the same of another class': ([A], [(NEAR_A, 0.9, 1)], [], [(A, False), (NEAR_A, False)]),
    'twice, the better counts': ([], [(A, 0.4, 0), (NEAR_A, 0.6, 0)], [], [(NEAR_A, False)]),
    'next to what is complete': ([A], [(B, 0.9, 0)], [0], [(A, False), (B, True)]),
    'of a class not complete': ([A], [(B, 0.9, 1)], [0], [(A, False), (B, False)]),
}


@pytest.mark.parametrize('name', MERGES)
def test_merged(name):
    marked, finds, complete, expected = MERGES[name]
    out = merged(Boxes.of(marked, [0] * len(marked)), found(*finds), TRUST, complete)
    assert list(zip(out.xyxy.tolist(), out.is_crowd.tolist(), strict=True)) == expected


@pytest.mark.parametrize('wrong', [{'sure': 0.1}, {'doubtful': 0}, {'sure': 1.1}, {'same': 0}])
def test_trust_that_makes_no_sense(wrong):
    with pytest.raises(ConfigError, match=str(next(iter(wrong.values())))):
        TeacherThresholds(**{'sure': 0.5, 'doubtful': 0.2, **wrong})


@pytest.mark.parametrize(
    ('text', 'expected'),
    [
        ('item {\n name: "/m/01"\n id: 1\n display_name: "person"\n}', {1: 'person'}),
        ("item { id: 3\n name: 'dog' }\nitem { id: 1\n name: 'cat' }", {3: 'dog', 1: 'cat'}),
    ],
)
def test_label_map(tmp_path, text, expected):
    (tmp_path / 'l.pbtxt').write_text(text)
    assert read_label_map(tmp_path / 'l.pbtxt') == expected


def test_label_map_of_something_else(tmp_path):
    (tmp_path / 'l.pbtxt').write_text('person\n')
    with pytest.raises(InputError, match=r'l\.pbtxt is no label map'):
        read_label_map(tmp_path / 'l.pbtxt')


class Rooms(NamedReader):
    """Two pictures: a marked and outlined person next to a chair, and nothing."""

    labels, license = ('wall', 'person'), 'of the rooms'

    def __init__(self, has_boxes: bool = True) -> None:
        self._names, self._has_boxes = ('1', '2'), has_boxes

    def read(self, index: int) -> Sample:
        image = np.full((48, 64, 3), 100 * (index + 1), np.uint8)
        objects = np.zeros((48, 64), np.uint8)
        objects[0:20, 0:20] = 2
        boxes = Boxes.of([[50, 0, 60, 9], A], [0, 1]) if index == 0 else Boxes.of([], [])
        extra = {OBJECTS: objects} if index == 0 and self._has_boxes else {}
        return Sample(
            self._names[index],
            image=image,
            boxes=boxes if self._has_boxes else None,
            extra=extra,
        )


def teacher(image):
    """Finds a person too many in bright pictures, and a chair in all."""
    ghost = [(B, 0.9, 0)] if image.mean() > 150 else []
    return found((NEAR_A, 0.8, 0), ([22, 22, 30, 44], 0.7, 1), *ghost)


@pytest.mark.parametrize(
    ('has_boxes', 'marked', 'first', 'second'),
    [
        (True, None, [(0, False), (1, False)], [(1, False), (0, True), (0, True)]),
        (True, (), [(0, False), (1, False)], [(0, False), (1, False), (0, False)]),
        (False, None, [(0, False), (1, False)], [(0, False), (1, False), (0, False)]),
    ],
)
def test_taught_set_is_read_as_coco(tmp_path, has_boxes, marked, first, second):
    setup = TeacherSetup(teacher, ('person', 'chair'), TRUST, marked, 'of the teacher')
    counts = write_taught_set(Rooms(has_boxes), setup, tmp_path / 'out')
    reader = open_data(f'coco:{tmp_path / "out"}')
    assert (len(reader), reader.labels) == (2, ('person', 'chair'))
    assert reader.license == 'of the rooms; of the teacher'
    for index, expected in enumerate((first, second)):
        boxes = reader.read(index).boxes
        rows = zip(boxes.class_ids.tolist(), boxes.is_crowd.tolist(), strict=True)
        assert sorted(rows) == sorted(expected)
    assert counts['images'] == 2
    assert sum(counts.values()) == 2 + len(first) + len(second)
    np.testing.assert_allclose(reader.read(0).image, 100, atol=2)


def test_outlines_go_along(tmp_path):
    setup = TeacherSetup(teacher, ('person', 'chair'), TRUST)
    write_taught_set(Rooms(), setup, tmp_path / 'out')
    objects = open_data(f'coco:{tmp_path / "out"}').read(0).extra[OBJECTS]
    assert (objects == 1).sum() == 400
    assert (objects > 1).sum() == 0


def test_a_class_that_only_one_side_has(tmp_path):
    setup = TeacherSetup(teacher, ('person', 'chair'), TRUST, ('chair',))
    with pytest.raises(ConfigError, match='chair'):
        write_taught_set(Rooms(), setup, tmp_path / 'out')
    assert not (tmp_path / 'out').exists()


def test_command_with_a_real_graph(tmp_path, capsys):
    tf = pytest.importorskip('tensorflow')
    names = {'boxes': [[[0.25, 0.5, 0.75, 1.0]] * 2], 'scores': [[0.9, 0.8]], 'classes': [[7, 1]]}
    with tf.Graph().as_default() as graph:
        tf.compat.v1.placeholder(tf.uint8, (None, None, None, 3), 'image_tensor')
        for name, value in names.items():
            tf.constant(value, tf.float32, name=f'detection_{name}')
        tf.constant([2.0], name='num_detections')
    (tmp_path / 'g.pb').write_bytes(graph.as_graph_def().SerializeToString())
    (tmp_path / 'l.pbtxt').write_text('item { id: 7\n name: "cup" }')
    detector = FrozenDetector(tmp_path / 'g.pb', tmp_path / 'l.pbtxt')
    assert detector(np.zeros((40, 80, 3), np.uint8)).xyxy.tolist() == [[40, 10, 80, 30]]
    assert main(['teach', *_flags(tmp_path), '--out', str(tmp_path / 'out')]) == 0
    assert '1 images, 0 marked, 1 taught, 0 doubtful' in capsys.readouterr().out
    content = json.loads((tmp_path / 'out/annotations/instances_train2017.json').read_text())
    assert content['annotations'][0]['bbox'] == [32, 12, 32, 24]


def test_command_with_a_file_that_is_no_graph(tmp_path, capsys):
    pytest.importorskip('tensorflow')
    flags = _flags(tmp_path)
    (tmp_path / 'g.pb').write_text('nothing of the kind')
    (tmp_path / 'l.pbtxt').write_text('item { id: 7\n name: "cup" }')
    assert main(['teach', *flags, '--out', str(tmp_path / 'out')]) == 2
    assert 'g.pb is no frozen detection graph' in capsys.readouterr().err


def _flags(tmp_path):
    import cv2

    (tmp_path / 'set' / 'rgb').mkdir(parents=True)
    (tmp_path / 'set' / 'depth').mkdir()
    cv2.imwrite(str(tmp_path / 'set/rgb/1.png'), np.zeros((48, 64, 3), np.uint8))
    cv2.imwrite(str(tmp_path / 'set/depth/1.png'), np.ones((48, 64), np.uint16))
    data = ['--data', f'folder:{tmp_path / "set"}', '--data-option', 'kind=depth', 'encoding=mm']
    return [*data, '--graph', str(tmp_path / 'g.pb'), '--label-map', str(tmp_path / 'l.pbtxt')]
