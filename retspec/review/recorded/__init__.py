"""What to do with a report read from a file: judge it again, compare it, verify it, bless it, merge it with others."""

from retspec.results.comparing import Comparison, Side, circumstances, compare
from retspec.review.recorded.blessing import bless
from retspec.review.recorded.files import Statement
from retspec.review.recorded.judging import judge_again
from retspec.review.recorded.merging import merged, without_gaps
from retspec.review.recorded.verifying import verify

__all__ = [
    "Comparison",
    "Side",
    "Statement",
    "bless",
    "circumstances",
    "compare",
    "judge_again",
    "merged",
    "verify",
    "without_gaps",
]
