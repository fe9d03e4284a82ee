"""Real data: the numbers that are known of them."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from rs_ml_training.data.formats import open_data
from rs_ml_training.data.sample import IGNORE
from rs_ml_training.data.splits import hold_out_blocks


def scenes(reader):
    return {reader.scene(i) for i in range(len(reader))}


@pytest.mark.parametrize(
    ('source', 'options', 'count', 'scene_count'),
    [
        ('nyu-labelled:nyu_v2', {'list_file': 'train.txt'}, 686, 108),
        ('nyu-labelled:nyu_v2', {'list_file': 'val.txt'}, 109, 15),
        ('nyu-rgbd:nyu_v2', {}, 795, 123),
        ('camvid:camvid', {}, 468, 23),
        ('camvid:camvid/train', {}, 367, 23),
        ('seven-scenes:seven_scenes', {}, 250, 10),
        ('seven-scenes:seven_scenes', {'block_frames': 50}, 250, 5),
        ('seven-scenes-fused:seven_scenes', {'step_px': 16}, 250, 10),
        ('depth-pairs:depth_refinement_people', {}, 11, 2),
        ('depth-pairs:depth_refinement_people', {'groups': 'group1'}, 10, 1),
        ('yolo:coco128', {}, 128, 128),
        ('folder:realsense_robot', {'block': 10}, 40, 4),
        ('folder:camvid/val', {'labels': list('abcdefghijkl')}, 101, 101),
    ],
)
def test_counts(data_file, source, options, count, scene_count):
    name, _, folder = source.partition(':')
    reader = open_data(f'{name}:{data_file(folder)}', **options)
    assert (len(reader), len(scenes(reader))) == (count, scene_count)
    for index in (0, count // 2, count - 1):
        reader.read(index)


def test_nyu_lists_share_no_scene(data_file):
    source = f'nyu-labelled:{data_file("nyu_v2")}'
    train, valid = (open_data(source, list_file=name) for name in ('train.txt', 'val.txt'))
    assert not scenes(train) & scenes(valid)


def test_nyu_persons_lie_in_their_boxes(data_file):
    reader = open_data(f'nyu-labelled:{data_file("nyu_v2")}', list_file='val.txt')
    found = 0
    for index in range(len(reader)):
        if reader.name(index) not in ('0224', '0225', '0226'):
            continue
        sample = reader.read(index)
        assert sample.intrinsics.fx == 518.8579
        assert 0.5 < np.median(sample.depth_m) < 10
        for (x, y, right, bottom), person in zip(
            sample.boxes.xyxy.astype(int), sample.boxes.class_ids, strict=True
        ):
            inside = sample.labels[y:bottom, x:right]
            assert reader.labels[person] == 'person'
            assert (inside == person).mean() > 0.3
            found += 1
    assert found == 3


def test_camvid_blocks_hold_every_class_in_training(data_file):
    reader = open_data(f'camvid:{data_file("camvid")}')
    train, valid = hold_out_blocks(reader, 0.2, seed=3)
    assert len(train) + len(valid) < len(reader)
    assert not scenes(train) & scenes(valid)
    seen = np.zeros(256, bool)
    for index in range(0, len(train), 12):
        seen |= np.bincount(train.read(index).labels.ravel(), minlength=256) > 0
    assert np.flatnonzero(seen).tolist() == [*range(11), IGNORE]


def test_yolo_objects_count(data_file):
    folder = data_file('coco128')
    texts = [
        p for p in (folder / 'boxes').iterdir() if (folder / f'images/{p.stem}.jpg').is_file()
    ]
    persons = sum(line.startswith('0 ') for p in texts for line in p.read_text().splitlines())
    reader = open_data(f'yolo:{folder}', classes={'person': 'person'})
    assert sum(len(reader.read(i).boxes) for i in range(len(reader))) == persons > 200


def test_depth_of_7_scenes_lies_on_its_colour_edges(data_file):
    """As stored, contours lie 10 to 40 pixels from those of the colour image."""
    folder = data_file('seven_scenes')
    reader = open_data(f'seven-scenes:{folder}')
    sample = next(reader.read(i) for i in range(len(reader)) if reader.name(i) == '000150')
    stored_m = cv2.imread(str(folder / 'depth' / '000150.png'), cv2.IMREAD_UNCHANGED) / 1000
    grey = cv2.GaussianBlur(cv2.cvtColor(sample.image, cv2.COLOR_RGB2GRAY), (0, 0), 2)
    edges = np.hypot(cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1))

    def score(depth_m):
        known = cv2.erode((depth_m > 0).astype(np.uint8), np.ones((3, 3))) > 0
        step_m = cv2.morphologyEx(depth_m.astype(np.float32), cv2.MORPH_GRADIENT, np.ones((3, 3)))
        return edges[known & (step_m > 0.1)].mean() / edges[known].mean()

    assert score(stored_m) < 1.4 < 1.9 < score(sample.depth_m)
    assert sample.intrinsics.fx == 525.6


def test_fused_depth_of_7_scenes_lies_on_the_measured(data_file):
    """Poses that were off, or inverted, would cost centimetres."""
    reader = open_data(f'seven-scenes-fused:{data_file("seven_scenes")}', step_px=8)
    sample = reader.read(125)
    known = (sample.depth_m > 0) & (sample.raw_depth_m > 0)
    error_m = (sample.raw_depth_m - sample.depth_m)[known]
    assert np.count_nonzero(known) > 3000
    assert abs(np.median(error_m)) < 0.003
    assert np.median(np.abs(error_m)) < 0.01
