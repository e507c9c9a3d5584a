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

from retspec.cli import doctor
from retspec.cli.fit import lines as fit_lines
from retspec.facts import MemoryFit
from retspec.facts.memory import Estimate, Fitting
from tests.review.recorded import green_results_of

if TYPE_CHECKING:
    from collections.abc import Iterator

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
    return (
        {word.rstrip(":;,").lstrip("#") for word in text.split()}
        - {"", "—", "-"}
        - {word for word in text.split() if not word.strip("-")}
    )


def too_long(text: str, width: int) -> list[str]:
    """Return the lines beyond the edge, but those of a single long word, and commands that are to be copied."""
    lines = [line for line in text.splitlines() if len(line) > width and " " in line.strip()]
    return [line for line in lines if not line.startswith(("  retspec ", "# sha256 "))]


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
    assert words(said(narrow)) <= words(said(whole)), "a word is broken"


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", sorted({*COMMANDS} - SHORTER))
def test_nothing_is_lost(retspec: Any, monkeypatch: pytest.MonkeyPatch, name: str, width: int, tmp_path: Path) -> None:
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


def test_a_paragraph_of_a_manual_is_filled_again(retspec: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    out = retspec(*COMMANDS["manual"]).out
    assert "one\n      batch cannot learn anything:\n      networks can fit random labels\n" in out


def test_a_command_to_copy_is_whole(retspec: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    assert retspec(*COMMANDS["init"]).out.splitlines()[-4:] == [
        "  # completion and checking in your",
        "  # editor",
        "  retspec schema --output retspec.schema.json",
        "  retspec run preflight_of_the_second_model.yaml",
    ]


# What takes a measurement ------------------------------------------------------------------------------

GB = 10**9


def _fit() -> MemoryFit:
    """Return what 24 GB hold, at two dtypes."""
    sizes = [(amp, size) for amp in ("none", "bfloat16") for size in (8, 64)]
    estimates = [Estimate(size, amp, size * GB // 3, {}) for amp, size in sizes]
    full = Estimate(8, "none", 9 * GB, {})
    fittings = [Fitting(amp, 72, 64, estimates[0], full) for amp in ("none", "bfloat16")]
    return MemoryFit("cuda", 24 * GB, "float32", tuple(estimates), tuple(fittings))


@pytest.mark.parametrize("width", WIDTHS)
def test_what_fits_in_memory_fits_the_screen(width: int) -> None:
    text, whole = ("\n".join(fit_lines(_fit(), columns)) for columns in (width, None))
    assert too_long(text, width) == []
    assert words(text) == words(whole)
    assert "2.667 fits" in text
    assert text.splitlines()[0].startswith(" "), "numbers are on the right"


@pytest.mark.parametrize("width", WIDTHS)
def test_a_diagnosis_fits_the_screen(retspec: Any, monkeypatch: pytest.MonkeyPatch, width: int) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.setattr(doctor, "versions", lambda names: dict.fromkeys(names, "0.26.0"))
    monkeypatch.setattr(doctor, "ask", lambda *question: ANSWERS[question[0]])
    out = retspec("doctor").out
    assert too_long(out, width) == []
    aligned, plain = (
        f"{'torchvision':<12} {'0.26.0':<16} import fails   1.2 s\n",
        "torchvision 0.26.0 import fails 1.2 s\n",
    )
    assert (aligned in out, plain in out) == (width > 40, width == 40)
    assert "A folder named torch hides the installed one" in " ".join(out.split())


ANSWERS = {
    "import": doctor.Answer(None, "ModuleNotFoundError: No module named 'torch._C'", 1.25),
    "devices": doctor.Answer({"devices": ["cpu (8 threads of a processor with a long name)"], "cuda_build": ""}, ""),
}


# Screens -----------------------------------------------------------------------------------------------


def on_screen(columns: int, *arguments: str, table_on_stderr: bool = False) -> tuple[str, str]:
    """Return what a screen shows of a command, and what went into a pipe."""
    master, slave = os.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "NO_COLOR": "1", "TERM": "xterm"}
    streams: dict[str, Any] = {"stdout": slave, "stderr": subprocess.PIPE}
    if table_on_stderr:
        streams = {"stdout": subprocess.PIPE, "stderr": slave}
    process = subprocess.Popen([sys.executable, "-m", "retspec", *arguments], env=environment, **streams)
    os.close(slave)
    shown = "".join(_chunks(master))
    piped = process.communicate()
    os.close(master)
    return shown.replace("\r\n", "\n"), (piped[0] or piped[1] or b"").decode()


def _chunks(master: int) -> Iterator[str]:
    try:
        while chunk := os.read(master, 65536):
            yield chunk.decode()
    except OSError:  # the other end is closed
        return


def test_a_screen_of_forty_columns_is_one(retspec: Any) -> None:
    shown, _ = on_screen(40, *COMMANDS["compare"])
    assert heads(shown) == "criterion trend verdict"
    assert "loss_drop: old 0.5; new 0.625; change\n    +0.125 (+25.0%)" in shown
    assert heads(retspec(*COMMANDS["compare"]).out) != heads(shown), "a pipe gets all columns"


def test_a_table_beside_a_diff_follows_the_screen_that_it_is_on() -> None:
    arguments = ["calibrate", PREFLIGHT, "--results", "new.json", "--loosen", "--dry-run"]
    shown, diff = on_screen(60, *arguments, table_on_stderr=True)
    assert heads(shown) == "criterion old observed new"
    assert too_long(shown, 60) == []
    assert diff.startswith(f"--- {PREFLIGHT}\n")


@pytest.mark.parametrize("form", ["markdown", "json"])
@pytest.mark.parametrize("name", ["plan", "diff", "compare"])
def test_markdown_and_json_never_change(retspec: Any, monkeypatch: pytest.MonkeyPatch, name: str, form: str) -> None:
    whole = retspec(*COMMANDS[name], "--format", form).out
    monkeypatch.setenv("COLUMNS", "40")
    assert retspec(*COMMANDS[name], "--format", form).out == whole
