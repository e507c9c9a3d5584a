"""What a training step takes: memory and operations, before any weights are made."""
