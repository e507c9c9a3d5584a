"""Predict the memory and operations of a training step, before any weights are made."""
