"""Semantic segmentation, split by role."""
