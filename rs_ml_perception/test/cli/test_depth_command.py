"""rs-ml depth: video, normals and clouds from the shipped network."""

from __future__ import annotations

import pytest
from rs_ml_perception.cli.main import main
from rs_ml_perception.recordings.videos import VideoInfo, video_info


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_video_becomes_a_depth_video(bag, tmp_path):
    out, video = tmp_path / 'out', tmp_path / 'depth.mp4'
    words = ['depth', str(bag), '--out', str(out), '--video', str(video)]
    assert main([*words, '--cloud', '--normals']) == 0
    assert video_info(video) == VideoInfo(30.3, 3)
    endings = ('cloud.ply', 'normals.png')
    assert names(out) == [f'kitchen_00000{n}_{end}' for n in range(3) for end in endings]


@pytest.mark.parametrize(('more', 'status'), [([], 2), (['--panorama'], 0)])
def test_clouds_need_a_camera_or_a_panorama(more, status, write_pictures, capsys):
    folder = write_pictures('a.png')
    words = ['depth', str(folder / 'a.png'), '--out', str(folder / 'out'), '--cloud']
    assert main([*words, '--no-pictures', *more]) == status
    if status:
        assert 'pass --intrinsics' in capsys.readouterr().err
    else:
        assert names(folder / 'out') == ['a_cloud.ply', 'a_depth.png']
