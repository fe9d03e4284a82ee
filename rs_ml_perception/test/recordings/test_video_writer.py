"""Videos written frame by frame."""

from __future__ import annotations

import numpy as np
import pytest
from rs_ml_perception.core.errors import ConfigError
from rs_ml_perception.recordings.video_writer import VideoWriter, fps_of
from rs_ml_perception.recordings.videos import video_frames, video_info

GREY = np.full((48, 64, 3), 120, np.uint8)


@pytest.mark.parametrize(
    ('stamps_ns', 'fps'),
    [
        ([], 30.0),
        ([0, 0, 0], 30.0),
        ([0, 100_000_000, 200_000_000, 900_000_000], 10.0),
        ([0, 33_333_333, 66_666_666], 30.0),
    ],
)
def test_pace(stamps_ns, fps) -> None:
    assert fps_of(stamps_ns) == fps


@pytest.mark.parametrize(('count', 'fps', 'expected'), [(3, None, 20), (10, None, 20), (2, 5, 5)])
def test_every_frame_is_in_the_video(count, fps, expected, tmp_path) -> None:
    path = tmp_path / 'a.mp4'
    with VideoWriter(path, fps) as video:
        for number in range(count):
            video.write(GREY, number * 50_000_000)
    assert video_info(path).fps == expected
    assert [frame.color_image.shape for frame in video_frames(path)] == count * [(48, 64, 3)]


def test_frames_of_another_size_are_fitted(tmp_path) -> None:
    with VideoWriter(tmp_path / 'a.mp4', 10) as video:
        video.write(GREY)
        video.write(np.full((48, 200, 3), 250, np.uint8))
    _, second = video_frames(tmp_path / 'a.mp4')
    assert second.color_image.shape == (48, 64, 3)
    assert second.color_image[24, 32].mean() > 220
    assert second.color_image[2, 32].mean() < 80


@pytest.mark.parametrize(('error', 'is_kept'), [(KeyboardInterrupt, True), (ConfigError, False)])
def test_interrupted_videos_are_kept_and_failed_ones_removed(error, is_kept, tmp_path) -> None:
    def interrupted() -> None:
        with VideoWriter(tmp_path / 'a.mp4') as video:
            video.write(GREY)
            raise error('x')

    with pytest.raises(error):
        interrupted()
    assert [path.name for path in tmp_path.iterdir()] == (['a.mp4'] if is_kept else [])


def test_a_missing_folder_is_named(tmp_path) -> None:
    with (
        pytest.raises(ConfigError, match=r'missing/a\.mp4 cannot be written'),
        VideoWriter(tmp_path / 'missing' / 'a.mp4', 10) as video,
    ):
        video.write(GREY)
