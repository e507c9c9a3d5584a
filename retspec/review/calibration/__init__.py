"""Calibrate: write limits into a spec, from what was observed on a known-good setup. Criteria are added, too."""

from retspec.review.calibration.additions import Block, Entry, block_of
from retspec.review.calibration.false_alarms import FEWEST, seeds_for
from retspec.review.calibration.proposals import CalibrationOptions, Proposal, propose
from retspec.review.calibration.yaml_edit import edited, require_as_meant

__all__ = [
    "FEWEST",
    "Block",
    "CalibrationOptions",
    "Entry",
    "Proposal",
    "block_of",
    "edited",
    "propose",
    "require_as_meant",
    "seeds_for",
]
