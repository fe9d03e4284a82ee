"""`rs-ml-evaluate --all`: the model files that ship, on data that training never saw."""
