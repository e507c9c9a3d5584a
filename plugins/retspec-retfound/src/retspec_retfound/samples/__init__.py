"""Samples for dry runs: files laid out as the published ones, and images that look a little like a fundus.

Nothing in them was learned from, or shows, any patient.
"""

from pathlib import Path

PREFLIGHT = Path(__file__).with_name("preflight.yaml")
"""A spec for the files that `make-sample` writes, to be copied beside them."""
