"""The results of a run: outcomes, verdicts, and the report, which determines the exit code."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any, Literal, TypeVar

from retspec.errors import UsageError, did_you_mean
from retspec.records.pictures import Picture
from retspec.records.proof import Proof
from retspec.records.seeds import Seeds
from retspec.records.spec import Criterion
from retspec.records.values import Observed, Value, Verdict

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Output:
    """What was printed while one thing was made: bounded, without secrets, and safe to show."""

    source: str
    """The measurement or the part of the subject that was made; for the rest, in words, what the worker was doing."""
    stdout: str = ""
    stderr: str = ""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """The outcome of measuring one criterion: an observation, or the reason why there is none."""

    id: str
    observed: Observed[Value] | None = None
    failure: Verdict | None = None
    reason: str = ""
    trace: str = ""
    """The traceback or the tail of stderr, for `-v`."""
    seconds: float = 0.0
    output: tuple[Output, ...] = ()
    """What was printed by all that the criterion waited for."""
    unfit: bool = False
    """Whether there is none because the fault that was to be planted does not apply to the subject."""
    by_seed: Mapping[int, Outcome] = field(default_factory=dict)
    """The outcomes under several seeds, that of the spec first; the rest is then empty but for seconds and output."""


@dataclass(frozen=True, kw_only=True)
class Result:
    """One criterion with its verdict."""

    criterion: Criterion
    verdict: Verdict
    observed: Observed[Value] | None = None
    reason: str = ""
    trace: str = ""
    seconds: float = 0.0
    output: tuple[Output, ...] = ()
    """What was printed by all that the criterion waited for; `results.json` leaves it out when that is nothing."""
    seeds: Seeds | None = None
    """What it came to under each seed; None where it was measured once."""


@dataclass(frozen=True, kw_only=True)
class Measured:
    """A measurement that was made: its facts, if they are plain data, and what it cost."""

    key: str
    facts: Any = None
    seconds: float = 0.0
    criteria: tuple[str, ...] = ()
    """Ids of the criteria that read it; unknown, and empty, in results of an earlier retspec."""


@dataclass(frozen=True, kw_only=True)
class Provenance:
    """What the verdicts are about: enough to decide whether two results are comparable."""

    spec_sha256: str = ""
    config_sha256: str = ""
    """Hash of the training config's values as they were used; empty if the spec names none."""
    subject: Mapping[str, Any] = field(default_factory=dict)
    """What was under test, resolved and without secrets (`retspec.results.provenance`)."""
    subject_sha256: str = ""
    checkpoint_sha256: str = ""
    """Hash of the file whose weights were measured; empty if none was loaded."""
    adapter_sha256: str = ""
    """Hash of the weights of the saved adapter; empty if none was loaded."""
    predictions_sha256: Mapping[str, str] = field(default_factory=dict)
    """Hash of each file of predictions by its name in the spec, as the run read or made it."""
    seed: int = 0
    device: str = ""
    dtype: str = ""
    threads: int | None = None
    git_commit: str = ""
    platform: str = ""
    hostname: str = ""
    versions: Mapping[str, str] = field(default_factory=dict)
    plugins: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What the options of a run asked for beside the spec."""

    select: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()
    cells: tuple[str, ...] = ()
    last_failed: bool = False
    overrides: tuple[str, ...] = ()
    """`path=value`; `--device` and `--seed` are among them."""


EXIT_MET, EXIT_MISSED, EXIT_USAGE, EXIT_NO_VERDICT, EXIT_INTERNAL, EXIT_NOTHING = range(6)


@dataclass(frozen=True, kw_only=True)
class Report:
    """All verdicts of a run, with provenance. It determines the exit code."""

    retspec: Literal[1] = 1
    name: str
    file: str
    description: str = ""
    started: str
    """UTC, `YYYY-MM-DDTHH:MM:SS`."""
    seconds: float = 0.0
    results: tuple[Result, ...]
    asked: Asked = field(default_factory=Asked)
    """What the options of the run asked for; `results.json` leaves it out when that is nothing."""
    unselected: int = 0
    """Criteria of the spec that the options of the run left out."""
    unselected_cells: int = 0
    """Cells of the matrix that the options of the run left out."""
    measurements: tuple[Measured, ...] = ()
    faults: tuple[str, ...] = ()
    """What went wrong with the run itself, outside any one criterion."""
    notes: tuple[str, ...] = ()
    """What a reader should know whatever was asked, in whole sentences, such as files that no split lists."""
    pictures: tuple[Picture, ...] = ()
    """At most 24; `results.json` leaves the field out where the spec asks for none."""
    interrupted: int = 0
    """Number of the signal that ended the run, or 0."""
    strict: bool = False
    proof: Proof | None = None
    """What `retspec prove` has found about the same spec; `results.json` leaves it out where there is none."""
    provenance: Provenance = field(default_factory=Provenance)
    cell: str = ""
    """The cell of the matrix that it is about; empty without a matrix."""
    cells: tuple[Report, ...] = ()
    """The reports of a matrix, one for each cell; this one then holds no results, faults or provenance itself."""

    @property
    def parts(self) -> tuple[Report, ...]:
        """The reports that hold results: those of the cells, or this one."""
        return self.cells or (self,)

    @property
    def every_result(self) -> tuple[Result, ...]:
        """The results of all parts."""
        return tuple(result for part in self.parts for result in part.results)

    def __repr__(self) -> str:
        """The counts and the exit code on one line, for assertions and notebooks."""
        counts = Counter(result.verdict.value for result in self.results)
        counted = ", ".join(f"{count} {word}" for word, count in counts.items())
        return f"<Report {self.name!r}: {counted}; exit code {self.exit_code}>"

    def _repr_html_(self) -> str:
        """The sections of the HTML report, for a notebook."""
        # By name: records know nothing of reports, and only a notebook calls this.
        page: Any = import_module("retspec.report.page")
        text: str = page.render_fragment(self)
        return text

    def result(self, name: str) -> Result:
        """Return the result of a criterion by its id; raises UsageError where there is none, or one for each cell."""
        if self.cells:
            raise UsageError(
                f"the report has {len(self.cells)} cells; ask one of them, as in report.of_cell({_first(self)!r})"
            )
        found = {result.criterion.id: result for result in self.results}
        return _of_name(found, name, "criterion")

    def of_cell(self, name: str) -> Report:
        """Return the report of a cell by its name, such as `r=8`; raises UsageError where there is none."""
        if not self.cells:
            raise UsageError("the report has no cells: its spec has no matrix")
        return _of_name({part.cell: part for part in self.cells}, name, "cell")

    def raise_unless_met(self) -> None:
        """Raise NotMet, with the table of results, unless the exit code is 0."""
        if self.exit_code != EXIT_MET:
            table: Any = import_module("retspec.report.formats.table")  # by name, for the same reason as above
            raise NotMet(f"{self.name}: exit code {self.exit_code}\n\n{table.table(self)}", self)

    def count(self, *verdicts: Verdict) -> int:
        """Return how many criteria have one of these verdicts."""
        return sum(result.verdict in verdicts for result in self.every_result)

    @property
    def is_partial(self) -> bool:
        """Whether the options of the run left out criteria, or cells of the matrix."""
        return bool(self.unselected_cells or any(part.unselected for part in self.parts))

    @property
    def is_whole(self) -> bool:
        """Whether every criterion of the spec had its turn."""
        return not (self.is_partial or self.ended_early)

    @property
    def ended_early(self) -> bool:
        """Whether the run was interrupted, or some criterion that it selected had no turn."""
        return bool(any(part.interrupted for part in self.parts) or self.count(Verdict.NOT_RUN))

    @property
    def undecided(self) -> Sequence[Result]:
        """The criteria without a verdict."""
        return [result for result in self.every_result if not result.verdict.is_decided]

    @property
    def exit_code(self) -> int:
        """0 all met · 1 a limit missed · 3 some criterion has no verdict · 5 nothing was judged · 128+n interrupted."""
        return exit_code_of([self])


class NotMet(AssertionError):  # noqa: N818 - named for what the report is
    """A run that had to be green was not: for pytest, a failed assertion that shows the table.

    report: the report of the run.
    """

    def __init__(self, message: str, report: Report) -> None:
        super().__init__(message)
        self.report = report


def _first(report: Report) -> str:
    return report.cells[0].cell


def _of_name(found: Mapping[str, T], name: str, kind: str) -> T:
    if name not in found:
        near = did_you_mean(name, found) or f"; there are {', '.join(found)}"
        raise UsageError(f"the report has no {kind} {name!r}{near}")
    return found[name]


def exit_code_of(reports: Iterable[Report]) -> int:
    """Return the exit code of a run with several reports: an interruption first, then 1, 3, 5 and 0."""
    parts = [part for report in reports for part in report.parts]
    if interruptions := [part.interrupted for part in parts if part.interrupted]:
        return 128 + interruptions[0]
    if any(part.count(Verdict.MISSED) or (part.strict and part.count(Verdict.WARNED)) for part in parts):
        return EXIT_MISSED
    if any(part.undecided or part.faults for part in parts):
        return EXIT_NO_VERDICT
    if not all(any(result.verdict.is_accepted for result in part.results) for part in parts):
        return EXIT_NOTHING
    return EXIT_MET
