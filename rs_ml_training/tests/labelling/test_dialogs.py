from pathlib import Path

import cv2
import numpy as np
import pytest
from rs_ml_training.cli.data import main
from rs_ml_training.cli.data_labelling import LabelOptions, label
from rs_ml_training.data.formats import open_data
from rs_ml_training.labelling import dialogs
from rs_ml_training.labelling.screen import Click


class Script:
    """A user who answers in this order, and leaves the sliders where they are put."""

    def __init__(self, keys='', clicks=(), rectangle=(0, 0, 0, 0), values=None):
        self._keys, self._clicks = list(keys), list(clicks)
        self._rectangle, self._moved = rectangle, values or {}
        self._values, self.titles = {}, []

    def show(self, rgb, title):
        assert rgb.dtype == np.uint8
        assert rgb.ndim == 3
        self.titles.append(title)

    def sliders(self, starts, ranges):
        assert all(ranges[n][0] <= v <= ranges[n][1] for n, v in starts.items())
        self._values = dict(starts) | {n: v for n, v in self._moved.items() if n in starts}

    def values(self):
        return self._values

    def key(self):
        return self._keys.pop(0)

    def clicks(self):
        return [self._clicks.pop(0)] if self._clicks else []

    def rectangle(self, rgb, title):
        return self._rectangle


def part() -> np.ndarray:
    rgb = np.full((100, 120, 3), 30, np.uint8)
    rgb[20:80, 20:100] = 220
    cv2.circle(rgb, (60, 50), 8, (40, 40, 40), cv2.FILLED)
    return rgb


@pytest.mark.parametrize(
    ('rectangle', 'keys', 'pixels'),
    [
        ((0, 0, 0, 0), '', None),
        ((10, 10, 100, 80), ['', 'x', 'q', 'x', '1'], 4800),
        ((10, 10, 100, 80), 'qn', None),
        ((10, 10, 100, 80), 'qq', None),
    ],
)
def test_mask_of_an_object(rectangle, keys, pixels):
    mask = dialogs.mask_of_object(part(), Script(keys, rectangle=rectangle))
    if pixels is None:
        assert mask is None
    else:
        assert mask.sum() == pytest.approx(pixels, rel=0.1)
        assert mask[50, 60]


def test_no_outline_is_no_mask():
    script = Script('q', rectangle=(10, 10, 100, 80), values={'black': 255})
    assert dialogs.mask_of_object(part(), script) is None
    assert script.titles[-1].startswith('0 outlines')


@pytest.mark.parametrize('by_circles', [False, True])
@pytest.mark.parametrize(('last', 'saved'), [('1', True), ('q', False)])
def test_labels_of_holes(by_circles, last, saved):
    mask = np.zeros((100, 120), bool)
    mask[25:75, 25:95] = True
    script = Script(['q', '1', last] if by_circles else ['q', '1', 'q', last])
    labels = dialogs.labels_of_holes(part(), mask, script, by_circles=by_circles)
    if not saved:
        assert labels is None
        return
    assert labels[50, 60] == dialogs.HOLE
    assert labels[30, 30] == dialogs.OBJECT
    assert labels[5, 5] == 0
    assert (labels == dialogs.HOLE).sum() < 450


def test_holes_of_nothing():
    assert dialogs.labels_of_holes(part(), np.zeros((100, 120), bool), Script()) is None


def test_brush_paints_the_class_of_the_key_and_erases():
    clicks = [Click(60, 50, 'left'), Click(30, 30, 'left'), Click(60, 50, 'middle')]
    script = Script(['', '3', '', 's'], clicks)
    labels = dialogs.labels_by_brush(part(), np.zeros((100, 120), np.uint8), script)
    assert labels[30, 30] == 1
    assert labels[50, 60] == 0
    assert labels[44, 60] == 1
    assert script.titles[-1].startswith('class 3')
    assert dialogs.labels_by_brush(part(), labels, Script('q')) is None


@pytest.fixture
def pictures(tmp_path) -> Path:
    (tmp_path / 'in').mkdir()
    for index in (1, 2):
        cv2.imwrite(str(tmp_path / 'in' / f'{index}.png'), part())
    return tmp_path / 'in'


def test_binary_then_semantic_is_a_data_set(pictures, tmp_path):
    flags = LabelOptions(out=tmp_path / 'masks')
    assert label('binary', pictures, flags, Script('q1qq', rectangle=(10, 10, 100, 80))) == 1
    assert label('binary', pictures, flags, Script('q1', rectangle=(10, 10, 100, 80))) == 1
    assert label('binary', pictures, flags, Script()) == 0
    reader = open_data(f'folder:{flags.out}')
    assert reader.labels == ('background', 'foreground')
    assert reader.read(1).labels[50, 60] == 1
    flags = LabelOptions(masks=flags.out / 'mask', out=tmp_path / 'holes')
    assert label('semantic', pictures, flags, Script(['q', 'n', '1', '1'] * 2)) == 2
    reader = open_data(f'folder:{flags.out}')
    assert set(np.unique(reader.read(0).labels)) == {0, 1, 2}
    check = cv2.imread(str(flags.out / 'check_gt' / '1.png'), cv2.IMREAD_UNCHANGED)
    assert set(np.unique(check)) == {0, 127, 254}


def test_empty_masks_need_no_window(pictures, tmp_path, capsys):
    out = tmp_path / 'empty'
    assert main(['label', 'empty', str(pictures), '--out', str(out)]) == 0
    assert '2 images' in capsys.readouterr().out
    mask = cv2.imread(str(out / 'mask' / '2_mask.png'), cv2.IMREAD_UNCHANGED)
    assert mask.shape == (100, 120)
    assert not mask.any()


def test_images_without_an_object_join_the_labels(pictures, tmp_path):
    out = tmp_path / 'out'
    assert label('brush', pictures, LabelOptions(out=out), Script('qs')) == 1
    assert main(['label', 'empty', str(pictures), '--out', str(out)]) == 0
    assert len(open_data(f'folder:{out}')) == 2
    assert not (out / 'mask').exists()


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (['semantic', 'IN'], 'needs --masks'),
        (['empty', 'nowhere'], 'nowhere is missing'),
    ],
)
def test_errors_are_one_sentence(pictures, tmp_path, capsys, arguments, message):
    filled = [a.replace('IN', str(pictures)) for a in arguments]
    assert main(['label', *filled, '--out', str(tmp_path / 'out')]) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / 'out').exists()
