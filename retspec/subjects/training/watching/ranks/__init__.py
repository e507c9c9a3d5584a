"""A training on several ranks of one machine: started, watched on each, and compared."""
