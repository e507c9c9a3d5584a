"""Checks that `retspec prove --suggest` writes into a spec."""

from __future__ import annotations

import codecs
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from retspec.cli import main
from retspec.errors import UsageError
from retspec.review.calibration import block_of
from tests.checks.conftest import written
from tests.proving import odd
from tests.proving.planting import FOLDER, write_dataset

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

HEAD = """\
# What a small dataset meets.
retspec: 1
name: gate
data:
  csv:
    train: "${env.RETSPEC_TEST_PROVING}/train.csv"
    test: "${env.RETSPEC_TEST_PROVING}/test.csv"
    images: "${env.RETSPEC_TEST_PROVING}/images"
    image_column: image
    label_column: grade
    group_column: patient
"""
CHECKS = """\
checks:
  # The disk.
  missing_files:   0   # none at all
  # corrupt_images: 0
"""
TAIL = """
# What follows is not for checks.
run: {seed: 1}
"""
FOR_BLANK = "  # Notices image_blank: An image is black from edge to edge.\n  blank_images: 0\n"


def _prove(path: Path, *arguments: str, faults: Sequence[str] = ("image_blank",)) -> int:
    named = [part for fault in faults for part in ("--fault", fault)]
    return main(["prove", str(path), "--no-plugins", *named, *arguments])


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with written(FOLDER, write_dataset, tmp_path_factory.mktemp("dataset")):
        yield


@pytest.fixture
def spec(dataset: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:  # noqa: ARG001 - it has to be there
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(odd.FOLDER, str(tmp_path))
    path = tmp_path / "gate.yaml"
    path.write_text(HEAD + CHECKS + TAIL)
    return path


# What is written ---------------------------------------------------------------------------------------------


def test_each_fault_gets_its_best_check_and_the_next_proof_notices_it(
    spec: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """A check is written once, with a measured limit where it has no default; the last fault's own check needs more."""
    faults = ("image_in_two_splits", "patient_in_two_splits", "class_lost", "classes_reordered", "labels_from_one")
    assert _prove(spec, "--suggest", "--min-noticed", "1", faults=faults) == 1
    added = """\
  # Notices image_in_two_splits: An image of the training is listed in another split, too.
  # Notices patient_in_two_splits: A patient of the training is in another split, too.
  split_leakage: 0
  # Notices class_lost: All images of a class but one are left out of the training.
  min_class_count: 4
  # Notices labels_from_one: The labels of the training count from one.
  # Notices classes_reordered: Another split numbers the classes in another order.
  class_map_mismatch: 0
"""
    assert spec.read_text() == HEAD + CHECKS + added + TAIL
    assert "3 checks added; prove it again" in capfd.readouterr().err
    assert _prove(spec, "--min-noticed", "1", faults=faults) == 0


def test_the_layout_of_another_file_is_kept_where_it_is_written_to(spec: Path) -> None:
    """A byte order mark, line ends of Windows, no end of the last line; what is taken away there stays away."""
    spec.write_text(f"{HEAD}{CHECKS}  class_map_mismatch: 0\n")
    text = "retspec: 1\r\nextends: gate.yaml\r\nchecks:\r\n    class_map_mismatch: null\r\n    duplicate_images: 0"
    extending = spec.with_name("extending.yaml")
    extending.write_bytes(codecs.BOM_UTF8 + text.encode())
    assert _prove(extending, "--suggest", "-o", "new.yaml", faults=("image_blank", "classes_reordered")) == 0
    assert extending.read_bytes() == codecs.BOM_UTF8 + text.encode()
    added = FOR_BLANK.rstrip("\n").replace("  #", "\r\n    #").replace("\n  blank", "\r\n    blank")
    assert Path("new.yaml").read_bytes() == codecs.BOM_UTF8 + (text + added).encode()


def test_a_dry_run_prints_a_diff_and_writes_nothing(
    spec: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    options = ("--suggest", "--dry-run", "--badge", "badge.json", "--set", "checks.corrupt_images=0")
    assert _prove(spec, *options) == 0
    assert spec.read_text() == HEAD + CHECKS + TAIL
    assert [*tmp_path.iterdir()] == [spec]
    out, err = capfd.readouterr()
    assert out.startswith(f"--- {spec}\n+++ {spec}\n@@ ")
    assert [line for line in out.splitlines()[2:] if line[0] in "+-"] == [f"+{line}" for line in FOR_BLANK.splitlines()]
    assert "0 of 1 plantable fault noticed" in err
    assert "note: proven with checks.corrupt_images=0, which the file does not say" in err
    assert "1 check would be added\n" in err


def test_the_limit_of_a_check_whose_shorthand_is_an_argument_is_in_the_long_form(spec: Path) -> None:
    assert _prove(spec, "--suggest", "-p", odd.__file__, faults=("cut_short",)) == 0
    added = "  # Notices cut_short: The last image is left out.\n  listed: {limit: 18}\n"
    assert spec.read_text() == HEAD + CHECKS + added + TAIL


def test_a_measured_limit_is_the_strictest_that_a_fault_needs(spec: Path) -> None:
    """For the first fault, 16 of 18 files would do."""
    assert _prove(spec, "--suggest", "-p", odd.__file__, faults=("much_lost", "one_lost")) == 0
    added = """\
  # Notices much_lost: The last ten images are left out.
  # Notices one_lost: The last image is left out.
  file_count: 18
"""
    assert spec.read_text() == HEAD + CHECKS + added + TAIL


def test_faults_of_a_model_are_planted_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(Path(__file__).parents[2]))
    path = tmp_path / "tiny.yaml"
    head = 'retspec: 1\nmodel: {factory: "tests.tiny:vit"}\ndata: {synthetic: {batch_size: 2}}\n'
    path.write_text(f"{head}checks:\n  lora_layers: 2\n")
    assert _prove(path, "--suggest", "--no-reports", faults=("adapter_frozen", "later_layers_frozen")) == 0
    assert re.fullmatch(
        r"  # Notices adapter_frozen: .*\n  # Notices later_layers_frozen: .*\n  min_trainable_params: \d+\n",
        path.read_text().partition("lora_layers: 2\n")[2],
    )


# What is not written -----------------------------------------------------------------------------------------


def test_what_does_not_notice_is_not_written_and_the_reason_is_said(
    spec: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """The fickle fault shows at first, and not where the check that it gave a limit is proven."""
    checks = f"{CHECKS}  resaved: {{check: near_duplicate_images, skip: not now}}\n"
    spec.write_text(HEAD + checks + TAIL)
    faults = ("idle", "fickle", "unknown", "split_lost", "image_saved_again")
    assert _prove(spec, "--suggest", "-p", odd.__file__, faults=faults) == 0
    assert spec.read_text() == HEAD + checks + TAIL
    said = " ".join(capfd.readouterr().err.split())
    assert "corrupt_images: it is met with the fault, too" in said
    assert "min_class_count: no limit tells 4 from the 4 without the fault" in said
    assert "always_red: it is not met without the fault" in said
    assert "split_count: its limit is exact; write 2 if that is what you mean" in said
    assert "min_auroc: you must say what of its interval is judged" in said
    assert "max_subgroup_gap: it needs `with: {threshold: ...}`" in said
    assert "predictions_complete: it has no value without the fault" in said
    assert "fickle: nothing is added: min_class_count: planted again, it is met with the fault, too" in said
    assert "unknown: nothing is added: no other check is known to notice it" in said
    assert "image_saved_again: nothing is added: near_duplicate_images: the spec names it" in said
    assert "no check added" in said


def test_a_spec_that_is_edited_meanwhile_is_left_alone(spec: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert _prove(spec, "--suggest", "-p", odd.__file__, faults=("image_blank", "meddling")) == 2
    assert "has changed while it was measured; nothing is written" in capfd.readouterr().err
    assert FOR_BLANK not in spec.read_text()


def test_a_new_spec_that_would_mean_something_else_is_not_written(
    spec: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """The blank line at the end of the description is part of it."""
    text = HEAD + "checks:\n  missing_files:\n    limit: 0\n    description: |+\n      kept\n\nrun: {seed: 1}\n"
    spec.write_text(text)
    assert _prove(spec, "--suggest") == 2
    assert "missing_files would not become what it is meant to be; nothing is written" in capfd.readouterr().err
    assert spec.read_text() == text


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--suggest", "-k", "missing"], "--suggest is for a whole spec"),
        (["--suggest", "--skip", "missing"], "--suggest is for a whole spec"),
        (["--suggest", "--tag", "gpu"], "--suggest is for a whole spec"),
        (["--dry-run"], "--dry-run and --output go with --suggest"),
        (["-o", "other.yaml"], "--dry-run and --output go with --suggest"),
        (["--suggest", "-o", "gate.yaml"], "gate.yaml would replace"),
        (["--suggest", "-o", "new.yaml", "--badge", "new.yaml"], "same file new.yaml"),
        (["--suggest", "-o", "nowhere/new.yaml"], "nowhere/new.yaml: there is no folder nowhere"),
        (["--suggest", "--set", "matrix={run.seed: [1, 2]}"], "has a matrix"),
        (["--suggest", "--set", "matrix={run.seed: [1, 2]}", "--cell", "seed=1"], "has a matrix"),
    ],
)
def test_what_cannot_be_written_is_refused_before_anything_is_measured(
    spec: Path, arguments: list[str], said: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert _prove(spec, *arguments) == 2
    err = capfd.readouterr().err
    assert said in " ".join(err.split())
    assert "image_blank" not in err
    assert spec.read_text() == HEAD + CHECKS + TAIL


# The text ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("checks", "said"),
    [
        ("checks: {lora_layers: 2}\n", "x.yaml:1:1: `checks` is no block"),
        ('{"checks":\n  {"lora_layers": 2}}\n', "x.yaml:1:2: `checks` is no block"),
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
        ("checks:\n  a: 1\n", 14),
        ("checks:\r\n  a: 1\r\n\r\nrun: {}\r\n", 15),
        ("checks:\n  a: 1\n  # b: 2\n\n# of run\nrun: {}\n", 23),
        ("checks:\n  a: 1\n# of run\n  \nrun: {}\n", 14),
        ("checks:\n  a:\n    description: |\n      # text\n", 44),
        ("checks:\n  a: [1,\n# one\n2]\nrun: {}\n", 25),
    ],
)
def test_the_end_of_the_block_is_that_of_its_last_line(text: str, end: int) -> None:
    assert text[: block_of(text, "x.yaml").end] == text[:end].rstrip("\r\n")
