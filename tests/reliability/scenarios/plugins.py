"""Plugins that do not load, or fail at what they are asked."""

from __future__ import annotations

from typing import Any

from tests.reliability.scenario import COMPLETE, NOTHING, ROOT, Scenario

GROUP = "Plugins that fail"
SOUND = '''
from retspec.plugin import Check, check, hookimpl

@check(direction="at most", advice="Nothing to do.")
def sound() -> int:
    """What is one?"""
    return 1

@hookimpl
def retspec_checks() -> list[Check]:
    return [sound]
'''
SPEC = "retspec: 1\nchecks:\n  sound: 1\n"
GONE = "raise RuntimeError('no licence found')\n"


def refused(fault: str, text: str, sees: str, **more: Any) -> Scenario:
    """A plugin, named by `-p`, with which nothing is run."""
    return Scenario(
        group=GROUP,
        fault=fault,
        spec=SPEC,
        files={"checks.py": text},
        here="on_disk" not in more,
        **{"exit_code": 2, "sees": sees, "on_disk": NOTHING, **more},
    )


def failing(fault: str, text: str, sees: str) -> Scenario:
    """A plugin beside whose fault the criterion is met."""
    return Scenario(
        group=GROUP,
        fault=fault,
        spec=SPEC,
        files={"checks.py": SOUND + text},
        exit_code=3,
        sees=sees,
        verdicts={"sound": "met"},
    )


def installed(fault: str, check: str, exit_code: int, sees: str, text: str = GONE, **more: Any) -> Scenario:
    """A plugin that is installed, with this text, beside one that is named."""
    return Scenario(
        group=GROUP,
        fault=fault,
        spec=f"retspec: 1\nchecks:\n  {check}: 1\n",
        files={
            "checks.py": SOUND,
            "site/gone-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: gone\nVersion: 1.0\n",
            "site/gone-1.0.dist-info/entry_points.txt": "[retspec]\ngone = gone_module\n",
            "site/gone_module.py": text,
        },
        variables={"PYTHONPATH": f"site:{ROOT}"},
        exit_code=exit_code,
        sees=sees,
        on_disk=COMPLETE if exit_code == 0 else NOTHING,
        **more,
    )


def without(line: str, instead: str = "") -> str:
    """The sound plugin with one line changed."""
    return SOUND.replace(f"{line}\n", f"{instead}\n", 1)


DOES_NOT_LOAD = "Error: plugin 'checks.py' does not load: "
HOOK = "\n@hookimpl\ndef {name}({arguments}):\n    {body}\n"
REPORTER = (
    "from retspec.plugin import Reporter\n"
    + HOOK.format(name="retspec_reporters", arguments="", body="return [Reporter(name='morse', render=render)]")
    + "def render(report): {body}\n"
)

SCENARIOS = [
    refused(
        "a plugin that is not there",
        SOUND,
        "Error: plugin 'chekcs.py' does not load: there is no file chekcs.py; did you mean 'checks.py'?",
        arguments=("-p", "chekcs.py"),
    ),
    refused("a syntax error", "def broken(:\n", f"{DOES_NOT_LOAD}SyntaxError: invalid syntax (checks.py:1)"),
    refused(
        "raises when it is imported", "raise OSError('no disk')\n", f"{DOES_NOT_LOAD}OSError: no disk (checks.py:1)"
    ),
    refused("exits when it is imported", "raise SystemExit(0)\n", f"{DOES_NOT_LOAD}SystemExit: 0 (checks.py:1)"),
    refused("imports what is not installed", "import wandbx\n", f"{DOES_NOT_LOAD}ModuleNotFoundError: No module named"),
    refused(
        "states a newer plugin API",
        f"RETSPEC_API = 2\n{SOUND}",
        f"{DOES_NOT_LOAD}built for plugin API 2, this is 1: update retspec",
    ),
    refused(
        "states a plugin API that is no number",
        f"RETSPEC_API = '1'\n{SOUND}",
        f"{DOES_NOT_LOAD}RETSPEC_API is '1'; it is the number of a plugin API, here 1",
    ),
    refused(
        "imports what a newer plugin API may have",
        f"from retspec.plugin import oracle\n{SOUND}",
        "; this retspec has plugin API 1, is the plugin built for another?",
    ),
    refused(
        "a hook is misspelt",
        SOUND.replace("retspec_checks", "retspec_cheks"),
        f"{DOES_NOT_LOAD}checks.py:9: unknown hook 'retspec_cheks'; did you mean 'retspec_checks'?",
    ),
    refused(
        "`@hookimpl` is forgotten",
        without("@hookimpl"),
        f"{DOES_NOT_LOAD}checks.py:10: retspec_checks lacks its @hookimpl: it would never be called",
    ),
    refused(
        "has no hook at all",
        "x = 1\n",
        f"{DOES_NOT_LOAD}it has no hook; a plugin has a function such as retspec_checks, marked with @hookimpl",
    ),
    refused(
        "a hook asks for what it is not given",
        SOUND + HOOK.format(name="retspec_run_finished", arguments="verdict", body="pass"),
        "are declared in the hookimpl but can not be found in the hookspec",
    ),
    refused(
        "a hook raises",
        without("    return [sound]", "    raise OSError('no disk')"),
        f"{DOES_NOT_LOAD}OSError: no disk (checks.py:11)",
    ),
    refused(
        "a hook exits",
        without("    return [sound]", "    raise SystemExit(0)"),
        f"{DOES_NOT_LOAD}SystemExit: 0 (checks.py:11)",
    ),
    refused(
        "a hook raises the second time only",
        without("    return [sound]", "    calls.append(1)\n    return [sound] if len(calls) < 2 else 1 / 0").replace(
            "@check", "calls = []\n\n@check", 1
        ),
        "Error: plugin 'checks.py': its hook retspec_checks raised ZeroDivisionError: division by zero (checks.py:",
    ),
    refused(
        "a hook forgets to return",
        without("    return [sound]", "    [sound]"),
        f"{DOES_NOT_LOAD}checks.py:9: retspec_checks returned NoneType; it must return a list of Check",
    ),
    refused(
        "a hook wraps what all plugins offer",
        without("@hookimpl", "@hookimpl(wrapper=True)").replace("    return [sound]", "    return (yield)"),
        f"{DOES_NOT_LOAD}checks.py:9: retspec_checks is a wrapper; what plugins offer is taken from each by itself",
    ),
    refused(
        "a check reads what nobody measures",
        without("def sound() -> int:", "def sound(trainign) -> int:"),
        f"{DOES_NOT_LOAD}checks.py:4: sound: there is no measurement 'trainign'; did you mean 'training'?",
    ),
    refused(
        "a direction that does not exist",
        SOUND.replace("at most", "below"),
        f"{DOES_NOT_LOAD}ValueError: 'below' is not a valid Direction (checks.py:4)",
    ),
    refused(
        "takes the name of a built-in check",
        SOUND.replace("sound", "loss_drop"),
        "Error: checks: 'loss_drop' is claimed by both retspec.checks and checks.py; unload one of them",
    ),
    installed("an installed plugin does not load, and the spec needs nothing of it", "sound", 0, "1 met"),
    installed(
        "an installed plugin does not load, and the spec names an unknown check",
        "silent",
        2,
        "plugin 'gone' failed to load and may offer it: RuntimeError: no licence found",
    ),
    installed(
        "a hook of an installed plugin exits, and the spec needs nothing of it",
        *("sound", 0, "1 met"),
        text=SOUND.replace("    return [sound]", "    raise SystemExit(0)"),
    ),
    installed(
        "a plugin is installed, and named as well",
        *("other", 0, "1 met"),
        text=SOUND.replace("sound", "other"),
        arguments=("-p", "gone_module"),
    ),
    failing(
        "an observer raises",
        HOOK.format(name="retspec_criterion_finished", arguments="result", body="raise OSError('no network')"),
        "plugin checks.py: its hook retspec_criterion_finished raised OSError: no network (checks.py:",
    ),
    failing(
        "an observer that wraps the others raises",
        HOOK.format(name="retspec_run_started", arguments="report", body="yield; raise OSError('no network')").replace(
            "@hookimpl", "@hookimpl(wrapper=True)"
        ),
        "plugin checks.py: its hook retspec_run_started raised OSError: no network (checks.py:",
    ),
    failing(
        "an observer that wraps the others does not yield",
        HOOK.format(name="retspec_run_started", arguments="report", body="if report is None: yield").replace(
            "@hookimpl", "@hookimpl(wrapper=True)"
        ),
        "plugin checks.py: its hook retspec_run_started is a wrapper that does not yield (checks.py:",
    ),
    failing(
        "an observer exits",
        HOOK.format(name="retspec_run_started", arguments="report", body="raise SystemExit(0)"),
        "plugin checks.py: its hook retspec_run_started raised SystemExit: 0",
    ),
    failing(
        "an observer exits at the very end",
        HOOK.format(name="retspec_run_finished", arguments="report", body="raise SystemExit(0)"),
        "plugin checks.py: its hook retspec_run_finished raised SystemExit: 0",
    ),
    refused(
        "a reporter raises",
        SOUND + REPORTER.format(body="return 1 / 0"),
        "Error: cannot write the report: the format 'morse' raised ZeroDivisionError: division by zero (checks.py:",
        arguments=("--report", "morse=morse.txt"),
        exit_code=4,
        on_disk=COMPLETE,
    ),
    refused(
        "a reporter exits",
        SOUND + REPORTER.format(body="raise SystemExit(0)"),
        "Error: cannot write the report: the format 'morse' raised SystemExit: 0",
        arguments=("--report", "morse=morse.txt"),
        exit_code=4,
        on_disk=COMPLETE,
    ),
    refused(
        "a reporter returns no text",
        SOUND + REPORTER.format(body="return None"),
        "Error: cannot write the report: the format 'morse' returned NoneType; a reporter returns text",
        arguments=("--report", "morse=morse.txt"),
        exit_code=4,
        on_disk=COMPLETE,
    ),
]
