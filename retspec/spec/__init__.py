"""The spec: load it from text, validate it against the catalog."""
