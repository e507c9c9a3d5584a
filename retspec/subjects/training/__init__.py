"""One training step on the subject."""
