"""The keys under `train:` that say what trains, one per file, and the recipe. A new file is discovered, not listed."""
