"""BTS: depth from one picture by local planar guidance (arXiv 1907.10326)."""
