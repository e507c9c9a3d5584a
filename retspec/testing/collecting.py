"""A spec as a file of items, one per criterion, that share one run."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from retspec.characters import visible
from retspec.errors import RetspecError
from retspec.prepare import prepare_cells
from retspec.records import Verdict
from retspec.report.formats.junit_texts import explanation
from retspec.testing.running import run_under_pytest, shown
from retspec.testing.sharing import shared
from retspec.text.wording import troubles, waived

if TYPE_CHECKING:
    from collections.abc import Iterator

    from retspec.records import Criterion, Report, Result

MARKER = "retspec"
RESULT = "_retspec_result"
"""Name of the fixture that a criterion asks for; `pytest --fixtures` does not list it."""


class CriterionWarning(UserWarning):
    """A criterion warned, or its waiver is no longer needed; `-W error::retspec.testing.CriterionWarning` is strict."""


class SpecFile(pytest.File):
    """A spec; what is wrong with it is one collection error, in retspec's own lines."""

    _report: Report | None = None

    def collect(self) -> Iterator[CriterionItem]:
        """Yield the criteria in the order in which they are measured, cheap before expensive, as `-x` needs."""
        try:
            plans, _ = prepare_cells(shown(self.path))
        except RetspecError as error:
            raise self.CollectError(str(error)) from error
        for plan in plans:
            for criterion in (*(step.criterion for step in plan.checks), *plan.skipped):
                yield CriterionItem.from_parent(self, criterion=criterion)

    def report(self, request: pytest.FixtureRequest) -> Report:
        """Return the report on the selected criteria; the first call makes the run.

        Raises RetspecError.
        """
        if self._report is None:
            self._report = shared(self.config, self.nodeid, lambda: self._run(request))
        return self._report

    def _run(self, request: pytest.FixtureRequest) -> Report:
        items = [item for item in self.session.items if item.parent and item.parent.nodeid == self.nodeid]
        selected = [item.criterion for item in items if isinstance(item, CriterionItem)]
        return run_under_pytest(
            request,
            self.path,
            select=[_exactly(name) for name in dict.fromkeys(criterion.id for criterion in selected)],
            cells=[_exactly(cell) for cell in dict.fromkeys(criterion.cell for criterion in selected) if cell],
            fail_fast=self.config.getoption("maxfail") == 1,
        )


class CriterionItem(pytest.Function):
    """A criterion. Its setup measures, its call reports the verdict: no verdict is an error, a miss a failure.

    A `pytest.Function`, since pytest gives fixtures to no other item: that of `data: {fixture: name}` and autouse ones.
    """

    def __init__(self, name: str, parent: SpecFile, criterion: Criterion, **options: Any) -> None:
        super().__init__(name, parent, callobj=judged, **options)
        self.criterion = criterion
        self.extra_keyword_matches.update(criterion.tags)
        self.add_marker(MARKER)
        if criterion.skip is not None:
            self.add_marker(pytest.mark.skip(reason=criterion.skip))

    @classmethod
    def from_parent(cls, parent: SpecFile, *, criterion: Criterion) -> CriterionItem:  # type: ignore[override]
        """Return the item of a criterion."""
        item: CriterionItem = super().from_parent(parent, name=criterion.name, criterion=criterion)
        return item

    def reportinfo(self) -> tuple[str, int, str]:
        """Return where the criterion is written, the line counted from 0."""
        mark = self.criterion.mark
        return mark.file, mark.line - 1, self.name


@pytest.fixture(name=RESULT)
def result_of_criterion(request: pytest.FixtureRequest) -> Result:
    """The result of the criterion that asks; without a verdict, or after a fault of the run itself, an error."""
    item = request.node
    assert isinstance(item, CriterionItem)  # noqa: S101 - narrows the type; nothing else asks
    assert isinstance(item.parent, SpecFile)  # noqa: S101 - the same
    try:
        report = item.parent.report(request)
    except RetspecError as error:
        pytest.fail(visible(str(error)), pytrace=False)
    result = next(result for result in report.every_result if result.criterion.name == item.name)
    if not result.verdict.is_decided:
        pytest.fail(_explained(result, request.config), pytrace=False)
    if result.verdict is not Verdict.MISSED and (faults := troubles(report)):
        pytest.fail("\n".join(map(visible, faults)), pytrace=False)
    return result


def judged(request: pytest.FixtureRequest, _retspec_result: Result) -> None:
    """Report the verdict to pytest; anything not explicitly accepted fails."""
    result, criterion = _retspec_result, _retspec_result.criterion
    if result.verdict is Verdict.WAIVED and criterion.waive is not None:
        pytest.xfail(waived(criterion.waive))  # returns under --runxfail: then it is a failure like any other
    if result.verdict not in {Verdict.MET, Verdict.WARNED}:
        pytest.fail(_explained(result, request.config), pytrace=False)
    request.node.add_report_section("call", "stdout", f"{visible(result.reason)}\n")
    if result.verdict is Verdict.WARNED or (criterion.waive is not None and not criterion.cell):
        _warn(request.node, _explained(result, request.config))


def _warn(item: pytest.Item, text: str) -> None:
    try:
        item.warn(CriterionWarning(text))
    except CriterionWarning:  # the user's filter makes it an error
        pytest.fail(text, pytrace=False)


def _explained(result: Result, config: pytest.Config) -> str:
    """Return why an item is not green, with the worker's traceback under `-v`."""
    shown = result if config.get_verbosity() > 0 else replace(result, trace="")
    return visible("\n".join(explanation(shown)))


def _exactly(name: str) -> str:
    """Return a pattern that matches one criterion or cell only: a plain name would also match parts of others."""
    escaped = name[1:].translate({ord(special): f"[{special}]" for special in "*?["})
    return f"[{name[0]}]{escaped}"
