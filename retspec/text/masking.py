"""Keep secrets out of all output: reports, messages and logs.

`retspec.spec.load.secrets` finds them. A secret is replaced wherever it is in a text, in each form in which it travels
(`_forms`), in upper or lower case and over several lines; each line of a longer secret is replaced by itself. A number
that was measured is not masked: only texts, arguments and limits are.
"""

from __future__ import annotations

import json
import re
import shlex
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, quote_plus

from retspec.records import (
    Asked,
    Criterion,
    Measured,
    Observed,
    Output,
    Picture,
    Regression,
    Report,
    Result,
    SeedResult,
    Seeds,
    Waiver,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from retspec.errors import Problem

MASK = "***"
SHORTEST = 4
"""Characters of the shortest secret that is masked; shorter ones are part of too many words."""

LONGEST_NUMBER = 80
"""Characters of the longest secret that is also masked as a number with separators."""

_UNMISTAKABLE = 8
"""Characters of a secret that no word is by chance: it is also masked in another case, in base64 and over lines."""
_LONGEST_OVER_LINES = 200
"""Characters of the longest secret that is looked for over several lines; of a longer one, each line is."""
_BYTES = "surrogateescape"
"""How an environment variable that is not UTF-8 becomes bytes again."""
_BETWEEN = r"(?:\s|\x1b\[[0-?]*[ -/]*[@-~]|[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069])*"
"""What may be between two characters of a secret: white space, which a line break becomes where a text is put on one
line, and colours and bidirectional controls, which are dropped where a text is shown."""


class Mask:
    """Replaces secrets in texts and records; without secrets it returns what it is given."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        forms = {form for secret in secrets for form in _forms(secret) if len(form) >= SHORTEST}
        longest_first = sorted(forms, key=lambda form: (-len(form), form))
        self._secrets = frozenset(forms)
        self._pattern = re.compile("|".join(map(_pattern, longest_first))) if forms else None
        self.longest = 2 * max(map(len, forms), default=0)
        """Characters of a text that is replaced, at most: a shorter piece of a longer text may begin or end in one."""

    def text(self, text: str) -> str:
        """Return a text without secrets."""
        return self._pattern.sub(MASK, text) if self._pattern else text

    def first(self, text: str, most: int) -> str:
        """Return the first characters of a text, without secrets, and how many are left out.

        A secret that a cut goes through is found in neither half. So more is taken, masked, and then cut off.
        """
        if len(text) <= most:
            return self.text(text)
        taken = self.text(text[: most + self.longest])
        return f"{taken[: len(taken) - self.longest]} [{len(text) - most:,} characters left out]"

    def last(self, text: str, most: int) -> str:
        """Return the last characters of a text, without secrets; of one that is cut already, from `longest` on."""
        return self.text(text)[-most:]

    def data(self, value: Any) -> Any:
        """Return plain data without secrets in its texts and keys."""
        match value:
            case str():
                return self.text(value)
            case Mapping():
                return {self.data(name): self.data(entry) for name, entry in value.items()}
            case list() | tuple():
                return type(value)(map(self.data, value))
        return value

    def given(self, value: Any) -> Any:
        """Return a value of a spec without secrets; there, a secret may have been read as a number."""
        match value:
            case Mapping():
                return {name: self.given(entry) for name, entry in value.items()}
            case list() | tuple():
                return type(value)(map(self.given, value))
        return MASK if str(value) in self._secrets else self.data(value)

    def problem(self, problem: Problem) -> Problem:
        """Return a problem of a spec without secrets, also in the name of a file that the spec names."""
        file = self.text(problem.mark.file)
        return replace(problem, mark=replace(problem.mark, file=file), message=self.text(problem.message))

    def report(self, report: Report) -> Report:
        """Return a report without secrets."""
        if self._pattern is None:
            return report
        return replace(
            report,
            name=self.text(report.name),
            description=self.text(report.description),
            asked=self._asked(report.asked),
            results=tuple(map(self.result, report.results)),
            measurements=tuple(map(self.measured, report.measurements)),
            faults=tuple(map(self.text, report.faults)),
            notes=tuple(map(self.text, report.notes)),
            pictures=tuple(map(self.picture, report.pictures)),
            cells=tuple(map(self.report, report.cells)),
        )

    def result(self, result: Result) -> Result:
        """Return a result without secrets; its criterion keeps its name."""
        if self._pattern is None:
            return result
        return replace(
            result,
            criterion=self._criterion(result.criterion),
            observed=self._observed(result.observed) if result.observed else None,
            reason=self.text(result.reason),
            trace=self.text(result.trace),
            seeds=self._seeds(result.seeds) if result.seeds else None,
            output=tuple(map(self._output, result.output)),
        )

    def measured(self, measured: Measured) -> Measured:
        """Return what was measured without secrets."""
        return replace(measured, key=self.text(measured.key), facts=self.data(measured.facts))

    def picture(self, picture: Picture) -> Picture:
        """Return a picture without secrets in its words."""
        return replace(picture, caption=self.text(picture.caption), group=self.text(picture.group))

    def _seeds(self, seeds: Seeds) -> Seeds:
        return replace(seeds, each=tuple(map(self._of_seed, seeds.each)))

    def _of_seed(self, each: SeedResult) -> SeedResult:
        observed = self._observed(each.observed) if each.observed else None
        return replace(each, observed=observed, reason=self.text(each.reason), trace=self.text(each.trace))

    def _output(self, output: Output) -> Output:
        return Output(source=self.text(output.source), stdout=self.text(output.stdout), stderr=self.text(output.stderr))

    def _criterion(self, criterion: Criterion) -> Criterion:
        return replace(
            criterion,
            limit=self.given(criterion.limit),
            warn=self.given(criterion.warn),
            regression=self._regression(criterion.regression),
            arguments=self.given(criterion.arguments),
            skip=self.data(criterion.skip),
            waive=self._waiver(criterion.waive) if criterion.waive else None,
            description=self.text(criterion.description),
            mark=replace(criterion.mark, file=self.text(criterion.mark.file)),
        )

    def _regression(self, regression: Regression | None) -> Regression | None:
        if regression is None:
            return None
        return replace(regression, vs=self.text(regression.vs), most=self.given(regression.most))

    def _asked(self, asked: Asked) -> Asked:
        options = {field.name: self.data(getattr(asked, field.name)) for field in fields(asked)}
        return replace(asked, **options)

    def _waiver(self, waiver: Waiver) -> Waiver:
        return replace(waiver, reason=self.text(waiver.reason), owner=self.text(waiver.owner))

    def _observed(self, observed: Observed[Any]) -> Observed[Any]:
        reasons = self.text(observed.unseen), self.text(observed.noise)
        return Observed(self.data(observed.value), self.data(observed.details), *reasons, observed.interval)


def _pattern(form: str) -> str:
    if not _UNMISTAKABLE <= len(form) <= _LONGEST_OVER_LINES:
        return re.escape(form)
    return f"(?i:{_BETWEEN.join(map(re.escape, form))})"


def _forms(secret: str) -> Iterator[str]:
    """Yield the ways in which a secret may be written: in Python, JSON, a shell, an address, base64, in numbers."""
    yield secret
    yield repr(secret)[1:-1]
    yield json.dumps(secret)[1:-1]
    yield json.dumps(secret, ensure_ascii=False)[1:-1]
    yield shlex.quote(secret)
    raw = _bytes_of(secret)
    yield quote(raw, safe="")
    yield quote(raw)
    yield quote_plus(raw)
    yield from (line.strip() for line in secret.splitlines())
    yield from _in_base64(raw)
    if secret.strip().isdecimal() and len(secret) <= LONGEST_NUMBER:
        yield f"{int(secret):,}"


def _bytes_of(secret: str) -> bytes:
    """Return a secret as the environment holds it, or as Python writes a surrogate that no environment holds."""
    try:
        return secret.encode("utf-8", _BYTES)
    except UnicodeEncodeError:
        return secret.encode("utf-8", "surrogatepass")


def _in_base64(secret: bytes) -> Iterator[str]:
    """Yield what a secret becomes in base64, whatever comes before and after it (RFC 4648, section 4 and 5).

    Three bytes make four characters, so that it depends on where among three it begins. The characters at both ends
    that depend on the neighbours, too, are left out.
    """
    for before in range(3):
        encoded = b64encode(bytes(before) + secret).decode()
        whole = encoded[(0, 2, 3)[before] : (before + len(secret)) * 8 // 6]
        if len(whole) >= _UNMISTAKABLE:
            yield whole
            yield whole.replace("+", "-").replace("/", "_")
