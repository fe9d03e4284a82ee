"""NYU Depth v2 for segmentation with colour and depth as inputs."""

from __future__ import annotations

import dataclasses

from rs_ml_training.data.nyu_labelled import NyuLabelled
from rs_ml_training.data.sample import Sample


class NyuRgbd(NyuLabelled):
    """The layout of `NyuLabelled`, its depth as what the camera measured instead of the truth."""

    def read(self, index: int) -> Sample:
        sample = super().read(index)
        return dataclasses.replace(sample, raw_depth_m=sample.depth_m, depth_m=None)
