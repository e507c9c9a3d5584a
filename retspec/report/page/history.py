"""Several results on one page: the latest, what changed since the one before, and the course of each criterion."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from retspec.records import Direction, Report, Result
from retspec.report.page.criteria import Entry, anchor_of, kind_of, value_of
from retspec.report.page.marks import sparkline
from retspec.results.comparing import Comparison, Trend, circumstances, compare
from retspec.text.wording import exact, is_number, outcome, readable, required

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from markupsafe import Markup

_CHANGES = ("spec_sha256", "subject_sha256", "checkpoint_sha256", "adapter_sha256", "config_sha256", "device")
_WORDS = {
    "spec_sha256": "the spec",
    "subject_sha256": "the subject",
    "checkpoint_sha256": "the checkpoint",
    "adapter_sha256": "the adapter",
    "config_sha256": "the config",
}
_RANK = {Trend.WORSE: 1, Trend.REMOVED: 2, Trend.INCOMPARABLE: 3, Trend.CHANGED: 4, Trend.ADDED: 5, Trend.BETTER: 6}


@dataclass(frozen=True)
class Change:
    """One criterion in the two latest results."""

    comparison: Comparison
    old: Result | None
    new: Result | None

    @property
    def anchor(self) -> str:
        """Its address on the page; empty where the latest results do not have it."""
        return anchor_of(self.comparison.id) if self.new else ""

    @property
    def is_unchanged(self) -> bool:
        """Whether value, limit and verdict are the same."""
        old, new = self.comparison.old, self.comparison.new
        return (
            old is not None
            and new is not None
            and (old.value, old.limit, old.verdict) == (new.value, new.limit, new.verdict)
        )

    @property
    def verdicts(self) -> list[tuple[str, str]]:
        """The kind and the word of the old and the new verdict; one where they are the same."""
        found = [(kind_of(each.verdict), each.verdict.value) for each in (self.old, self.new) if each]
        return [*dict.fromkeys(found)]

    @property
    def limits(self) -> str:
        """The limit, or both where it changed."""
        words = [required(each.criterion) for each in (self.old, self.new) if each]
        return " → ".join(dict.fromkeys(words))

    @property
    def difference(self) -> str:
        """The change of the value, with its sign and in percent."""
        change, percent = self.comparison.change, self.comparison.percent
        if not change:
            return ""
        text = f"{'+' if change > 0 else ''}{readable(change)}"
        text = text if percent is None else f"{text} ({percent:+.1f}%)"
        return text.replace("(-", "(\N{MINUS SIGN}").replace("-", "\N{MINUS SIGN}", change < 0)

    @property
    def bullet(self) -> Markup | str:
        """Both values against the new limit as a drawing; empty where there are no two."""
        if self.old is None or self.new is None:
            return ""
        return Entry(result=self.new, anchor=self.anchor, place="", measured_on=(), before=self.old).bullet

    @property
    def rank(self) -> tuple[int, int]:
        """Its place among the changes: a changed verdict first, then what became worse."""
        return (len(self.verdicts) < 2, _RANK.get(self.comparison.trend, 7))  # noqa: PLR2004 - old and new


@dataclass(frozen=True)
class Course:
    """One criterion over all results."""

    name: str
    anchor: str
    limit: str
    latest: str
    kind: str
    verdict: str
    drawing: Markup | str


@dataclass(frozen=True)
class Run:
    """One of several results."""

    started: str
    kind: str
    outcome: str
    commit: str
    changes: tuple[str, ...]
    """What differs from the results before."""


def in_order(reports: Sequence[Report]) -> list[Report]:
    """Return results in the order of their start; of those that started at the same time, the first given is last."""
    ordered = [*reports][::-1]
    ordered.sort(key=lambda report: report.started)  # a stable sort
    return ordered


@dataclass(frozen=True)
class History:
    """Several results."""

    reports: tuple[Report, ...]
    """In the order of their start, the latest last."""

    @property
    def report(self) -> Report:
        """The latest results."""
        return self.reports[-1]

    @property
    def before(self) -> Report | None:
        """The results before the latest."""
        return self.reports[-2] if len(self.reports) > 1 else None

    @cached_property
    def changes(self) -> list[Change]:
        """Each criterion that is not the same as before, worst first."""
        return sorted((each for each in self._compared if not each.is_unchanged), key=lambda change: change.rank)

    @cached_property
    def unchanged(self) -> int:
        """Number of the criteria that are the same as before."""
        return sum(each.is_unchanged for each in self._compared)

    @cached_property
    def others(self) -> list[tuple[str, str, str]]:
        """What else differs from the results before: its name, its old and its new value."""
        if self.before is None:
            return []
        return [(path, _said(old), _said(new)) for path, old, new in circumstances(self.before, self.report)]

    @cached_property
    def courses(self) -> list[Course]:
        """The course of each criterion of the latest results over more than two."""
        if len(self.reports) <= 2:  # noqa: PLR2004 - two are a comparison
            return []
        return [self._course(result) for result in self.report.every_result]

    @cached_property
    def runs(self) -> list[Run]:
        """All results, the latest first."""
        pairs = zip([None, *self.reports], self.reports, strict=False)
        return [_run(before, report) for before, report in pairs][::-1]

    @cached_property
    def _compared(self) -> list[Change]:
        if self.before is None:
            return []
        old, new = (
            {each.criterion.name: each for each in report.every_result} for report in (self.before, self.report)
        )
        return [Change(each, old.get(each.id), new.get(each.id)) for each in compare(self.before, self.report)]

    @cached_property
    def _marked(self) -> list[int]:
        """The index of each results whose spec, subject, checkpoint or versions differ from those before."""
        return [index for index in range(1, len(self.reports)) if [*_changed(*self.reports[index - 1 : index + 1])]]

    @cached_property
    def _results(self) -> list[dict[str, Result]]:
        return [{each.criterion.name: each for each in report.every_result} for report in self.reports]

    def _course(self, result: Result) -> Course:
        name, criterion = result.criterion.name, result.criterion
        values = [_number(results.get(name)) for results in self._results]
        known = [value for value in values if value is not None]
        limit = criterion.limit if is_number(criterion.limit) and criterion.direction is not Direction.EQUAL else None
        label = f"{len(known)} values from {readable(min(known))} to {readable(max(known))}" if known else ""
        drawing = sparkline(label, values, None if limit is None else float(limit), self._marked) if known else ""
        kind, verdict = kind_of(result.verdict), result.verdict.value
        return Course(name, anchor_of(name), required(criterion), value_of(result), kind, verdict, drawing)


def _number(result: Result | None) -> float | None:
    if result is None or result.observed is None or not is_number(result.observed.value):
        return None
    value = float(result.observed.value)
    return value if abs(value) < float("inf") else None


def _run(before: Report | None, report: Report) -> Run:
    word, verdict = outcome(report)
    changes = tuple(_changed(before, report)) if before else ()
    commit = report.parts[0].provenance.git_commit[:12]
    return Run(report.started.replace("T", " "), kind_of(verdict), word, commit, changes)


def _changed(before: Report, report: Report) -> Iterator[str]:
    """Yield what differs between two results, in words."""
    old, new = before.parts[0].provenance, report.parts[0].provenance
    for name in _CHANGES:
        was, now = getattr(old, name), getattr(new, name)
        if was != now:
            yield _WORDS.get(name, f"{name} {was} → {now}")
    for name in sorted({*old.versions, *new.versions}):
        was, now = old.versions.get(name, "—"), new.versions.get(name, "—")
        if was != now:
            yield f"{name} {was} → {now}"


def _said(value: object) -> str:
    return "—" if value is None else value if isinstance(value, str) else exact(value)
