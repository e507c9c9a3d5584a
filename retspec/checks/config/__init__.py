"""Whether the training config holds what the training is going to need: files, values, a place to write."""
