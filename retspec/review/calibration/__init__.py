"""Calibrate: what was observed on a known-good setup → the limits of a spec, edited where they are written."""

from retspec.review.calibration.edits import edited, require_as_meant
from retspec.review.calibration.proposals import Proposal, Wishes, propose

__all__ = ["Proposal", "Wishes", "edited", "propose", "require_as_meant"]
