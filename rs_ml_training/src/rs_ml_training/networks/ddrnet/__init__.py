"""DDRNet: a fast branch of high resolution beside a deep one of low resolution."""
