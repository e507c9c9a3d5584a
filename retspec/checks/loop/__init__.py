"""What the user's own training loop does, step by step."""
