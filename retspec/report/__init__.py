"""Report: collect the verdicts as they arrive (`live`), and write them in several formats (`formats`)."""
