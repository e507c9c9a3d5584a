"""Whether the model learns, and which of its parts take part in it."""
