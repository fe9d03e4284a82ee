"""Pictures with boxes made of several."""

from dataclasses import replace

import numpy as np
import pytest
from rs_ml_training.data.augment import detection
from rs_ml_training.data.augment.detection import CopyObjects, Mosaic
from rs_ml_training.data.augment.presets import preset
from rs_ml_training.data.polygons import OBJECTS
from rs_ml_training.data.reader import CachedReader, NamedReader
from rs_ml_training.data.sample import Boxes, Sample


class Pictures(NamedReader):
    """Pictures of one colour with a red disc, half of whose box is opaque."""

    labels = ('disc',)

    def __init__(self, outlined: bool = True) -> None:
        self._names, self._outlined, self.reads = ('a', 'b'), outlined, 0

    def read(self, index: int) -> Sample:
        self.reads += 1
        image = np.full((60, 80, 3), 40 + 100 * index, np.uint8)
        image[20:40, 30:40] = (250, 0, 0)
        objects = np.zeros((60, 80), np.uint8)
        objects[20:40, 30:40] = 1
        boxes = Boxes.of([[30, 20, 50, 40], [0, 0, 5, 5]], [0, 0], [False, True])
        extra = {OBJECTS: objects} if self._outlined else {}
        return Sample(self._names[index], image=image, boxes=boxes, extra=extra)


EMPTY = Sample('e', image=np.zeros((60, 80, 3), np.uint8), boxes=Boxes.of([], []))
NO_BOXES = replace(EMPTY, boxes=None)


def test_remembered_reads_once():
    reader = Pictures()
    remembered = CachedReader(reader)
    assert remembered.read(1) is remembered.read(1)
    assert (reader.reads, len(remembered), remembered.name(1)) == (1, 2, 'b')


@pytest.mark.parametrize(
    ('outlined', 'only_outlined', 'copies'), [(True, True, 1), (False, True, 0), (False, False, 1)]
)
def test_only_outlined_objects_are_copied_if_asked(outlined, only_outlined, copies):
    step = CopyObjects(Pictures(outlined), most=1, low=1, high=1, outlined=only_outlined)
    out = step(EMPTY, np.random.default_rng(0))
    assert len(out.boxes) == copies


def test_a_copy_follows_the_outline():
    step = CopyObjects(Pictures(), most=1, low=1, high=1, outlined=True)
    for seed in range(5):
        out = step(EMPTY, np.random.default_rng(seed))
        x0, y0, x1, y1 = out.boxes.xyxy[0].astype(int)
        middle = out.image[(y0 + y1) // 2, x0:x1].sum(axis=1)
        halves = sorted((middle[:8].mean(), middle[-8:].mean()))
        assert halves[0] == 0 < 200 < halves[1]


def test_copies_within_an_image_are_of_the_stored_image(monkeypatch):
    """The map of outlines numbers the boxes as they were, not those that copies left."""
    givers, opacity = [], detection._opacity
    monkeypatch.setattr(
        detection, '_opacity', lambda giver, *rest: givers.append(giver) or opacity(giver, *rest)
    )
    sample = Pictures().read(0)
    for seed in range(5):
        CopyObjects(low=1, high=1)(sample, np.random.default_rng(seed))
    assert len(givers) > 5
    assert all(giver is sample for giver in givers)


def test_an_object_larger_than_the_image_shrinks():
    small = Sample('s', image=np.zeros((16, 16, 3), np.uint8), boxes=Boxes.of([], []))
    out = CopyObjects(Pictures(), most=1, low=3, high=3)(small, np.random.default_rng(0))
    assert out.boxes.xyxy.tolist() == [[0, 0, 16, 16]]


@pytest.mark.parametrize('size', [None, (64, 48), (97, 33)])
def test_mosaic_shows_boxes_where_the_objects_are(size):
    step = Mosaic(Pictures(), size)
    own = Pictures().read(0)
    for seed in range(10):
        out = step(own, np.random.default_rng(seed))
        assert out.size == (size or (80, 60))
        red = (out.image[..., 0] > 200) & (out.image[..., 1] < 60)
        marked = np.zeros_like(red)
        for x0, y0, x1, y1 in np.rint(out.boxes.xyxy).astype(int):
            marked[max(y0 - 2, 0) : y1 + 2, max(x0 - 2, 0) : x1 + 2] = True
        assert marked[red].all()
        assert out.boxes.xyxy.min(initial=0) >= 0
        assert (out.boxes.xyxy.max(axis=0, initial=0) <= [*out.size, *out.size]).all()


def test_mosaic_needs_boxes():
    assert Mosaic(Pictures())(NO_BOXES, np.random.default_rng(0)) is NO_BOXES


@pytest.mark.parametrize('cutouts', [None, Pictures()])
@pytest.mark.parametrize('sample', [EMPTY, Pictures().read(0)])
def test_mixed_preset_gives_the_size_and_repeats(cutouts, sample):
    augment = preset('detection-mixed', (64, 32), cutouts=cutouts)
    for seed in range(6):
        one, two = (augment(sample, np.random.default_rng(seed)) for _ in range(2))
        assert one.size == (64, 32)
        np.testing.assert_array_equal(one.image, two.image)
        np.testing.assert_array_equal(one.boxes.xyxy, two.boxes.xyxy)
