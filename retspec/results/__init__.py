"""Files that a run leaves, and what they are about."""
