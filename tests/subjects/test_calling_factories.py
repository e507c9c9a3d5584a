"""A factory is found by a path of attributes, and its arguments are held against its parameters."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset, TensorDataset

from retspec import errors
from retspec.errors import NoVerdict, SubjectError, describe, files_shown_from
from retspec.subjects.callables import call, load_callable
from retspec.subjects.data.pairs import first_pair
from retspec.subjects.models.skeleton import Skeleton
from retspec.subjects.models.structure import set_grad_checkpointing
from tests.here import run_here

if TYPE_CHECKING:
    from pathlib import Path

HERE = __name__


class Models:
    class Small:
        @classmethod
        def build(cls, width: int, *, num_classes: int = 2) -> nn.Module:
            return nn.Linear(width, num_classes)

    number = 3


def anything(**options: Any) -> dict[str, Any]:
    return options


@pytest.fixture(autouse=True)
def _bare_names_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(errors, "_from", [])
    monkeypatch.setattr(sys, "path", sys.path.copy())


def test_a_method_is_found_by_its_path() -> None:
    build = load_callable(f"{HERE}:Models.Small.build", path="model.factory")
    assert call("x", build, {"width": 3}, path="model.factory", kwargs_path="model.kwargs").in_features == 3


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ("Models.Smal.build", "Models has no callable 'Smal'; did you mean 'Small'"),
        ("Models.Small.biuld", "Small has no callable 'biuld'; did you mean 'build'"),
        ("Models.number", "is int, which cannot be called"),
    ],
)
def test_a_path_that_leads_nowhere_says_where_it_ends(reference: str, message: str) -> None:
    with pytest.raises(SubjectError, match=message):
        load_callable(f"{HERE}:{reference}", path="model.factory")


@pytest.mark.parametrize(
    ("given", "place", "message"),
    [
        ({"width": 3, "num_class": 4}, "model.kwargs.num_class", "no argument 'num_class'; did you mean 'num_classes'"),
        ({"width": 3, "zzz": 4}, "model.kwargs.zzz", "no argument 'zzz'; it has width, num_classes"),
        ({}, "model.factory", "needs width; give it under `kwargs:`"),
    ],
)
def test_arguments_that_do_not_fit_are_named(given: dict[str, Any], place: str, message: str) -> None:
    with pytest.raises(SubjectError, match=message) as error:
        call("m:f", Models.Small.build, given, path="model.factory", kwargs_path="model.kwargs")
    assert error.value.path == place
    assert "callables.py" not in str(error.value)


def test_a_function_that_takes_anything_gets_anything() -> None:
    assert call("m:f", anything, {"a": 1}, path="p", kwargs_path="k") == {"a": 1}


class Empty(Dataset[Any]):
    def __len__(self) -> int:
        return 0

    def __getitem__(self, index: int) -> Any:
        raise IndexError(index)


@pytest.mark.parametrize(
    ("made", "message"),
    [
        (Empty(), "m:f: the dataset has no items"),
        (DataLoader(TensorDataset(torch.zeros(0, 3), torch.zeros(0))), "m:f is empty: it gives no batch"),
    ],
    ids=["dataset", "loader"],
)
def test_empty_data_is_called_empty(made: Any, message: str) -> None:
    with pytest.raises(SubjectError, match=message):
        first_pair(made, 4, "m:f", path="data.factory")


class Fails(nn.Module):
    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.layer = nn.Linear(2, 2)
        self.error = error

    def forward(self, _inputs: torch.Tensor) -> torch.Tensor:
        raise self.error


@pytest.mark.parametrize(
    ("error", "hint"),
    [
        (RuntimeError("mat1 and mat2 shapes cannot be multiplied (4x3 and 2x2)"), "check the input size"),
        (AssertionError("Input height (32) doesn't match model (224)."), "check the input size"),
        (RuntimeError("mat1 and mat2 must have the same dtype"), ""),
        (KeyError("size"), ""),
        (
            TypeError("forward() missing 1 required positional argument: 'mask'"),
            "take the inputs of a batch as its one",
        ),
    ],
)
def test_the_input_size_is_blamed_only_where_it_may_be_the_cause(error: Exception, hint: str) -> None:
    model = Fails(error)
    with pytest.raises(NoVerdict, match="a forward pass of inputs") as caught:
        Skeleton(model, lambda: model).trace((1, 2))
    assert hint in str(caught.value)
    assert ("; " in str(caught.value).partition("fails")[2]) == bool(hint)


class Switchable(nn.Module):
    def gradient_checkpointing_enable(self, options: dict[str, Any]) -> None:
        self.options = options


def test_gradient_checkpointing_goes_by_either_name() -> None:
    model = Switchable()
    set_grad_checkpointing(model)
    assert model.options == {"use_reentrant": False}
    with pytest.raises(SubjectError, match=r"Linear offers no gradient checkpointing that is known"):
        set_grad_checkpointing(nn.Linear(1, 1))


def test_files_of_the_user_are_named_by_their_path_from_the_spec(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "code" / "deep").mkdir(parents=True)
    (tmp_path / "specs").mkdir()
    file = tmp_path / "code" / "deep" / "mine.py"
    file.write_text("1 / 0\n")

    def failing() -> str:
        try:
            exec(compile(file.read_text(), str(file), "exec"), {})  # noqa: S102 - as an import does it
        except ZeroDivisionError as error:
            return describe(error)
        raise AssertionError

    assert failing().endswith("(mine.py:1)")
    with files_shown_from(tmp_path):
        assert failing().endswith("(code/deep/mine.py:1)")
        with files_shown_from(tmp_path / "specs"):
            assert failing().endswith("(mine.py:1)")  # it may lie anywhere
            monkeypatch.chdir(tmp_path)
            assert failing().endswith("(../code/deep/mine.py:1)")
        assert failing().endswith("(code/deep/mine.py:1)")
    assert failing().endswith("(mine.py:1)")


def test_what_a_library_raises_is_shown_where_it_is_called() -> None:
    with pytest.raises(ValueError, match="non-negative") as raised:
        np.random.default_rng(-1)
    assert re.search(r"\(test_calling_factories\.py:\d+\)$", describe(raised.value))


SPEC = """\
retspec: 1
model: {{factory: "{module}:Models.Small.build", kwargs: {{width: 4}}}}
data: {{synthetic: {{batch_size: 2, input_size: [4], num_classes: 2}}}}
run: {{device: cpu}}
checks:
  max_trainable_params: 100
  max_warnings: {{limit: 0, with: {{allow: ["("]}}}}
"""


def test_an_error_about_a_criterion_has_its_own_place(tmp_path: Path) -> None:
    (tmp_path / "spec.yaml").write_text(SPEC.format(module=HERE))
    reason = run_here(tmp_path / "spec.yaml")["max_warnings"].reason
    assert "spec.yaml:7:3: allow: '(' is no regular expression" in reason
