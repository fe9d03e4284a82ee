"""Flags of `rs-ml-train`: what holds for a task and a network, and errors in one sentence."""

from __future__ import annotations

import pytest
from rs_ml_training.cli.train import main, options_of, parser


@pytest.mark.parametrize(
    ('words', 'expected'),
    [
        (('depth',), {'model': 'fastdepth', 'loss': 'l1', 'optimizer': 'adamw'}),
        (('depth', '--model', 'bts'), {'loss': 'silog', 'batch_size': 4, 'augment': 'bts-nyu'}),
        (('depth', '--model', 'bts', '--loss', 'l2'), {'loss': 'l2', 'learning_rate': 1e-4}),
        (('denoise',), {'model': 'unet-light', 'monitor': 'rmse_m'}),
        (('segmentation', '--ema', '0'), {'ema': 0.0, 'monitor': 'miou'}),
        (('detection', '--classes', 'person'), {'classes': ('person',)}),
    ],
)
def test_defaults_of_task_and_network(words, expected):
    options = options_of(parser().parse_args(words))
    assert {name: getattr(options, name) for name in expected} == expected


@pytest.mark.parametrize(
    ('words', 'message'),
    [
        (('depth',), '--data is missing'),
        (('depth', '--data', 'nyu'), 'is not FORMAT:PATH'),
        (('depth', '--data', 'camvid:/none'), '/none does not exist'),
        (('depth', '--epochs', '0'), '--epochs must be at least 1'),
        (('depth', '--trials', '2'), '--search is missing'),
    ],
)
def test_errors_are_one_sentence(words, message, capsys, tmp_path):
    pytest.importorskip('keras')
    assert main([*words, '--runs', str(tmp_path)]) == 2
    error = capsys.readouterr().err
    assert error.startswith('error: ')
    assert message in error
    assert error.count('\n') == 1
