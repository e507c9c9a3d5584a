"""A worker that says too much, too deep, or without end: it is believed in nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.reliability.harm import plugin, spec
from tests.reliability.scenario import Scenario
from tests.reliability.scenarios.timeouts import DUE, MEASUREMENT, waited_until_due

if TYPE_CHECKING:
    from pathlib import Path

GROUP = "Floods"
ENDLESS = MEASUREMENT.replace("def sluggish() -> int:", "def sluggish(progress) -> int:").replace(
    "time.sleep(600)", "while True: progress(1, 2)"
)
MOST = 2_000_000
"""Bytes of a report on a run of a few criteria, whatever came."""


def small(folder: Path) -> None:
    """Hold that no report has grown with what came."""
    assert max((folder / name).stat().st_size for name in ("junit.xml", "results.json")) < MOST


def flood(fault: str, body: str, sees: str, verdict: str, head: str = "") -> Scenario:
    """Return a check between two others, which keep their verdicts."""
    return Scenario(
        group=GROUP,
        fault=fault,
        spec=spec("{limit: 0, timeout: 60s}", head),
        files=plugin(body),
        exit_code=3,
        sees=sees,
        verdicts={"before": "met", "harmful": verdict, "after": "met"},
        afterwards=small,
    )


SCENARIOS = [
    Scenario(
        group=GROUP,
        fault="a measurement reports its progress without end",
        spec=f"retspec: 1\nchecks:\n  reads_sluggish: {{limit: 0, timeout: {DUE}s}}\n  reads_swift: 1\n",
        files={"checks.py": ENDLESS},
        exit_code=3,
        sees="reads_sluggish: timeout (the timeout of 'reads_sluggish' was over after",
        verdicts={"reads_sluggish": "timeout", "reads_swift": "met"},
        afterwards=waited_until_due,
    ),
    Scenario(
        group=GROUP,
        fault="a check prints 200 MiB: the disk gets back what no report keeps",
        spec=spec("{limit: 0, timeout: 60s}"),
        files=plugin(
            """
            for _ in range(200):
                os.write(1, b"x" * 2**20)
            while os.fstat(1).st_blocks * 512 > 4 * 2**20:
                time.sleep(0.01)
            """
        ),
        exit_code=0,
        sees="3 criteria: 3 met",
        verdicts={"harmful": "met"},
        afterwards=small,
    ),
    flood(
        "a check writes to the worker's pipe without end, and no line feed",
        "while True: os.write(int(sys.argv[1]), b'x' * 65536)",
        "harmful: crash (the worker sent a record of more than 64 MiB)",
        "crash",
    ),
    flood(
        "a check returns 100 MiB of details",
        "return Observed(1, {'all': ['x' * 2**20] * 100})",
        "harmful: error (the outcome cannot be recorded: what it gave takes 100 MiB; a record holds at most 64)",
        "error",
    ),
    flood(
        "a check raises an exception with a message of 50 MiB",
        "raise ValueError('x' * 50 * 2**20)",
        "harmful: error (raised ValueError: xxxx",
        "error",
    ),
    flood(
        "a check returns details that are nested 400 deep",
        """
        nested = []
        for _ in range(400):
            nested = [nested]
        return Observed(1, {"nested": nested})
        """,
        "harmful: error (the check returned details that are nested more than 64 deep)",
        "error",
    ),
    flood(
        "a check writes a record that is nested 400 deep to the worker's pipe",
        """
        deep = '[' * 400 + ']' * 400
        os.write(int(sys.argv[1]), b'{"type":"Made","measured":{"key":"a","facts":%s,"seconds":1}}\\n' % deep.encode())
        """,
        "harmful: crash (the worker sent a record that is nested more than 64 deep)",
        "crash",
    ),
    flood(
        "a check writes a record that is nested a million deep to the worker's pipe",
        """
        deep = b'[' * 10**6
        written = 0
        line = b'{"type":"Made","measured":{"key":"a","facts":' + deep + b'\\n'
        while written < len(line):
            written += os.write(int(sys.argv[1]), line[written:])
        """,
        "harmful: crash (the worker sent a",
        "crash",
    ),
]
