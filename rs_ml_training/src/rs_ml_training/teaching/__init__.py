"""Labels and training targets from a teacher, a detector that is trained already."""
