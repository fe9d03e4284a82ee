import numpy as np
import pytest
from rs_ml_training.data.reader import Reader
from rs_ml_training.data.sample import IGNORE, Boxes, Sample
from rs_ml_training.data.statistics import Statistics, as_text, measure


class Some(Reader):
    labels = ('sky', 'road')

    def __init__(self, *samples: Sample) -> None:
        self.samples = samples

    def __len__(self) -> int:
        return len(self.samples)

    def name(self, index: int) -> str:
        return self.samples[index].name

    def read(self, index: int) -> Sample:
        return self.samples[index]


def test_nothing():
    assert Statistics().result() == {'samples': 0}
    assert as_text({'samples': 0}) == 'samples 0'
    assert measure(Some()) == {'samples': 0}


def test_numbers_are_those_of_all_pixels_together():
    rng = np.random.default_rng(0)
    images = [rng.integers(0, 256, (h, 8, 3), np.uint8) for h in (4, 6, 6)]
    result = measure(Some(*(Sample(str(i), image=image) for i, image in enumerate(images))))
    pixels = np.concatenate([i.reshape(-1, 3) for i in images])
    np.testing.assert_allclose(result['image']['mean'], pixels.mean(axis=0), atol=1e-4)
    np.testing.assert_allclose(result['image']['std'], pixels.std(axis=0), atol=1e-4)
    assert result['sizes'] == {'8x6': 2, '8x4': 1}


def test_depth_histogram():
    near = Sample('a', depth_m=np.float32([[0, 0.55, 0.55, 1.25]]))
    far = Sample(
        'b', depth_m=np.float32([[2.05, 0, 0, 0]]), raw_depth_m=np.zeros((1, 4), np.float32)
    )
    result = measure(Some(near, far))
    depth = result['depth']
    assert depth['known_share'] == 0.5
    assert depth['mean_m'] == pytest.approx(1.1, abs=1e-4)
    bins = depth['pixels_by_bin']
    assert {i: n for i, n in enumerate(bins) if n} == {5: 2, 12: 1, 20: 1}
    assert depth['p50_m'] == pytest.approx(0.6)
    assert depth['p99_m'] == pytest.approx(2.1)
    assert result['raw_depth']['known_share'] == 0
    text = as_text(result)
    assert '0..1 m  50.00%' in text
    assert 'raw_depth known_share: 0' in text


def test_classes_and_boxes():
    labels = np.uint8([[0, 1, 1, 7, IGNORE]])
    boxes = Boxes.of([[0, 0, 1, 1]] * 3, [0, 1, 1], [False, False, True])
    result = measure(
        Some(Sample('a', labels=labels, boxes=boxes), Sample('b', labels=labels // 9))
    )
    shares = {name: found['pixel_share'] for name, found in result['classes'].items()}
    assert shares == {'sky': 0.5, 'road': 0.2, '7': 0.1, 'unlabelled': 0.1, '28': 0.1}
    assert result['classes']['sky']['pictures'] == 2
    assert result['boxes'] == {'sky': 1, 'road': 1}


@pytest.mark.parametrize(('limit', 'count'), [(None, 10), (3, 3), (99, 10)])
def test_limit(limit, count):
    samples = [Sample(str(i), labels=np.uint8([[i]])) for i in range(10)]
    result = measure(Some(*samples), limit)
    assert result['samples'] == count
    assert len(result['classes']) == count
