"""The look of surfaces in visible light and in the infrared of the imagers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from rs_ml_perception.core.errors import ConfigError

from rs_ml_training.synth.numerics import triple
from rs_ml_training.synth.patterns import VARIANTS

Rgb = tuple[float, float, float]

_GROUND, _PILE, _GRAIN, _BANDS, _REPEATS, _TILES, _CLOTH, _PRINT = range(8)
"""The meaning of the kinds of patterns of a side, by their order."""


@dataclass(frozen=True)
class Material:
    """A surface; colours are linear, 0..1.

    Attributes:
        pattern: place in the pattern bank of the side.
        repeat_m: size of one repeat of the pattern.
        dark, light: RGB where the pattern is 0 and where it is 1.
        ir_dark, ir_light: albedo in the infrared there.
        gloss: strength of highlights.
        mirror: fraction of light that is reflected as in a mirror.
        clear: fraction that passes straight through, as in glass.
        glow: RGB that the surface sends out by itself.
        ir_glow: the same in the infrared.
    """

    pattern: int
    repeat_m: float
    dark: Rgb
    light: Rgb
    ir_dark: float
    ir_light: float
    gloss: float = 0.0
    mirror: float = 0.0
    clear: float = 0.0
    glow: Rgb = (0.0, 0.0, 0.0)
    ir_glow: float = 0.0

    def __post_init__(self) -> None:
        if self.repeat_m <= 0:
            raise ConfigError(f'repeat_m must be positive, got {self.repeat_m}')
        if not 0 <= self.mirror + self.clear <= 1:
            raise ConfigError(f'mirror + clear must be within 0..1: {self.mirror}, {self.clear}')


class MaterialTable:
    """Properties of many materials as arrays: row i is that of material i."""

    def __init__(self, materials: Sequence[Material]) -> None:
        def column(name: str) -> np.ndarray:
            return np.array([getattr(m, name) for m in materials], np.float32)

        self.pattern = column('pattern').astype(np.int32)
        self.repeat_m = column('repeat_m')
        self.dark, self.light = column('dark'), column('light')
        self.ir_dark, self.ir_light = column('ir_dark'), column('ir_light')
        self.gloss, self.mirror, self.clear = column('gloss'), column('mirror'), column('clear')
        self.glow, self.ir_glow = column('glow'), column('ir_glow')


class MaterialMaker:
    """Draws materials, with patterns of the bank of one side."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._rng = rng

    def paint(self) -> Material:
        """Of walls and ceilings: light, nearly plain; now and then papered or of brick."""
        kind = self._rng.choice([_GROUND, _BANDS, _REPEATS, _TILES], p=[0.72, 0.1, 0.08, 0.1])
        plain = kind == _GROUND
        return self._make(
            kind,
            self._rng.uniform(0.6, 2.0),
            self._tint(self._rng.uniform(0.35, 0.9), 0.12),
            contrast=self._rng.uniform(0.01, 0.1) if plain else self._rng.uniform(0.05, 0.35),
            ir=self._rng.uniform(0.45, 0.85),
        )

    def floor(self) -> Material:
        """Wood, tiles, carpet."""
        kind = self._rng.choice([_GRAIN, _TILES, _PILE, _GROUND, _BANDS])
        hard = kind in (_GRAIN, _TILES)
        return self._make(
            kind,
            self._rng.uniform(0.5, 1.6),
            self._tint(self._rng.uniform(0.12, 0.6), 0.35),
            contrast=self._rng.uniform(0.1, 0.6),
            ir=self._rng.uniform(0.25, 0.7),
            gloss=self._rng.uniform(0.0, 0.5) if hard else 0.0,
            mirror=self._rng.choice([0.0, self._rng.uniform(0.02, 0.1)]) if hard else 0.0,
        )

    def wood(self) -> Material:
        """Of furniture; now and then painted."""
        warm = np.array([1.0, 0.68, 0.42]) ** self._rng.uniform(0.3, 1.2)
        if self._rng.random() < 0.25:
            warm = np.ones(3) * self._rng.uniform(0.6, 1.2)
        return self._make(
            _GRAIN,
            self._rng.uniform(0.3, 0.9),
            tuple(np.clip(warm * self._rng.uniform(0.1, 0.7), 0.01, 0.95)),
            contrast=self._rng.uniform(0.1, 0.6),
            ir=self._rng.uniform(0.3, 0.75),
            gloss=self._rng.uniform(0.0, 0.4),
        )

    def cloth(self) -> Material:
        """Of clothes, cushions and curtains: any colour, bright in the infrared mostly."""
        kind = self._rng.choice([_CLOTH, _PILE, _BANDS, _REPEATS, _PRINT, _GROUND])
        return self._make(
            kind,
            self._rng.uniform(0.12, 0.5),
            self._any_color(),
            contrast=self._rng.uniform(0.05, 0.8),
            ir=self._rng.uniform(0.2, 0.8) if self._rng.random() < 0.85 else 0.05,
            ir_contrast=self._rng.uniform(0.03, 0.3),
        )

    def plastic(self) -> Material:
        """Smooth, of any colour, one in six black to both kinds of light."""
        black = self._rng.random() < 1 / 6
        return self._make(
            _GROUND,
            self._rng.uniform(0.2, 0.8),
            (0.015,) * 3 if black else self._any_color(),
            contrast=self._rng.uniform(0.0, 0.15),
            ir=self._rng.uniform(0.008, 0.03) if black else self._rng.uniform(0.1, 0.8),
            gloss=self._rng.uniform(0.1, 0.8),
            mirror=self._rng.choice([0.0, 0.04], p=[0.8, 0.2]),
        )

    def metal(self) -> Material:
        """Steel and chrome: little colour, mostly reflections of the room."""
        return self._make(
            _GROUND,
            0.4,
            (self._rng.uniform(0.15, 0.45),) * 3,
            contrast=0.1,
            ir=self._rng.uniform(0.1, 0.4),
            gloss=self._rng.uniform(0.5, 1.5),
            mirror=self._rng.uniform(0.1, 0.7),
        )

    def glass(self) -> Material:
        """Glass, which both imagers see through."""
        return Material(
            0, 1.0, (0.05,) * 3, (0.06,) * 3, 0.03, 0.04,
            gloss=1.0, mirror=self._rng.uniform(0.04, 0.2), clear=self._rng.uniform(0.6, 0.8),
        )  # fmt: skip

    def mirror(self) -> Material:
        """Of bathrooms and wardrobes."""
        return Material(0, 1.0, (0.02,) * 3, (0.03,) * 3, 0.02, 0.03, gloss=0.5, mirror=0.9)

    def screen(self) -> Material:
        """Of a television: black glass, or a picture; no infrared from it."""
        dark = Material(
            0, 1.0, (0.01,) * 3, (0.015,) * 3, 0.008, 0.012,
            gloss=0.6, mirror=self._rng.uniform(0.03, 0.15),
        )  # fmt: skip
        if self._rng.random() < 0.6:
            return dark
        picture = self.print()
        glow = triple(0.5 * c for c in picture.light)
        return Material(
            picture.pattern, 0.9, (0.02,) * 3, picture.light, 0.01, 0.015,
            gloss=0.4, mirror=0.03, glow=glow,
        )  # fmt: skip

    def print(self) -> Material:
        """Pictures, covers of books, labels of boxes."""
        return self._make(
            _PRINT,
            self._rng.uniform(0.3, 0.9),
            self._any_color(),
            contrast=self._rng.uniform(0.4, 0.9),
            ir=self._rng.uniform(0.3, 0.7),
            ir_contrast=self._rng.uniform(0.1, 0.6),
            gloss=self._rng.choice([0.0, 0.4]),
        )

    def skin(self) -> Material:
        """From light to dark; hardly any difference in the infrared."""
        tone = self._rng.beta(1.3, 1.3)
        light, dark = np.array([0.75, 0.5, 0.38]), np.array([0.09, 0.045, 0.028])
        color = triple(light ** (1 - tone) * dark**tone)
        ir = 0.65 - 0.25 * tone
        return self._make(_GROUND, 0.15, color, contrast=0.12, ir=ir, ir_contrast=0.05, gloss=0.08)

    def hair(self) -> Material:
        """Black, brown, fair, gray."""
        brown = np.array([0.10, 0.055, 0.03]) * self._rng.uniform(0.15, 4.5)
        gray = np.ones(3) * self._rng.uniform(0.1, 0.6)
        color = triple(gray if self._rng.random() < 0.15 else np.clip(brown, 0.008, 0.6))
        return self._make(_PILE, 0.1, color, contrast=0.6, ir=self._rng.uniform(0.05, 0.35))

    def leaf(self) -> Material:
        """Green, and very bright in the infrared."""
        green = np.array([0.10, 0.32, 0.06]) * self._rng.uniform(0.3, 1.2)
        return self._make(
            _CLOTH, 0.2, triple(green), contrast=0.4, ir=self._rng.uniform(0.5, 0.85)
        )

    def outside(self) -> Material:
        """The view from a window: bright, in the infrared too by day."""
        day = self._rng.uniform(0.0, 1.6)
        glow = triple(day * c for c in self._tint(0.8, 0.4))
        return Material(
            self._place(_GROUND), 4.0, (0.05,) * 3, (0.4,) * 3, 0.1, 0.4,
            glow=glow, ir_glow=day * self._rng.uniform(0.1, 0.8),
        )  # fmt: skip

    def lamp(self) -> Material:
        """A shade with a burning bulb; LEDs send no infrared, bulbs do."""
        ir = float(self._rng.choice([0.0, 1.5]))
        glow = (1.6, 1.5, 1.3)
        return Material(0, 1.0, (0.8,) * 3, (0.9,) * 3, 0.7, 0.8, glow=glow, ir_glow=ir)

    def _make(
        self,
        kind: int,
        repeat_m: float,
        color: Rgb,
        *,
        contrast: float,
        ir: float,
        ir_contrast: float | None = None,
        gloss: float = 0.0,
        mirror: float = 0.0,
    ) -> Material:
        dark_color = triple(c * (1 - contrast) for c in color)
        if kind in (_BANDS, _REPEATS, _PRINT) and contrast > 0.3:
            dark_color = self._any_color()
        ir_contrast = (
            contrast * self._rng.uniform(0.3, 1.0) if ir_contrast is None else ir_contrast
        )
        return Material(
            self._place(kind),
            float(repeat_m),
            dark_color,
            triple(color),
            float(ir * (1 - ir_contrast)),
            float(ir),
            gloss=float(gloss),
            mirror=float(mirror),
        )

    def _place(self, kind: int) -> int:
        return int(kind * VARIANTS + self._rng.integers(VARIANTS))

    def _tint(self, gray: float, saturation: float) -> Rgb:
        return triple(np.clip(gray * (1 + saturation * self._rng.uniform(-1, 0.4, 3)), 0.01, 0.95))

    def _any_color(self) -> Rgb:
        bright = self._rng.uniform(0.02, 0.9) ** 1.5
        hue = self._rng.uniform(0.05, 1.0, 3)
        hue /= hue.max()
        vivid = self._rng.uniform(0.0, 1.0)
        return triple(np.clip(bright * (vivid * hue + (1 - vivid)), 0.008, 0.95))
