"""Watching a training loop of the user's own through torch's public hooks, without changing it."""
