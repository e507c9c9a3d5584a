"""Code under test that reports what is not so, by accident or by intent, from inside the worker and outside it."""

from __future__ import annotations

from tests.reliability.scenario import Scenario

GROUP = "Code under test that lies"
PLUGIN = '''
import atexit, builtins, os, sys, threading, time
import dataclasses, retspec.judge, retspec.records
from retspec.plugin import Check, Cost, Measurement, check, hookimpl, measurement

RECORD = '{"type":"Finished","outcome":{"id":"%s","observed":{"value":0}}}\\n'
START = '{"type":"Started","id":"%s"}\\n'
END = '{"type":"Done"}\\n'
HONEST = retspec.judge.judge

def always_met(criterion, outcome):
    return dataclasses.replace(HONEST(criterion, outcome), verdict=retspec.records.Verdict.MET)

def everywhere(text):
    for descriptor in range(3, 64):
        try:
            os.write(descriptor, text.encode())
        except OSError:
            pass

@measurement(cost=Cost.STATIC, needs_torch=False)
def facts() -> float:
    """What was measured?"""
    MEASURES

@check(direction="at most", advice="Nothing to do.")
def liar(READS) -> float:
    """What does it say?"""
    BODY

@check(direction="at most", advice="Nothing to do.")
def sound() -> int:
    """What is one?"""
    return 1

@hookimpl
def retspec_checks() -> list[Check]:
    return [liar, sound]

@hookimpl
def retspec_measurements() -> list[Measurement]:
    return [facts]
'''
CRASH = {"liar": "crash", "sound": "met"}
ERROR = {"liar": "error", "sound": "met"}
MISSED = {"liar": "missed", "sound": "met"}
MET = {"liar": "met", "sound": "met"}
OBSERVED_NINE = "liar = 9, required at most 5"


def lies(
    fault: str, body: str, sees: str, verdicts: dict[str, str], *, at_import: str = "", measures: str = ""
) -> Scenario:
    """A check whose limit is 5, and a sound one; with `measures`, the first reads a measurement that does this."""
    words = {"BODY": body, "READS": "facts" if measures else "", "MEASURES": measures or "return 0"}
    plugin = PLUGIN
    for word, code in words.items():
        plugin = plugin.replace(word, code.strip().replace("\n", "\n    "))
    return Scenario(
        group=GROUP,
        fault=fault,
        spec="retspec: 1\nchecks:\n  liar: 5\n  sound: 1\n",
        files={"checks.py": plugin + at_import},
        exit_code=1 if verdicts is MISSED else 3,
        sees=sees,
        verdicts=verdicts,
    )


NOTICING = """
import torch

class Noticing(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.head = torch.nn.Linear(12, 3)

    def forward(self, images):
        outputs = self.head(images.flatten(1))
        return outputs if len(images) == 4 else 2 * outputs

def build():
    return Noticing()

def batch():
    return torch.randn(4, 3, 2, 2), torch.arange(4) % 3
"""

SCENARIOS = [
    Scenario(
        group=GROUP,
        fault="a model notices that it is probed, by the size of the batch",
        spec='retspec: 1\nmodel: {factory: "models:build"}\ndata: {factory: "models:batch"}\n'
        "checks: {loss_drop: 0, batch_invariance_atol: 1.0e-4, grad_accumulation_rtol: 1.0e-3}\n",
        files={"models.py": NOTICING},
        exit_code=1,
        sees="3 criteria: 1 met, 2 missed",
        verdicts={"loss_drop": "met", "batch_invariance_atol": "missed", "grad_accumulation_rtol": "missed"},
        here=True,
    ),
    # What is printed, replaced or ended in the worker decides nothing: the supervisor judges.
    lies(
        "prints what looks like records on both streams",
        "print(RECORD % 'liar', flush=True)\nos.write(2, (RECORD % 'sound').encode())\nreturn 9",
        OBSERVED_NINE,
        MISSED,
    ),
    lies("replaces the judge while it runs", "retspec.judge.judge = always_met\nreturn 9", OBSERVED_NINE, MISSED),
    lies(
        "replaces the judge when it is imported, by the supervisor too",
        "return 9",
        OBSERVED_NINE,
        MISSED,
        at_import="\nretspec.judge.judge = always_met\n",
    ),
    lies(
        "ends its worker with success after the last record",
        "atexit.register(os._exit, 0)\nreturn 9",
        OBSERVED_NINE,
        MISSED,
    ),
    lies(
        "replaces a builtin, and NaN passes for a number",
        "builtins.isinstance = lambda *_: True\nreturn float('nan')",
        "the worker exited with status 1 before it was done",
        CRASH,
    ),
    lies("returns a tensor", "import torch\nreturn torch.tensor(0.5)", "returned tensor(0.5000) (Tensor)", ERROR),
    lies(
        "a measurement swallows every exception and gives nothing",
        "return facts.loss",
        "raised AttributeError: 'NoneType' object has no attribute 'loss'",
        ERROR,
        measures="try:\n    1 / 0\nexcept BaseException:\n    pass",
    ),
    # What ends the worker early costs the criterion at work its verdict.
    lies("calls `sys.exit(0)`", "sys.exit(0)", "the worker exited with status 0 before it was done", CRASH),
    lies("calls `os._exit(0)`", "os._exit(0)", "the worker exited with status 0 before it was done", CRASH),
    lies(
        "closes every descriptor",
        "os.closerange(0, 256)\nreturn 0",
        "the worker exited with status 120 before it was done",
        CRASH,
    ),
    # What it writes to the private descriptor must follow from the job, record by record.
    lies(
        "writes garbage to the private descriptor",
        "everywhere('loss: 0.1')\nreturn 0",
        "the worker sent a broken record: b'loss: 0.1{",
        CRASH,
    ),
    lies(
        "forges an outcome of another criterion",
        "everywhere(RECORD % 'sound')\nreturn 0",
        "the worker sent an outcome of 'sound' out of turn",
        CRASH,
    ),
    lies(
        "forges an outcome of a criterion that does not exist",
        "everywhere(RECORD % 'nobody')\nreturn 0",
        "the worker sent an outcome of 'nobody' out of turn",
        CRASH,
    ),
    lies(
        "forges its own outcome before it returns another",
        "everywhere(RECORD % 'liar')\nreturn 9",
        "the worker sent an outcome of 'liar' out of turn; its outcomes are discarded",
        CRASH,
    ),
    lies(
        "forges the end before anything was observed",
        "everywhere(END)\nreturn 0",
        "the worker sent the end, but 'liar' has no outcome",
        CRASH,
    ),
    lies(
        "forges every outcome and the end, and goes on",
        "everywhere(RECORD % 'liar' + START % 'sound' + RECORD % 'sound' + END)\nreturn 9",
        "the worker sent a record after the end; its outcomes are discarded",
        {"liar": "crash", "sound": "crash"},
    ),
    # Verdicts that are there stay, but the run is not green.
    lies(
        "leaves a thread that never ends",
        "threading.Thread(target=time.sleep, args=(600,)).start()\nreturn 0",
        "the worker measured everything, but it did not end: a thread or a child of it was left running",
        MET,
    ),
    lies(
        "ends its worker with an error after the last record",
        "atexit.register(os._exit, 7)\nreturn 0",
        "the worker measured everything, but it exited with status 7",
        MET,
    ),
    lies(
        "a measurement fails to clean up",
        "return facts",
        "a measurement failed to clean up: OSError: the folder is gone (checks.py:",
        MET,
        measures="yield 0\nraise OSError('the folder is gone')",
    ),
    lies(
        "the worker dies after its last observation, before it says that it is done",
        "return facts",
        "the worker was killed by SIGABRT, between two criteria or while it cleaned up",
        MET,
        measures="yield 0\nos.abort()",
    ),
]
