"""What a check may return, and what becomes of it."""

from __future__ import annotations

from tests.reliability.scenario import Scenario

PLUGIN = '''
from retspec.plugin import Check, check, hookimpl

@check(direction="at most", advice="Nothing to do.")
def odd() -> float:
    """What does it return?"""
    {body}

@check(direction="at most", advice="Nothing to do.")
def sound() -> int:
    """What is one?"""
    return 1

@hookimpl
def retspec_checks() -> list[Check]:
    return [odd, sound]
'''
SPEC = "retspec: 1\nchecks:\n  odd: 5\n  sound: 1\n"


def returns(fault: str, body: str, sees: str) -> Scenario:
    return Scenario(
        group="Values that are none",
        fault=fault,
        spec=SPEC,
        files={"checks.py": PLUGIN.format(body=body)},
        exit_code=3,
        sees=sees,
        verdicts={"odd": "error", "sound": "met"},
    )


SCENARIOS = [
    returns("a check returns NaN", "return float('nan')", "the check returned nan (float)"),
    returns("a check returns infinity", "return float('inf')", "the check returned inf (float)"),
    returns("a check returns nothing", "return None", "the check returned None (NoneType)"),
    returns("a check returns a text", "return '1'", "a check must return a finite number"),
    returns("a check returns a bool where a number is asked", "return True", "a check must return a finite number"),
    returns("a check raises", "raise ValueError('no such layer')", "raised ValueError: no such layer (checks.py:7)"),
]
