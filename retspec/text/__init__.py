"""Texts: how values, verdicts and places are written, and how secrets are kept out."""
