"""Noise curves of several cameras or data sets in one figure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from rs_ml_training.figures import require_suffix, save_figure
from rs_ml_training.metrics.noise_curve import NoiseCurve

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_LAWS_PX = (0.03, 0.1, 0.3)
_LAW_RANGE_M = np.array([0.3, 9.0])


@dataclass(frozen=True, eq=False)
class MeasuredNoise:
    """A curve and the camera it was measured with.

    Attributes:
        curve: see there.
        focal_baseline_px_m: disparity at 1 m [px].
    """

    curve: NoiseCurve
    focal_baseline_px_m: float

    @property
    def subpixel_px(self) -> np.ndarray:
        """RMS error of disparity at each range [px]."""
        return self.curve.subpixel_px(self.focal_baseline_px_m)


def draw_noise(measured: Mapping[str, MeasuredNoise], picture: Path) -> None:
    """Draw depth noise over range, and the error of disparity that explains it.

    Args:
        measured: by name; names that start with 'synth' are drawn dashed.
        picture: file to write, .png, .svg or .pdf; an existing one is replaced.

    Raises:
        ConfigError: the figure has another suffix.
        InputError: it cannot be written.
    """
    require_suffix(picture)
    from matplotlib.figure import Figure

    figure = Figure(figsize=(12, 4.5), layout='constrained')
    depth_axis, pixel_axis = figure.subplots(1, 2)
    focal_baseline = np.median([m.focal_baseline_px_m for m in measured.values()])
    for law_px in _LAWS_PX:
        _draw_law(depth_axis, pixel_axis, law_px, float(focal_baseline))
    for name, noise in measured.items():
        style = '--' if name.startswith('synth') else '-'
        curve = noise.curve
        depth_axis.plot(curve.range_m, 1000 * curve.rms_m, f'o{style}', ms=3, label=name)
        pixel_axis.plot(curve.range_m, noise.subpixel_px, f'o{style}', ms=3, label=name)
    _label(depth_axis, 'RMS from the plane [mm]')
    _label(pixel_axis, 'RMS error of disparity [px]')
    depth_axis.legend(fontsize=8)
    save_figure(figure, picture, dpi=90)


def _draw_law(depth_axis: Axes, pixel_axis: Axes, law_px: float, focal_baseline: float) -> None:
    law_mm = 1000 * law_px * _LAW_RANGE_M**2 / focal_baseline
    depth_axis.plot(_LAW_RANGE_M, law_mm, ':', color='gray', lw=1)
    place = _LAW_RANGE_M[1], law_mm[1]
    depth_axis.annotate(f'{law_px:g} px', place, fontsize=8, color='gray')
    pixel_axis.axhline(law_px, ls=':', color='gray', lw=1)


def _label(axis: Axes, text: str) -> None:
    axis.set_xscale('log')
    axis.set_yscale('log')
    axis.set_xticks([0.3, 0.5, 1, 2, 3, 5, 9], ['0.3', '0.5', '1', '2', '3', '5', '9'])
    axis.minorticks_off()
    axis.set_xlabel('range z [m]')
    axis.set_ylabel(text)
    axis.grid(alpha=0.3)
