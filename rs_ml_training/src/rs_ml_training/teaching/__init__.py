"""Labels from a teacher: what a detector finds becomes the truth of pictures without any."""
