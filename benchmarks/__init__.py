"""Benchmarks of a checkout; no wheel holds them.

`python -m benchmarks.speed` (graph and models), `.training` (reading data and training),
`.accuracy` (the shipped models on held-out data), `.soak` (frame accounting and memory).
"""
