"""What to do with specs and results after a run: compare, judge again, verify, bless, calibrate."""
