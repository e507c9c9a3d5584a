"""`config_values`."""

from __future__ import annotations

from retspec.facts import Violations
from retspec.plugin import Count, Inconclusive, Observed, check


@check(
    direction="at most",
    unit="violations",
    default_limit=0,
    advice="Correct the values of the config that the details name, or the schema if it asks too much.",
)
def config_values(violations: Violations) -> Observed[Count]:
    """Do the values of the training config satisfy a schema?

    Why it matters:
        A mistyped exponent in a learning rate, a batch size that does not fit in memory, two spellings of one split:
        what a group has agreed on can be written down once, as a JSON Schema.

    Example:
        config_values: {with: {schema: {required: [training], properties: {training: {required: [lr]}}}}}

    What the number means:
        Rules of the JSON Schema (https://json-schema.org) that a value of the config breaks. A schema with no rule that
        applies to the config proves nothing, and is inconclusive. A value that something would have to be run for, as
        `batch * 2` in Python, breaks no rule and meets none.
    """
    unresolved = violations.unresolved
    if not violations.rules:
        raise Inconclusive(unresolved[0] if unresolved else "no rule of the schema applies to a value of the config")
    found = [f"{violation.place}: {violation.message}" for violation in violations.violations]
    not_known = {"not known": [*unresolved]} if unresolved else {}
    return Observed(len(found), {"violations": found, **not_known}, next(iter(unresolved), ""))
