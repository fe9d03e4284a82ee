"""rs-ml-predict from end to end, and what it says to wrong input."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import cv2
import numpy as np
import pytest
from rs_ml_perception.core.errors import ConfigError
from rs_ml_perception.core.geometry.camera import CameraModel
from rs_ml_training.cli.predict import camera_of, main

pytestmark = pytest.mark.usefixtures('kept_networks')


@pytest.fixture
def pictures(tmp_path, miniatures):
    """A folder with two pictures."""
    for seed in (0, 1):
        miniatures.save(tmp_path / 'pictures' / f'{seed}.png', miniatures.image(seed))
    return tmp_path / 'pictures'


def _names(folder) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def _run(*words) -> int:
    return main([str(word) for word in words])


def test_depth_of_a_folder(random_run, pictures, tmp_path, capsys) -> None:
    out = tmp_path / 'out'
    assert _run(random_run('depth'), pictures, '--out', out, '--batch-size', 2) == 0
    assert _names(out) == ['0_color.png', '0_depth.png', '1_color.png', '1_depth.png']
    stored = cv2.imread(str(out / '0_depth.png'), cv2.IMREAD_UNCHANGED)
    assert stored.dtype == np.uint16
    assert stored.shape == (48, 64)
    assert f'{out}: 2 images' in capsys.readouterr().out


def test_everything_of_a_data_set(random_run, miniature, tmp_path) -> None:
    path, out = miniature('nyu-labelled'), tmp_path / 'out'
    flags = ['--strips', '--errors', '--normals', '--cloud', '--no-keep-edges', '--flip']
    flags += ['--list', path / 'val.txt', '--sheet-rows', 8, '--depth-encoding', 'kitti']
    assert _run(random_run('depth'), f'nyu-labelled:{path}', '--out', out, *flags) == 0
    endings = ('cloud.ply', 'color.png', 'depth.png', 'error.png', 'normals.png', 'strip.png')
    assert _names(out) == [*(f'0012_{ending}' for ending in endings), 'sheet_000.png']


def test_masks_of_a_video(random_run, tmp_path) -> None:
    video, out = tmp_path / 'walk.mp4', tmp_path / 'out'
    writer = cv2.VideoWriter(str(video), cv2.VideoWriter_fourcc(*'mp4v'), 12.0, (64, 48))
    for shade in (0, 100, 200):
        writer.write(np.full((48, 64, 3), shade, np.uint8))
    writer.release()
    before = video.read_bytes()
    assert _run(random_run('segmentation'), video, '--out', out, '--no-pictures') == 0
    assert _names(out) == ['walk_overlay.mp4']
    made = cv2.VideoCapture(str(out / 'walk_overlay.mp4'))
    assert made.get(cv2.CAP_PROP_FRAME_COUNT) == 3
    assert made.get(cv2.CAP_PROP_FPS) == 12.0
    assert video.read_bytes() == before


def test_denoised_depth_files(random_run, miniature, tmp_path) -> None:
    path, out = miniature('intel-denoise'), tmp_path / 'out'
    assert _run(random_run('denoise'), path, '--out', out, '--limit', 1) == 0
    assert [name.partition('_')[2] for name in _names(out)] == [
        'color.png',
        'confidence.png',
        'depth.png',
    ]


@pytest.mark.slow
def test_detections_are_lines_of_json(random_run, pictures, tmp_path) -> None:
    out = tmp_path / 'out'
    assert _run(random_run('detection'), pictures, '--out', out, '--min-score', 0) == 0
    assert _names(out) == ['0_overlay.png', '1_overlay.png', 'results.jsonl']
    lines = [json.loads(line) for line in (out / 'results.jsonl').read_text().splitlines()]
    assert [line['image'] for line in lines] == ['0', '1']
    assert lines[0]['detections'][0]['label'] in ('cat', 'person')


@pytest.mark.parametrize(('data', 'columns'), [('camvid', 3), ('nyu-labelled', 2)])
def test_strips_show_truth_in_the_classes_of_the_network(
    random_run, miniature, tmp_path, data, columns
) -> None:
    path, out = miniature(data), tmp_path / 'out'
    source = f'{data}:{path / "train" if data == "camvid" else path}'
    assert _run(random_run('segmentation'), source, '--out', out, '--strips', '--limit', 1) == 0
    (strip,) = out.glob('*_strip.png')
    (mask,) = out.glob('*_mask.png')
    widths = [cv2.imread(str(p), cv2.IMREAD_UNCHANGED).shape[1] for p in (strip, mask)]
    assert widths[0] == columns * widths[1]


@pytest.mark.slow
def test_intermediates_of_local_planar_guidance(pictures, tmp_path) -> None:
    pytest.importorskip('keras')
    from rs_ml_training import trained

    run, out = tmp_path / 'run', tmp_path / 'out'
    run.mkdir()
    options = {'encoder': 'mobilenetv2'}
    spec = trained.ModelSpec('depth', 'bts', (64, 64), options=options)
    trained.write_spec(spec, run)
    trained.build(spec).save_weights(run / trained.LAST_WEIGHTS)
    assert _run(run, pictures / '0.png', '--out', out, '--intermediates', '--no-pictures') == 0
    maps = [f'0_{name}{end}' for name in ('lpg2', 'lpg4', 'lpg8') for end in ('', '_greys')]
    assert {'0_depth.png', *(f'{name}.png' for name in maps)} <= set(_names(out))


@pytest.mark.slow
def test_on_jax_it_is_the_same(random_run, pictures, tmp_path) -> None:
    pytest.importorskip('jax')
    depths = []
    for backend in ('tensorflow', 'jax'):
        out = tmp_path / backend
        command = [sys.executable, '-m', 'rs_ml_training.cli.predict', random_run('depth')]
        environment = {**os.environ, 'KERAS_BACKEND': backend}
        subprocess.run([*command, pictures, '--out', out], env=environment, check=True)
        depths.append(cv2.imread(str(out / '0_depth.png'), cv2.IMREAD_UNCHANGED).astype(int))
    assert np.abs(depths[0] - depths[1]).max() <= 1


def test_nothing_is_overwritten_unasked(random_run, pictures, tmp_path, capsys) -> None:
    out = tmp_path / 'out'
    out.mkdir()
    (out / '0_depth.png').write_bytes(b'mine')
    words = (random_run('depth'), pictures, '--out', out)
    assert _run(*words) == 2
    assert '--force' in capsys.readouterr().err
    assert (out / '0_depth.png').read_bytes() == b'mine'
    assert _run(*words, '--force', '--no-pictures', '--fps', 5) == 0
    assert _names(out) == ['0_depth.png', 'pictures_color.mp4']


def _damage(folder):
    (folder / '0.png').write_bytes(b'\x89PNG')
    return folder


def _clear(folder):
    for path in folder.iterdir():
        path.unlink()
    return folder


@pytest.mark.parametrize(
    ('change', 'flags', 'words'),
    [
        (_damage, [], '0.png is neither JPEG nor PNG'),
        (_clear, [], 'pictures holds no file'),
        (lambda folder: folder / 'none', [], 'none does not exist'),
        (lambda folder: folder, ['--intrinsics', '1,2,3'], 'is not fx,fy,cx,cy'),
        (lambda folder: folder, ['--intrinsics', '0,1,2,3'], 'must be positive'),
        (lambda folder: folder, ['--normals'], '--intrinsics'),
        (lambda folder: folder, ['--range-m', '3', '1'], 'NEAR and FAR'),
        (lambda folder: folder, ['--list', 'a.txt'], 'are for FORMAT:PATH, which no input is'),
        (lambda folder: folder, ['--data-option', 'a=1'], 'are for FORMAT:PATH'),
        (lambda folder: folder, ['--infrared', 'left'], 'are for denoise, this is depth'),
        (lambda folder: folder, ['--colormap', 'pink'], 'viridis'),
        (lambda folder: folder, ['--intermediates'], "no option 'intermediates'"),
        (lambda folder: folder, ['--input-size', '65x64'], 'multiples of 32'),
        (lambda folder: folder, ['--weights', 'none.h5'], 'none.h5'),
        (lambda folder: folder, ['--kb-crop'], '1216x352'),
    ],
)
def test_wrong_input_is_one_sentence(
    random_run, pictures, tmp_path, capsys, change, flags, words
) -> None:
    target = change(pictures)
    assert _run(random_run('depth'), target, '--out', tmp_path / 'out', *flags) == 2
    message = capsys.readouterr().err.strip().splitlines()[-1]
    assert message.startswith('error: ')
    assert words in message


def test_no_run_folder(pictures, tmp_path, capsys) -> None:
    for run, words in ((tmp_path / 'none', 'model.yaml is missing'), (pictures, 'model.yaml')):
        assert _run(run, pictures, '--out', tmp_path / 'out') == 2
        assert words in capsys.readouterr().err
    assert not (tmp_path / 'out').exists()


def test_weights_of_another_network(random_run, pictures, tmp_path, capsys) -> None:
    run = tmp_path / 'run'
    run.mkdir()
    (run / 'model.yaml').write_bytes((random_run('segmentation') / 'model.yaml').read_bytes())
    weights = (random_run('depth') / 'best.weights.h5').read_bytes()
    (run / 'best.weights.h5').write_bytes(weights)
    assert _run(run, pictures, '--out', tmp_path / 'out') == 2
    assert 'does not hold weights of unet-small' in capsys.readouterr().err


def test_out_is_asked_for(random_run, pictures, capsys) -> None:
    assert _run(random_run('depth'), pictures) == 2
    assert '--out is missing' in capsys.readouterr().err


def test_camera() -> None:
    assert camera_of('1.5,2,3,4')((6, 8)) == CameraModel(6, 8, 1.5, 2.0, 3.0, 4.0)
    with pytest.raises(ConfigError, match='a,b,c,d'):
        camera_of('a,b,c,d')
