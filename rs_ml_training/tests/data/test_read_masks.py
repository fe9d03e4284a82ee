"""Outlines of YOLO as a class for every pixel."""

from __future__ import annotations

import numpy as np
import pytest
from rs_ml_perception.core.errors import ConfigError, InputError
from rs_ml_training.data.formats import open_data
from rs_ml_training.data.sample import IGNORE
from rs_ml_training.data.yolo import UNLISTED

NAMES = 'names: {0: person, 1: tv, 2: dog}'
TABLE = {'tv': 'tv', 'objects': (), 'person': 'person'}
# A person over the left half, a dog in it, a small television in the right half.
PERSON, DOG, TV = (
    '0 0 0 0.5 0 0.5 1 0 1',
    '2 0.1 0.4 0.3 0.4 0.3 0.6 0.1 0.6',
    '1 0.6 0.2 0.9 0.2 0.9 0.5 0.6 0.5',
)


@pytest.fixture
def masks(tmp_path, miniatures):
    """(lines of outlines, lines of boxes or None, options) -> the sample and its reader."""

    def make(outlines, boxes=None, **options):
        miniatures.save(tmp_path / 'images' / '1.jpg', miniatures.image(0, (40, 20)))
        (tmp_path / 'classes.yaml').write_text(NAMES)
        folders = (
            {'labels': outlines} if boxes is None else {'boxes': boxes, 'instances': outlines}
        )
        for folder, lines in folders.items():
            (tmp_path / folder).mkdir()
            (tmp_path / folder / '1.txt').write_text('\n'.join(lines))
        reader = open_data(f'yolo-masks:{tmp_path}', classes=TABLE, **options)
        return reader.read(0), reader

    return make


@pytest.mark.parametrize(
    ('outlines', 'counts', 'unlisted'),
    [
        pytest.param((), {}, 800, id='nothing'),
        pytest.param((PERSON,), {2: 400}, 400, id='a person'),
        pytest.param((PERSON, TV), {0: 72, 2: 400}, 328, id='two things'),
        pytest.param((PERSON, DOG), {2: 368}, 432, id='what is not wanted lies over it'),
    ],
)
def test_pixels(masks, outlines, counts, unlisted):
    sample, _ = masks(outlines)
    found = np.bincount(sample.labels.ravel(), minlength=256)
    for class_id in (0, 1, 2):
        assert found[class_id] == pytest.approx(counts.get(class_id, 0), rel=0.3)
    assert found[IGNORE] == sample.extra[UNLISTED].sum() == pytest.approx(unlisted, rel=0.15)


def test_order_in_the_file_does_not_matter(masks):
    sample, _ = masks((DOG, PERSON))
    assert sample.labels[10, 8] == IGNORE


def test_vague_classes_are_not_counted(masks):
    assert masks((PERSON,))[1].counted == ('tv', 'person')


def test_a_box_without_outline_is_unknown(masks):
    boxes = ('0 0.25 0.5 0.5 1', '0 0.75 0.75 0.5 0.5')
    sample, _ = masks((PERSON,), boxes)
    assert len(sample.boxes) == 2
    assert (sample.labels[10:, 21:] == IGNORE).all()
    assert not sample.extra[UNLISTED][10:, 21:].any()
    assert sample.extra[UNLISTED][:9, 21:].all()


@pytest.mark.parametrize(('stored', 'class_id'), [('1', 2), ('2', 0), ('3', IGNORE)])
def test_ids_of_coco(masks, stored, class_id):
    """They begin at 1: 1 is the first of the names."""
    sample, _ = masks((stored + PERSON[1:],), (), coco_ids=True)
    assert sample.labels[10, 5] == class_id


def test_class_that_does_not_exist(masks):
    with pytest.raises(InputError, match='class 12 does not exist; coco_ids=true'):
        masks(('12' + PERSON[1:],), (), coco_ids=True)


@pytest.mark.parametrize(
    ('line', 'words'),
    [
        ('0 0 0 0.5 0 0.5 1 0', 'line 2: 7 numbers are neither'),
        ('0 0 0 0.5 0 half 1', 'line 2: .* is not a class and numbers'),
    ],
)
def test_malformed_outlines(masks, line, words):
    with pytest.raises(InputError, match=words):
        masks((PERSON, line), ())


def test_outlines_lie_in_the_folders_of_their_images(tmp_path, miniatures):
    miniatures.save(tmp_path / 'images' / 'val' / '1.jpg', miniatures.image(0, (40, 20)))
    (tmp_path / 'classes.yaml').write_text(NAMES)
    for folder, line in (('labels', '0 0.25 0.5 0.5 1'), ('instances', PERSON)):
        (tmp_path / folder / 'val').mkdir(parents=True)
        (tmp_path / folder / 'val' / '1.txt').write_text(line)
    sample = open_data(f'yolo-masks:{tmp_path}', split='val').read(0)
    assert sample.labels[10, 5] == 0
    assert sample.labels[10, 30] == IGNORE


def test_outlines_that_belong_to_no_image_are_no_outlines(tmp_path, miniatures):
    miniatures.save(tmp_path / 'images' / 'val' / '1.jpg', miniatures.image(0, (40, 20)))
    (tmp_path / 'classes.yaml').write_text(NAMES)
    (tmp_path / 'labels').mkdir()
    (tmp_path / 'instances').mkdir()
    (tmp_path / 'instances' / '1.txt').write_text(PERSON)
    with pytest.raises(InputError, match='no outline file belongs to an image'):
        open_data(f'yolo-masks:{tmp_path}')


def test_options_are_those_of_the_folder_and_its_own(masks):
    with pytest.raises(ConfigError, match='split, labels, classes, list_file, coco_ids'):
        masks((PERSON,), color='red')
