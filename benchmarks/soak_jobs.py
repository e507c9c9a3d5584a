"""Short runs of several cells at a time: one cell does harm, or the run is hit; nobody else may notice.

Every criterion of every cell is in both reports once, with the verdict and the value that was drawn for it and that no
other criterion has. Of a run that was ended, some are not run; `--resume` gets the rest, and measures nothing again
whose verdict was on the disk. The exit code is right, no process is left, and no part of a file.
"""

from __future__ import annotations

import json
import signal
import time
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from junitparser import Error, Failure, JUnitXml
from soaking import PLUGIN, hold_none_left, require, start

if TYPE_CHECKING:
    import random
    import subprocess
    from pathlib import Path

    Name = tuple[str, str]
    """A cell and the id of a criterion."""

CRITERIA = 4
HARMS = ("none", "flood", "large", "session", "clock", "hang", "exit", "kill")
"""What the harmful criterion does; `kill` is to its own worker."""
EVENTS = ("none", "none", "SIGINT", "SIGTERM", "SIGKILL", "twins", "full disk")
"""What happens to the run; `twins` are two runs of the spec at once."""
ENDLESS = {"flood": {"timeout", "crash"}, "hang": {"timeout"}}
"""Harms that a timeout ends, and what becomes of them: how much a flood leaves on the disk is up to the machine."""
DEADLY = {"exit", "kill"}
PATIENCE, LEAST_PATIENCE = 60, 2
"""Seconds that a criterion has, and where it would never end. The same one of other cells has as many."""
FULL_AT = (20_000, 42_000)
"""Bytes of a file at which the disk is full, least and most: too few for the first reports, or for the last."""
DISK_IS_FULL = 4
WORDS = 500
"""Characters of the details of each criterion."""
LATER = 0.1
"""Seconds from the beginning of a criterion to the signal, at most."""
NOT_RUN, RUN = "not run", "(run)"
ELEMENTS: dict[str, list[type]] = {"met": [], "missed": [Failure]}
"""What a verdict is in junit.xml, unless it is an error."""
OWN = {".spec", "junit.xml", "results.json", "report.html", "history.jsonl", "previous.json", "beside"}
"""What a folder of reports may hold."""


@dataclass(frozen=True)
class Case:
    """What was drawn for a run."""

    jobs: int
    cells: tuple[str, ...]
    harm: str
    harmful: Name
    """The criterion that does harm."""
    beside: Name
    """The criterion of another cell during which it is done."""
    missed: frozenset[Name]
    event: str
    begun: int
    """Criteria that have begun when the signal is sent."""
    later: float
    """Seconds from then to the signal."""
    full_at: int

    def __str__(self) -> str:
        return f"{self.harm} in {' '.join(self.harmful)} beside {' '.join(self.beside)}, {self.event}"

    @property
    def names(self) -> list[Name]:
        """Every criterion of every cell."""
        return [(cell, f"c{number}") for cell in self.cells for number in range(CRITERIA)]

    def verdicts_of(self, name: Name) -> set[str]:
        """Return what the verdict may be: nearly always one."""
        if name == self.harmful and self.harm in {*ENDLESS, *DEADLY}:
            return ENDLESS.get(self.harm, {"crash"})
        return {"missed" if name in self.missed else "met"}

    def value_of(self, name: Name) -> int:
        """Return what is observed, which no other criterion observes; each is held against the number of its cell."""
        number = int(name[1][1:]) + 1
        return int(name[0]) + (number if name in self.missed else -number)

    @property
    def exit_code(self) -> int:
        """What a run ends with that is left alone."""
        verdicts = {verdict for name in self.names for verdict in self.verdicts_of(name)}
        return 1 if "missed" in verdicts else 3 if verdicts > {"met"} else 0


def drawn(chance: random.Random, jobs: int) -> Case:
    """Draw a run. The cells that begin it do the harm and see it: they are measured at the same time."""
    cells = tuple(str(100 * (number + 1)) for number in range(jobs + chance.choice([0, 1])))
    ids = chance.sample([f"c{number}" for number in range(CRITERIA)], 2)
    harmful, beside = zip(chance.sample(cells[:jobs], 2), ids, strict=True)
    harm, event = chance.choice(HARMS), chance.choice(EVENTS)
    names = [(cell, f"c{number}") for cell in cells for number in range(CRITERIA)]
    missed = frozenset(chance.sample(names, chance.choice([0, 0, 1, 3]))) - {harmful}
    begun, later = chance.randint(1, len(names) * 2 // 3), chance.uniform(0, LATER)
    return Case(jobs, cells, harm, harmful, beside, missed, event, begun, later, chance.randint(*FULL_AT))


def soak(folder: Path, chance: random.Random, name: str, jobs: int) -> str:
    """Do one run, and another one where it was ended; hold both, and return what happened."""
    case = drawn(chance, jobs)
    try:
        return f"{case.harm}, {_held(case, folder, name)}"
    except AssertionError as error:
        raise AssertionError(f"{case}: {error}") from None


def _held(case: Case, folder: Path, name: str) -> str:
    _write(case, folder)
    full_at = case.full_at if case.event == "full disk" else None
    programs = [_started(case, folder, name, full_at) for _ in range(_times(case))]
    is_hit = case.event.startswith("SIG") and _hit(case, folder, programs[0])
    printed = [program.communicate(timeout=300) for program in programs]
    codes, errors = [program.returncode for program in programs], "".join(part[1] for part in printed)
    hold_none_left(name, "after the run")
    require("Traceback" not in errors, errors)
    if is_hit or case.event == "full disk":
        return f"{case.event}: exit code {_resumed(case, folder, name, codes[0], errors)}"
    places = [folder / "reports/spec", folder / "reports/spec/beside"][: _times(case)]
    for code, place in zip(codes, places, strict=True):
        require(code == case.exit_code, f"exit code {code} instead of {case.exit_code}: {errors}")
        _hold_whole(case, place)
    _hold_folder(folder)
    _hold_counts(case, folder, set(), most=_times(case))
    return f"{case.event if case.event in {'none', 'twins'} else 'over by then'}: exit code {codes[0]}"


def _times(case: Case) -> int:
    return 2 if case.event == "twins" else 1


def _write(case: Case, folder: Path) -> None:
    """Write the plugin, the spec, and what each criterion of each cell does."""
    (folder / "plugin.py").write_text(PLUGIN)
    lines = []
    for number in range(CRITERIA):
        is_harmful = case.harmful[1] == f"c{number}"
        patience = LEAST_PATIENCE if is_harmful and case.harm in ENDLESS else PATIENCE
        child = str(number % 2 == 0 or (is_harmful and case.harm == "session")).lower()
        lines.append(
            f"  c{number}: {{check: logged, limit: '${{vars.cell}}', timeout: {patience}s, "
            f"with: {{name: 'c{number}-${{vars.cell}}', child: {child}}}}}\n"
        )
    (folder / "spec.yaml").write_text(
        f"retspec: 1\nplugins: [plugin.py]\nvars: {{cell: 0}}\n"
        f"matrix: {{vars.cell: [{', '.join(case.cells)}]}}\nchecks:\n{''.join(lines)}"
    )
    given: dict[str, dict[str, object]] = {
        _noted(name): {"value": case.value_of(name), "words": WORDS} for name in case.names
    }
    given[_noted(case.harmful)] |= {
        "harm": case.harm,
        "meets": {_noted(case.beside): 1, _noted(case.harmful): _times(case)},
    }
    given[_noted(case.beside)]["meets"] = {_noted(case.harmful): 1}
    (folder / "drawn.json").write_text(json.dumps(given))


def _noted(name: Name) -> str:
    """Return what a criterion writes to the log."""
    return f"{name[1]}-{name[0]}"


def _started(case: Case, folder: Path, name: str, full_at: int | None = None, *more: str) -> subprocess.Popen[str]:
    return start(folder, name, "--jobs", str(case.jobs), *more, clock=case.harm == "clock", full_at=full_at)


def _hit(case: Case, folder: Path, program: subprocess.Popen[str]) -> bool:
    """Send the signal; return whether the program was there to hear it."""
    while _lines(folder, "log").total() < case.begun and program.poll() is None:
        time.sleep(0.005)
    time.sleep(case.later)
    if program.poll() is not None:
        return False
    program.send_signal(signal.Signals[case.event])
    return True


def _lines(folder: Path, log: str) -> Counter[str]:
    path = folder / log
    return Counter(path.read_text().split() if path.exists() else ())


# Holding ------------------------------------------------------------------------------------------


def _resumed(case: Case, folder: Path, name: str, code: int, errors: str) -> int:
    """Hold what a run has left that was ended, and what the next one makes of it; return the exit code of the first."""
    place = folder / "reports/spec"
    verdicts = _results(place)[1] if (place / "results.json").exists() else {}
    is_over = {*verdicts.values()}.isdisjoint({NOT_RUN}) and bool(verdicts)
    _hold_code(case, code, errors, is_over=is_over)
    _hold_ended(case, folder, verdicts)
    if case.event != "SIGKILL":  # it may strike while a temporary file is written, and between two files
        _hold_folder(folder)
    if case.event.startswith("SIG"):
        _hold_junit(case, place, {} if case.event == "SIGKILL" else verdicts)
    answered = set() if is_over else {name for name, verdict in verdicts.items() if verdict != NOT_RUN}
    program = _started(case, folder, name, None, "--resume")
    _, errors = program.communicate(timeout=300)
    hold_none_left(name, "after --resume")
    require(program.returncode == case.exit_code, f"--resume: {program.returncode}, not {case.exit_code}: {errors}")
    _hold_whole(case, place)
    _hold_folder(folder)
    _hold_counts(case, folder, answered, most=2)
    return code if code >= 0 else 128 - code


def _hold_code(case: Case, code: int, errors: str, *, is_over: bool) -> None:
    if case.event == "full disk":
        allowed = {DISK_IS_FULL}
    else:
        number = signal.Signals[case.event].value
        # a signal that comes after the last verdict may come too late, or when the program is about to end
        allowed = (
            {-number, 128 + number, case.exit_code}
            if is_over
            else {-number if number == signal.SIGKILL else 128 + number}
        )
    require(code in allowed, f"exit code {code}, not one of {allowed}: {errors}")


def _hold_ended(case: Case, folder: Path, verdicts: dict[Name, str]) -> None:
    """Of a run that was ended, every criterion is in the report; it is right, or not run; what has a value, has run."""
    if not verdicts:  # there was no room for the first report
        require(case.event == "full disk", "no results.json")
        return
    ended = _lines(folder, "ended")
    require({*verdicts} == {*case.names}, f"criteria lost: {verdicts}")
    wrong = {name: found for name, found in verdicts.items() if found not in {*case.verdicts_of(name), NOT_RUN}}
    require(not wrong, f"wrong: {wrong}")
    decided = {name for name, found in verdicts.items() if found in {"met", "missed"}}
    require(all(_noted(name) in ended for name in decided), f"decided without having run: {decided}, {ended}")


def _hold_whole(case: Case, place: Path) -> None:
    """Of a run that is over, every verdict and every value is what it is without harm."""
    code, verdicts = _results(place)
    require(code == case.exit_code, f"{place.name}/results.json says {code}, not {case.exit_code}")
    require({*verdicts} == {*case.names}, f"criteria lost: {verdicts}")
    wrong = {name: found for name, found in verdicts.items() if found not in case.verdicts_of(name)}
    require(not wrong, f"wrong: {wrong}")
    values = _values(place)
    mixed = {name: value for name, value in values.items() if value != case.value_of(name)}
    require(not mixed, f"observed elsewhere: {mixed}")
    decided = {name for name, found in verdicts.items() if found in {"met", "missed"}}
    require({*values} == decided, f"values of {values.keys()}, verdicts of {decided}")
    _hold_junit(case, place, verdicts)


def _hold_junit(case: Case, place: Path, verdicts: dict[Name, str]) -> None:
    """Every criterion is in junit.xml once, with the same verdict, or without verdicts with the right one or none.

    What else is there is about the run, and red.
    """
    found = [
        (suite.name.removeprefix("spec[cell=").removesuffix("]"), test.name, test.result)
        for suite in JUnitXml.fromfile(str(place / "junit.xml"))
        for test in suite
    ]
    names = Counter((cell, test) for cell, test, _ in found if test != RUN)
    require(names == Counter(case.names), f"junit.xml has {names}")
    for cell, test, result in found:
        name = cell, test
        said = (
            {verdicts[name]} if name in verdicts else {*case.verdicts_of(name), NOT_RUN} if test != RUN else {NOT_RUN}
        )
        allowed = [ELEMENTS.get(verdict, [Error]) for verdict in said]
        require([type(each) for each in result] in allowed, f"junit.xml has {result} for {test} of {cell}, not {said}")


def _hold_folder(folder: Path) -> None:
    """No part of a file is left."""
    for place in folder.glob("reports/**/"):
        strange = {path.name for path in place.iterdir()} - (OWN if place.name != "reports" else {"spec"})
        require(not strange, f"left in {place.relative_to(folder)}: {strange}")


def _hold_counts(case: Case, folder: Path, answered: set[Name], *, most: int) -> None:
    """Every criterion has run in every run that needed it, and none again whose verdict was on the disk."""
    begun = _lines(folder, "log")
    least = most if case.event == "twins" else 1
    odd = {name: begun[_noted(name)] for name in case.names if not least <= begun[_noted(name)] <= most}
    require(not odd, f"run too rarely or too often: {odd}")
    again = {name for name in answered if begun[_noted(name)] > 1}
    require(not again, f"measured again though answered: {again}")


def _results(place: Path) -> tuple[int, dict[Name, str]]:
    """Return the exit code and the verdicts of results.json."""
    report = json.loads((place / "results.json").read_text())
    found = [(_name(result), result["verdict"]) for part in report["cells"] for result in part["results"]]
    require(len(found) == len(dict(found)), f"results.json has criteria twice: {found}")
    require((report["exit_code"] == 0) == ({verdict for _, verdict in found} == {"met"}), "its exit code is wrong")
    return report["exit_code"], dict(found)


def _values(place: Path) -> dict[Name, int]:
    report = json.loads((place / "results.json").read_text())
    results = [result for part in report["cells"] for result in part["results"]]
    return {_name(result): result["observed"]["value"] for result in results if result.get("observed")}


def _name(result: dict[str, dict[str, str]]) -> Name:
    return result["criterion"]["cell"].removeprefix("cell="), result["criterion"]["id"]
