"""Light that reaches a camera, in colour or in the infrared."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from rs_ml_training.synth.gbuffer import GBuffer
from rs_ml_training.synth.lighting import (
    Lighting,
    Shadows,
    arriving,
    highlights,
    secondary_view,
)
from rs_ml_training.synth.numerics import dot
from rs_ml_training.synth.patterns import PatternBank
from rs_ml_training.synth.projector import Projector
from rs_ml_training.synth.ray_scene import RayScene

_LEAST_SHARE = 0.05
"""Reflections weaker than this are left out."""
_Shader = Callable[[GBuffer, Shadows | None], np.ndarray]


@dataclass(frozen=True, eq=False)
class LitScene:
    """A scene, its patterns, its light, and the shadows as one camera sees them."""

    scene: RayScene
    bank: PatternBank
    lighting: Lighting
    shadows: Shadows

    def color(self, view: GBuffer) -> np.ndarray:
        """Linear RGB, float32 (3, N)."""
        return self._with_secondary(view, self._color_alone)

    def infrared(self, view: GBuffer, projector: Projector | None) -> np.ndarray:
        """Infrared, float32 (1, N), dots of the projector included."""

        def alone(seen: GBuffer, shadows: Shadows | None) -> np.ndarray:
            return self._infrared_alone(seen, shadows, projector)

        return self._with_secondary(view, alone)

    def _with_secondary(self, view: GBuffer, alone: _Shader) -> np.ndarray:
        """Add the view in mirrors, without highlights and dots, and through glass."""
        light = alone(view, self.shadows)
        for mirrored in (False, True):
            rows, share = self._shares(view, mirrored=mirrored)
            if not len(rows):
                continue
            other = secondary_view(self.scene, self.bank, view, rows, mirrored=mirrored)
            shadows = None if mirrored else self.shadows
            light[:, rows] = (1 - share) * light[:, rows] + share * alone(other, shadows)
        return light

    def _shares(self, view: GBuffer, *, mirrored: bool) -> tuple[np.ndarray, np.ndarray]:
        """Which rays go on behind or before a surface (R,), and how much they bring (R,)."""
        table = self.scene.materials
        share = table.mirror if mirrored else table.clear
        if not share.any():
            return np.zeros(0, np.intp), share[:0]
        rows = np.flatnonzero((share > 0).take(view.surface.material) & view.seen)
        share = share[view.surface.material[rows]]
        if mirrored:
            share = share + (1 - share) * np.float32(0.6) * _grazing(view, rows)
        strong = share > _LEAST_SHARE
        return rows[strong], share[strong]

    def _color_alone(self, view: GBuffer, shadows: Shadows | None) -> np.ndarray:
        table, material = self.scene.materials, view.surface.material
        albedo = (table.light - table.dark).T.take(material, axis=1)
        albedo *= view.tone
        albedo += table.dark.T.take(material, axis=1)
        colors = self.lighting.colors.T
        light = colors @ arriving(view, self.lighting, shadows)
        light *= albedo
        return self._with_own_light(view, light, colors, table.glow.T, shadows)

    def _infrared_alone(
        self, view: GBuffer, shadows: Shadows | None, projector: Projector | None
    ) -> np.ndarray:
        table, material = self.scene.materials, view.surface.material
        albedo = (table.ir_light - table.ir_dark).take(material)
        albedo *= view.tone
        albedo += table.ir_dark.take(material)
        colors = self.lighting.infrared.T
        light = colors @ arriving(view, self.lighting, shadows)
        if shadows is not None and projector is not None:
            light += projector.at(view, self.scene)
        light *= albedo
        return self._with_own_light(view, light, colors, table.ir_glow[None], shadows)

    def _with_own_light(
        self,
        view: GBuffer,
        light: np.ndarray,
        colors: np.ndarray,
        glow: np.ndarray,
        shadows: Shadows | None,
    ) -> np.ndarray:
        """Add highlights (where there are shadows) and glowing surfaces to light (C, N)."""
        table, material = self.scene.materials, view.surface.material
        if shadows is not None:
            rows, shine = highlights(view, table.gloss.take(material), self.lighting)
            light[:, rows] += colors[:, 1:] @ shine
        rows = np.flatnonzero(glow.any(axis=0).take(material))
        if len(rows):
            tone = np.float32(0.4) + np.float32(0.6) * view.tone[rows]
            light[:, rows] += glow.take(material[rows], axis=1) * tone
        light[:, view.unseen] = 0
        return light


def _grazing(view: GBuffer, rows: np.ndarray) -> np.ndarray:
    """Schlick's approximation of Fresnel's law for some rays: 0 head-on, 1 at a slant."""
    directions, normals = (a.take(rows, axis=1) for a in (view.directions, view.surface.normals))
    cosine = np.abs(dot(directions, normals)) / np.sqrt(dot(directions, directions))
    rest = 1 - np.minimum(cosine, 1)
    return rest * rest * rest * rest * rest
