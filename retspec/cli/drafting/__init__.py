"""A spec drafted from a training config."""
