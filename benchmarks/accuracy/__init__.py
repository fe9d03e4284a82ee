"""Evaluation of the shipped model files on data that training never saw."""
