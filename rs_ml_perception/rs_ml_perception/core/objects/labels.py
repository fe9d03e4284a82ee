"""Class names and their colours."""

from __future__ import annotations

import colorsys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from rs_ml_perception.core.errors import ConfigError, InputError, shortened

UNLABELLED = 255
"""Mask value of a pixel without a class."""


MAX_LABEL = 200
"""Characters of a name."""


def check_label(name: str) -> None:
    """Raise InputError for a name that images and logs cannot show."""
    if len(name) > MAX_LABEL or not name.isprintable():
        raise InputError(
            f'a label must be of at most {MAX_LABEL} printable characters, got {len(name)}: '
            f'{shortened(name, MAX_LABEL)!r}'
        )


@dataclass(frozen=True)
class LabelMap:
    """Class ids and names of one model.

    Attributes:
        names: id -> name, in ascending order of id.
    """

    names: Mapping[int, str]

    def name(self, class_id: int) -> str:
        """The name, or '' for an id without one."""
        return self.names.get(int(class_id), '')

    def ids_of(self, wanted: Iterable[str]) -> set[int]:
        """Ids of the named classes.

        Raises:
            KeyError: a name is not in the map; the argument is that name.
        """
        by_name = {name: class_id for class_id, name in self.names.items()}
        return {by_name[name] for name in wanted}

    def known_ids(self, wanted: Iterable[str], *, model: str) -> set[int]:
        """Ids of classes named by a user.

        Raises:
            ConfigError: the model has no such class.
        """
        try:
            return self.ids_of(wanted)
        except KeyError as error:
            raise ConfigError(
                f'the model {model} has no class {error.args[0]!r}, it has '
                f'{", ".join(self.names.values())}'
            ) from error


def class_color(class_id: int) -> tuple[int, int, int]:
    """RGB colour of a class id, uint8 each: the same on every run, node and machine.

    Hues advance by the golden ratio, so that neighbouring ids differ most; 255 is black.
    """
    if class_id == UNLABELLED:
        return 0, 0, 0
    hue = (0.11 + class_id * 0.618033988749895) % 1.0
    saturation, value = (0.85, 0.65)[class_id // 7 % 2], (1.0, 0.8)[class_id // 14 % 2]
    r, g, b = colorsys.hsv_to_rgb(hue, saturation, value)
    return round(255 * r), round(255 * g), round(255 * b)


def palette() -> np.ndarray:
    """RGB colours of the ids 0..255, uint8 (256, 3)."""
    return np.array([class_color(class_id) for class_id in range(256)], np.uint8)
