"""`data: {fixture: name}`: a batch on its way from pytest to the worker."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

import pytest
import torch
from torch.utils.data import DataLoader, IterableDataset, TensorDataset

from retspec.errors import SubjectError
from retspec.facts import BatchRequest
from retspec.records import Verdict
from retspec.subjects.data.sources.fixture_data import VARIABLE, fixture, hand_over
from tests.here import run_here
from tests.testing.conftest import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from torch import Tensor

    Take = Callable[..., tuple[Tensor, Tensor]]

pytestmark = pytest.mark.usefixtures("unmeasured_programs")

IMAGES, LABELS = torch.arange(200.0).reshape(200, 1), torch.arange(200)


class Stream(IterableDataset[tuple["Tensor", int]]):
    def __iter__(self) -> Iterator[tuple[Tensor, int]]:
        return iter(zip(IMAGES, LABELS.tolist(), strict=True))


@pytest.fixture
def take(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Take:
    """Hand over what a fixture made, and take what the worker would get."""

    def over(made: Any, samples: int | None = None, batch_size: int = 4) -> tuple[Tensor, Tensor]:
        file = tmp_path / "batch.safetensors"
        hand_over(made, file, name="mine", batch_size=batch_size)
        monkeypatch.setenv(VARIABLE, str(file))
        request = BatchRequest(
            samples=samples, batch_size=batch_size, seed=0, input_size=None, outputs=lambda _: (1, 2)
        )
        pair: tuple[Tensor, Tensor] = fixture("mine", request)
        return pair

    return over


@pytest.mark.parametrize(
    "made", [(IMAGES, LABELS), {"image": IMAGES, "label": LABELS}, DataLoader(TensorDataset(IMAGES, LABELS), 200)]
)
def test_a_batch_is_taken_as_it_is(made: Any, take: Take) -> None:
    inputs, targets = take(made, samples=10)
    assert torch.equal(inputs, IMAGES)
    assert torch.equal(targets, LABELS)


@pytest.mark.parametrize(
    "tensor", [IMAGES[::2], IMAGES[:2].expand(2, 3), torch.ones(2, 1, requires_grad=True), torch.tensor([True, False])]
)
def test_a_view_or_a_leaf_arrives_as_plain_values(tensor: Tensor, take: Take) -> None:
    inputs, targets = take((tensor, tensor))
    assert torch.equal(inputs, tensor)
    assert torch.equal(targets, tensor)


@pytest.mark.parametrize(("samples", "labels"), [(None, [0, 50, 100, 150]), (2, [0, 100]), (8, [*range(0, 200, 25)])])
def test_a_dataset_is_spread_over_what_is_asked_for(samples: int | None, labels: list[int], take: Take) -> None:
    inputs, targets = take(TensorDataset(IMAGES, LABELS), samples)
    assert targets.tolist() == labels
    assert torch.equal(inputs, IMAGES[labels])


def test_a_large_batch_of_the_recipe_is_there_in_full(take: Take) -> None:
    assert take(TensorDataset(IMAGES, LABELS), batch_size=100)[1].tolist() == [*range(0, 200, 2)]


def test_a_small_dataset_gives_all_it_has(take: Take) -> None:
    assert take(TensorDataset(IMAGES[:5], LABELS[:5]), 100)[1].tolist() == [0, 1, 2, 3, 4]


def test_a_stream_gives_its_first_items(take: Take) -> None:
    assert take(Stream(), 64)[1].tolist() == [*range(64)]


def test_more_than_was_handed_over_is_refused(take: Take) -> None:
    with pytest.raises(SubjectError, match="'mine' handed over 64 items of its Dataset, and 65 are asked for; raise"):
        take(TensorDataset(IMAGES, LABELS), 65)


@pytest.mark.parametrize(
    ("made", "told"),
    [
        (7, "the fixture 'mine' gave int; a batch is a pair"),
        ((IMAGES, [1, 2]), "the fixture 'mine': targets are list, not a tensor"),
        ((IMAGES, LABELS[:3]), "(200, 1) and targets (3,) are not a batch"),
        ({"image": IMAGES}, "a mapping with the keys image; one of labels"),
    ],
)
def test_what_is_no_batch_is_refused(made: Any, told: str, take: Take) -> None:
    with pytest.raises(SubjectError) as refused:
        take(made)
    assert told in str(refused.value)


def test_outside_pytest_the_spec_is_valid_and_says_what_it_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    (result,) = run_here(ROOT / "examples/pytest/lora.retspec.yaml", ["checks={loss_drop: 0.1}"]).values()
    assert result.verdict is Verdict.ERROR
    assert (
        "lora.retspec.yaml:11:12: the fixture 'fundus_images' is there under pytest only; run this spec"
        in result.reason
    )


def test_the_example_is_green(session: Callable[..., pytest.RunResult], pytester: pytest.Pytester) -> None:
    shutil.copytree(ROOT / "examples" / "pytest", pytester.path, dirs_exist_ok=True)
    session().assert_outcomes(passed=4)


def test_a_fixture_that_gives_no_batch_is_an_error_with_its_place(
    session: Callable[..., pytest.RunResult], pytester: pytest.Pytester
) -> None:
    shutil.copytree(ROOT / "examples" / "pytest", pytester.path, dirs_exist_ok=True)
    pytester.makeconftest("import pytest\n\n@pytest.fixture\ndef fundus_images(): return 7")
    result = session("-k", "loss_drop")
    result.assert_outcomes(errors=1, deselected=3)
    result.stdout.fnmatch_lines(["lora.retspec.yaml:11:12: the fixture 'fundus_images' gave int; a batch is a pair*"])
