"""Proving a gate: faults are planted into the user's own subject, one at a time, and the same criteria are judged."""

from retspec.proving.again import flips
from retspec.proving.choosing import faults_of
from retspec.proving.proving import Proving, prove
from retspec.proving.suggesting import Suggestion, suggest

__all__ = ["Proving", "Suggestion", "faults_of", "flips", "prove", "suggest"]
