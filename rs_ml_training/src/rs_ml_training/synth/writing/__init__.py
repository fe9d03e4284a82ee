"""Synthetic frames as data sets and recordings."""
