"""Whether the file that the model was loaded from really is in the model."""
