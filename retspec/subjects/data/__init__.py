"""Data: where batches and images come from, and what turns them into tensors."""
