"""Data sets: files become samples by index, in parts for training, validation and test. No graph, no backend."""
