"""Every command on screens of 80, 60 and 40 columns: no line that can be broken is too long, and no word is broken."""

from __future__ import annotations

import fcntl
import os
import shutil
import struct
import subprocess
import sys
import termios
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from retspec.cli import doctor
from retspec.cli.diagnostics.remedies import CPU_BUILD
from retspec.cli.fit import lines as fit_lines
from retspec.facts import MemoryFit
from retspec.facts.memory import Estimate, Fitting
from retspec.spec.load import load
from tests.review.recorded import green_results_of

if TYPE_CHECKING:
    from collections.abc import Iterable

ROOT = Path(__file__).resolve().parents[2]
PREFLIGHT, FULL, SWEEP = "lora_preflight.yaml", "lora_full.yaml", "rank_sweep.yaml"
WIDTHS = (80, 60, 40)
GIVEN = {"old.json", "new.json", "mine.py", "looser.yaml", PREFLIGHT, FULL, SWEEP}
PLUGIN = """
from retspec.plugin import check, hookimpl

def made(number):
    def counted() -> int:
        '''How often?'''
        return number
    counted.__name__ = f"how_often_number_{number}"
    return check(direction="at most", advice="Nothing to do.")(counted)

@hookimpl
def retspec_checks():
    return [made(number) for number in range(6)]
"""


@pytest.fixture(autouse=True)
def _results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Specs, and two results of the preflight, of which the second is better and not genuine."""
    monkeypatch.chdir(tmp_path)
    for name in (PREFLIGHT, FULL, SWEEP):
        shutil.copy(ROOT / "specs" / name, name)
    text = Path(PREFLIGHT).read_text()
    loosened = text.replace("max_trainable_params: 1_000_000", "max_trainable_params: 2_000_000")
    assert loosened != text
    Path("looser.yaml").write_text(f"{loosened}  embed_dim: 1024\n")
    text = green_results_of(PREFLIGHT)
    Path("old.json").write_text(text)
    changed = (('"value": 24', '"value": 23'), ('"value": 0.5', '"value": 0.625'), ('"device": "cpu"', '"device": "x"'))
    for before, after in changed:
        assert before in text
        text = text.replace(before, after)
    Path("new.json").write_text(text)
    Path("mine.py").write_text(PLUGIN)


COMMANDS = {
    "plan": ["plan", FULL],
    "plan of cells": ["plan", SWEEP],
    "diff": ["diff", PREFLIGHT, FULL],
    "diff that forbids": ["diff", PREFLIGHT, "looser.yaml", "--forbid-loosening"],
    "compare": ["compare", "old.json", "new.json"],
    "calibrate": ["calibrate", PREFLIGHT, "--results", "new.json", "--loosen", "-o", "calibrated.yaml"],
    "verify": ["verify", "new.json", "--spec", PREFLIGHT],
    "judge": ["judge", "new.json", "--spec", PREFLIGHT, "--set", "checks.loss_drop=0.7"],
    "merge": ["merge", "old.json", "old.json"],
    "report": ["report", "new.json", "--format", "table"],
    "validate": ["validate", PREFLIGHT, SWEEP],
    "invalid": ["validate", PREFLIGHT, SWEEP, "--set", "model.lora.rr=4"],
    "checks": ["checks", "--no-plugins"],
    "manual": ["checks", "loss_drop", "--no-plugins"],
    "manual with a long example": ["checks", "min_sensitivity_at_specificity", "--no-plugins"],
    "plugins": ["plugins", "-p", "mine.py", "--no-plugins"],
    "show": ["show", PREFLIGHT],
    "bless": ["bless", "old.json", "--to", "b.json", "--reason", "x", "--who", "Ada King, Countess of Lovelace"],
    "init": ["init", "preflight_of_the_second_model.yaml"],
    "new-check": ["new-check", "blurred_images"],
    "unknown check": ["checks", "no_such_check"],
    "unreadable": ["compare", "mine.py", "new.json"],
}
UNTOLD = {
    "plan": {"measurement", "cost", "static", "forward", "training", "compile", "last"},
    "plan of cells": {"cost", "static", "forward", "training"},
    "plugins": {"plugin", "version"},
}
"""Words of columns that a narrow screen leaves out without a trace, and headers of what is empty."""
SHORTER = {"checks", "compare", "report", "judge", "merge"}
"""What leaves out more: what the manual of a check says, what is the same, and what a run leaves out."""


def said(finished: Any) -> str:
    return f"{finished.out}{finished.err}"


def _remove_what_was_made(folder: Path) -> None:
    for path in folder.glob("*.*"):
        if path.name not in GIVEN:
            path.unlink()


def words(text: str) -> set[str]:
    """Return the words, without what ends the parts of a sentence, and without the lines of tables."""
    return {word.rstrip(":;,").lstrip("#") for word in text.split()} - {"", "—", "-"} - {
        word for word in text.split() if not word.strip("-")
    }


def too_long(text: str, width: int) -> list[str]:
    """Return the lines beyond the edge, but those of a single long word, and commands that are to be copied."""
    lines = [line for line in text.splitlines() if len(line) > width and not line.startswith(("  retspec ", "# sha256"))]
    return [line for line in lines if " " in line.strip()]


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", COMMANDS)
def test_no_line_is_too_long_and_no_word_is_broken(
    retspec: Any, monkeypatch: pytest.MonkeyPatch, name: str, width: int, tmp_path: Path
) -> None:
    whole = retspec(*COMMANDS[name])
    _remove_what_was_made(tmp_path)
    monkeypatch.setenv("COLUMNS", str(width))
    narrow = retspec(*COMMANDS[name])
    assert narrow.code == whole.code
    assert too_long(said(narrow), width) == []
    headers = {"of", "old", "new", "for", "with", "change"}
    assert words(said(narrow)) <= words(said(whole)) | headers, "a word is broken"


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", sorted({*COMMANDS} - SHORTER))
def test_nothing_is_lost(
    retspec: Any, monkeypatch: pytest.MonkeyPatch, name: str, width: int, tmp_path: Path
) -> None:
    whole = retspec(*COMMANDS[name])
    _remove_what_was_made(tmp_path)
    monkeypatch.setenv("COLUMNS", str(width))
    narrow = retspec(*COMMANDS[name])
    assert words(said(whole)) - words(said(narrow)) <= UNTOLD.get(name, set())


def heads(text: str) -> str:
    """Return the headers of the first table."""
    lines = text.splitlines()
    rule = next(index for index, line in enumerate(lines) if line.startswith("---"))
    return " ".join(lines[rule - 1].split())


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        (
            "plan of cells",
            ["measurement cost forward backward for", "measurement forward for", "measurement for"],
        ),
        (
            "diff that forbids",
            ["criterion change of old new", "criterion change of new", "criterion change of"],
        ),
        (
            "compare",
            [
                "criterion old new change trend verdict",
                "criterion new trend verdict",
                "criterion trend verdict",
            ],
        ),
        (
            "calibrate",
            [
                "criterion old observed new left alone because",
                "criterion old observed new",
                "criterion new",
            ],
        ),
    ],
)
def test_the_least_important_columns_go_first(
    retspec: Any, monkeypatch: pytest.MonkeyPatch, name: str, kept: list[str]
) -> None:
    for width, headers in zip(WIDTHS, kept, strict=True):
        monkeypatch.setenv("COLUMNS", str(width))
        assert heads(retspec(*COMMANDS[name]).out) == headers
