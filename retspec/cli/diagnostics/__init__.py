"""The probe that `retspec doctor` runs in a separate process, and the failures that it can explain."""
