"""JUnit XML for CI servers, in two families: one that most readers show best, one that the strictest schema accepts.

Each rule that looks arbitrary here is one that some reader needs: flat suites (nested ones are not shown), the
message again as the first line of the text (some readers show only the one, some only the other), dotted types
(GitLab loses a report with a bare word), measured numbers in `system-out` and never in names or properties
(Allure loses the test's history). Unless `warnings` is given, the file is red exactly when the exit code is
not 0.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Literal
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from retspec.characters import defused, one_line
from retspec.plugin import reporter
from retspec.records import EXIT_NOTHING, Criterion, Provenance, Report, Result, Spread, Verdict
from retspec.report.formats.junit_texts import capped, explanation, machine_readable, output_lines, shortened
from retspec.text.relative_paths import from_root
from retspec.text.seeds import noise_in
from retspec.text.wording import troubles

if TYPE_CHECKING:
    from collections.abc import Iterable

Family = Literal["rich", "strict"]
Warnings = Literal["pass", "skip", "fail"]

_ERRORS = {
    Verdict.INCONCLUSIVE: "retspec.Inconclusive",
    Verdict.ERROR: "retspec.CheckError",
    Verdict.TIMEOUT: "retspec.Timeout",
    Verdict.CRASH: "retspec.Crash",
    Verdict.OUT_OF_MEMORY: "retspec.OutOfMemory",
    Verdict.NOT_RUN: "retspec.NotRun",
}
_FAILURE = "retspec.LimitMissed"
_WARNED_TAGS = {"pass": "", "skip": "skipped", "fail": "failure"}
_RUN = "(run)"
"""Name of the testcase for the run itself, when something went wrong with it."""
_LARGEST_TEXT = 50_000
"""Bytes of one text; the middle of a longer one is left out."""
_LARGEST_SUITE = 20_000_000
"""Bytes that the texts of one suite share, so that thousands of equal failures do not become gigabytes."""
_SMALLEST_TEXT = 1_000
"""Bytes of a text that are always kept, however many texts there are."""


def render_junit(*reports: Report, family: Family = "rich", warnings: Warnings | None = None) -> str:
    """Return one JUnit XML document with a flat suite per report, or per cell of one that has cells.

    family: "strict" is valid under the schema of the Jenkins xUnit plugin, at the price of files, lines and
        properties of testcases.
    warnings: what a criterion that warned becomes; by default "fail" in a strict run, else "pass".
    """
    reports = tuple(part for report in reports for part in report.parts)
    shared = Counter(report.name for report in reports)
    relative = cache(from_root)
    suites = [
        _suite(
            report,
            index,
            _Writer(
                classname=_classname(report, is_shared=shared[report.name] > 1),
                is_rich=family == "rich",
                warnings=warnings or ("fail" if report.strict else "pass"),
                relative=relative,
                known=noise_in(report),
                largest=_share(len(report.results)),
            ),
        )
        for index, report in enumerate(reports)
    ]
    root = Element("testsuites", name="retspec")
    for counter in ("tests", "failures", "errors"):
        root.set(counter, str(sum(int(suite.attrib[counter]) for suite in suites)))
    root.set("time", f"{sum(report.seconds for report in reports):.3f}")
    root.extend(suites)
    indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{tostring(root, encoding="unicode")}\n'


# Suites -----------------------------------------------------------------------------------------------------


def _classname(report: Report, *, is_shared: bool) -> str:
    """Return half of the key that readers keep a test's history under; it is never the name of the suite."""
    return one_line(f"retspec.{report.name} ({report.file})" if is_shared else f"retspec.{report.name}")


def _share(criteria: int) -> int:
    """Return how many bytes each text may have; a criterion has two texts."""
    return max(_SMALLEST_TEXT, min(_LARGEST_TEXT, _LARGEST_SUITE // (2 * criteria or 1)))


def _suite(report: Report, index: int, writer: _Writer) -> Element:
    cases = [writer.testcase(result) for result in report.results]
    cases += [writer.run_testcase(texts) for texts in [_run_troubles(report)] if texts]
    outcomes = Counter(child.tag for case in cases for child in case)
    suite = Element(
        "testsuite",
        name=one_line(report.name) or "retspec",
        tests=str(len(cases)),
        failures=str(outcomes["failure"]),
        errors=str(outcomes["error"]),
        skipped=str(outcomes["skipped"]),
        time=f"{report.seconds:.3f}",
        timestamp=report.started,
        hostname=one_line(report.provenance.hostname) or "localhost",
        id=str(index),
    )
    score = "" if report.proof is None else report.proof.score
    _properties(suite, {"spec": report.file, "proof": score, **_provenance(report.provenance)})
    suite.extend(cases)
    return suite


def _run_troubles(report: Report) -> list[str]:
    nothing = ["nothing was judged"] if report.exit_code == EXIT_NOTHING else []
    return troubles(report) + nothing


def _provenance(provenance: Provenance) -> dict[str, str]:
    facts = {
        "spec_sha256": provenance.spec_sha256,
        "config_sha256": provenance.config_sha256,
        "subject_sha256": provenance.subject_sha256,
        "checkpoint_sha256": provenance.checkpoint_sha256,
        "adapter_sha256": provenance.adapter_sha256,
        **{f"predictions_sha256.{file}": found for file, found in provenance.predictions_sha256.items()},
        "seed": str(provenance.seed),
        "device": provenance.device,
        "dtype": provenance.dtype,
        "threads": "" if provenance.threads is None else str(provenance.threads),
        "git_commit": provenance.git_commit,
        "platform": provenance.platform,
    }
    facts |= {f"version.{name}": version for name, version in provenance.versions.items()}
    return facts | {f"plugin.{name}": version for name, version in provenance.plugins.items()}


def _properties(parent: Element, facts: dict[str, str]) -> None:
    """Add the facts that are known; those without a value are left out."""
    properties = SubElement(parent, "properties")
    for name, value in facts.items():
        if value:
            SubElement(properties, "property", name=one_line(name), value=one_line(value))


# Testcases --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class _Writer:
    """Writes the testcases of one suite."""

    classname: str
    is_rich: bool
    warnings: Warnings
    relative: Callable[[str], str]
    known: Mapping[str, Spread]
    """What is known of the noise of each criterion."""
    largest: int
    """Bytes of one text."""

    def testcase(self, result: Result) -> Element:
        criterion = result.criterion
        case = self._case(criterion.id, result.seconds)
        if self.is_rich:
            case.set("file", self.relative(criterion.mark.file))
            if criterion.mark.is_in_file:
                case.set("line", str(criterion.mark.line))
            _properties(case, _static_facts(criterion))
        tag = self._tag(result.verdict)
        if tag:
            self._say(case, tag, _ERRORS.get(result.verdict, _FAILURE), explanation(result))
        SubElement(case, "system-out").text = capped(output_lines(result, self.known), self.largest)
        return case

    def run_testcase(self, texts: list[str]) -> Element:
        case = self._case(_RUN, 0.0)
        self._say(case, "error", _ERRORS[Verdict.ERROR], texts)
        return case

    def _case(self, name: str, seconds: float) -> Element:
        return Element("testcase", classname=self.classname, name=one_line(name), time=f"{seconds:.3f}")

    def _say(self, case: Element, tag: str, kind: str, texts: Iterable[str]) -> None:
        """Add why a testcase is not green: the reason in one line, and a text that begins with the same line."""
        reason, *explanation = map(defused, texts)
        message = shortened(one_line(reason))
        child = SubElement(case, tag, message=message)
        if tag != "skipped":
            child.set("type", kind)
        full = [reason] if reason != message else []
        child.text = capped([message, *full, *explanation], self.largest)

    def _tag(self, verdict: Verdict) -> str:
        tags = {
            Verdict.MET: "",
            Verdict.MISSED: "failure",
            Verdict.SKIPPED: "skipped",
            Verdict.WAIVED: "skipped",
            Verdict.WARNED: _WARNED_TAGS[self.warnings],
        }
        return tags.get(verdict, "error")


def _static_facts(criterion: Criterion) -> dict[str, str]:
    said = {"judge": criterion.judge, "aggregate": criterion.aggregate}
    return {name: choice.value for name, choice in said.items() if choice is not None} | {
        "check": criterion.check,
        "direction": criterion.direction.value,
        "limit": "none" if criterion.limit is None else machine_readable(criterion.limit),
        "unit": criterion.unit,
    }


@reporter
def junit(report: Report) -> str:
    """JUnit XML with files, lines and properties."""
    return render_junit(report)


@reporter
def junit_strict(report: Report) -> str:
    """JUnit XML that is valid under the schema of the Jenkins xUnit plugin."""
    return render_junit(report, family="strict")
