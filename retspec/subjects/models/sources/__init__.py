"""The keys under `model:`: one way to say which model is under test per file. A new file is discovered, not listed."""
