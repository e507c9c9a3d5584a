"""A spec that is written wrong is refused, or means what it says: no criterion is ever lost on the way."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retspec.errors import NothingSelected, PluginError, SpecError, UsageError
from retspec.prepare import prepare
from tests.reliability.written import SEVERAL, written

if TYPE_CHECKING:
    from collections.abc import Iterator

    from retspec.records import Plan

SOUND: dict[str, Any] = {
    "retspec": 1,
    "name": "sound",
    "vars": {"most": 3},
    "run": {"seed": 1, "timeout": "10m"},
    "train": {"steps": 5},
    "plugins": ["checks.py"],
    "checks": {
        "at_most": 3,
        "low": {
            "check": "at_most",
            "limit": 3,
            "warn": 2,
            "severity": "error",
            "with": {"does": "1"},
            "tags": ["quick"],
            "timeout": "5s",
            "description": "Low.",
        },
        "off": {"check": "exactly", "limit": 1, "skip": "later"},
    },
}
FREE = {("vars", "most"), ("checks", "low"), ("checks", "off")}
"""Keys that are names of the author's own: a typo in them is another name."""
WRONG = [None, True, -1, 0.5, "text", "", [], [None], {}, {"limit": 9}, "${vars.mots}", "${vars.most}"]


def _paths(data: object, above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    if isinstance(data, dict):
        for key, value in data.items():
            yield (*above, key)
            yield from _paths(value, (*above, key))


PATHS = list(_paths(SOUND))


def _mapping_at(data: dict[str, Any], path: tuple[str, ...]) -> dict[str, Any]:
    for key in path[:-1]:
        data = data[key]
    return data


def _changed(path: tuple[str, ...], key: str | None, value: Any = ...) -> dict[str, Any]:
    """The sound spec with one key renamed, dropped (None), or given another value."""
    data = copy.deepcopy(SOUND)
    place = _mapping_at(data, path)
    old = place.pop(path[-1])
    if key is not None:
        place[key] = old if value is ... else value
    return data


def _limit(entry: Any) -> Any:
    return entry["limit"] if isinstance(entry, dict) else entry


def _plan_or_refusal(data: dict[str, Any]) -> Plan | Exception:
    with written(data) as spec:
        try:
            return prepare(spec, entry_points=False)[0]
        except (SpecError, PluginError, UsageError, NothingSelected) as refusal:
            return refusal


def _require_whole(plan: Plan, data: dict[str, Any]) -> None:
    """Every criterion that is written down is planned under its limit as written, or skipped with a reason."""
    entries = data["checks"]
    skipped = {name for name, entry in entries.items() if isinstance(entry, dict) and entry.get("skip")}
    assert entries
    assert {criterion.id for criterion in plan.skipped} == skipped
    planned = {step.criterion.id: step.criterion.limit for step in plan.checks}
    limits = {name: _limit(entry) for name, entry in entries.items() if name not in skipped}
    assert planned == {name: 3 if limit == "${vars.most}" else limit for name, limit in limits.items()}


def test_the_sound_spec_is_planned_whole() -> None:
    plan = _plan_or_refusal(SOUND)
    assert not isinstance(plan, Exception), plan
    _require_whole(plan, SOUND)


def test_a_seed_with_an_s_is_not_a_number_of_seeds() -> None:
    refusal = _plan_or_refusal(_changed(("run", "seed"), "seeds"))
    assert isinstance(refusal, SpecError)
    assert "did you mean 'seed'?" in str(refusal)


@SEVERAL
@given(path=st.sampled_from([path for path in PATHS if path not in FREE]), data=st.data())
def test_a_typo_in_any_key_is_refused(path: tuple[str, ...], data: st.DataObject) -> None:
    key = path[-1]
    place = data.draw(st.integers(0, len(key) - 1))
    typos = [key[:place] + key[place + 1 :], key[:place] + "x" + key[place:], key.upper(), f"{key} ", f"{key}s"]
    typo = data.draw(st.sampled_from([typo for typo in typos if typo not in {key, ""}]))
    assert isinstance(_plan_or_refusal(_changed(path, typo)), SpecError)


@SEVERAL
@given(path=st.sampled_from(PATHS), value=st.sampled_from(WRONG))
def test_a_value_of_another_type_is_refused_or_means_what_it_says(path: tuple[str, ...], value: Any) -> None:
    changed = _changed(path, path[-1], value)
    plan = _plan_or_refusal(changed)
    if not isinstance(plan, Exception):
        _require_whole(plan, changed)


@pytest.mark.parametrize("path", PATHS, ids=".".join)
def test_a_key_that_is_dropped_takes_nothing_else_with_it(path: tuple[str, ...]) -> None:
    changed = _changed(path, None)
    plan = _plan_or_refusal(changed)
    if not isinstance(plan, Exception):
        _require_whole(plan, changed)
