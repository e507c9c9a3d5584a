"""Checks on data: files, labels, splits, preprocessing, and whether it comes fast enough."""
