"""Tables of images and labels: a reader per format, behind `reading.read_table`; and how rows become a dataset."""
