"""Depth of equirectangular panoramas."""
