"""Loading a checkpoint into a model: safely, and with a record of what was loaded.

A checkpoint is data from strangers. Nothing in it is ever run, nothing is taken on trust that it says about sizes, and
a file that is not a checkpoint is reported as what it is.
"""

from retspec.subjects.checkpoints.files import File, find
from retspec.subjects.checkpoints.loading import Loaded, hold_against, load_into
from retspec.subjects.checkpoints.recognition import recognise

__all__ = ["File", "Loaded", "find", "hold_against", "load_into", "recognise"]
