"""The window of labelling: OpenCV's, or a script in tests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np
from rs_ml_perception.core.errors import ConfigError

_KEY_WAIT_MS = 30
_BUTTONS = {cv2.EVENT_LBUTTONDOWN: 'left', cv2.EVENT_MBUTTONDOWN: 'middle'}
_HELD = {cv2.EVENT_FLAG_LBUTTON: 'left', cv2.EVENT_FLAG_MBUTTON: 'middle'}


@dataclass(frozen=True)
class Click:
    """A press of a mouse button, or a step of the mouse while it is held.

    Attributes:
        x: column [px].
        y: row [px].
        button: left or middle.
    """

    x: int
    y: int
    button: str


class Screen(Protocol):
    """Shows an image and reports the user's actions."""

    def show(self, rgb: np.ndarray, title: str) -> None:
        """Show an image, uint8 (H, W, 3), with a line of instructions."""

    def sliders(self, starts: Mapping[str, int], ranges: Mapping[str, tuple[int, int]]) -> None:
        """Offer these sliders instead of those there were."""

    def values(self) -> dict[str, int]:
        """Where the sliders stand."""

    def key(self) -> str:
        """The key pressed, '' for none within a moment."""

    def clicks(self) -> list[Click]:
        """Since the last call."""

    def rectangle(self, rgb: np.ndarray, title: str) -> tuple[int, int, int, int]:
        """x, y, width, height that the user drags; zeros for none."""


class Window:
    """A Screen in a window of OpenCV. The tests have no display and put a script in its place."""

    def __init__(self, name: str = 'rs-ml-data label') -> None:
        """Open it.

        Raises:
            ConfigError: this OpenCV has no windows, or there is no display.
        """
        self._name = name
        self._clicks: list[Click] = []
        self._sliders: tuple[str, ...] = ()
        try:
            cv2.namedWindow(name, cv2.WINDOW_NORMAL)
        except cv2.error as error:
            raise ConfigError(
                'there is no display, or this OpenCV has no windows: '
                'pip install opencv-python instead of opencv-python-headless'
            ) from error
        cv2.setMouseCallback(name, self._on_mouse)

    def show(self, rgb: np.ndarray, title: str) -> None:
        cv2.imshow(self._name, cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR))
        cv2.setWindowTitle(self._name, title)

    def sliders(self, starts: Mapping[str, int], ranges: Mapping[str, tuple[int, int]]) -> None:
        # OpenCV cannot take a slider away: a new window has none.
        cv2.destroyWindow(self._name)
        cv2.namedWindow(self._name, cv2.WINDOW_NORMAL)
        cv2.setMouseCallback(self._name, self._on_mouse)
        self._sliders = tuple(starts)
        for name, start in starts.items():
            low, high = ranges[name]
            cv2.createTrackbar(name, self._name, start, high, lambda _: None)
            cv2.setTrackbarMin(name, self._name, low)

    def values(self) -> dict[str, int]:
        return {name: cv2.getTrackbarPos(name, self._name) for name in self._sliders}

    def key(self) -> str:
        code = cv2.waitKey(_KEY_WAIT_MS)
        if cv2.getWindowProperty(self._name, cv2.WND_PROP_VISIBLE) < 1:
            raise KeyboardInterrupt
        return chr(code & 255) if code >= 0 else ''

    def clicks(self) -> list[Click]:
        found = self._clicks
        self._clicks = []
        return found

    def rectangle(self, rgb: np.ndarray, title: str) -> tuple[int, int, int, int]:
        cv2.setWindowTitle(self._name, title)
        bgr = cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR)
        x, y, width, height = cv2.selectROI(self._name, bgr, printNotice=False)
        cv2.setMouseCallback(self._name, self._on_mouse)
        return x, y, width, height

    def _on_mouse(self, event: int, x: int, y: int, flags: int, _: object) -> None:
        if event in _BUTTONS:
            self._clicks.append(Click(x, y, _BUTTONS[event]))
        elif event == cv2.EVENT_MOUSEMOVE:
            held = (button for flag, button in _HELD.items() if flags & flag)
            self._clicks += [Click(x, y, button) for button in held]
