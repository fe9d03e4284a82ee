"""Objects as points (CenterNet, arXiv 1904.07850): network, training targets and decoding."""
