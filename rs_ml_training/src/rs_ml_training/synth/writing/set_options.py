"""What a data set of synthetic frames shall hold."""

from __future__ import annotations

from dataclasses import dataclass

from rs_ml_perception.core.errors import ConfigError

from rs_ml_training.synth.side import Side

INTEL, NYU, YOLO = LAYOUTS = ('intel', 'nyu', 'yolo')
SIDES = tuple(side.value for side in Side)
ANYBODY, UPRIGHT = PEOPLE = ('any', 'upright')
_SMALLEST_PX = 16


@dataclass(frozen=True)
class SetOptions:
    """Which rooms, seen how, in which layouts.

    Attributes:
        count: rooms.
        seed: room N, from 1, is drawn from seed + N, whatever the count is.
        side: train or test; the test side draws from rooms and matchers that training never sees.
        size: (width, height) of depth and infrared [px].
        color_size: (width, height) of colour [px].
        repeats: exposures of each room: the same view, other noise.
        layouts: of LAYOUTS.
        people: of PEOPLE; 'upright': all stand or walk, and one of them is in full view.
    """

    count: int = 100
    seed: int = 0
    side: str = 'train'
    size: tuple[int, int] = (848, 480)
    color_size: tuple[int, int] = (640, 480)
    repeats: int = 1
    layouts: tuple[str, ...] = LAYOUTS
    people: str = ANYBODY

    def __post_init__(self) -> None:
        for name in ('count', 'repeats'):
            if getattr(self, name) < 1:
                raise ConfigError(f'{name} {getattr(self, name)} is not possible: give 1 or more')
        if self.seed < 0:
            raise ConfigError(f'seed {self.seed} is not possible: give 0 or more')
        if self.side not in SIDES:
            raise ConfigError(f'side {self.side!r} is none of {", ".join(SIDES)}')
        if self.people not in PEOPLE:
            raise ConfigError(f'people {self.people!r} are none of {", ".join(PEOPLE)}')
        for width, height in (self.size, self.color_size):
            if min(width, height) < _SMALLEST_PX:
                raise ConfigError(f'{width}x{height} pictures are not possible: give 848x480')
        strange = [layout for layout in self.layouts if layout not in LAYOUTS]
        if strange or not self.layouts:
            raise ConfigError(f'layouts {self.layouts} are not of {", ".join(LAYOUTS)}')

    @property
    def frames(self) -> int:
        """Number of frames."""
        return self.count * self.repeats

    def room_seed(self, room: int) -> int:
        """What room N, from 1, is drawn from."""
        return self.seed + room

    def frame_name(self, room: int, exposure: int) -> str:
        """Name of exposure K, from 0, of room N, from 1; frames are numbered through from 1."""
        return str((room - 1) * self.repeats + exposure + 1)
