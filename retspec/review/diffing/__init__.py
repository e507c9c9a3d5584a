"""Compare two specs: which criteria became stricter, which became looser."""

from retspec.review.diffing.changes import Change, Kind, changes
from retspec.review.diffing.plugin_code import code_changes, code_of
from retspec.review.diffing.revisions import Revision, checked_out

__all__ = ["Change", "Kind", "Revision", "changes", "checked_out", "code_changes", "code_of"]
