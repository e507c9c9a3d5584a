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
from typing import TYPE_CHECKING

from junitparser import Error, Failure, JUnitXml
from soak_case import drawn, noted, write
from soaking import hold_none_left, require, start

if TYPE_CHECKING:
    import random
    import subprocess
    from pathlib import Path

    from soak_case import Case, Name

DISK_IS_FULL = 4
NOT_RUN, RUN = "not run", "(run)"
ELEMENTS: dict[str, list[type]] = {"met": [], "missed": [Failure]}
"""What a verdict is in junit.xml, unless it is an error."""
OWN = {".spec", "junit.xml", "results.json", "report.html", "history.jsonl", "previous.json", "beside"}
"""What a folder of reports may hold."""


def soak(folder: Path, chance: random.Random, name: str, jobs: int) -> str:
    """Do one run, and another one where it was ended; hold both, and return what happened."""
    case = drawn(chance, jobs)
    try:
        return f"{case.harm}, {_held(case, folder, name)}"
    except AssertionError as error:
        raise AssertionError(f"{case}: {error}") from None


def _held(case: Case, folder: Path, name: str) -> str:
    write(case, folder)
    full_at = case.full_at if case.event == "full disk" else None
    programs = [_started(case, folder, name, full_at) for _ in range(case.times)]
    is_hit = case.event.startswith("SIG") and _hit(case, folder, programs[0])
    printed = [program.communicate(timeout=300) for program in programs]
    codes, errors = [program.returncode for program in programs], "".join(part[1] for part in printed)
    hold_none_left(name, "after the run")
    require("Traceback" not in errors, errors)
    if is_hit or case.event == "full disk":
        return f"{case.event}: exit code {_resumed(case, folder, name, codes[0], errors)}"
    places = [folder / "reports/spec", folder / "reports/spec/beside"][: case.times]
    for code, place in zip(codes, places, strict=True):
        require(code == case.exit_code, f"exit code {code} instead of {case.exit_code}: {errors}")
        _hold_whole(case, place)
    _hold_folder(folder)
    _hold_counts(case, folder, set(), most=case.times)
    return f"{case.event if case.event in {'none', 'twins'} else 'over by then'}: exit code {codes[0]}"


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
    require(all(noted(name) in ended for name in decided), f"decided without having run: {decided}, {ended}")
    lost = [name for name, found in verdicts.items() if found == NOT_RUN and noted(name) in ended]
    # what a worker sends while the signal arrives is no longer read; after SIGKILL the reports end where they were
    is_few = len(lost) <= 2 * case.jobs or case.event not in {"SIGINT", "SIGTERM"}
    require(is_few, f"measured and lost: {lost}")


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
    odd = {name: begun[noted(name)] for name in case.names if not least <= begun[noted(name)] <= most}
    require(not odd, f"run too rarely or too often: {odd}")
    again = {name for name in answered if begun[noted(name)] > 1}
    require(not again, f"measured again though answered: {again}")


def _results(place: Path) -> tuple[int, dict[Name, str]]:
    """Return the exit code and the verdicts of results.json."""
    require((place / "results.json").exists(), f"no results.json in {place.name}")
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
