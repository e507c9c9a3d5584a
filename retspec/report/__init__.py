"""Report: the verdicts as they arrive (`live`), and the formats that they are written in (`formats`)."""
