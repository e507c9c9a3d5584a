"""Reports that cannot be written: told before anything is measured, or when it happens; never half a file."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

from junitparser import JUnitXml

from tests.reliability.harm import plugin, spec
from tests.reliability.scenario import Scenario

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path

GROUP = "Disk"
NOTES_THAT_IT_RAN = "note('ran')"
TALKS = "return Observed(0, {'words': ['x' * 9_000] * 100})"
UP_TO_16_KB = "ulimit -f 32"
OLD = '{"an": "old report"}'


def unwritable(fault: str, path: str, sees: str, prepare_file: str = "occupied/file") -> Scenario:
    """Return a JUnit path that does not work: nothing is measured."""
    return Scenario(
        group=GROUP,
        fault=fault,
        spec=spec(),
        files={**plugin(NOTES_THAT_IT_RAN), prepare_file: ""},
        arguments=("--junit-xml", path),
        exit_code=4,
        sees=f"Error: cannot write the report {path}: {sees}",
        on_disk="`results.json`, every criterion in it as not run",
        afterwards=nothing_ran,
    )


def nothing_ran(folder: Path) -> None:
    assert not (folder / "ran").exists()
    results = json.loads((folder / "results.json").read_text())["results"]
    assert [result["verdict"] for result in results] == ["not run"] * 3


def files_in(folder: Path) -> set[str]:
    """Return the names of everything in a folder, without the bytecode that Python keeps of a plugin."""
    return {path.name for path in folder.iterdir()} - {"__pycache__"}


def red_and_whole(folder: Path) -> None:
    """What was written before the disk was full stands there, and nothing half-written beside it."""
    before, *others = json.loads((folder / "results.json").read_text())["results"]
    assert before["verdict"] in {"met", "not run"}
    assert {result["verdict"] for result in others} == {"not run"}
    assert next(iter(JUnitXml.fromfile(str(folder / "junit.xml")))).errors > 0
    assert files_in(folder) == {"spec.yaml", "checks.py", "junit.xml", "results.json"}


def green_and_whole(folder: Path) -> None:
    """The verdicts are what they are, whoever may read the output."""
    results = json.loads((folder / "results.json").read_text())
    assert (results["exit_code"], results["counts"]["met"]) == (0, 3)
    assert next(iter(JUnitXml.fromfile(str(folder / "junit.xml")))).tests == 3


def old_one_is_whole(folder: Path) -> None:
    assert (folder / "results.json").read_text() == OLD
    assert files_in(folder) == {"spec.yaml", "checks.py", "results.json"}


def stop_reading(program: subprocess.Popen[str], _folder: Path) -> None:
    assert program.stdout is not None
    program.stdout.close()


def link_to_elsewhere(folder: Path) -> None:
    (folder / "elsewhere").mkdir()
    (folder / "results.json").symlink_to("elsewhere/kept.json")


def link_still_leads_there(folder: Path) -> None:
    assert (folder / "results.json").is_symlink()
    assert json.loads((folder / "elsewhere" / "kept.json").read_text())["exit_code"] == 0


MET = {"before": "met", "harmful": "met", "after": "met"}

SCENARIOS = [
    unwritable("the path of a report is a folder", "occupied", "it is a directory"),
    unwritable("a folder of the path is a file", "occupied/file/junit.xml", "Not a directory"),
    unwritable("the path of a report is a device", os.devnull, "it is not a regular file"),
    unwritable("nobody may write there", "/proc/junit.xml", ""),
    unwritable("a name is too long", f"{'long' * 70}.xml", "File name too long"),
    Scenario(
        group=GROUP,
        fault="the disk is full from the start",
        spec=spec(),
        files={**plugin(NOTES_THAT_IT_RAN), "results.json": OLD},
        prelude="ulimit -f 0",
        arguments=("--no-reports",),
        exit_code=4,
        sees="Error: cannot write the report junit.xml: File too large",
        on_disk="what was there before",
        afterwards=old_one_is_whole,
    ),
    Scenario(
        group=GROUP,
        fault="the disk fills up in the middle of the run",
        spec=spec(),
        files=plugin(TALKS),
        prelude=UP_TO_16_KB,
        arguments=("--no-reports",),  # the HTML report alone is larger than that
        exit_code=4,
        sees="Error: cannot write the report junit.xml: File too large",
        on_disk="both reports as they were before, red",
        afterwards=red_and_whole,
    ),
    Scenario(
        group=GROUP,
        fault="a report is a link to a file elsewhere: the link is kept",
        spec=spec(),
        files=plugin(""),
        prepare=link_to_elsewhere,
        exit_code=0,
        sees="3 criteria: 3 met",
        verdicts=MET,
        afterwards=link_still_leads_there,
    ),
    Scenario(
        group="Output",
        fault="the reader of the output went away (`| head -0`)",
        spec=spec(),
        files=plugin(""),
        act=stop_reading,
        exit_code=141,
        sees="",
        on_disk="both reports, every verdict in them",
        afterwards=green_and_whole,
    ),
    Scenario(
        group="Output",
        fault="the output goes to a full disk",
        spec=spec(),
        files=plugin(""),
        prelude="exec >/dev/full",
        exit_code=4,
        sees="Error: cannot write the output: No space left on device",
        on_disk="both reports, every verdict in them",
        afterwards=green_and_whole,
    ),
    Scenario(
        group="Output",
        fault="the log of the progress goes to a full disk",
        spec=spec(),
        files=plugin(""),
        prelude="exec 2>/dev/full",
        exit_code=0,
        sees="3 criteria: 3 met",
        verdicts=MET,
    ),
    Scenario(
        group="Output",
        fault="a daemon starts the run with all standard streams closed",
        spec=spec(),
        files=plugin(""),
        prelude="exec <&- >&- 2>&-",
        exit_code=0,
        sees="",
        verdicts=MET,
    ),
]
