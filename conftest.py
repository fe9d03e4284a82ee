"""Loads the package before pytest sees the folder that bears its name as a namespace."""

import rs_ml_perception  # noqa: F401
