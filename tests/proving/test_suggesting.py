"""Checks that `retspec prove --suggest` writes into a spec."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from retspec.cli import main
from retspec.errors import UsageError
from retspec.review.calibration import block_of

if TYPE_CHECKING:
    from collections.abc import Sequence

HEAD = """\
# What a tiny setup meets.
retspec: 1
name: tiny
model: {factory: "tests.tiny:vit"}  # 32 pixels
data: {synthetic: {batch_size: 6}}
train: {steps: 3}
"""
CHECKS = """\
checks:
  # Two blocks.
  lora_layers:   2   # qkv
  # sequence_length: 17
"""
TAIL = """
# What follows is not for checks.
run: {seed: 1}
"""
FOR_FROZEN = "  # Notices adapter_frozen: the adapter is frozen after wrapping, and the head alone trains.\n"


def _prove(path: Path, *arguments: str, faults: Sequence[str] = ("adapter_frozen",)) -> int:
    named = [part for fault in faults for part in ("--fault", fault)]
    return main(["prove", str(path), "--no-plugins", *named, *arguments])


@pytest.fixture
def spec(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.syspath_prepend(str(Path(__file__).parents[2]))
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "tiny.yaml"
    path.write_text(HEAD + CHECKS + TAIL)
    return path


def test_a_check_with_a_measured_limit_is_added_and_notices_the_fault(
    spec: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Everything else stays, byte by byte; the comment at the end of the block is still part of it."""
    assert _prove(spec, "--suggest", "--min-noticed", "1") == 1
    before, _, rest = spec.read_text().partition(FOR_FROZEN)
    added, _, after = rest.partition("\n")
    assert before == HEAD + CHECKS
    assert added.startswith("  min_trainable_params: ")
    assert after == TAIL
    assert "1 check added" in capfd.readouterr().err
    assert _prove(spec, "--min-noticed", "1") == 0


def test_a_dry_run_writes_nothing(spec: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert _prove(spec, "--suggest", "--dry-run") == 0
    assert spec.read_text() == HEAD + CHECKS + TAIL
    assert [*tmp_path.iterdir()] == [spec]
    out = capfd.readouterr().out
    assert out.startswith("--- ")
    assert f"+{FOR_FROZEN}+  min_trainable_params: " in out


def test_a_default_limit_is_spelled_out_and_a_check_that_cannot_be_written_is_not(
    spec: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """What is written once notices several faults; a check that needs an argument gives way to the next best."""
    assert _prove(spec, "--suggest", faults=("head_frozen", "base_unfrozen", "base_trains_whole")) == 0
    text = spec.read_text()
    assert "  head_trainable: true\n" in text
    assert "trainable_names" not in text
    assert text.count("max_trainable_params:") == 1
    assert "nothing is added" not in capfd.readouterr().err


def test_a_check_that_would_not_notice_is_not_written(spec: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """This plugin's fault names a check that it leaves as it is, and one whose limit is exact."""
    Path("idle.py").write_text("""\
from retspec.faults import fault
from retspec.plugin import hookimpl

@fault(families="parameters", noticed_by="head_trainable max_trainable_params output_shape")
def idle(model: "nn.Module"):
    '''Nothing at all is done.'''
    yield

@hookimpl
def retspec_faults():
    return [idle]
""")
    assert _prove(spec, "--suggest", "-p", "idle.py", faults=("idle",)) == 0
    assert spec.read_text() == HEAD + CHECKS + TAIL
    said = capfd.readouterr().err
    assert "head_trainable: it is met with the fault, too" in said
    assert "max_trainable_params: no limit tells them apart" in said
    assert "output_shape: its limit is exact, and only you know what is meant" in said
    assert "no check added" in said


@pytest.mark.parametrize(
    ("checks", "said"),
    [
        ("checks: {lora_layers: 2}\n", "x.yaml:1:1: `checks` is no block"),
        ("retspec: 1\nchecks:\nrun: {}\n", "x.yaml:2:1: `checks` is no block"),
        ("retspec: 1\n", "x.yaml has no `checks:` of its own"),
    ],
)
def test_what_is_no_block_is_refused(checks: str, said: str) -> None:
    with pytest.raises(UsageError) as raised:
        block_of(checks, "x.yaml")
    assert str(raised.value).startswith(said)


@pytest.mark.parametrize(
    ("text", "end"),
    [
        ("checks:\n  a: 1", 15),
        ("checks:\n  a: 1\n", 15 - 1),
        ("checks:\r\n  a: 1\r\n\r\nrun: {}\r\n", 15),
        ("checks:\n  a: 1\n  # b: 2\n\n# of run\nrun: {}\n", 23),
        ("checks:\n  a:\n    description: |\n      # text\n", 44),
    ],
)
def test_the_end_of_the_block_is_that_of_its_last_line(text: str, end: int) -> None:
    assert text[: block_of(text, "x.yaml").end] == text[:end].rstrip("\r\n")


@pytest.mark.parametrize("arguments", [["--suggest", "-k", "lora"], ["--dry-run"], ["-o", "other.yaml"]])
def test_options_that_do_not_go_together_are_refused(spec: Path, arguments: list[str]) -> None:
    assert _prove(spec, *arguments) == 2
    assert spec.read_text() == HEAD + CHECKS + TAIL
