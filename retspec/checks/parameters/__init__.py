"""How many parameters there are, which of them train, and which shapes go through the model."""
