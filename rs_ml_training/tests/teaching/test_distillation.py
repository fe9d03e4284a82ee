"""A teacher that tells what it sees everywhere: its maps, and how they mix with known boxes."""

import numpy as np
import pytest
from rs_ml_perception.core.errors import ConfigError, InputError
from rs_ml_training.data.sample import Boxes
from rs_ml_training.teaching import distillation
from rs_ml_training.teaching.distillation import LEAST_SCORE, HeatmapTeacher, blended

LABEL_MAP = """
item {
 id: 1
 name: "person"
}
item {
 id: 3
 name: "chair"
}
item {
 id: 7
 name: "cup"
}
"""
SIZE = (320, 256)


@pytest.fixture
def teach(tmp_path, monkeypatch):
    """A teacher with a map of 128 x 128 cells, that sees what is put into its lists."""
    scores, reach = np.zeros((1, 128, 128, 3), np.float32), np.zeros((1, 128, 128, 4), np.float32)
    monkeypatch.setattr(
        distillation, 'read_frozen_graph', lambda *_: lambda image: (scores, reach)
    )
    (tmp_path / 'map.pbtxt').write_text(LABEL_MAP)
    detector = HeatmapTeacher(tmp_path / 'graph.pb', tmp_path / 'map.pbtxt', ('cup', 'person'))
    return detector, scores[0], reach[0]


def image(size=SIZE):
    return np.zeros((*size[::-1], 3), np.uint8)


def test_nothing_is_seen(teach):
    maps = teach[0](image())
    assert {name: m.shape for name, m in maps.items()} == {
        'heatmap': (64, 80, 2),
        'size': (64, 80, 2),
        'offset': (64, 80, 2),
        'mask': (64, 80, 1),
    }
    assert not maps['heatmap'].any()
    assert not maps['mask'].any()


@pytest.mark.parametrize(('class_id', 'channel'), [(0, 1), (2, 0)])
@pytest.mark.parametrize('score', [LEAST_SCORE / 2, 0.8])
@pytest.mark.parametrize(('row', 'column'), [(40, 64), (41, 63), (0, 0), (127, 127), (77, 30)])
def test_an_object(teach, class_id, channel, score, row, column):
    """One cell of the teacher is one of the student, and tells the same box.

    The teacher makes a picture of 512 x 512 out of that of the student.
    """
    detector, scores, reach = teach
    ltrb = np.array([30.0, 60.0, 50.0, 20.0], np.float32)
    scores[row, column, class_id] = score
    reach[:] = ltrb
    maps = detector(image())
    heat = maps['heatmap'][..., channel]
    ((y, x),) = np.argwhere(heat > 0)
    assert (y, x) == (int((row + 0.5) * 64 / 128), int((column + 0.5) * 80 / 128))
    assert heat[y, x] == np.float32(score)
    assert not maps['heatmap'][..., 1 - channel].any()
    assert (maps['mask'][y, x, 0] > 0) == (score >= LEAST_SCORE)
    shrink = np.array(SIZE) / 512
    np.testing.assert_allclose(maps['size'][y, x], (ltrb[:2] + ltrb[2:]) * shrink, rtol=1e-5)
    centre = (np.array([column, row]) * 4 + (ltrb[2:] - ltrb[:2]) / 2) * shrink
    found = (np.array([x, y]) + maps['offset'][y, x]) * 4
    # The extent is that of the teacher's cell in the middle, one next to it at most.
    assert (np.abs(found - centre) <= 4 * shrink + 1e-4).all()


def test_a_map_finer_than_the_teacher_s(teach):
    detector, scores, _ = teach
    scores[10, 20, 2] = 0.5
    heat = detector(image((1024, 512)))['heatmap'][..., 0]
    assert np.argwhere(heat > 0).tolist() == [[10, 40], [10, 41]]


def test_annotated_boxes_outweigh_the_teacher():
    from rs_ml_training.networks.centernet.targets import targets_of

    targets = targets_of(Boxes.of([[8, 8, 40, 24]], [0]), (64, 32), classes=1)
    seen = {
        'heatmap': np.full((8, 16, 1), 0.5, np.float32),
        'size': np.full((8, 16, 2), 9.0, np.float32),
        'offset': np.full((8, 16, 2), -3.0, np.float32),
        'mask': np.full((8, 16, 1), 0.5, np.float32),
    }
    mixed = blended({**targets, 'truth': np.zeros((2, 6))}, seen, share=0.75)
    assert mixed['heatmap'][4, 6, 0] == pytest.approx(0.75 * 0.5 + 0.25)
    assert mixed['heatmap'][0, 0, 0] == pytest.approx(0.75 * 0.5)
    np.testing.assert_array_equal(mixed['size'][4, 6], [32, 16])
    np.testing.assert_array_equal(mixed['size'][0, 0], [9, 9])
    assert (mixed['mask'][4, 6, 0], mixed['mask'][0, 0, 0]) == (1, 0.5)
    assert 'truth' in mixed
    assert {m.dtype for n, m in mixed.items() if n != 'truth'} == {np.dtype(np.float32)}


def test_a_class_that_the_teacher_does_not_know(tmp_path):
    (tmp_path / 'map.pbtxt').write_text(LABEL_MAP)
    with pytest.raises(ConfigError, match='has no class door'):
        HeatmapTeacher(tmp_path / 'graph.pb', tmp_path / 'map.pbtxt', ('person', 'door'))


@pytest.mark.slow
def test_a_graph_that_is_missing(tmp_path):
    pytest.importorskip('tensorflow')
    (tmp_path / 'map.pbtxt').write_text(LABEL_MAP)
    with pytest.raises(InputError, match='cannot be read'):
        HeatmapTeacher(tmp_path / 'graph.pb', tmp_path / 'map.pbtxt', ('person',))


@pytest.mark.slow
def test_people_of_a_real_picture(data_file):
    """The maps of a published teacher decode to boxes like those that it reports itself."""
    pytest.importorskip('tensorflow')
    from rs_ml_training.data.formats import open_data
    from rs_ml_training.data.geometry import resized
    from rs_ml_training.metrics.precision import overlaps
    from rs_ml_training.tasks.detection.objective import predictions_of
    from rs_ml_training.teaching.frozen_detector import FrozenDetector

    folder = data_file('models/detection/centernet_mnv3_coco')
    files = folder / 'frozen_inference_graph.pb', folder / 'mscoco_label_map.pbtxt'
    reader = open_data(f'yolo:{data_file("coco128")}')
    sample = next(
        s for s in map(reader.read, range(len(reader))) if (s.boxes.class_ids == 0).sum() == 1
    )
    picture = resized(sample, SIZE).image
    maps = HeatmapTeacher(*files, ('tv', 'person'))(picture)
    maps.pop('mask')
    (found,) = predictions_of({n: m[None] for n, m in maps.items()}, SIZE)
    detector = FrozenDetector(*files)
    reported = detector(picture)
    best = reported.scores.argmax()
    assert detector.labels[reported.class_ids[best]] == ('tv', 'person')[found.class_ids[0]]
    assert abs(found.scores[0] - reported.scores[best]) < 0.15
    assert overlaps(found.xyxy[:1], reported.xyxy[best : best + 1], np.zeros(1, bool))[0, 0] > 0.7
