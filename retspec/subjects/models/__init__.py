"""The model: where it comes from, what wraps it, what belongs to what in it."""
