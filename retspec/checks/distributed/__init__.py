"""Whether a training on several ranks does what it would do in one process."""
