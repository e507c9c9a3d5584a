"""The steps of the README: a sample, a green preflight, and five ways to break it."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import torch
from click.testing import CliRunner
from retspec.plugin import Verdict

from retspec_retfound.cli import main

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Judged
    from retspec.plugin import Result

pytestmark = pytest.mark.no_cover  # what runs here is covered by the tests of its parts

README = Path(__file__).parents[1] / "README.md"


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("walk") / "sample"
    finished = CliRunner().invoke(main, ["make-sample", str(folder), "--kind", "green"])
    assert finished.exit_code == 0, finished.output
    return folder


@pytest.fixture
def sample(written: Path, tmp_path: Path) -> Path:
    """A copy to break."""
    return shutil.copytree(written, tmp_path / "sample")


def test_the_sample_is_met_whole(sample: Path, judged: Judged) -> None:
    results = judged(sample / "preflight.yaml")
    assert {name: result.reason for name, result in results.items() if result.verdict is not Verdict.MET} == {}
    assert len(results) > 15


def wrap(sample: Path) -> list[str]:
    weights = torch.load(sample / "RETFound_green.pth")
    torch.save({"network": weights}, sample / "wrapped.pth")
    return ["model.checkpoint={file: wrapped.pth, key: model}"]


def split_a_patient(sample: Path) -> list[str]:
    table = sample / "aptos" / "val.csv"
    table.write_text(table.read_text().replace("val-0", "train-0"))
    return []


def cut_an_image(sample: Path) -> list[str]:
    image = sample / "aptos" / "train_images" / "000000000003.png"
    image.write_bytes(image.read_bytes()[:2000])
    return []


BREAKS: dict[str, tuple[Callable[[Path], list[str]], str]] = {
    "retfound_preprocessing": (lambda _: ['data.transform="retspec_retfound.transforms:large"'], "preprocess"),
    "retfound_keys": (wrap, "no weights under the key 'model'; there are some under network"),
    "head_trainable": (lambda _: ["model.lora.modules_to_save=[]"], "modules_to_save"),
    "split_leakage": (split_a_patient, "train-0"),
    "corrupt_images": (cut_an_image, "000000000003.png"),
}


@pytest.mark.parametrize("check", BREAKS)
def test_what_is_broken_turns_its_criterion_red_and_says_what_to_do(check: str, sample: Path, judged: Judged) -> None:
    break_it, words = BREAKS[check]
    spec = sample / "preflight.yaml"
    text = spec.read_text()
    (criterion,) = re.findall(rf"^  {check}: .*$", text, re.MULTILINE)
    spec.write_text(f"{text[: text.index('checks:')]}checks:\n{criterion}\n")
    (result,) = judged(spec, break_it(sample)).values()
    assert result.verdict in {Verdict.MISSED, Verdict.ERROR}
    assert words in text_of(result)


def text_of(result: Result) -> str:
    """Return all that a person reads of a result."""
    details = result.observed.details if result.observed else {}
    return f"{result.reason} {details} {result.criterion.advice}"


def test_the_readme_names_every_break() -> None:
    page = README.read_text(encoding="utf-8")
    walk = page[page.index("## A dry run") : page.index("## Traps")]
    assert [check for check in BREAKS if f"`{check}`" not in walk] == []
