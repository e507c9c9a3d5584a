"""Words and characters: how values, verdicts and places are written, and what is kept out of a text."""
