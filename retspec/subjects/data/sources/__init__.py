"""The keys under `data:`: one way to say which data is under test per file. A new file is discovered, not listed."""
