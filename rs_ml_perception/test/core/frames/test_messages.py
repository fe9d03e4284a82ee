"""Headers of messages."""

from types import SimpleNamespace

import pytest
from rs_ml_perception.core.errors import InputError
from rs_ml_perception.core.frames.messages import (
    check_frame_id,
    color_from_message,
    depth_from_message,
    infrared_from_message,
)


@pytest.mark.parametrize('frame_id', ['', 'camera_color_optical_frame', '/old', 'x' * 256, 'é'])
def test_frames(frame_id):
    check_frame_id(frame_id)


@pytest.mark.parametrize('frame_id', ['x' * 257, 'x' * 5000, 'a\x1b[2J', 'a\nb', '\u202e'])
def test_impossible_frame_ids(frame_id):
    message = SimpleNamespace(header=SimpleNamespace(frame_id=frame_id))
    for read in (color_from_message, depth_from_message, infrared_from_message):
        with pytest.raises(InputError, match='frame_id must be a printable name') as caught:
            read(message)
        assert len(str(caught.value)) < 500
        assert str(caught.value).isprintable()
