"""Data: the sources of batches and images, and the transforms of images to tensors."""
