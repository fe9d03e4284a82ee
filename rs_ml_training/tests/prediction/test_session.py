"""Reading, predicting and writing side by side."""

from __future__ import annotations

import json
import math
import time

import cv2
import numpy as np
import pytest
from rs_ml_perception.core.errors import InputError
from rs_ml_training.data.sample import Sample
from rs_ml_training.prediction.batching import Stopwatch, batched, prefetched
from rs_ml_training.prediction.rendering import Style
from rs_ml_training.prediction.results import BoxPrediction
from rs_ml_training.prediction.session import Session, SessionOptions
from rs_ml_training.prediction.sources import Source
from rs_ml_training.tasks.registry import predictor_for
from rs_ml_training.trained import ModelSpec

SPEC = ModelSpec('depth', 'toy', (32, 24))


def _source(count: int, fps: float | None = None, name: str = 'clip.mp4') -> Source:
    def samples():
        for index in range(count):
            yield Sample(f'{index}', image=np.full((49, 65, 3), 50 * (index % 5), np.uint8))

    return Source(name, samples, count, fps)


def _shade(inputs):
    return {'depth_m': inputs['image'][..., :1] / 50 + 1}


def _names(folder) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize('count', [0, 1, 5])
@pytest.mark.parametrize('batch_size', [1, 2])
def test_every_image_gets_its_own_depth(tmp_path, count, batch_size) -> None:
    session = Session(
        predictor_for(SPEC, _shade), Style(pictures=False), tmp_path, SessionOptions(batch_size)
    )
    totals = session.run([_source(count)])
    assert totals.images == count
    assert math.isnan(totals.seconds_per_image) == (count == 0)
    assert _names(tmp_path) == [f'{index}_depth.png' for index in range(count)]
    for index in range(count):
        stored = cv2.imread(str(tmp_path / f'{index}_depth.png'), cv2.IMREAD_UNCHANGED)
        assert (stored == 1000 * (index + 1)).all()


def test_more_images_than_wait_to_be_written(tmp_path) -> None:
    session = Session(predictor_for(SPEC, _shade), Style(pictures=False), tmp_path)
    assert session.run([_source(40)]).images == len(_names(tmp_path)) == 40


def test_equal_names_of_two_inputs_stay_apart(tmp_path) -> None:
    session = Session(predictor_for(SPEC, _shade), Style(pictures=False), tmp_path)
    session.run([_source(1), _source(1)])
    assert _names(tmp_path) == ['0_2_depth.png', '0_depth.png']


@pytest.mark.parametrize(
    ('frames', 'expected'),
    [
        (False, ['clip_color.mp4', 'clip_strip.mp4']),
        (
            True,
            [
                *(f'{i}_{kind}.png' for i in (0, 1) for kind in ('color', 'depth', 'strip')),
                'clip_color.mp4',
                'clip_strip.mp4',
            ],
        ),
    ],
)
def test_a_video_becomes_videos(tmp_path, frames, expected) -> None:
    options = SessionOptions(frames=frames)
    Session(predictor_for(SPEC, _shade), Style(strips=True), tmp_path, options).run(
        [_source(2, 12.0)]
    )
    assert _names(tmp_path) == expected
    video = cv2.VideoCapture(str(tmp_path / 'clip_color.mp4'))
    assert video.get(cv2.CAP_PROP_FPS) == 12.0
    assert video.get(cv2.CAP_PROP_FRAME_COUNT) == 2
    assert video.read()[1].shape == (48, 64, 3)


def test_strips_are_collected_on_sheets(tmp_path) -> None:
    options = SessionOptions(sheet_rows=2)
    Session(predictor_for(SPEC, _shade), Style(strips=True), tmp_path, options).run([_source(3)])
    rows = [cv2.imread(str(tmp_path / f'sheet_00{i}.png')).shape[0] for i in (0, 1)]
    assert rows == [98, 49]


class _Boxes:
    def batch(self, samples):
        box = BoxPrediction(np.array([[1, 2, 3.5, 4]]), np.array([0.75]), np.array([1]))
        return [box for _ in samples]


def test_detections_are_written_a_line_an_image(tmp_path) -> None:
    style = Style(pictures=False, labels=('cat', 'dog'))
    Session(_Boxes(), style, tmp_path).run([_source(2)])
    lines = [json.loads(line) for line in (tmp_path / 'results.jsonl').read_text().splitlines()]
    found = [{'label': 'dog', 'score': 0.75, 'box': [1.0, 2.0, 3.5, 4.0]}]
    assert lines == [{'image': name, 'detections': found} for name in ('0', '1')]


def test_detections_before_a_damaged_image_stay(tmp_path) -> None:
    def samples():
        yield from _source(2).samples()
        raise InputError('2.png is damaged')

    with pytest.raises(InputError, match=r'2\.png'):
        Session(_Boxes(), Style(), tmp_path).run([Source('folder', samples, None)])
    assert _names(tmp_path) == ['0_overlay.png', '1_overlay.png', 'results.jsonl']
    assert len((tmp_path / 'results.jsonl').read_text().splitlines()) == 2


@pytest.mark.parametrize('count', [2, 40])
def test_a_damaged_image_stops_it_and_leaves_no_half_video(tmp_path, count) -> None:
    def samples():
        yield from _source(count).samples()
        raise InputError('3.png is damaged')

    source = Source('clip.mp4', samples, None, 10.0)
    with pytest.raises(InputError, match=r'3\.png'):
        Session(predictor_for(SPEC, _shade), Style(), tmp_path).run([source])
    assert _names(tmp_path) == []


def test_the_network_failing_stops_it(tmp_path) -> None:
    def fail(inputs):
        raise InputError('no memory')

    with pytest.raises(InputError, match='no memory'):
        Session(predictor_for(SPEC, fail), Style(), tmp_path).run([_source(30)])


@pytest.mark.parametrize(
    ('items', 'size', 'expected'),
    [([], 2, []), ([1], 2, [[1]]), ([1, 2], 2, [[1, 2]]), ([1, 2, 3], 2, [[1, 2], [3]])],
)
def test_batches(items, size, expected) -> None:
    assert list(batched(prefetched(items), size)) == expected


def test_the_next_item_is_made_meanwhile() -> None:
    made = []

    def items():
        for index in range(3):
            made.append(index)
            yield index

    iterator = prefetched(items())
    assert next(iterator) == 0
    deadline = time.monotonic() + 10
    while made != [0, 1] and time.monotonic() < deadline:
        time.sleep(0.001)
    assert made == [0, 1]
    assert list(iterator) == [1, 2]


def test_the_first_batch_does_not_count_where_there_are_more(monkeypatch) -> None:
    clock = iter([0.0, 5.0, 10.0, 10.4, 20.0, 20.2])
    monkeypatch.setattr('time.perf_counter', lambda: next(clock))
    watch = Stopwatch()
    assert math.isnan(watch.seconds_per_picture)
    for pictures, expected in ((1, 5.0), (4, 0.1), (2, 0.1)):
        with watch.lap(pictures):
            pass
        assert watch.seconds_per_picture == pytest.approx(expected)
    assert watch.pictures == 7
