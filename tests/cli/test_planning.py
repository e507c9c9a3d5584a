"""`validate` and `plan`: what is known before anything runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path


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


def test_a_plan_shows_what_the_spec_skips(retspec: Any, spec: Path) -> None:
    spec.write_text(spec.read_text() + "  head_trainable: {skip: no head yet}\n")
    assert "skipped: head_trainable (no head yet)" in retspec("plan", spec).out


def test_a_plan_takes_a_selection(retspec: Any, spec: Path) -> None:
    finished = retspec("plan", spec, "-k", "layers")
    assert "1 measurement for 1 criterion" in finished.out


def test_a_selection_of_nothing_is_no_success(retspec: Any, spec: Path) -> None:
    assert retspec("plan", spec, "-k", "zzz").code == 5
