"""Training and validation parts without common scenes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
from rs_ml_perception.core.errors import ConfigError, InputError

from rs_ml_training.data.reader import Reader, Subset


def split_by_scene(
    reader: Reader, valid_share: float = 0.1, seed: int = 0
) -> tuple[Subset, Subset]:
    """Split so that every scene lies on one side; the same for the same seed.

    Scenes are drawn at random until the fraction is reached; one that would exceed it by more than
    a tenth is passed over. If none fits, the smallest scene is taken.

    Args:
        reader: the samples to split.
        valid_share: of the samples, in (0, 1).
        seed: of the drawing.

    Returns:
        (training, validation), both in the reader's order.

    Raises:
        ConfigError: the fraction is not within (0, 1).
        InputError: there are fewer than two scenes.
    """
    return _subsets(reader, *held_out_masks(_scenes(reader), valid_share, seed))


def hold_out_blocks(
    reader: Reader, valid_share: float = 0.1, seed: int = 0, margin: int = 2
) -> tuple[Subset, Subset]:
    """Split a sequence by blocks, and drop samples too near to a validation block.

    The scenes of the reader are the blocks, in the order of time: neighbours look alike,
    so `margin` samples at each side of a validation block belong to neither part.

    Args:
        reader: the sequence, as CamVid.
        valid_share: of the samples, in (0, 1).
        seed: of the drawing.
        margin: samples to drop at each border.

    Returns:
        (training, validation), both in the reader's order.

    Raises:
        ConfigError: the fraction or the margin is out of range.
        InputError: there are fewer than two blocks, or the margin leaves nothing to train on.
    """
    return _subsets(reader, *held_out_masks(_scenes(reader), valid_share, seed, margin))


def held_out_masks(
    scenes: Sequence[str], valid_share: float, seed: int, margin: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Which of some samples are for training and which for validation.

    Args:
        scenes: of every sample, in order.
        valid_share: of the samples, in (0, 1).
        seed: of the drawing.
        margin: samples to drop at each side of a validation scene.

    Returns:
        Two bool (N,).

    Raises:
        ConfigError: the fraction or the margin is out of range.
        InputError: there are fewer than two scenes, or nothing is left to train on.
    """
    if margin < 0:
        raise ConfigError(f'margin {margin} is not a number of samples: give 0 or more')
    chosen = _valid_scenes(Counter(scenes), valid_share, seed)
    held = np.array([scene in chosen for scene in scenes], bool)
    near = held.copy()
    for shift in range(1, margin + 1):
        near[shift:] |= held[:-shift]
        near[:-shift] |= held[shift:]
    if near.all():
        raise InputError(f'a margin of {margin} leaves no sample to train on: give less')
    return ~near, held


def _scenes(reader: Reader) -> list[str]:
    return [reader.scene(index) for index in range(len(reader))]


def _subsets(reader: Reader, train: np.ndarray, valid: np.ndarray) -> tuple[Subset, Subset]:
    return (
        Subset(reader, np.flatnonzero(train).tolist()),
        Subset(reader, np.flatnonzero(valid).tolist()),
    )


def _valid_scenes(sizes: Mapping[str, int], valid_share: float, seed: int) -> set[str]:
    if not 0 < valid_share < 1:
        raise ConfigError(f'valid_share {valid_share} is not a fraction: give 0.1 for a tenth')
    if len(sizes) < 2:
        raise InputError(
            f'{len(sizes)} scenes cannot be split: give more, or separate validation data'
        )
    names = sorted(sizes)
    wanted = valid_share * sum(sizes.values())
    chosen: set[str] = set()
    held = 0
    for index in np.random.default_rng(seed).permutation(len(names)):
        name = names[index]
        if held >= wanted:
            break
        if held + sizes[name] <= wanted * 1.1 and len(chosen) < len(names) - 1:
            chosen.add(name)
            held += sizes[name]
    return chosen or {min(names, key=lambda n: (sizes[n], n))}
