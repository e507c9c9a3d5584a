"""Whether the loaders of a training give what they should: without a model, and without a training."""
