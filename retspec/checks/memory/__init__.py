"""Checks on what a training step will take, before any weights are made."""
