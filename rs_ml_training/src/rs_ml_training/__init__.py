"""Synthetic worlds, data and training for the models of rs_ml_perception."""
