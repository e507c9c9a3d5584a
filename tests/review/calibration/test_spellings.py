"""Limits are edited where they are written, whatever the spelling, and nothing else in the file changes."""

from __future__ import annotations

import re
import subprocess
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from retspec.cli import main
from tests.review.calibration.conftest import SHOWING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.review.calibration.conftest import Calibrated

    Calibrate = Callable[..., Calibrated]

HEAD = "retspec: 1\nvars: {high: 90, form: {limit: 90}}\nchecks:\n"

SPELLINGS = {
    "shorthand": "  most: 90   # MB\n",
    "quoted key": '  "most": 90\n',
    "flow": "  most: {limit: 90, tags: [x]}   # MB\n",
    "spaced flow": "  most: { tags: [x] , limit:   90 }\n",
    "flow over lines": "  most: {\n    tags: [x],  # why\n    limit: 90,\n  }\n",
    "block": "  most:   # MB\n    # the most that a card has\n    limit: 90  # as of today\n    tags: [x]\n",
    "an id": "  mine: {check: most, limit: 90}\n",
    "by dtype": "  most: {limit: {bfloat16: 500, float32: 90}}\n",
    "exponent": "  most: 9e1\n",
    "signed": "  most: +90.0\n",
    "with a warning": "  most: {limit: 90, warn: 22}\n",
}
EDITED = {
    "shorthand": "  most: 24   # MB\n",
    "quoted key": '  "most": 24\n',
    "flow": "  most: {limit: 24, tags: [x]}   # MB\n",
    "spaced flow": "  most: { tags: [x] , limit:   24 }\n",
    "flow over lines": "  most: {\n    tags: [x],  # why\n    limit: 24,\n  }\n",
    "block": "  most:   # MB\n    # the most that a card has\n    limit: 24  # as of today\n    tags: [x]\n",
    "an id": "  mine: {check: most, limit: 24}\n",
    "by dtype": "  most: {limit: {bfloat16: 500, float32: 24}}\n",
    "exponent": "  most: 24\n",
    "signed": "  most: 24\n",
    "with a warning": "  most: {limit: 24, warn: 22}\n",
}


@pytest.mark.parametrize("name", SPELLINGS)
def test_the_limit_is_replaced_in_place(calibrated: Calibrate, name: str) -> None:
    finished = calibrated(HEAD + SPELLINGS[name], {"most": 20.0, "mine": 20.0})
    assert (finished.code, finished.text) == (0, HEAD + EDITED[name]), finished.err
    assert "spec.yaml: 1 limit changed\n" in finished.out


def test_a_second_calibration_finds_nothing_to_do(calibrated: Calibrate) -> None:
    once = calibrated(HEAD + SPELLINGS["block"], {"most": 20.0})
    twice = calibrated(once.text, {"most": 20.0})
    assert (twice.code, twice.text) == (0, once.text)
    assert twice.reason("most") == "it would stay the same"
    assert "spec.yaml: no limit changed\n" in twice.out


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("  most: ${vars.high}\n", "it is a reference: ${vars.high}"),
        ('  most: {limit: "${vars.high}"}\n', "it is a reference: ${vars.high}"),
        ('  most: "${vars.form}"\n', "it is a reference: ${vars.form}"),
        ('  most: {limit: {float32: "${vars.high}"}}\n', "it is a reference: ${vars.high}"),
        ("  most: {limit: 90, warn: 80}\n", "its `warn` of 80.0 must stay stricter than 24"),
        ('  most: {limit: 90, skip: "no card"}\n', "the spec skips it"),
        ("  most: 24\n", "it would stay the same"),
        ("  most: 22\n", "it is stricter than 24 already"),
        ("  most: 10\n", "it is missed; --loosen makes it 24"),
    ],
)
def test_what_is_left_alone_is_said(calibrated: Calibrate, line: str, reason: str) -> None:
    finished = calibrated(HEAD + line, {"most": 20.0})
    assert finished.text == HEAD + line, finished.err
    assert finished.reason("most") == reason
    assert finished.code == (1 if "missed" in reason else 0)


def test_a_shorthand_of_an_argument_is_left_alone(calibrated: Calibrate) -> None:
    text = f"{HEAD}  named: [lora_, head]\n"
    finished = calibrated(text, {"named": 1}, "--all", "--loosen")
    assert (finished.code, finished.text) == (0, text)
    assert finished.reason("named").startswith("the shorthand gives `names`")


def test_criteria_that_are_referred_to_are_left_where_they_are(calibrated: Calibrate) -> None:
    text = "retspec: 1\nvars:\n  all:\n    most: 90\nchecks: ${vars.all}\n"
    finished = calibrated(text, {"most": 20.0})
    assert (finished.code, finished.text) == (0, text)
    assert finished.reason("most") == "it is written at spec.yaml:4"


def test_what_another_file_says_is_left_there(calibrated: Calibrate, tmp_path: Path) -> None:
    """Only limits of this very file are edited; with --all it gets one of its own for what the other file began."""
    base = "retspec: 1\nchecks:\n  most: 90\n  least: {limit: 0.1}\n  most_count: {limit: 9, tags: [a]}\n"
    (tmp_path / "base.yaml").write_text(base)
    text = "retspec: 1\nextends: base.yaml\nchecks:\n  least: {limit: 0.2}\n  most_count: {tags: [b]}\n"
    observed = {"most": 20.0, "least": 3.0, "most_count": 4}
    finished = calibrated(text, observed)
    assert (finished.code, finished.text) == (0, text.replace("0.2", "2.4")), finished.err
    assert finished.reason("most") == "it is written at base.yaml:3"
    assert finished.reason("most_count") == "no limit is written here; --all writes one"
    assert calibrated(text, observed, "--all").text.endswith("  most_count: {limit: 5, tags: [b]}\n")
    assert (tmp_path / "base.yaml").read_text() == base


def test_a_spec_of_several_cells_is_refused(calibrated: Calibrate, tmp_path: Path) -> None:
    """Each cell observes something else, and the limit of all of them is written once."""
    (tmp_path / "matrix.yaml").write_text(f"matrix: {{run.seed: [1, 2]}}\n{HEAD}  most: 90\n")
    calibrated(f"{HEAD}  most: 90\n", {"most": 20.0}, "--dry-run")
    assert main(["calibrate", "matrix.yaml", "-p", SHOWING, "--no-plugins"]) == 2


def test_what_the_command_line_overrides_is_left_alone(calibrated: Calibrate) -> None:
    text = f"{HEAD}  most: 90\n"
    finished = calibrated(text, {"most": 20.0}, "--set", "checks.most=95")
    assert (finished.code, finished.text) == (0, text)
    assert finished.reason("most").startswith("the limit in effect is not the one")


@pytest.mark.parametrize(
    ("line", "edited"),
    [
        ("  named: {with: {names: [a]}}\n", "  named: {limit: 2, with: {names: [a]}}\n"),
        (
            "  named:   # other names\n    # only these\n    with: {names: [a]}\n",
            "  named:   # other names\n    limit: 2\n    # only these\n    with: {names: [a]}\n",
        ),
    ],
)
def test_a_default_becomes_a_limit_when_all_are_asked_for(calibrated: Calibrate, line: str, edited: str) -> None:
    left = calibrated(HEAD + line, {"named": 1})
    assert (left.code, left.text, left.reason("named")) == (
        0,
        HEAD + line,
        "no limit is written here; --all writes one",
    )
    assert calibrated(HEAD + line, {"named": 1}, "--all").text == HEAD + edited


def test_a_file_of_another_system_keeps_its_bytes(calibrated: Calibrate, tmp_path: Path) -> None:
    """Line ends, the byte order mark, a missing last line end, and who may read it."""
    text = f"{HEAD}  most: 90   # naïve\n  named:\n    with: {{names: [a]}}".replace("\n", "\r\n")
    path = tmp_path / "spec.yaml"
    path.touch()
    path.chmod(0o600)
    finished = calibrated(f"\ufeff{text}", {"most": 20.0, "named": 1}, "--all")
    wanted = text.replace("most: 90", "most: 24").replace("named:\r\n", "named:\r\n    limit: 2\r\n")
    assert finished.text == f"\ufeff{wanted}"
    assert path.stat().st_mode & 0o777 == 0o600


def test_an_exact_value_changes_only_when_loosening_is_asked_for(calibrated: Calibrate) -> None:
    text = f"{HEAD}  shape: [4, 5]  # batch, classes\n  word: float32\n"
    observed = {"shape": (4, 7), "word": "bfloat16"}
    left = calibrated(text, observed)
    assert (left.code, left.text) == (1, text)
    assert left.reason("shape") == "it is missed; --loosen makes it [4, 7]"
    written = calibrated(text, observed, "--loosen")
    assert (written.code, written.text) == (0, text.replace("[4, 5]", "[4, 7]").replace("float32", "bfloat16"))


def test_a_list_over_several_lines_is_left_alone(calibrated: Calibrate) -> None:
    text = f"{HEAD}  shape:\n  - 4\n  - 5\n"
    finished = calibrated(text, {"shape": (4, 7)}, "--loosen")
    assert (finished.text, finished.reason("shape")) == (text, "it is written over several lines")


# All of them at once ----------------------------------------------------------------------------------------

CRITERIA = st.sampled_from(
    [
        "  ID: {check: most, limit: 90}  # 90\n",
        "  ID:\n    # limit: 90\n    check: least\n    limit: 1e-3   # limit: 90\n",
        "  ID: {check: most_count, limit: 1_000_000, description: 'limit: 90'}\n",
        "\n  # limit: 1\n  ID:\n    limit: 5\n    check: least_count\n",
        '  ID: {check: most, limit: "${vars.high}"}\n',
        '  "ID": {"check": "named", with: {names: [limit]}}  # limit: 90\n',
        '  ID: {check: most, limit: {float32: 50, bfloat16: 90}, tags: [a, "b: {limit: 90}"]}\n',
    ]
)
OBSERVED = st.lists(st.tuples(CRITERIA, st.integers(min_value=1, max_value=100)), min_size=3, max_size=9)


NUMBER = re.compile(r"([0-9][0-9._]*(?:e-?[0-9]+)?)")


@given(criteria=OBSERVED, loosen=st.booleans())
@settings(  # a failing example is small enough as it is, and shrinking it would take minutes
    max_examples=12,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_nothing_but_limits_changes(calibrated: Calibrate, criteria: list[tuple[str, int]], loosen: bool) -> None:  # noqa: FBT001
    """Of a line with a new limit one number differs, every other line stays; twice is as once."""
    text = HEAD + "".join(line.replace("ID", f"c{number}") for number, (line, _) in enumerate(criteria))
    observed = {f"c{number}": value for number, (_, value) in enumerate(criteria)}
    finished = calibrated(text, observed, *["--loosen"] * loosen)
    assert finished.code in {0, 1}, finished.err
    lines = [*zip(text.splitlines(), finished.text.splitlines(), strict=True)]
    changed = [(NUMBER.split(old), NUMBER.split(new)) for old, new in lines if old != new]
    assert [sum(map(str.__ne__, old, new)) for old, new in changed] == [1] * len(changed)
    assert f"spec.yaml: {len(changed) or 'no'} limit" in finished.out
    again = calibrated(finished.text, observed)
    assert (again.code, again.text) == (finished.code, finished.text)


# What it is written to --------------------------------------------------------------------------------------


def test_a_dry_run_prints_a_patch_and_writes_nothing(calibrated: Calibrate, tmp_path: Path) -> None:
    text = f"{HEAD}  most: 90\n  least: 0.1"
    finished = calibrated(text, {"most": 20.0, "least": 3.0}, "--dry-run")
    assert (finished.code, finished.text) == (0, text)
    assert {path.name for path in tmp_path.iterdir()} == {"spec.yaml", "results.json"}
    subprocess.run(["git", "apply", "-p0", "-"], input=finished.out, text=True, check=True, cwd=tmp_path)
    assert (tmp_path / "spec.yaml").read_text() == f"{HEAD}  most: 24\n  least: 2.4"


def test_a_dry_run_without_a_change_prints_nothing(calibrated: Calibrate) -> None:
    assert calibrated(f"{HEAD}  most: 24\n", {"most": 20.0}, "--dry-run").out == ""


def test_another_file_can_take_the_new_spec(calibrated: Calibrate, tmp_path: Path) -> None:
    text = f"{HEAD}  most: 90\n"
    finished = calibrated(text, {"most": 20.0}, "-o", "new.yaml")
    assert (finished.code, finished.text) == (0, text)
    assert (tmp_path / "new.yaml").read_text() == f"{HEAD}  most: 24\n"


def test_a_spec_that_would_not_be_valid_in_its_new_place_is_not_written(calibrated: Calibrate, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "train.yaml").write_text("lr: 1e-3\n")
    finished = calibrated(f"config: train.yaml\n{HEAD}  most: 90\n", {"most": 20.0}, "-o", "elsewhere/new.yaml")
    assert finished.code == 2
    assert "the new spec would not be valid there; nothing is written:\nelsewhere/new.yaml:1:9: " in finished.err
    assert not [*(tmp_path / "elsewhere").iterdir()]


def test_a_folder_that_is_not_there_is_told(calibrated: Calibrate) -> None:
    finished = calibrated(f"{HEAD}  most: 90\n", {"most": 20.0}, "-o", "nowhere/new.yaml")
    assert finished.code == 2
    assert finished.err.endswith("Error: cannot write beside nowhere/new.yaml: No such file or directory\n")
