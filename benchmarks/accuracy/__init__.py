"""The shipped model files, evaluated on data that training never saw."""
