import cv2
import numpy as np
import pytest
from rs_ml_training.cli.data import main
from rs_ml_training.labelling.screen import Click, Window


class FakeHighgui:
    """OpenCV's windows without a display: remembers what was shown and where sliders stand."""

    def __init__(self, monkeypatch):
        self.shown, self.titles, self.positions, self.mouse = [], [], {}, None
        self.codes, self.visible = [], 1.0
        replaced = {
            'namedWindow': lambda *_: None,
            'destroyWindow': lambda _: self.positions.clear(),
            'setMouseCallback': lambda _, call: setattr(self, 'mouse', call),
            'imshow': lambda _, bgr: self.shown.append(bgr),
            'setWindowTitle': lambda _, title: self.titles.append(title),
            'createTrackbar': lambda name, _, at, __, ___: self.positions.update({name: at}),
            'setTrackbarMin': lambda *_: None,
            'getTrackbarPos': lambda name, _: self.positions[name],
            'waitKey': lambda _: self.codes.pop(0),
            'getWindowProperty': lambda *_: self.visible,
            'selectROI': lambda *_, **__: [1, 2, 3, 4],
        }
        for name, function in replaced.items():
            monkeypatch.setattr(cv2, name, function)


@pytest.fixture
def highgui(monkeypatch) -> FakeHighgui:
    return FakeHighgui(monkeypatch)


def test_images_are_shown_as_rgb(highgui):
    Window().show(np.uint8([[[1, 2, 3]]]), 'what to do')
    assert highgui.shown[0].tolist() == [[[3, 2, 1]]]
    assert highgui.titles == ['what to do']


def test_sliders_stand_where_they_are_put_until_there_are_others(highgui):
    window = Window()
    window.sliders({'low': 5}, {'low': (0, 9), 'other': (0, 1)})
    assert window.values() == {'low': 5}
    highgui.positions['low'] = 7
    assert window.values() == {'low': 7}
    window.sliders({}, {})
    assert window.values() == {}
    assert highgui.positions == {}


def test_clicks_and_strokes(highgui):
    window = Window()
    highgui.mouse(cv2.EVENT_LBUTTONDOWN, 3, 4, 0, None)
    highgui.mouse(cv2.EVENT_MOUSEMOVE, 4, 4, cv2.EVENT_FLAG_LBUTTON, None)
    highgui.mouse(cv2.EVENT_MOUSEMOVE, 5, 4, 0, None)
    highgui.mouse(cv2.EVENT_MBUTTONDOWN, 6, 7, 0, None)
    expected = [Click(3, 4, 'left'), Click(4, 4, 'left'), Click(6, 7, 'middle')]
    assert window.clicks() == expected
    assert window.clicks() == []


def test_keys_and_closing(highgui):
    window = Window()
    highgui.codes = [-1, ord('q'), -1]
    assert window.key() == ''
    assert window.key() == 'q'
    highgui.visible = 0.0
    with pytest.raises(KeyboardInterrupt):
        window.key()


def test_rectangle(highgui):
    assert Window().rectangle(np.zeros((9, 9, 3), np.uint8), 'drag') == (1, 2, 3, 4)


@pytest.mark.parametrize(
    'arguments', [['label', 'binary', 'IN'], ['capture', 'IN/v.avi', '--by-key']]
)
def test_without_a_display_the_error_names_the_way_out(tmp_path, monkeypatch, capsys, arguments):
    def nothing(*_):
        raise cv2.error('The function is not implemented')

    monkeypatch.setattr(cv2, 'namedWindow', nothing)
    filled = [a.replace('IN', str(tmp_path)) for a in arguments]
    assert main([*filled, '--out', str(tmp_path / 'out')]) == 2
    assert 'pip install opencv-python' in capsys.readouterr().err
