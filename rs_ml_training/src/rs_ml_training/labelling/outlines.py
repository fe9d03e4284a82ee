"""Outlines of objects in an image, by edges or circles, and the masks they enclose."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np


@dataclass(frozen=True)
class EdgeOptions:
    """How edges are found and joined.

    Attributes:
        low: Canny threshold below which nothing is an edge.
        high: Canny threshold above which everything is.
        black: gray levels below it become black first.
        kernel: length of the strokes that join edges [px].
        dilate_vertical: thicken by an upright stroke, 0 or 1.
        dilate_horizontal: thicken by a lying stroke.
        erode_vertical: thin by an upright stroke.
        erode_horizontal: thin by a lying stroke.
    """

    low: int = 127
    high: int = 255
    black: int = 0
    kernel: int = 3
    dilate_vertical: int = 1
    dilate_horizontal: int = 1
    erode_vertical: int = 1
    erode_horizontal: int = 1


EDGE_RANGES: dict[str, tuple[int, int]] = {
    'low': (0, 255),
    'high': (0, 255),
    'black': (0, 255),
    'kernel': (1, 7),
    'dilate_vertical': (0, 1),
    'dilate_horizontal': (0, 1),
    'erode_vertical': (0, 1),
    'erode_horizontal': (0, 1),
}
"""Smallest and greatest value of each field of EdgeOptions."""


@dataclass(frozen=True)
class CircleOptions:
    """How circles are found, see cv2.HoughCircles.

    Attributes:
        min_distance: between centres [px].
        canny: upper threshold of its edges.
        votes: of edge pixels that make a circle.
        min_radius: [px].
        max_radius: [px].
    """

    min_distance: int = 5
    canny: int = 15
    votes: int = 17
    min_radius: int = 4
    max_radius: int = 12


CIRCLE_RANGES: dict[str, tuple[int, int]] = {
    'min_distance': (1, 200),
    'canny': (1, 255),
    'votes': (1, 255),
    'min_radius': (0, 300),
    'max_radius': (1, 300),
}
"""Smallest and greatest value of each field of CircleOptions."""


def edges(rgb: np.ndarray, options: EdgeOptions, blur: int = 0) -> np.ndarray:
    """Edges of an image.

    Args:
        rgb: uint8 (H, W, 3).
        options: how.
        blur: odd side of a Gaussian kernel [px]; 0: none.

    Returns:
        uint8 (H, W), 255 on edges.
    """
    gray = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)
    if blur:
        gray = cv2.GaussianBlur(gray, (blur, blur), 0)
    gray = np.where(gray < options.black, np.uint8(0), gray)
    found = cv2.Canny(gray, options.low, options.high)
    upright, lying = (np.ones(s, np.uint8) for s in ((options.kernel, 1), (1, options.kernel)))
    for wanted, change, stroke in (
        (options.dilate_vertical, cv2.dilate, upright),
        (options.dilate_horizontal, cv2.dilate, lying),
        (options.erode_vertical, cv2.erode, upright),
        (options.erode_horizontal, cv2.erode, lying),
    ):
        found = change(found, stroke) if wanted else found
    return found


def outlines(edge_map: np.ndarray, min_area: float, *, inner: bool = False) -> list[np.ndarray]:
    """Closed outlines in an edge map, largest first.

    Args:
        edge_map: uint8 (H, W), 255 on edges.
        min_area: that they enclose at least [px^2].
        inner: those within others too.

    Returns:
        int32 (N, 1, 2) each, as OpenCV's contours.
    """
    mode = cv2.RETR_LIST if inner else cv2.RETR_EXTERNAL
    found, _ = cv2.findContours(edge_map, mode, cv2.CHAIN_APPROX_NONE)
    large = [outline for outline in found if cv2.contourArea(outline) >= min_area]
    return sorted(large, key=cv2.contourArea, reverse=True)


def circles(rgb: np.ndarray, options: CircleOptions, blur: int = 5) -> list[np.ndarray]:
    """Outlines of the circles in an image.

    Args:
        rgb: uint8 (H, W, 3).
        options: how.
        blur: odd side of a Gaussian kernel [px]; 0: none.

    Returns:
        int32 (N, 1, 2) each, the clearest first.
    """
    gray = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)
    found = cv2.HoughCircles(
        cv2.GaussianBlur(gray, (blur, blur), 0) if blur else gray,
        cv2.HOUGH_GRADIENT,
        1,
        options.min_distance,
        param1=options.canny,
        param2=options.votes,
        minRadius=options.min_radius,
        maxRadius=options.max_radius,
    )
    if found is None:
        return []
    turn = np.linspace(0, 2 * np.pi, 72, endpoint=False)
    ring = np.stack([np.cos(turn), np.sin(turn)], axis=1)
    rings = [np.rint(c[:2] + c[2] * ring).astype(np.int32) for c in found.reshape(-1, 3)]
    return [points[:, None] for points in rings]


def enclosed(found: Sequence[np.ndarray], size: tuple[int, int]) -> np.ndarray:
    """The inside of outlines in an image of (width, height), bool (H, W)."""
    mask = np.zeros(size[::-1], np.uint8)
    for outline in found:
        cv2.drawContours(mask, [outline], -1, 1, cv2.FILLED)
    return mask.astype(bool)
