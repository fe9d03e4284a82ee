"""Where files that come with the package are found."""

import sys
from pathlib import Path

import pytest
from rs_ml_perception.core.installed import shared_folders

PROJECT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    ('name', 'expected'),
    [
        ('no-such-folder', []),
        ('config/models', [PROJECT / 'config' / 'models']),
        ('launch', [PROJECT / 'launch']),
    ],
)
def test_the_checkout_comes_first(name, expected, monkeypatch):
    monkeypatch.delenv('AMENT_PREFIX_PATH', raising=False)
    monkeypatch.setattr(sys, 'prefix', '/nowhere')
    assert shared_folders(name) == expected


def test_prefixes_follow_in_order(tmp_path, monkeypatch):
    folders = []
    for prefix in ('sys', 'first', 'second'):
        folders.append(tmp_path / prefix / 'share' / 'rs_ml_perception' / 'things')
        folders[-1].mkdir(parents=True)
    monkeypatch.setattr(sys, 'prefix', str(tmp_path / 'sys'))
    paths = f'{tmp_path / "first"}::{tmp_path / "second"}:{tmp_path / "first"}'
    monkeypatch.setenv('AMENT_PREFIX_PATH', paths)
    assert shared_folders('things') == folders
