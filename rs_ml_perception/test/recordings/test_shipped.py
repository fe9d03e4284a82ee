"""The recording that comes with the package."""

import pytest
from rs_ml_perception.core.errors import InputError
from rs_ml_perception.recordings.shipped import shipped_recording


def test_found_under_a_prefix(tmp_path, monkeypatch):
    folder = tmp_path / 'share' / 'rs_ml_perception' / 'recordings' / 'corridor'
    folder.mkdir(parents=True)
    monkeypatch.setenv('AMENT_PREFIX_PATH', str(tmp_path))
    with pytest.raises(InputError, match='corridor was not installed'):
        shipped_recording('corridor')
    (folder / 'metadata.yaml').touch()
    assert shipped_recording('corridor') == folder
