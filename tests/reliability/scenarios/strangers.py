"""Files of strangers, and paths that lead where nobody meant: code that would run, results that were edited."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from tests.cli.conftest import SPEC
from tests.reliability.harm import plugin, spec
from tests.reliability.scenario import NOTHING, Scenario
from tests.reliability.scenarios.checkpoints import MODELS
from tests.subjects.hostile import entry, safetensors

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ADAPTERS, REPLACED, DAMAGED = "Adapters of strangers", "Reports in the place of what is read", "Damaged results"
RAN = "open('ran', 'w').close()\n"
ADAPTER = """
retspec: 1
model: {factory: "models:build", adapter: adapter}
data: {factory: "models:batch"}
checks: {loss_drop: 0.5}
"""


def adapter(fault: str, sees: str, **config: Any) -> Scenario:
    """Return an adapter's folder with code beside its configuration, which names it."""
    said = {"peft_type": "LORA", "r": 2, "target_modules": ["1"], **config}
    return Scenario(
        group=ADAPTERS,
        fault=fault,
        spec=ADAPTER,
        files={
            "models.py": MODELS,
            "adapter/adapter_config.json": json.dumps(said),
            "adapter/adapter_model.safetensors": safetensors(entry((2, 2))),
            "adapter/evil.py": RAN,
            "adapter/__init__.py": RAN,
        },
        exit_code=3,
        sees=sees,
        verdicts={"loss_drop": "error"},
        afterwards=nothing_ran,
    )


def nothing_ran(folder: Path) -> None:
    assert not (folder / "ran").exists()


def replacing(fault: str, *arguments: str, prepare: Callable[[Path], None] | None = None) -> Scenario:
    """Return outputs of which one is a file that the run reads."""
    return Scenario(
        group=REPLACED,
        fault=fault,
        spec=f"{spec()}",
        files=plugin(""),
        arguments=arguments,
        prepare=prepare,
        exit_code=2,
        sees="which is read; write it somewhere else",
        on_disk="every file as it was",
        here=True,
        afterwards=still_read,
    )


def still_read(folder: Path) -> None:
    assert (folder / "spec.yaml").read_text() == spec()
    assert "retspec_checks" in (folder / "checks.py").read_text()


def damaged(fault: str, text: str | bytes, sees: str, prepare: Callable[[Path], None] | None = None) -> Scenario:
    """Return results that `retspec judge` refuses at once."""
    return Scenario(
        group=DAMAGED,
        fault=fault,
        spec=SPEC,
        files={"r.json": text} if text else {},
        prepare=prepare,
        command=("judge", "r.json", "--spec", "spec.yaml"),
        exit_code=2,
        sees=sees,
        on_disk=NOTHING,
        here=True,
    )


def results(**changes: Any) -> str:
    sound = {"retspec": 1, "name": "a", "file": "a", "started": "2026-01-31T09:30:00", "results": []}
    return json.dumps(sound | changes)


def sparse(folder: Path) -> None:
    with (folder / "r.json").open("wb") as file:
        file.truncate(2 << 30)


SCENARIOS = [
    adapter(
        "its configuration names a module of its own folder",
        "says 'megatron_config', which is never given to peft",
        megatron_config={"a": 1},
        megatron_core="adapter.evil",
    ),
    adapter("its configuration names code by a key that peft does not know", "is not a known key", evil="adapter.evil"),
    replacing("`--json spec.yaml`", "--json", "spec.yaml"),
    replacing("a report in the place of a plugin, by another spelling", "--report", "markdown=./nowhere/../checks.py"),
    replacing(
        "a report through a link to the spec",
        *("--report", "markdown=out.md"),
        prepare=lambda folder: (folder / "out.md").symlink_to("spec.yaml"),
    ),
    replace(
        replacing("the summary of a GitHub job in the place of the spec"),
        here=False,
        variables={"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": "spec.yaml"},
    ),
    Scenario(
        group=REPLACED,
        fault="two reports to one file, by two spellings",
        spec=spec(),
        files=plugin(""),
        arguments=("--report", "markdown=nowhere/../junit.xml"),
        exit_code=2,
        sees="are the same file; give each report its own path",
        on_disk=NOTHING,
        here=True,
    ),
    damaged("a start that is no date", results(started="soon"), "`started` is 'soon', and not a time"),
    damaged("a key twice", '{"retspec": 1, "results": [], "results": []}', "the key 'results' is twice"),
    damaged("another version of the format", results(retspec=2), "version 2 of the format; this retspec reads ver"),
    damaged("a verdict that does not exist", results(results=[{}]), "r.json: it is damaged: Object missing required"),
    damaged(
        "a run that took less than no time", results(seconds=-1e300), "`seconds` is -1e+300, which no run comes to"
    ),
    damaged("NaN", results(seconds=float("nan")), "r.json: this is not JSON"),
    damaged("a million brackets", "[" * 10**6, "r.json: this is not JSON"),
    damaged("2 GB of zeros", "", "r.json: it is larger than 256 MiB; is this a results.json?", sparse),
    damaged("`/dev/zero`", "", "it is not a regular file", lambda folder: (folder / "r.json").symlink_to("/dev/zero")),
    damaged("a pipe that nobody fills", "", "it is not a regular file", lambda folder: os.mkfifo(folder / "r.json")),
]
