"""The two sides of the synthetic world, which share no room, furniture, texture or matcher."""

from __future__ import annotations

from enum import Enum


class Side(str, Enum):
    """What a world may be used for."""

    TRAIN = 'train'
    TEST = 'test'
