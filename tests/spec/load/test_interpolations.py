"""`${a.b}` in a training config, which OmegaConf resolves."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from retspec.errors import SpecError
from retspec.spec.document import Document
from tests.environment import NAMES_IN_UTF8

Loaded = Callable[..., Document]
ROOT = Path(__file__).resolve().parents[3]

CONFIG = r"""
defaults: [model: vit, _self_]
paths: {root: /data, csv: "${paths.root}/a.csv", when: "${now:%Y}", lost: "${dataset.root}/x", bad: "${a b}"}
training: {lr: 1e-4, lr2: "${.lr}", need: "???", needs: "${training.need}"}
loop: {a: "${loop.b}", b: "${loop.a}"}
section: ${paths}
pair: [1, "${training.lr}"]
same: ${pair}
kept: \${literally}
"""


@pytest.fixture
def given(loaded: Loaded, tmp_path: Path) -> Loaded:
    def make(text: str, *overrides: str, config: str = CONFIG) -> Document:
        (tmp_path / "train.yaml").write_text(config)
        return loaded(f"retspec: 1\nconfig: train.yaml\nname: {text}\n", *overrides)

    return make


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("${config.paths.csv}", "/data/a.csv"),
        ("${config.training.lr2}", 0.0001),
        ("${config.same}", [1, 0.0001]),
        ("${config.same.1}", 0.0001),
        ("${config.kept}", "${literally}"),
        ("${config.defaults.1}", "_self_"),
    ],
)
def test_an_interpolation_is_resolved_as_its_own_program_does(given: Loaded, text: str, value: object) -> None:
    document = given(f"'{text}'")
    assert document.problems == ()
    assert repr(document.data["name"]) == repr(value)


def test_an_override_comes_before_the_interpolations(given: Loaded) -> None:
    assert given("${config.paths.csv}", "config.paths.root=/mnt").data["name"] == "/mnt/a.csv"
    assert given("${config.x}", "config.x=${training.lr}").data["name"] == 0.0001


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "${config.paths.when}",
            r"train.yaml:3:56: config.paths.when is '\${now:%Y}', which cannot be resolved: .*now",
        ),
        ("${config.paths.lost}", "'dataset.root' not found; the `defaults` list of Hydra is not composed here"),
        ("${config.paths}", "config.paths.when is"),
        ("${config.paths.bad}", "cannot be resolved"),
        ("${config.loop.a}", "cannot be resolved"),
        ("${config.section}", "cannot be resolved"),
        ("${config.training.need}", r"config.training.need is \?\?\?, a value that must be given"),
        ("${config.training.needs}", "cannot be resolved: .*training.need"),
        ("${config.model.name}", "unknown value 'config.model.name'; .* is not composed here"),
    ],
)
def test_what_cannot_be_resolved_is_told_to_who_refers_to_it(given: Loaded, text: str, message: str) -> None:
    (problem,) = given(f"'{text}'").problems
    with pytest.raises(SpecError, match=message):
        raise SpecError([problem])


def test_what_cannot_be_resolved_hinders_nobody_else(given: Loaded) -> None:
    document = given("${config.training.lr}")
    assert document.problems == ()
    assert document.config
    assert {"paths.when", "paths.lost", "training.need"} <= set(document.config.unresolved)
    assert document.config.data["paths"]["when"] == "${now:%Y}"


def test_defaults_are_not_blamed_where_there_are_none(given: Loaded) -> None:
    (problem,) = given("${config.a}", config="a: ${b}").problems
    assert "Hydra" not in problem.message


def test_defaults_are_not_blamed_for_what_no_composing_would_give(
    given: Loaded, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("RETSPEC_UNSET", raising=False)
    (problem,) = given("${config.a}", config="defaults: [x]\na: ${oc.env:RETSPEC_UNSET}").problems
    assert "RETSPEC_UNSET" in problem.message
    assert "Hydra" not in problem.message


@NAMES_IN_UTF8
def test_an_environment_that_is_not_utf8_is_refused(given: Loaded, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RETSPEC_TEST", "\udcff")
    (problem,) = given("${config.a}", config="a: ${oc.env:RETSPEC_TEST}").problems
    assert problem.message == "config.a is text that is not UTF-8"


def test_interpolations_that_nest_beyond_reason_are_stopped(given: Loaded) -> None:
    config = "\n".join([*(f"v{level}: {{a: '${{v{level + 1}}}'}}" for level in range(60)), "v60: 1"])
    (problem,) = given("a", config=config).problems
    assert "multiply or nest beyond reason" in problem.message


@pytest.mark.parametrize("text", ["${oc.env:HF_TOKEN}", "${oc.env:${which}}"])
def test_what_a_config_reads_from_the_environment_may_be_a_secret(
    given: Loaded, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setenv("HF_TOKEN", "hunter2-but-longer")
    document = given("${config.hub}", config=f"which: HF_TOKEN\nhub: {text}")
    assert document.data["name"] == "hunter2-but-longer"
    assert "hunter2-but-longer" in document.secrets


WITHOUT = """
import sys
if sys.argv[2] == "hidden":
    sys.modules["omegaconf"] = None
from retspec.spec.load import load
for problem in load(sys.argv[1]).problems:
    print(problem)
print(sys.modules.get("omegaconf") is not None)
"""


def _said(folder: Path, config: str, omegaconf: str) -> list[str]:
    (folder / "train.yaml").write_text(config)
    (folder / "spec.yaml").write_text("retspec: 1\nconfig: train.yaml\nname: ${config.a}\n")
    command = [sys.executable, "-c", WITHOUT, "spec.yaml", omegaconf]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    finished = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=True)
    return finished.stdout.splitlines()


def test_a_config_without_interpolations_never_imports_omegaconf(tmp_path: Path) -> None:
    assert _said(tmp_path, "a: b   # ${comment}", "installed") == ["False"]
    assert _said(tmp_path, "a: b", "hidden") == ["False"]


def test_without_omegaconf_an_interpolation_is_an_error_that_names_the_extra(tmp_path: Path) -> None:
    problem, _ = _said(tmp_path, "a: b\nc: ${a}", "hidden")
    assert problem == (
        "train.yaml:2:4: '${a}' is an interpolation, which OmegaConf reads; "
        "install it: pip install 'retspec[omegaconf]'"
    )
