"""What can be done with specs and results after a run: compare, judge again, verify, bless, calibrate."""
