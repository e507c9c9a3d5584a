"""Compare two specs: which criteria became stricter, which became looser."""

from retspec.review.diffing.changes import Change, Kind, changes
from retspec.review.diffing.revisions import checked_out

__all__ = ["Change", "Kind", "changes", "checked_out"]
