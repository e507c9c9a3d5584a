"""`max_warnings`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated

from msgspec import Meta

from retspec.facts import SeenWarning, Warned
from retspec.plugin import Count, Inconclusive, Observed, SubjectError, check

if TYPE_CHECKING:
    from collections.abc import Sequence


@check(
    direction="at most",
    unit="warnings",
    default_limit=0,
    advice="Read the warnings in the details, and correct what causes them. Allow one that you know by a regular "
    "expression: `with: {allow: [...]}`.",
)
def max_warnings(
    warned: Warned,
    *,
    allow: Annotated[
        list[str],
        Meta(description="Regular expressions. A warning is not counted if one is found in `Category: message`."),
    ] = [],  # noqa: B006 - read only
) -> Observed[Count]:
    """Of how many things do the libraries warn?

    Why it matters:
        A library that ignores an argument, or replaces a value that it cannot use, says so once, in a warning that
        scrolls away. The training then runs to its end with other settings than those that were written down.

    Example:
        max_warnings: {limit: 0, with: {allow: ["FutureWarning: .*is deprecated"]}}

    What the number means:
        Distinct warnings of Python (category, message, file, line) that came up while modules were imported, the model
        and the data were made, and all other measurements of the spec. The details list them. What Python's default
        filters hide is not counted, such as a deprecation inside a library; `PYTHONWARNINGS` in the environment changes
        them. Nor is what a library logs, or what a process of its own, such as a worker of a DataLoader, warns of: both
        are in the output. Without a verdict if a measurement failed, because it may have had more to say.
    """
    if warned.resumed:
        raise Inconclusive("a worker died before, and what it was warned of is not known")
    if warned.failed:
        raise Inconclusive(f"{', '.join(warned.failed)} failed, and might have warned of more")
    if not warned.made:
        raise Inconclusive("nothing was made that could have warned: the spec has no model, and no other measurement")
    allowed = [_compiled(pattern) for pattern in allow]
    known = [warning for warning in warned.warnings if _is_allowed(warning, allowed)]
    counted = [warning for warning in warned.warnings if warning not in known]
    details = {"warnings": [*map(str, counted)], "allowed": [*map(str, known)], "made": list(warned.made)}
    return Observed(len(counted), details)


def _is_allowed(warning: SeenWarning, allowed: Sequence[re.Pattern[str]]) -> bool:
    return any(pattern.search(f"{warning.category}: {warning.message}") for pattern in allowed)


def _compiled(pattern: str) -> re.Pattern[str]:
    try:
        return re.compile(pattern)
    except re.error as error:
        raise SubjectError(f"allow: {pattern!r} is no regular expression: {error}", path="checks") from error
