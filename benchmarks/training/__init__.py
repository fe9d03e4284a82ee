"""Speed of reading data and training, against published scripts."""
