"""The argument files that come with the package say what they are meant to."""

from __future__ import annotations

from pathlib import Path

import pytest
from rs_ml_training.cli.train import options_of, parser
from rs_ml_training.data.augment.presets import PRESETS
from rs_ml_training.data.formats import FORMATS
from rs_ml_training.networks.registry import entry_of

FOLDER = Path(__file__).parents[2] / 'args'
FILES = {
    'bts_kitti.txt': (
        'depth',
        {
            'model': 'bts',
            'input_size': (704, 352),
            'min_depth_m': 1.0,
            'max_depth_m': 80.0,
            'data_option': ('kb_crop=true', 'focal_scaling=true'),
        },
    ),
    'bts_nyu.txt': (
        'depth',
        {
            'model': 'bts',
            'input_size': (544, 416),
            'loss': 'silog',
            'adam_epsilon': 1e-3,
            'learning_rate': 1e-4,
            'end_learning_rate': 0.1,
        },
    ),
    'ddrnet_camvid.txt': (
        'segmentation',
        {'model': 'ddrnet23-slim', 'crop_size': (384, 288), 'class_weights': True},
    ),
    'deeplab_folder.txt': (
        'segmentation',
        {'model': 'deeplab-effnetv2s', 'loss': 'focal', 'confidence': True, 'weight_decay': 0.0},
    ),
    'denoise_intel.txt': ('denoise', {'model': 'unet-light', 'loss': 'denoise', 'batch_size': 2}),
    'denoise_world.txt': (
        'denoise',
        {
            'model': 'unet-planes',
            'model_option': ('max_depth_m=12',),
            'max_depth_m': 12.0,
            'input_size': (448, 256),
        },
    ),
    'detector_coco.txt': (
        'detection',
        {
            'model': 'nanodet-plus',
            'loss': 'generalized_focal',
            'model_option': ('batch_norm=false', 'fixed=neck'),
            'start_share': 0.85,
        },
    ),
    'detector_indoor.txt': (
        'detection',
        {'model': 'centernet-light', 'input_size': (320, 256), 'augment': 'detection-mixed'},
    ),
    'fastdepth_nyu.txt': (
        'depth',
        {'model': 'fastdepth', 'loss': 'l1', 'cache': True, 'input_size': (256, 192)},
    ),
    'mobile_depth_nyu.txt': (
        'depth',
        {'model': 'mobile-depth', 'loss': 'relative', 'encoder_rate': 0.1, 'monitor': 'd1'},
    ),
    'mobile_seg_indoor.txt': (
        'segmentation',
        {'model': 'mobile-seg', 'augment': 'indoor', 'crop_size': (384, 288), 'ema': 0.995},
    ),
    'pano.txt': (
        'depth',
        {'model': 'pano-depth', 'loss': 'l1_normal_ssim_sphere', 'input_size': (512, 256)},
    ),
}


def test_every_file_is_known():
    assert sorted(FILES) == sorted(file.name for file in FOLDER.glob('*.txt'))


@pytest.mark.parametrize('name', FILES)
def test_values(name):
    task, expected = FILES[name]
    arguments = parser().parse_args([f'@{FOLDER / name}', '--data', 'folder:x', '--epochs', '3'])
    options = options_of(arguments)
    assert arguments.task == task
    assert {key: getattr(options, key) for key in expected} == expected
    assert (options.data, options.epochs) == (('folder:x',), 3)
    entry = entry_of(options.model, task)
    assert all(side % entry.stride == 0 for side in options.input_size or entry.default_size)
    assert options.augment in PRESETS


@pytest.mark.parametrize('name', FILES)
def test_the_command_in_the_comment(name):
    words = (FOLDER / name).read_text().split()
    path, source = (words[words.index('rs-ml-train') + 1], words[words.index('--data') + 1])
    assert path == f'@rs_ml_training/args/{name}'
    assert source.partition(':')[0] in FORMATS
