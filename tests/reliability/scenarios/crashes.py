"""A worker that dies: the criterion at work has no verdict, a fresh worker takes the others."""

from __future__ import annotations

from tests.reliability.harm import none_left, plugin, spec
from tests.reliability.scenario import Scenario

GROUP = "Crashes"


def dies(fault: str, body: str, sees: str) -> Scenario:
    return Scenario(
        group=GROUP,
        fault=fault,
        spec=spec(),
        files=plugin(body),
        exit_code=3,
        sees=f"harmful: crash ({sees}",
        verdicts={"before": "met", "harmful": "crash", "after": "met"},
    )


def killed_by(name: str) -> Scenario:
    return dies(f"a check ends in {name}", f"os.kill(os.getpid(), signal.{name})", f"the worker was killed by {name}")


def lacks_memory(fault: str, body: str, memory: str, sees: str) -> Scenario:
    return Scenario(
        group="Memory",
        fault=fault,
        spec=spec(head=f"run: {{memory: {memory}}}"),
        files=plugin(body),
        exit_code=3,
        sees=sees,
        verdicts={"before": "met", "harmful": "out of memory", "after": "met"},
    )


DIES_UNDER_THE_SECOND_SEED = '''
import os
from pathlib import Path

from retspec.plugin import Check, Cost, Measurement, check, hookimpl, measurement


@measurement(cost=Cost.FORWARD, needs_torch=False)
def calls() -> int:
    """How often it was made."""
    calls = Path("calls.txt")
    calls.write_text(calls.read_text() + "x" if calls.exists() else "x")
    if calls.read_text() == "xx":
        os.abort()
    return 1


@check(direction="at most", advice="Nothing to do.")
def harmful(calls: int) -> int:
    """What does it do to its process?"""
    return calls


@hookimpl
def retspec_checks() -> list[Check]:
    return [harmful]


@hookimpl
def retspec_measurements() -> list[Measurement]:
    return [calls]
'''

SCENARIOS = [
    dies("a check reads address zero", "ctypes.string_at(0)", "the worker was killed by SIGSEGV)"),
    dies("a check aborts", "os.abort()", "the worker was killed by SIGABRT)"),
    killed_by("SIGBUS"),
    killed_by("SIGFPE"),
    killed_by("SIGILL"),
    killed_by("SIGTERM"),
    dies(
        "the kernel kills the worker",
        "os.kill(os.getpid(), signal.SIGKILL)",
        "the worker was killed by SIGKILL, probably because memory ran out)",
    ),
    dies("a check ends its process and says that all is well", "os._exit(0)", "the worker exited with status 0"),
    dies("a check calls `sys.exit`", "sys.exit(7)", "the worker exited with status 7 before it was done)"),
    dies("a check raises `KeyboardInterrupt`", "raise KeyboardInterrupt", "the worker was killed by SIGINT)"),
    dies("a check closes every file", "os.closerange(0, 100)", "the worker exited with status 1"),
    dies("C code calls `exit`", "ctypes.CDLL(None).exit(3)", "the worker exited with status 3"),
    Scenario(
        group=GROUP,
        fault="a check crashes and leaves five children that ignore SIGTERM",
        spec=spec(),
        files=plugin("""
            children = [subprocess.Popen(["sh", "-c", "trap '' TERM; sleep 600; :"], close_fds=False) for _ in range(5)]
            note("pids", "\\n".join(str(child.pid) for child in children))
            os.abort()
        """),
        exit_code=3,
        sees="harmful: crash (the worker was killed by SIGABRT)",
        verdicts={"before": "met", "harmful": "crash", "after": "met"},
        afterwards=none_left,
    ),
    Scenario(
        group=GROUP,
        fault="a check forks, and both copies come back from it as if they were the worker",
        spec=spec(),
        files=plugin("""
            child = os.fork()
            if child:
                os.waitpid(child, 0)
                note("pids", child)
            return 1 if child else 0
        """),
        exit_code=1,
        sees="harmful: missed (1)",
        verdicts={"before": "met", "harmful": "missed", "after": "met"},
        afterwards=none_left,
    ),
    Scenario(
        group=GROUP,
        fault="four checks crash, one after the other",
        spec="retspec: 1\nchecks:\n"
        + "".join(f"  crash_{number}: {{check: harmful, limit: 0}}\n" for number in range(4))
        + "  sound: 1\n",
        files=plugin("os.abort()"),
        exit_code=3,
        sees="sound: crash (the worker died too often, 4 times; the last time the worker was killed by SIGABRT)",
        verdicts={**{f"crash_{number}": "crash" for number in range(4)}, "sound": "crash"},
    ),
    Scenario(
        group=GROUP,
        fault="a measurement crashes under the second of three seeds, and works under the others",
        spec="retspec: 1\nrun: {seed_count: 3}\nchecks: {harmful: {limit: 1, aggregate: median}}\n",
        files={"checks.py": DIES_UNDER_THE_SECOND_SEED},
        exit_code=3,
        sees="under seed 43",
        verdicts={"harmful": "crash"},
    ),
    lacks_memory(
        "a check allocates more than `run.memory`",
        "bytearray(10**9)",
        "500MB",
        "harmful: out of memory (raised MemoryError (checks.py:24); run.memory limits the worker to 500MB)",
    ),
    lacks_memory(
        "C++ code lacks memory and aborts",
        """
        os.write(2, b"terminate called after throwing an instance of 'std::bad_alloc'")
        os.abort()
        """,
        "500MB",
        "the worker ran out of memory and was killed by SIGABRT; run.memory limits the worker to 500MB",
    ),
]
