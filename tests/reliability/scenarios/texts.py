"""Texts of strangers that want to be more than texts, and texts that must stay secret."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING
from urllib.parse import quote

from junitparser import JUnitXml

from tests.reliability.scenario import Scenario

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

PLUGIN = '''
import os
from retspec.plugin import Check, Observed, check, hookimpl

@check(direction="at most", advice="Nothing to do.")
def says(*, text: str = "", key: str = "") -> int:
    """What does it say?"""
    {body}

@hookimpl
def retspec_checks() -> list[Check]:
    return [says]
'''
EVERYTHING = r'"]]> <![CDATA[x]]> <b> | \e[2J\e]0;title\a\r\n[[ATTACHMENT|/etc/passwd]]"'
LEAKING = "tok-4711-abcdef"
ODD = "pa/ss'w\"o rd$+1?é-end"


def text(
    fault: str, entry: str, body: str, sees: str, *, green: bool, verdict: str = "error", **more: object
) -> Scenario:
    return Scenario(
        group="Texts that are more than texts",
        fault=fault,
        spec=f"retspec: 1\nname: {EVERYTHING}\nchecks:\n  says: {entry}\n",
        files={"checks.py": PLUGIN.format(body=body)},
        exit_code=0 if green else 3,
        sees=sees,
        verdicts={"says": "met" if green else verdict},
        **more,  # type: ignore[arg-type]
    )


def _without(*hidden: str) -> Callable[[Path], None]:
    def hold(folder: Path) -> None:
        case = next(iter(next(iter(JUnitXml.fromfile(str(folder / "junit.xml"))))))
        told = case.system_out + "".join(str(result.message) + str(result.text) for result in case.result)
        for path in ("junit.xml", "results.json"):
            assert not any(
                each in (folder / path).read_text() for each in hidden if each.isascii() and "[[" not in each
            )
        assert not any(each in told for each in hidden)

    return hold


def _no_commands(folder: Path) -> None:
    assert "::stop-commands::" in (folder / "results.json").read_text()  # the file is for programs, and holds all


ENCODED = 'import base64; raise ValueError(f"{key[:6]}\\n{key[6:]}" + base64.b64encode(key.encode()).decode())'
ESCAPED = """import json, shlex, urllib.parse
    raise ValueError(urllib.parse.quote_plus(key) + json.dumps(key) + shlex.quote(key))"""
COMMANDS = r'"::stop-commands::x\n##[error]y\n##vso[task.complete]z"'
REFERRING = "{limit: 5, with: {key: '${env.API_TOKEN}'}}"

SCENARIOS = [
    text(
        "details that attach a file to the JUnit report",
        f"{{limit: 5, with: {{text: {EVERYTHING}}}}}",
        "return Observed(1, {text: text})",
        "says: met (1)",
        green=True,
        afterwards=_without("[[ATTACHMENT", "\x1b"),
    ),
    text(
        "an exception with XML, ANSI codes and an attachment",
        f"{{limit: 5, with: {{text: {EVERYTHING}}}}}",
        "raise ValueError(text)",
        "raised ValueError: ]]> <![CDATA[x]]> <b> | [[ATTACHMENT|/etc/passwd]] (checks.py:8)",
        green=False,
        afterwards=_without("[[ATTACHMENT", "\x1b"),
    ),
    text(
        "a token from the environment in an exception",
        REFERRING,
        "raise ValueError(key)",
        "raised ValueError: *** (checks.py:8)",
        green=False,
        variables={"API_TOKEN": LEAKING},
        afterwards=_without(LEAKING),
    ),
    text(
        "a token from the environment in details",
        REFERRING,
        "return Observed(1, {key: [key]})",
        "says: met (1)",
        green=True,
        variables={"API_TOKEN": LEAKING},
        afterwards=_without(LEAKING),
    ),
    text(
        "a token from the environment over two lines, and in base64",
        REFERRING,
        ENCODED,
        "raised ValueError: ***",
        green=False,
        variables={"API_TOKEN": LEAKING},
        afterwards=_without(LEAKING, LEAKING[6:], base64.b64encode(LEAKING.encode()).decode()),
    ),
    text(
        "a password in an address, in JSON and in a shell's quotes",
        REFERRING,
        ESCAPED,
        "raised ValueError: ***",
        green=False,
        variables={"API_TOKEN": ODD},
        afterwards=_without(ODD[-8:], quote(ODD, safe="")[-9:], json.dumps(ODD)[-9:-1]),
    ),
    text(
        "a token at which the end of a long output is cut, before a crash",
        REFERRING,
        'import sys; sys.stderr.write("." * 9000 + key + "." * (4000 - len(key) // 2)); sys.stderr.flush(); os.abort()',
        "says: crash (the worker was killed by SIGABRT)",
        green=False,
        verdict="crash",
        variables={"API_TOKEN": LEAKING},
        afterwards=_without(LEAKING[-7:], LEAKING[:7]),
    ),
    text(
        "commands of a CI server in details, within a job of GitHub",
        f"{{limit: 5, with: {{text: {COMMANDS}}}}}",
        "raise ValueError(text)",
        r"raised ValueError: ::stop-commands::x ##\[error]y ##vso\[task.complete]z",
        green=False,
        variables={"GITHUB_ACTIONS": "true"},
        afterwards=_no_commands,
    ),
    text(
        "a token that the spec does not name, printed by a library: named by `run.mask`",
        "5",
        'raise ValueError(os.environ["HIDDEN"])',
        "raised ValueError: *** (checks.py:8)",
        green=False,
        arguments=("--set", "run.mask=[HIDDEN]"),
        variables={"HIDDEN": LEAKING},
        afterwards=_without(LEAKING),
    ),
]
