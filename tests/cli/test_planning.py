"""`validate` and `plan`: what is known before anything runs."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


PLUGIN = """
import os

from retspec.plugin import check, hookimpl

with open(os.environ["LOADED"], "a") as log:
    log.write("loaded\\n")

@check(direction="at most", advice="Nothing to do.")
def counted() -> int:
    '''How often?'''
    return 1

@hookimpl
def retspec_checks():
    return [counted]
"""
RANGE = "5–20"  # noqa: RUF001 - as the plan writes it


def test_a_valid_spec_is_told_with_its_number_of_criteria(retspec: Any, spec: Path) -> None:
    finished = retspec("validate", spec)
    assert (finished.code, finished.out, finished.err) == (0, f"{spec}: ok (2 criteria)\n", "")


def test_all_problems_of_all_specs_are_told_with_their_places(retspec: Any, spec: Path) -> None:
    bad = spec.with_name("bad.yaml")
    bad.write_text(spec.read_text().replace("lora_layers", "lora_layer").replace("100_000", "lots"))
    finished = retspec("validate", bad, spec)
    assert finished.code == 2
    assert finished.out == f"{spec}: ok (2 criteria)\n"
    lines = finished.err.splitlines()
    assert lines[0].startswith(f"{bad}:8:")
    assert lines[1].startswith(f"{bad}:9:")
    assert "did you mean 'lora_layers'?" in lines[1]


def test_a_file_that_is_no_spec_is_told(retspec: Any, tmp_path: Path) -> None:
    path = tmp_path / "empty.yaml"
    path.write_text("")
    finished = retspec("validate", path)
    assert finished.code == 2
    assert finished.err.startswith(str(path))


def test_a_plugin_that_does_not_load_is_told_for_its_spec_and_the_next_is_still_read(retspec: Any, spec: Path) -> None:
    bad = spec.with_name("bad.yaml")
    bad.write_text(spec.read_text() + "plugins: [gone.py]\n")
    finished = retspec("validate", bad, spec)
    assert finished.code == 2
    assert "gone.py" in finished.err
    assert finished.out == f"{spec}: ok (2 criteria)\n"


def test_a_plugin_of_many_specs_is_loaded_once_and_known_to_no_other_spec(
    retspec: Any, spec: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = spec.with_name("log")
    monkeypatch.setenv("LOADED", str(log))
    spec.with_name("counting.py").write_text(PLUGIN)
    text = spec.read_text().replace("lora_layers: 12", "counted: 1")
    named = [spec.with_name(f"{name}.yaml") for name in "abc"]
    for path in named:
        path.write_text(f"{text}plugins: [counting.py]\n")
    stranger = spec.with_name("stranger.yaml")
    stranger.write_text(text)
    finished = retspec("validate", *named[:2], stranger, named[2])
    assert finished.out.splitlines() == [f"{path}: ok (2 criteria)" for path in named]
    assert "unknown check 'counted'" in finished.err
    assert log.read_text() == "loaded\n"


def test_an_override_is_validated_too(retspec: Any, spec: Path) -> None:
    assert retspec("validate", spec, "--set", "model.lora.r=4", "--seed", "7", "--device", "cpu").code == 0
    assert retspec("validate", spec, "--set", "model.lora.r=none").code == 2
    assert retspec("validate", spec, "--device", "toaster").code == 2


def test_sugar_comes_after_the_long_form(retspec: Any, spec: Path) -> None:
    assert retspec("validate", spec, "--set", "run.device=toaster", "--device", "cpu").code == 0


def test_a_plan_says_what_is_measured_for_whom(retspec: Any, spec: Path) -> None:
    finished = retspec("plan", spec)
    assert (finished.code, finished.err) == (0, "")
    row = next(line for line in finished.out.splitlines() if line.startswith("parameters "))
    assert "static" in row
    assert "max_trainable_params, lora_layers" in row
    assert "1 measurement for 2 criteria: 0 forward passes and 0 backward; no weights are made" in finished.out


def test_a_plan_counts_the_passes_of_a_training_once(retspec: Any, spec: Path) -> None:
    spec.write_text(spec.read_text() + "  loss_drop: 0.5\n  dead_gradients: 0\ntrain: {steps: 7}\n")
    out = retspec("plan", spec).out
    assert "7 forward passes and 7 backward; the model gets its weights" in out
    assert "steps=7" in out


def test_a_plan_tells_the_fewest_and_the_most_passes_of_what_may_end_early(retspec: Any, spec: Path) -> None:
    spec.write_text(spec.read_text() + "  loss_drop: 0.5\ntrain: {steps: 20, stop_at_drop: 0.5, min_steps: 5}\n")
    out = retspec("plan", spec).out
    assert re.search(rf"^training +training +{RANGE} +{RANGE} +loss_drop ", out, re.MULTILINE)
    assert f"{RANGE} forward passes and {RANGE} backward; the model gets its weights" in out
    assert f"| {RANGE} | {RANGE} |" in retspec("plan", spec, "--format", "markdown").out


def test_a_plan_names_the_task_that_the_spec_does(retspec: Any, spec: Path) -> None:
    assert "the task is" not in retspec("plan", spec).out
    spec.write_text(spec.read_text() + "train: {task: multilabel}\n")
    assert "; the task is multilabel\n" in retspec("plan", spec).out


def test_a_plan_is_there_for_programs_too(retspec: Any, spec: Path) -> None:
    spec.write_text(
        spec.read_text() + "  loss_drop: 0.5\n  dead_gradients: {skip: later}\ntrain: {stop_at_drop: 0.5}\n"
    )
    (plan,) = json.loads(retspec("plan", spec, "--format", "json").out)
    parameters, training = plan["measurements"]
    assert parameters["passes"]["forward"] == {"fewest": 0, "most": 0}
    assert (training["name"], training["criteria"], training["arguments"]["steps"]) == ("training", ["loss_drop"], 20)
    assert training["passes"] == plan["passes"] == {kind: {"fewest": 5, "most": 20} for kind in ("forward", "backward")}
    assert (plan["skipped"], plan["needs_weights"], plan["cell"]) == ({"dead_gradients": "later"}, True, "")


def test_a_plan_shows_what_the_spec_skips(retspec: Any, spec: Path) -> None:
    spec.write_text(spec.read_text() + "  head_trainable: {skip: no head yet}\n")
    assert "skipped: head_trainable (no head yet)" in retspec("plan", spec).out


def test_a_plan_takes_a_selection(retspec: Any, spec: Path) -> None:
    finished = retspec("plan", spec, "-k", "layers")
    assert "1 measurement for 1 criterion" in finished.out


def test_a_selection_of_nothing_is_no_success(retspec: Any, spec: Path) -> None:
    assert retspec("plan", spec, "-k", "zzz").code == 5
