"""Results in which one value is anything: refused in one line, or of use to every command that reads results."""

from __future__ import annotations

import json
from decimal import Decimal
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from hypothesis import given
from hypothesis import strategies as st

from retspec.errors import RetspecError, UsageError
from retspec.plugins.catalog import gather
from retspec.prepare import prepare
from retspec.records import Blessing
from retspec.report.formats.results import json as render
from retspec.report.page import render_page
from retspec.results.results_file import read_report
from retspec.review.calibration import CalibrationOptions, propose
from retspec.review.recorded import bless, circumstances, compare, judge_again, verify
from tests.cli.conftest import SPEC
from tests.report.formats.sample import sample
from tests.review.recorded import green_results_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from retspec.plugins.catalog import Catalog
    from retspec.records import Plan, Report

Path_ = tuple[str | int, ...]
ANYTHING = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from(["", "nan", "inf", "\u202e::stop-commands::", "2026-13-01", "../../etc", "<script>"]),
    st.text(max_size=20),
    st.lists(st.integers(), max_size=2),
    st.dictionaries(st.text(max_size=3), st.integers(), max_size=2),
)


@cache
def _known() -> tuple[Plan, Catalog, Report, list[dict[str, Any]]]:
    """Return a plan, the catalog, sound results of the plan, and two documents to damage."""
    with TemporaryDirectory() as folder:
        spec, results = Path(folder, "spec.yaml"), Path(folder, "results.json")
        spec.write_text(SPEC)
        results.write_text(green_results_of(spec))
        plan, _ = prepare(spec, entry_points=False)
        documents = [json.loads(results.read_text()), json.loads(render(sample()))]
        for document in documents:
            del document["exit_code"]  # else it would give most changes of a verdict away
        return plan, gather(entry_points=False), read_report(results), documents


def _places(value: Any, before: Path_ = ()) -> Iterator[Path_]:
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, entry in entries:
        yield (*before, name)
        yield from _places(entry, (*before, name))


def _uses(found: Report) -> Iterator[Callable[[], object]]:
    plan, catalog, sound, _ = _known()
    blessing = Blessing(who="ada", reason="it is right", when="now", commit="", device="", versions={})
    options = CalibrationOptions(margin=Decimal("0.2"), loosen=True, everything=True)
    yield lambda: verify(found, [plan])
    yield lambda: [compare(found, sound), compare(sound, found), *circumstances(found, sound)]
    yield lambda: bless(found, blessing)
    yield lambda: propose(judge_again([plan], found).results, catalog, SPEC, options, "float32")
    yield lambda: render_page([found, sound, found])
    for reporter in catalog.reporters.values():
        yield lambda reporter=reporter: reporter.render(found)  # type: ignore[misc]


@given(st.data())
def test_one_value_of_results_may_be_anything(data: st.DataObject) -> None:
    base = data.draw(st.sampled_from(_known()[3]))
    place = data.draw(st.sampled_from([*_places(base)]))
    damaged = json.loads(json.dumps(base))
    inner: Any = damaged
    for name in place[:-1]:
        inner = inner[name]
    inner[place[-1]] = data.draw(ANYTHING)
    with TemporaryDirectory() as folder:
        path = Path(folder, "results.json")
        path.write_text(json.dumps(damaged))
        try:
            found = read_report(path)
        except UsageError as error:
            assert str(error).startswith(str(path))  # noqa: PT017 - it may be raised or not
            assert len(str(error).splitlines()) == 1  # noqa: PT017 - the same
            return
    for use in _uses(found):
        try:
            use()
        except RetspecError as error:
            assert len(str(error).splitlines()) == 1  # noqa: PT017 - the same
