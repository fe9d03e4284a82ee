"""Frames matched again: the truth stays, the measurement differs, the matcher is of training."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from rs_ml_perception.core.errors import ConfigError, InputError
from rs_ml_perception.core.geometry.camera import CameraModel
from rs_ml_training.cli.data import main
from rs_ml_training.data.stereo_frames import IntelDenoise
from rs_ml_training.data.text_files import write_camera
from rs_ml_training.synth.device import MATCHERS
from rs_ml_training.synth.matcher import Prefilter
from rs_ml_training.synth.options import Side
from rs_ml_training.synth.rematching import RematchOptions, rematch

DISPARITY_PX = 12
CAMERA = CameraModel(192, 64, 480.0, 480.0, 96.0, 32.0)
DEPTH_M = CAMERA.fx * 0.05 / DISPARITY_PX


@pytest.fixture
def frames(tmp_path):
    """A textured wall, seen twice."""
    folder = tmp_path / 'frames'
    folder.mkdir()
    texture = np.random.default_rng(0).integers(0, 256, (64, 240), np.uint8)
    texture = cv2.GaussianBlur(texture, (0, 0), 1.2)
    texture = cv2.normalize(texture, None, 20, 230, cv2.NORM_MINMAX)
    for number in (3, 8):
        maps = {
            'left': texture[:, :192],
            'right': texture[:, DISPARITY_PX : 192 + DISPARITY_PX],
            'gt': np.full((64, 192), round(1000 * DEPTH_M), np.uint16),
            'res': np.zeros((64, 192), np.uint16),
        }
        for kind, array in maps.items():
            cv2.imwrite(str(folder / f'{kind}-{number}.png'), array)
    write_camera(CAMERA, folder)
    return folder


def test_the_measurement_is_new_and_the_rest_is_copied(frames, tmp_path):
    out = tmp_path / 'again'
    assert main(['rematch', str(frames), '--out', str(out), '--seed', '5']) == 0
    before, after = IntelDenoise(frames, right=True), IntelDenoise(out, right=True)
    assert [after.name(i) for i in range(2)] == ['3', '8']
    for old, new in ((before.read(i), after.read(i)) for i in range(2)):
        assert (new.infrared == old.infrared).all()
        assert (new.depth_m == old.depth_m).all()
        assert new.intrinsics == old.intrinsics
        known = new.raw_depth_m > 0
        assert known.mean() > 0.5
        assert np.median(new.raw_depth_m[known]) == pytest.approx(DEPTH_M, rel=0.02)


@pytest.mark.parametrize('share', [0.0, 0.5, 1.0])
def test_settings_are_those_of_training_or_the_rank_transform(share):
    ranges = MATCHERS[Side.TRAIN]
    drawn = [RematchOptions(2, share).settings(number) for number in range(60)]
    ranked = [settings.prefilter is Prefilter.RANK for settings in drawn]
    assert np.mean(ranked) == pytest.approx(share, abs=0.2 if 0 < share < 1 else 0)
    assert {s.prefilter for s in drawn} <= {*ranges.prefilters, Prefilter.RANK}
    assert {s.block for s in drawn} <= set(ranges.blocks)
    assert drawn == [RematchOptions(2, share).settings(number) for number in range(60)]


@pytest.mark.parametrize(
    ('options', 'words'), [({'seed': -1}, '-1'), ({'rank_share': 1.5}, '1.5')]
)
def test_senseless_options(options, words):
    with pytest.raises(ConfigError, match=words):
        RematchOptions(**options)


@pytest.mark.parametrize('fault', ['camera', 'name', 'right'])
def test_wrong_frames_leave_nothing_behind(frames, tmp_path, fault):
    if fault == 'camera':
        (frames / 'intrinsics.yaml').unlink()
    if fault == 'right':
        (frames / 'right-8.png').unlink()
    if fault == 'name':
        for kind in ('left', 'right', 'gt', 'res'):
            (frames / f'{kind}-8.png').rename(frames / f'{kind}-eight.png')
    with pytest.raises(InputError, match=r'intrinsics|8|eight'):
        list(rematch(frames, tmp_path / 'again', RematchOptions()))
    assert not (tmp_path / 'again').exists()
