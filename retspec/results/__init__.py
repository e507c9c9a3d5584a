"""Files that a run writes, and the subject that they describe."""
