"""What is on the page of one run, in its order: the parts of the report, their criteria, their measurements."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from retspec.report.formats.table import worst_first
from retspec.report.page.criteria import Entry, Placed, anchor_of, flat, kind_of, place_of
from retspec.report.page.figures import figures_of
from retspec.report.page.galleries import galleries_of
from retspec.report.page.marks import Row, bars, tally
from retspec.text.asked import run_with
from retspec.text.proofs import sentences, symbol
from retspec.text.seeds import noise_in
from retspec.text.wording import duration, outcome, summary, troubles

if TYPE_CHECKING:
    from markupsafe import Markup

    from retspec.records import Measured, Proof, Report, Result, Trial
    from retspec.report.page.galleries import Gallery

MOST_CELLS = 256
"""Cells that a page shows one by one: with thousands, a browser would not open it."""
KINDS = ("missed", "undecided", "warned", "waived", "skipped", "met")
_KIND_WORDS = {"undecided": "no verdict"}


@dataclass(frozen=True)
class Counted:
    """How many criteria have a kind of verdict."""

    kind: str
    count: int

    @property
    def word(self) -> str:
        """The word for it."""
        return _KIND_WORDS.get(self.kind, self.kind)


@dataclass(frozen=True)
class Measurement:
    """A measurement on the page, with the figures that no criterion shows."""

    key: str
    seconds: str
    criteria: tuple[str, ...]
    figures: tuple[Placed, ...]


class Part:
    """One report, or one cell of a matrix, on the page."""

    def __init__(self, report: Report, before: Mapping[str, Result], gallery: Gallery) -> None:
        self.report, self.gallery = report, gallery
        self.cell = report.cell
        self._before = before
        self._prefix = f"{anchor_of(report.cell)}." if report.cell else ""
        self._drawn = {measured.key: self._figures(measured) for measured in report.measurements}
        self._is_repeated = any(result.seeds is not None for result in report.results)
        self._alone = Counter(measured.key.partition("(")[0] for measured in report.measurements)

    @cached_property
    def entries(self) -> list[Entry]:
        """Its criteria, worst first, each figure with the first that it explains."""
        order = worst_first(self.report.results)
        shown: set[str] = set()
        return [self._entry(result, shown) for result in order]

    @cached_property
    def open(self) -> list[Entry]:
        """The criteria that need a look."""
        return [entry for entry in self.entries if not entry.is_folded]

    @cached_property
    def folded(self) -> list[Entry]:
        """The criteria that do not."""
        return [entry for entry in self.entries if entry.is_folded]

    @cached_property
    def measurements(self) -> list[Measurement]:
        """Everything that was measured, in the order in which it was made."""
        taken = {placed.anchor for entry in self.entries for placed in entry.figures}
        return [
            Measurement(
                measured.key,
                duration(measured.seconds),
                measured.criteria,
                tuple(placed for placed in self._drawn[measured.key] if placed.anchor not in taken),
            )
            for measured in self.report.measurements
        ]

    @property
    def every_figure(self) -> list[Placed]:
        """All figures, in the order in which they were measured, then those of the seeds."""
        measured = [placed for measured in self.report.measurements for placed in self._drawn[measured.key]]
        return [*measured, *(entry.strip for entry in self.entries if entry.strip)]

    @cached_property
    def cost(self) -> Markup | str:
        """Where the time of the run went; empty where that is not worth a figure."""
        slow = sorted(self.report.measurements, key=lambda measured: -measured.seconds)[:12]
        rows = [Row(_short(measured.key), measured.seconds, duration(measured.seconds)) for measured in slow]
        worth = [row for row in rows if row.value >= 0.05]  # noqa: PLR2004 - seconds
        return bars("Seconds of each measurement, slowest first.", worth) if len(worth) > 1 else ""

    def _figures(self, measured: Measured) -> tuple[Placed, ...]:
        address = anchor_of(f"figure.{self._prefix}{measured.key}")
        return tuple(Placed(each, f"{address}.{each.name}", measured.key) for each in figures_of(measured))

    def _entry(self, result: Result, shown: set[str]) -> Entry:
        entry = Entry(
            result=result,
            anchor=anchor_of(result.criterion.name),
            place=place_of(result),
            measured_on=tuple(m.key for m in self.report.measurements if result.criterion.id in m.criteria),
            before=self._before.get(result.criterion.name),
            is_repeated=self._is_repeated,
            known=noise_in(self.report),
        )
        wanted = [*self._explaining(result)]
        if entry.is_folded:
            return replace(entry, links=tuple(wanted))
        here = tuple(placed for placed in wanted if placed.anchor not in shown)
        shown |= {placed.anchor for placed in here}
        return replace(entry, figures=here, links=tuple(placed for placed in wanted if placed not in here))

    def _explaining(self, result: Result) -> Iterable[Placed]:
        for measured in self.report.measurements:
            if self._is_read_by(measured, result):
                for placed in self._drawn[measured.key]:
                    if result.criterion.check in placed.figure.checks:
                        yield placed

    def _is_read_by(self, measured: Measured, result: Result) -> bool:
        """Whether a criterion reads a measurement; in older results, whether it is the only one of its name."""
        if measured.criteria:
            return result.criterion.id in measured.criteria
        return self._alone[measured.key.partition("(")[0]] == 1


@dataclass(frozen=True)
class Contents:
    """Everything on the page of one run."""

    report: Report
    parts: Sequence[Part]

    @staticmethod
    def of(report: Report, before: Report | None = None, *, most: int = MOST_CELLS) -> Contents:
        """Return the contents of a report, compared with an earlier one where there is one.

        most: cells that are shown; of more, those with the worst verdicts.
        """
        earlier = {result.criterion.name: result for result in before.every_result} if before else {}
        parts = _worst(report.parts, most)
        galleries = zip(parts, galleries_of(parts), strict=True)
        return Contents(report, [Part(part, earlier, gallery) for part, gallery in galleries])

    @property
    def left_out(self) -> int:
        """How many cells the page does not show one by one."""
        return len(self.report.parts) - len(self.parts)

    @cached_property
    def anchors(self) -> frozenset[str]:
        """The places of the criteria that are shown: nothing else can be linked to."""
        return frozenset(entry.anchor for part in self.parts for entry in part.entries)

    @property
    def outcome(self) -> tuple[str, str]:
        """The word for the outcome of the run, and its kind."""
        word, verdict = outcome(self.report)
        kinds = {"nothing judged": "undecided", "interrupted": "undecided"}
        return word, kinds.get(word, kind_of(verdict))

    @property
    def summary(self) -> str:
        """The counts in words."""
        return summary(self.report)

    @property
    def troubles(self) -> list[str]:
        """What went wrong with the run itself."""
        return [flat(text) for text in troubles(self.report)]

    @cached_property
    def counts(self) -> list[Counted]:
        """The criteria by kind of verdict, worst first; kinds without any are left out."""
        return _counted(self.report.every_result)

    @cached_property
    def counts_of_criteria(self) -> list[tuple[str, list[Counted]]]:
        """For each criterion of a matrix, its verdicts in all cells by kind, also in those that are not shown."""
        found: dict[str, list[Result]] = {}
        for result in self.report.every_result:
            found.setdefault(result.criterion.id, []).append(result)
        return [(name, _counted(results)) for name, results in found.items()]

    @property
    def run_with(self) -> str:
        """What the run was asked for beside its spec; empty if nothing."""
        return run_with(self.report)

    @cached_property
    def proof(self) -> Proof | None:
        """What planting faults has shown of the spec; None where it was not proven."""
        return next((part.proof for part in self.report.parts if part.proof is not None), None)

    @property
    def proven(self) -> list[tuple[str, list[str]]]:
        """What the proof says beside its matrix: heads with their lines."""
        texts = [text.splitlines() for text in sentences(self.proof)] if self.proof else []
        return [(head, [line.strip() for line in lines]) for head, *lines in texts]

    @property
    def tried(self) -> list[tuple[Trial, list[str]]]:
        """The planted faults, each with a symbol for every criterion that can notice one."""
        if self.proof is None:
            return []
        ids = [each.id for each in self.proof.criteria if each.can_notice]
        return [(trial, [symbol(trial.answers.get(each)) for each in ids]) for trial in self.proof.planted]

    @property
    def tally(self) -> Markup:
        """The same as a drawing."""
        return tally(self.summary, [(each.kind, each.count) for each in self.counts])

    @cached_property
    def grid(self) -> list[tuple[str, list[Entry | None]]]:
        """For a matrix, each criterion with its entry in each cell, in the order of the spec; else empty."""
        if not self.report.cells:
            return []
        known = [{entry.result.criterion.id: entry for entry in part.entries} for part in self.parts]
        ids = dict.fromkeys(result.criterion.id for part in self.parts for result in part.report.results)
        return [(name, [entries.get(name) for entries in known]) for name in ids]


def _counted(results: Iterable[Result]) -> list[Counted]:
    found = Counter(kind_of(result.verdict) for result in results)
    return [Counted(kind, found[kind]) for kind in KINDS if found[kind]]


def _worst(parts: Sequence[Report], most: int) -> Sequence[Report]:
    """Return the parts with the worst verdicts, in their order; all if they are not more than asked for."""
    if len(parts) <= most:
        return parts
    ranks = [min((KINDS.index(kind_of(result.verdict)) for result in part.results), default=0) for part in parts]
    return [parts[index] for index in sorted(sorted(range(len(parts)), key=ranks.__getitem__)[:most])]


def _short(key: str) -> str:
    """Return the key of a measurement with its arguments left out; the table beside the drawing has them."""
    name, has_arguments, _ = key.partition("(")
    return f"{name}(…)" if has_arguments else name
