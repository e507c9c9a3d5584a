"""Load a checkpoint into a model safely, and record what was loaded.

A checkpoint is untrusted data. Nothing in it is ever run, the sizes that it states are checked, and the error for a
file that is not a checkpoint says what the file is.
"""

from retspec.subjects.checkpoints.choice import chosen
from retspec.subjects.checkpoints.files import File, find
from retspec.subjects.checkpoints.loading import Loaded, hold_against, load_into
from retspec.subjects.checkpoints.recognition import recognise

__all__ = ["File", "Loaded", "chosen", "find", "hold_against", "load_into", "recognise"]
