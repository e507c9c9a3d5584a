"""Whether outputs that must agree do agree."""
