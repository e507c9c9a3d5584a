"""Shards of webdataset: tar archives in which the files of a sample are side by side and share their name."""
