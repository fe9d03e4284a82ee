"""Inputs of rs-ml-predict: pictures, folders, videos, data sets, depth files."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
from rs_ml_perception.core.errors import ConfigError, InputError
from rs_ml_training.prediction.sources import DepthFiles, completed, limited, open_sources


@pytest.fixture
def folder(tmp_path, miniatures):
    """Three pictures whose names sort differently as text and as numbers, and a note."""
    root = tmp_path / 'pictures'
    for seed, name in enumerate(('frame_10', 'frame_9', 'frame_100')):
        miniatures.save(root / f'{name}.png', miniatures.image(seed))
    (root / 'note.txt').write_text('x')
    return root


@pytest.fixture
def video(tmp_path):
    path = tmp_path / 'walk.avi'
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*'MJPG'), 12.5, (64, 48))
    for shade in (0, 60, 120, 180):
        writer.write(np.full((48, 64, 3), shade, np.uint8))
    writer.release()
    return path


def _names(source) -> list[str]:
    return [sample.name for sample in source.samples()]


def test_images_of_a_folder_come_in_the_order_of_their_numbers(folder) -> None:
    (source,) = open_sources([str(folder)])
    assert _names(source) == ['frame_9', 'frame_10', 'frame_100']
    assert (source.count, source.fps) == (3, None)
    assert next(source.samples()).image.shape == (48, 64, 3)
    assert _names(limited(source, 2)) == ['frame_9', 'frame_10']
    assert limited(source, 9).count == 3


def test_frames_of_a_video(video) -> None:
    (source,) = open_sources([str(video)])
    assert _names(source) == [f'walk_{i:06d}' for i in range(4)]
    assert (source.count, source.fps) == (4, 12.5)
    shades = [float(sample.image.mean()) for sample in source.samples()]
    np.testing.assert_allclose(shades, [0, 60, 120, 180], atol=3)


def test_a_folder_without_images_gives_its_videos(video) -> None:
    (source,) = open_sources([str(video.parent)])
    assert source.name == str(video)


def test_a_data_set_brings_truth_and_labels(miniature) -> None:
    path = miniature('camvid')
    (source,) = open_sources([f'camvid:{path / "train"}'])
    assert source.labels[0] == 'Sky'
    assert next(source.samples()).labels is not None


def test_several_inputs_keep_their_order(folder, video) -> None:
    found = open_sources([str(video), str(folder / 'frame_9.png')])
    assert [len(_names(source)) for source in found] == [4, 1]


def test_something_is_added_to_every_sample(folder) -> None:
    (source,) = open_sources([str(folder)])
    seen = completed(source, lambda sample: replace(sample, focal_px=500.0))
    assert [sample.focal_px for sample in seen.samples()] == [500.0] * 3


def test_depth_files_with_infrared_next_to_them(tmp_path, miniatures) -> None:
    miniatures.save(tmp_path / 'res-1.png', miniatures.millimetres(0))
    miniatures.save(tmp_path / 'left-1.png', np.full((48, 64), 77, np.uint8))
    miniatures.save(tmp_path / 'gt-1.png', miniatures.millimetres(1))
    (source,) = open_sources([str(tmp_path)], DepthFiles())
    (sample,) = source.samples()
    assert sample.name == 'res-1'
    assert (sample.infrared == 77).all()
    np.testing.assert_allclose(sample.raw_depth_m, miniatures.depth_m(0), atol=6e-4)


def test_depth_files_with_a_folder_of_infrared(tmp_path, miniatures) -> None:
    path = miniatures.save(tmp_path / 'depth' / 'a.png', miniatures.millimetres(0))
    miniatures.save(tmp_path / 'infrared' / 'a.png', np.full((48, 64), 77, np.uint8))
    assert (DepthFiles(infrared=tmp_path / 'infrared')(path).infrared == 77).all()
    assert DepthFiles()(path).infrared is None
    with pytest.raises(InputError, match=r'elsewhere.a\.png'):
        DepthFiles(infrared=tmp_path / 'elsewhere')(path)


def _empty(root):
    (root / 'empty').mkdir()
    return root / 'empty'


def _text(root):
    (root / 'a.txt').write_text('x')
    return root / 'a.txt'


def _damaged_video(root):
    (root / 'bad.mp4').write_bytes(b'not a video')
    return root / 'bad.mp4'


@pytest.mark.parametrize(
    ('make', 'words'),
    [
        (lambda root: root / 'missing', 'does not exist'),
        (_empty, 'holds no file'),
        (_text, 'is no input'),
        (_damaged_video, 'holds no frame'),
    ],
)
def test_wrong_inputs_are_named(tmp_path, make, words) -> None:
    path = make(tmp_path)
    with pytest.raises(InputError, match=words) as caught:
        open_sources([str(path)])
    assert str(path) in str(caught.value)


def test_list_of_a_data_set(miniature, tmp_path) -> None:
    path = miniature('nyu-labelled')
    (source,) = open_sources([f'nyu-labelled:{path}'], list_file=path / 'val.txt')
    assert _names(source) == ['0012']
    with pytest.raises(InputError, match='missing'):
        open_sources([f'nyu-labelled:{path}'], list_file=tmp_path / 'missing.txt')
    with pytest.raises(ConfigError, match="no option 'sides'"):
        open_sources([f'nyu-labelled:{path}'], sides=3)


def test_damaged_image_is_named_when_it_is_its_turn(folder) -> None:
    (folder / 'frame_99.png').write_bytes(b'\x89PNG broken')
    (source,) = open_sources([str(folder)])
    samples = source.samples()
    next(samples)
    next(samples)
    with pytest.raises(InputError, match='frame_99'):
        next(samples)
