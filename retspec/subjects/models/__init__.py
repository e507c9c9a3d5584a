"""The model: its sources, its adapter, and the structure of both."""
