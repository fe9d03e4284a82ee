"""BTS: depth from one image by local planar guidance (arXiv 1907.10326)."""
