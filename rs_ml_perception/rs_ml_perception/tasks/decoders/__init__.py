"""Raw network outputs to results, one small module per family; no runtime, no image."""
