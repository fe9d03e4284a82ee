"""Light that reaches a camera, in colour or in the infrared."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from rs_ml_training.synth.lighting import (
    Lighting,
    Shadows,
    arriving,
    highlights,
    secondary_view,
)
from rs_ml_training.synth.patterns import PatternBank
from rs_ml_training.synth.projector import Projector
from rs_ml_training.synth.traced import TracedScene
from rs_ml_training.synth.view import View

_LEAST_SHARE = 0.05
"""Reflections weaker than this are left out."""
_Shader = Callable[[View, Shadows | None], np.ndarray]


@dataclass(frozen=True, eq=False)
class LitScene:
    """A scene, its patterns, its light, and the shadows as one camera sees them."""

    scene: TracedScene
    bank: PatternBank
    lighting: Lighting
    shadows: Shadows

    def color(self, view: View) -> np.ndarray:
        """Linear RGB, float32 (N, 3)."""
        return self._with_secondary(view, self._color_alone)

    def infrared(self, view: View, projector: Projector | None) -> np.ndarray:
        """Infrared, float32 (N, 1), dots of the projector included."""

        def alone(seen: View, shadows: Shadows | None) -> np.ndarray:
            return self._infrared_alone(seen, shadows, projector)

        return self._with_secondary(view, alone)

    def _with_secondary(self, view: View, alone: _Shader) -> np.ndarray:
        """Add what is seen in mirrors, without highlights and dots, and through glass."""
        table, material = self.scene.materials, view.surface.material
        light = alone(view, self.shadows)
        for share, mirrored in ((table.clear[material], False), (table.mirror[material], True)):
            if mirrored:
                share = share + (1 - share) * np.float32(0.6) * _grazing(view, share)
            rows = np.flatnonzero((share > _LEAST_SHARE) & view.seen)
            if not len(rows):
                continue
            other = secondary_view(self.scene, self.bank, view, rows, mirrored=mirrored)
            shadows = None if mirrored else self.shadows
            part = share[rows, None]
            light[rows] = (1 - part) * light[rows] + part * alone(other, shadows)
        return light

    def _color_alone(self, view: View, shadows: Shadows | None) -> np.ndarray:
        table, material = self.scene.materials, view.surface.material
        dark, tone = table.dark[material], view.tone[:, None]
        albedo = dark + tone * (table.light[material] - dark)
        colors = self.lighting.colors
        light = albedo * (arriving(view, self.lighting, shadows) @ colors)
        if shadows is not None:
            rows, shine = highlights(view, table.gloss[material], self.lighting)
            light[rows] += shine @ colors[1:]
        light += table.glow[material] * (np.float32(0.4) + np.float32(0.6) * tone)
        light[~view.seen] = 0
        return light

    def _infrared_alone(
        self, view: View, shadows: Shadows | None, projector: Projector | None
    ) -> np.ndarray:
        table, material = self.scene.materials, view.surface.material
        dark = table.ir_dark[material]
        albedo = dark + view.tone * (table.ir_light[material] - dark)
        colors = self.lighting.infrared[:, 0]
        light = arriving(view, self.lighting, shadows) @ colors
        if shadows is not None and projector is not None:
            light += projector.at(view, self.scene)
        light *= albedo
        if shadows is not None:
            rows, shine = highlights(view, table.gloss[material], self.lighting)
            light[rows] += shine @ colors[1:]
        light += table.ir_glow[material] * (np.float32(0.4) + np.float32(0.6) * view.tone)
        light[~view.seen] = 0
        return light[:, None]


def _grazing(view: View, mirror: np.ndarray) -> np.ndarray:
    """Schlick's approximation of Fresnel's law: 0 head-on, 1 at a slant; 0 for no mirrors."""
    slant = np.zeros_like(mirror)
    rows = np.flatnonzero(mirror > 0)
    directions = view.directions[rows]
    length = np.sqrt(np.einsum('ij,ij->i', directions, directions))
    cosine = np.abs(np.einsum('ij,ij->i', directions, view.surface.normals[rows])) / length
    rest = 1 - np.minimum(cosine, 1)
    slant[rows] = rest * rest * rest * rest * rest
    return slant
