"""A loss or a gradient that is not finite comes with the name of what made it so, and the line that called it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.here import run_here

CASES = Path(__file__).parent.parent / "cases" / "checks"
BLAMED = {
    "nonfinite_gradients/missed-root-of-zero.yaml": r"SqrtBackward0, called in tiny\.py:\d+",
    "nonfinite_steps/missed-nan-weight.yaml": r"blocks\.1\.mlp\.fc1 \(Linear, its weight not finite\)",
}


@pytest.mark.parametrize("case", BLAMED)
def test_details_name_the_operation(case: str) -> None:
    (result,) = run_here(CASES / case).values()
    assert result.observed is not None
    assert re.fullmatch(BLAMED[case], result.observed.details["operation"])


@pytest.mark.parametrize(
    ("factory", "cause"),
    [("ends_in_softmax", "the model returns probabilities"), ("ends_in_relu", "no logit is below zero"), ("base", "")],
)
def test_details_name_a_layer_behind_the_head(factory: str, cause: str, tmp_path: Path) -> None:
    spec = tmp_path / "spec.yaml"
    spec.write_text(
        f'retspec: 1\nmodel: {{factory: "tests.tiny:{factory}"}}\ntrain: {{steps: 3}}\n'
        "checks:\n  loss_drop: -9\n  overfit_loss: {limit: 9, with: {most_steps: 1}}\n"
    )
    for result in run_here(spec).values():
        assert result.observed is not None
        found = [text[: len(cause)] for text in result.observed.details.get("look at", ())]
        assert found == ([cause] if cause else [])
