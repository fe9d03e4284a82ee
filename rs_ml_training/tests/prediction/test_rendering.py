"""Colours, clouds and files made of predictions."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from rs_ml_perception.core.drawing.colormap import depth_range_m
from rs_ml_perception.core.errors import ConfigError, InputError
from rs_ml_perception.core.geometry.camera import CameraModel
from rs_ml_training.data.output_folder import write_file
from rs_ml_training.data.sample import Boxes, Sample
from rs_ml_training.prediction import colors
from rs_ml_training.prediction.rendering import SteadyRange, Style, files_of
from rs_ml_training.prediction.result_files import Names, Sheets, empty_folder, sheet
from rs_ml_training.prediction.results import (
    BoxPrediction,
    DenoisePrediction,
    DepthPrediction,
    MaskPrediction,
)

CAMERA = CameraModel(16, 12, 20.0, 20.0, 7.5, 5.5)
DEPTH_M = np.tile(np.linspace(1, 4, 16, dtype=np.float32), (12, 1))
IMAGE = np.full((12, 16, 3), 99, np.uint8)
SAMPLE = Sample('x', image=IMAGE, depth_m=DEPTH_M, intrinsics=CAMERA)


@pytest.mark.parametrize(
    ('colormap', 'near', 'far'),
    [('viridis', (68, 1, 84), (253, 231, 37)), ('greys', (255,) * 3, (0,) * 3)],
)
def test_colours_of_depth(colormap, near, far) -> None:
    depth_m = np.array([[1, 10, 0, np.nan, 0.5, 20]], np.float32)
    painted = colors.depth_image(depth_m, (1.0, 10.0), colormap)[0]
    expected = [near, far, (0, 0, 0), (0, 0, 0), near, far]
    assert np.abs(painted.astype(int) - expected).max() <= 2


def test_greys_are_of_the_logarithm() -> None:
    depth_m = np.array([[np.sqrt(10)]], np.float32)
    assert abs(int(colors.depth_image(depth_m, (1.0, 10.0), 'greys')[0, 0, 0]) - 128) <= 1


def test_unknown_colormap() -> None:
    with pytest.raises(ConfigError, match="'pink'"):
        colors.depth_image(DEPTH_M, None, 'pink')


def test_error_colours_grow_with_the_relative_error() -> None:
    truth_m = np.array([[2.0, 2.0, 2.0, 0.0, 2.0]], np.float32)
    depth_m = np.array([[2.0, 3.0, 9.0, 1.0, np.nan]], np.float32)
    none, limit, beyond, unknown, missing = colors.error_image(depth_m, truth_m)[0]
    assert none.tolist() == [0, 0, 128]
    assert limit.tolist() == beyond.tolist() == [128, 0, 0]
    assert unknown.tolist() == missing.tolist() == [0, 0, 0]


def test_overlay_leaves_black_classes_as_they_are() -> None:
    table = colors.palette([(0, 0, 0), (255, 0, 0)], 2)
    mask = np.array([[0, 1, 255]], np.uint8)
    shown = colors.overlay(np.full((1, 3, 3), 100, np.uint8), mask, table, 0.5)
    assert np.abs(shown[0].astype(int) - [[100] * 3, [178, 50, 50], [100] * 3]).max() <= 1


def _vertex_count(data: bytes) -> int:
    return int(data.partition(b'end_header')[0].split(b'element vertex ')[1].split()[0])


def test_edges_are_left_out_of_clouds_when_asked() -> None:
    depth_m = np.full((12, 16), 1.0, np.float32)
    depth_m[:, 8:] = 3.0
    counts = [
        _vertex_count(files_of(SAMPLE, DepthPrediction(depth_m), style)['_cloud.ply'])
        for style in (Style(cloud=True), Style(cloud=True, keep_edges=False))
    ]
    assert counts == [12 * 16, 12 * 14]


EVERYTHING = Style(strips=True, errors=True, normals=True, cloud=True, intermediates=True)
MASK = np.repeat(np.arange(16, dtype=np.uint8)[None] // 8, 12, axis=0)


@pytest.mark.parametrize(
    ('sample', 'prediction', 'style', 'expected'),
    [
        (SAMPLE, DepthPrediction(DEPTH_M), Style(pictures=False), '_depth.png'),
        (SAMPLE, DepthPrediction(DEPTH_M), Style(), '_depth.png _color.png'),
        (
            SAMPLE,
            DepthPrediction(DEPTH_M, {'lpg8_m': DEPTH_M}),
            EVERYTHING,
            '_depth.png _color.png _lpg8.png _lpg8_greys.png _strip.png _error.png _normals.png '
            '_cloud.ply',
        ),
        (
            replace(SAMPLE, depth_m=None),
            DepthPrediction(DEPTH_M),
            Style(strips=True, errors=True),
            '_depth.png _color.png _strip.png',
        ),
        (
            Sample('x', raw_depth_m=DEPTH_M),
            DenoisePrediction(DEPTH_M, np.ones((12, 16))),
            Style(strips=True),
            '_depth.png _color.png _confidence.png _strip.png',
        ),
        (
            replace(SAMPLE, labels=MASK),
            MaskPrediction(MASK, np.ones((12, 16))),
            EVERYTHING,
            '_mask.png _overlay.png _confidence.png _strip.png _error.png',
        ),
        (
            replace(SAMPLE, boxes=Boxes.of([[1, 1, 5, 5]], [0])),
            BoxPrediction(np.ones((0, 4)), np.ones(0), np.ones(0, int)),
            Style(strips=True),
            '_overlay.png _strip.png',
        ),
        (
            SAMPLE,
            BoxPrediction(np.ones((0, 4)), np.ones(0), np.ones(0, int)),
            Style(pictures=False),
            '',
        ),
    ],
)
def test_files_of_a_prediction(sample, prediction, style, expected) -> None:
    files = files_of(sample, prediction, style)
    assert list(files) == expected.split()
    for content in files.values():
        assert isinstance(content, bytes) or content.dtype in (np.uint8, np.uint16)


def test_depth_files_are_millimetres_or_kitti() -> None:
    depth_m = np.array([[0.5, np.nan, 70.0]], np.float32)
    for encoding, expected in (('mm', [500, 0, 65535]), ('kitti', [128, 0, 17920])):
        style = Style(pictures=False, encoding=encoding)
        stored = files_of(Sample('x'), DepthPrediction(depth_m), style)['_depth.png']
        assert stored.tolist() == [expected]


def test_strip_shows_image_truth_and_prediction_in_common_colours() -> None:
    strip = files_of(SAMPLE, DepthPrediction(DEPTH_M + 1), Style(strips=True))['_strip.png']
    assert strip.shape == (12, 48, 3)
    assert (strip[:, :16] == IMAGE).all()
    both = depth_range_m(DEPTH_M, DEPTH_M + 1)
    assert (strip[:, 16:32] == colors.depth_image(DEPTH_M, both)).all()
    assert (strip[:, 32:] == colors.depth_image(DEPTH_M + 1, both)).all()


def test_only_certain_boxes_are_drawn() -> None:
    boxes = np.array([[2, 2, 8, 8], [8, 2, 14, 8]], np.float32)
    found = BoxPrediction(boxes, np.array([0.9, 0.1]), np.array([0, 1]))
    drawn = files_of(SAMPLE, found, Style(labels=('a', 'b'), min_score=0.5))['_overlay.png']
    nothing = files_of(SAMPLE, found, Style(labels=('a', 'b'), min_score=0.95))['_overlay.png']
    assert (drawn[7, 2:8] != 99).any()
    assert (nothing == IMAGE).all()


def test_cloud_without_a_camera_names_the_flag() -> None:
    with pytest.raises(ConfigError, match='--intrinsics'):
        files_of(replace(SAMPLE, intrinsics=None), DepthPrediction(DEPTH_M), Style(cloud=True))


def test_colours_of_a_video_follow_slowly() -> None:
    steady = SteadyRange(Style())
    near, far = (DepthPrediction(np.full((4, 4), m, np.float32)) for m in (1.0, 1.4))
    assert steady(near).range_m == pytest.approx((1.0, 1.1))
    assert steady(far).range_m == pytest.approx((1.04, 1.14), abs=1e-3)
    fixed = SteadyRange(Style(range_m=(0.0, 2.0)))
    assert fixed(far).range_m == (0.0, 2.0)


def test_sheets_have_so_many_rows(tmp_path) -> None:
    sheets = Sheets(tmp_path, rows=2, every=2)
    for _ in range(7):
        sheets.add(IMAGE)
    sheets.finish()
    assert sorted(p.name for p in tmp_path.iterdir()) == ['sheet_000.png', 'sheet_001.png']
    none = Sheets(tmp_path / 'none', rows=0)
    none.add(IMAGE)
    none.finish()
    assert sheet([IMAGE, np.zeros((24, 32, 3), np.uint8)]).shape == (24, 16, 3)


@pytest.mark.parametrize(
    ('names', 'stems'),
    [
        ((), []),
        (('a', 'b'), ['a', 'b']),
        (('a', 'a', 'a'), ['a', 'a_2', 'a_3']),
        (('scene/1', '/x/1', '..'), ['scene_1', 'x_1', '..']),
        (('', '/'), ['image', 'image_2']),
    ],
)
def test_stems_differ(names, stems) -> None:
    unique = Names()
    assert [unique.unique(name) for name in names] == stems


def test_folder_for_results(tmp_path) -> None:
    made = empty_folder(tmp_path / 'a' / 'b', [], force=False)
    assert made.is_dir()
    (made / 'old.png').write_bytes(b'x')
    with pytest.raises(ConfigError, match='--force'):
        empty_folder(made, [], force=False)
    assert empty_folder(made, [], force=True) == made
    assert (made / 'old.png').exists()


@pytest.mark.parametrize('text', ['{}', '{}/a.png', 'folder:{}'])
def test_inputs_are_never_overwritten(tmp_path, text) -> None:
    (tmp_path / 'a.png').write_bytes(b'x')
    with pytest.raises(ConfigError, match='holds the input'):
        empty_folder(tmp_path, [text.format(tmp_path)], force=True)


def test_a_file_in_the_place_of_the_folder(tmp_path) -> None:
    (tmp_path / 'a').write_bytes(b'x')
    with pytest.raises(ConfigError, match='is a file'):
        empty_folder(tmp_path / 'a', [], force=False)
    with pytest.raises(ConfigError, match='cannot be made'):
        empty_folder(tmp_path / 'a' / 'b', [], force=False)


def test_a_file_that_cannot_be_written_leaves_nothing(tmp_path) -> None:
    (tmp_path / 'taken').mkdir()
    with pytest.raises(InputError, match='taken'):
        write_file(tmp_path / 'taken', b'x', replace=True)
    assert [p.name for p in tmp_path.iterdir()] == ['taken']
