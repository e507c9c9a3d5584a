"""What comes up while the subject runs."""
