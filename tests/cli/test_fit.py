"""`retspec fit`: which batch sizes fit."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.usefixtures("unmeasured_programs")

TINY = ("--set", "model.kwargs={num_classes: 5, img_size: 32, depth: 1}")


@pytest.fixture
def bare(spec: Path) -> Path:
    """Without an adapter, for which a worker would import peft."""
    lines = spec.read_text().splitlines(keepends=True)
    spec.write_text("".join(line for line in lines if "lora" not in line))
    return spec


@pytest.mark.usefixtures("warm_programs")
def test_the_table_and_the_figures_say_which_batches_fit(retspec: Any, spec: Path, tmp_path: Path) -> None:
    path = tmp_path / "figures" / "fit.json"
    finished = retspec("fit", spec, *TINY, "--memory", "80MB", "--batch-sizes", "2,8,8,2048", "--json", path)
    assert finished.code == 0, finished.err
    lines = finished.out.splitlines()
    assert "float32: GB" in lines[0]
    assert "bfloat16 autocast: GB" in lines[0]
    assert [line.split()[0] for line in lines[2:5]] == ["2", "8", "2048"]
    assert [line.count("fits") for line in lines[2:5]] == [2, 2, 0]
    fit = json.loads(path.read_text())
    assert (fit["memory"], fit["target"], fit["dtype"]) == (80_000_000, "cuda", "float32")
    assert [(e["amp"], e["batch_size"]) for e in fit["estimates"]] == [
        (amp, size) for amp in ("none", "bfloat16") for size in (2, 8, 2048)
    ]
    for fitting, name in zip(fit["fittings"], ("float32", "bfloat16 autocast"), strict=True):
        said = f"{name}: the largest batch that fits in 0.08 GB is {fitting['largest']:,}; recommended"
        assert any(line.startswith(said) for line in lines)
        assert fitting["step"]["peak"] < fitting["full"]["peak"]
    assert "not verified on CUDA" in lines[-1]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--memory", "24"], "'24' is not a size; write a number and its unit, MB or GB: 500MB, 24GB"),
        (["--memory", "24GiB"], "'24GiB' is not a size"),
        (["--batch-sizes", "1,0"], "'1,0' are not batch sizes; write positive integers with commas: 1,2,4"),
        (["--target", "tpu"], "'tpu' is not one of 'cuda', 'cpu'"),
    ],
)
def test_a_wrong_option_is_a_usage_error(retspec: Any, spec: Path, options: list[str], said: str) -> None:
    finished = retspec("fit", spec, "--memory", "1GB", *options)
    assert finished.code == 2
    assert said in finished.err


def test_a_spec_without_a_model_is_told(retspec: Any, spec: Path) -> None:
    spec.write_text("retspec: 1\nchecks:\n  lora_layers: 1\n")
    finished = retspec("fit", spec, "--memory", "1GB")
    assert finished.code == 2
    message = "min_fitting_batch_size measures a model, and the spec has none; add the section `model:`"
    assert finished.err == f"{spec}:3:3: {message}\n"


@pytest.mark.usefixtures("warm_programs")
def test_a_model_that_cannot_be_built_gets_no_table(retspec: Any, bare: Path) -> None:
    finished = retspec("fit", bare, "--memory", "1GB", "--set", "model.timm=vit_tinny_patch16_224")
    assert (finished.code, finished.out) == (3, "")
    assert finished.err.splitlines()[-1].endswith("did you mean 'vit_tiny_patch16_224'?")


OBSERVER = """
from pathlib import Path
from retspec.plugin import hookimpl

@hookimpl
def retspec_importing(library):
    with Path(__file__).with_name("imported").open("a") as log:
        print(library, file=log)

@hookimpl
def retspec_progress(step):
    raise OSError("no network")
"""


def test_an_observer_that_fails_is_a_fault_and_the_table_is_shown(retspec: Any, bare: Path, tmp_path: Path) -> None:
    """As in `retspec run`: reported once, never the end, and no success either."""
    plugin = tmp_path / "observing.py"
    plugin.write_text(OBSERVER)
    finished = retspec("fit", bare, *TINY, "--memory", "80MB", "--batch-sizes", "2", "-p", plugin)
    assert finished.code == 3
    fault = f"run: plugin {plugin}: its hook retspec_progress raised OSError: no network (observing.py:12)"
    assert finished.err.splitlines().count(fault) == 1
    assert "the largest batch that fits in 0.08 GB" in finished.out
    assert (tmp_path / "imported").read_text().splitlines() == ["torch", "timm"]
