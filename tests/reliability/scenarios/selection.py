"""Specs and options that ask for nothing, or for something else than their author thinks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.reliability.scenario import NOTHING, Scenario

if TYPE_CHECKING:
    from collections.abc import Mapping

GROUP = "Nothing selected, nothing meant"
PLUGIN = '''
from retspec.plugin import Check, check, hookimpl

@check(direction="at most", advice="Nothing to do.")
def value(*, of: int = 1) -> int:
    """Which value was asked for?"""
    return of

@hookimpl
def retspec_checks() -> list[Check]:
    return [value]
'''
SPEC = "retspec: 1\nchecks:\n  value: {limit: 1, tags: [quick]}\n  other: {check: value, limit: 1}\n"


def asks(fault: str, sees: str, *arguments: str, spec: str = SPEC, exit_code: int = 2, **more: Any) -> Scenario:
    return Scenario(
        group=GROUP,
        fault=fault,
        spec=spec,
        files={"checks.py": PLUGIN},
        arguments=arguments,
        exit_code=exit_code,
        sees=sees,
        here="on_disk" not in more,
        **{"on_disk": NOTHING, **more},
    )


def checks(fault: str, lines: str, sees: str) -> Scenario:
    """A spec that is refused before anything runs, although one of its criteria would be met."""
    return asks(fault, sees, spec=f"retspec: 1\nchecks:\n  value: 1\n{lines}")


SKIPPED: Mapping[str, str] = {"value": "skipped", "other": "skipped"}
EVERYTHING_SKIPPED = "retspec: 1\nchecks:\n  value: {limit: 1, skip: later}\n  other: {check: value, skip: later}\n"

SCENARIOS = [
    asks(
        "`-k` matches no criterion",
        "nothing selected: no criterion matches 'valeu'; did you mean 'value'?; there are value, other",
        *("-k", "valeu"),
        exit_code=5,
    ),
    asks(
        "one of two `-k` matches no criterion",
        "nothing selected: no criterion matches 'ohter'; did you mean 'other'?",
        *("-k", "value", "-k", "ohter"),
        exit_code=5,
    ),
    asks(
        "`--skip` leaves no criterion",
        "nothing selected: none of the 2 criteria is left (value, other)",
        *("--skip", "*"),
        exit_code=5,
    ),
    asks(
        "`-k` and `--tag` have no criterion in common",
        "nothing selected: none of the 2 criteria is left (value, other)",
        *("-k", "other", "--tag", "quick"),
        exit_code=5,
    ),
    asks("a tag that nobody has", "no criterion has the tag 'quik'; there are quick", "--tag", "quik"),
    asks(
        "every criterion is skipped by the spec",
        "2 skipped",
        spec=EVERYTHING_SKIPPED,
        exit_code=5,
        on_disk="both reports, every criterion in them",
        verdicts=SKIPPED,
    ),
    asks(
        "`checks:` is empty", "spec.yaml:2:9: checks is empty; give at least 1 entry", spec="retspec: 1\nchecks: {}\n"
    ),
    asks(
        "`checks:` holds nothing",
        "spec.yaml:2:8: checks: expected a mapping; found nothing",
        spec="retspec: 1\nchecks:\n",
    ),
    asks(
        "there is no `checks:`",
        "the spec needs the key 'checks'; list the criteria under it",
        spec="retspec: 1\nname: forgotten\n",
    ),
    asks("`checks:` is misspelt", "did you mean 'checks'?", spec="retspec: 1\ncheks:\n  value: 1\n"),
    asks("an override names a key that does not exist", "did you mean 'limit'?", "--set", "checks.value.limt=3"),
    checks(
        "a check that does not exist", "  valeu: 1\n", "spec.yaml:4:3: unknown check 'valeu'; did you mean 'value'?"
    ),
    checks(
        "a key of a criterion is misspelt",
        "  other: {check: value, limt: 1}\n",
        "spec.yaml:4:25: unknown key 'limt' in checks.other",
    ),
    checks(
        "an argument is misspelt",
        "  other: {check: value, limit: 1, with: {fo: 2}}\n",
        "value has no argument 'fo'; it has: of",
    ),
    checks(
        "a criterion has no limit",
        "  other: {check: value}\n",
        "spec.yaml:4:3: checks.other has no limit; add `limit:`",
    ),
    checks(
        "a limit is no number",
        "  other: {check: value, limit: low}\n",
        "spec.yaml:4:32: checks.other.limit: expected an integer or a mapping, such as 8; found the text 'low'",
    ),
    checks(
        "a limit is NaN",
        "  other: {check: value, limit: .nan}\n",
        ".nan is not a number that anything can be held against; give a finite one",
    ),
    checks(
        "a severity that does not exist",
        "  other: {check: value, limit: 1, severity: warning}\n",
        "expected one of error, warn; found the text 'warning'",
    ),
    checks(
        "a criterion is skipped without a reason",
        "  other: {check: value, limit: 1, skip: true}\n",
        "checks.other.skip: expected text; found true",
    ),
    checks(
        "a bound that warns lies outside the limit",
        "  other: {check: value, limit: 1, warn: 2}\n",
        "other: warn is 2, but only a value below the limit 1 is stricter",
    ),
]
