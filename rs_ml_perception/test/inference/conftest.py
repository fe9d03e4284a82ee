"""Made-up inputs."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest
from rs_ml_perception.core.frames.frame import Frame
from rs_ml_perception.inference.golden import picture_inputs
from rs_ml_perception.inference.manifest import ModelManifest

BLOCKS = (6, 8, 3)


@pytest.fixture
def made_up_inputs() -> Callable[[ModelManifest, int], dict[str, np.ndarray]]:
    """(manifest, seed) -> input tensors of a picture of coloured blocks."""

    def make(manifest: ModelManifest, seed: int) -> dict[str, np.ndarray]:
        blocks = np.random.default_rng(seed).integers(0, 256, BLOCKS, np.uint8)
        rgb = cv2.resize(blocks, (640, 480), interpolation=cv2.INTER_CUBIC)
        return picture_inputs(manifest.inputs, Frame(rgb=rgb), model=manifest.title)

    return make
