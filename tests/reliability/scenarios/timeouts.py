"""A worker that hangs: it is asked to end, then killed, with all that it started."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from tests.reliability.harm import none_left, plugin, spec
from tests.reliability.scenario import Scenario

if TYPE_CHECKING:
    from pathlib import Path

GROUP = "Hangs"
DUE = 2
"""Seconds that what hangs is given: enough for it to note its process ids on a busy machine."""
FOR_EVER = 600
"""Seconds that a check here sleeps."""
MEASUREMENT = '''
import time

from retspec.plugin import Check, Cost, Measurement, check, hookimpl, measurement


@measurement(cost=Cost.STATIC, needs_torch=False)
def sluggish() -> int:
    """Take for ever."""
    time.sleep(600)
    return 0


@measurement(cost=Cost.STATIC, needs_torch=False)
def swift() -> int:
    """Take no time."""
    return 1


@check(direction="at most", advice="Nothing to do.")
def reads_sluggish(sluggish: int) -> int:
    """Is it sluggish?"""
    return sluggish


@check(direction="at most", advice="Nothing to do.")
def reads_swift(swift: int) -> int:
    """Is it swift?"""
    return swift


@hookimpl
def retspec_checks() -> list[Check]:
    return [reads_sluggish, reads_swift]


@hookimpl
def retspec_measurements() -> list[Measurement]:
    return [sluggish, swift]
'''


def waited_until_due(folder: Path) -> None:
    """Hold that each timeout came when it was due, or later: a busy machine looks when it can."""
    results = json.loads((folder / "results.json").read_text())["results"]
    reasons = [result["reason"] for result in results if result["verdict"] == "timeout"]
    waited = [re.search(r"was over after ([\d.]+) s", reason) for reason in reasons]
    assert waited
    assert all(found and DUE <= float(found[1]) < FOR_EVER / 2 for found in waited), reasons


def none_left_when_due(folder: Path) -> None:
    none_left(folder)
    waited_until_due(folder)


def hangs(fault: str, body: str) -> Scenario:
    """Return a check that writes its process id, and that of its children, to `pids` and never returns."""
    return Scenario(
        group=GROUP,
        fault=fault,
        spec=spec(f"{{limit: 0, timeout: {DUE}s}}"),
        files=plugin(body),
        exit_code=3,
        sees="harmful: timeout (the timeout of 'harmful' was over after",
        verdicts={"before": "met", "harmful": "timeout", "after": "met"},
        afterwards=none_left_when_due,
    )


SCENARIOS = [
    hangs("a check sleeps for ever", "note('pids', os.getpid()); time.sleep(600)"),
    hangs(
        "C code sleeps and holds the interpreter's lock",
        "note('pids', os.getpid()); ctypes.PyDLL(None).sleep(600)",
    ),
    hangs(
        "a regular expression backtracks for years",
        "note('pids', os.getpid()); re.match('(a+)+$', 'a' * 60 + 'b')",
    ),
    hangs("a power of integers takes for ever", "note('pids', os.getpid()); 9 ** 9 ** 9"),
    hangs(
        "a check ignores SIGTERM and holds the interpreter's lock",
        """
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        note("pids", os.getpid())
        ctypes.PyDLL(None).sleep(600)
        """,
    ),
    hangs("the worker is stopped", "note('pids', os.getpid()); os.kill(os.getpid(), signal.SIGSTOP)"),
    hangs(
        "a data loader's process never answers",
        """
        context = multiprocessing.get_context("fork")
        answers = context.Queue()
        loader = context.Process(target=time.sleep, args=(600,))
        loader.start()
        note("pids", f"{os.getpid()} {loader.pid}")
        answers.get()
        """,
    ),
    hangs(
        "five children ignore SIGTERM and a check waits for them",
        """
        children = [subprocess.Popen(["sh", "-c", "trap '' TERM; sleep 600; :"], close_fds=False) for _ in range(5)]
        note("pids", " ".join(str(child.pid) for child in children))
        for child in children:
            child.wait()
        """,
    ),
    Scenario(
        group=GROUP,
        fault="the run takes longer than `run.timeout`",
        spec=spec(head="run: {timeout: 10s}"),
        files=plugin("note('pids', os.getpid()); time.sleep(600)"),
        exit_code=3,
        sees="after: timeout (the run's timeout is over)",
        verdicts={"before": "met", "harmful": "timeout", "after": "timeout"},
        afterwards=none_left,
    ),
    Scenario(
        group=GROUP,
        fault="a measurement takes longer than `run.measurement_timeout`",
        spec=f"""\
retspec: 1
run: {{measurement_timeout: {DUE}s}}
checks:
  reads_sluggish: 0
  another: {{check: reads_sluggish, limit: 0}}
  reads_swift: 1
""",
        files={"checks.py": MEASUREMENT},
        exit_code=3,
        sees="another: timeout (the timeout of a measurement was over after",
        verdicts={"reads_sluggish": "timeout", "another": "timeout", "reads_swift": "met"},
        afterwards=waited_until_due,
    ),
]
