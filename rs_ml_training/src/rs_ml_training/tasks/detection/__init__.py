"""Detection, split by role."""
