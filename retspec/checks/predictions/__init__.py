"""Checks of what a trained model said: accuracy, calibration, subgroups, with intervals by patient."""
