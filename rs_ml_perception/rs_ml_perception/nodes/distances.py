"""Limits of distance as parameters, whose ranges know no infinity."""

from __future__ import annotations

import math
from typing import Any

from rs_ml_perception.core.options import option

ANY_DISTANCE_M = 1000.0
"""Value of range_max_m that limits nothing."""


def nearest_option(doc: str) -> Any:
    """The parameter range_min_m."""
    return option(0.0, doc, low=0.0, high=ANY_DISTANCE_M)


def farthest_option(doc: str) -> Any:
    """The parameter range_max_m."""
    return option(ANY_DISTANCE_M, doc, low=0.0, high=ANY_DISTANCE_M)


def farthest_m(range_max_m: float) -> float:
    """The limit that the parameter stands for, infinity for none."""
    return math.inf if range_max_m >= ANY_DISTANCE_M else range_max_m
