"""What users get wrong is said in one line: the place, the cause and what to do, and nothing that is not at fault."""

from __future__ import annotations

import re
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
import torch
from peft import LoraConfig, get_peft_model
from torch import nn

from retspec.errors import NoVerdict, SubjectError
from retspec.records import Recipe
from retspec.subjects.callables import allow_imports_from, call, load_callable
from retspec.subjects.data.batch import Batch
from retspec.subjects.data.pairs import first_pair
from retspec.subjects.models.outputs import Picks, logits_of
from retspec.subjects.models.skeleton import Skeleton, hollow, on_meta
from retspec.subjects.models.sources.timm_model import timm
from retspec.subjects.models.unmatched_names import name_notes
from retspec.subjects.training.loss_inputs import held_against, suspicions_about
from retspec.subjects.training.named_loss import NamedLoss
from retspec.subjects.training.sources.recipe import RecipeTrainer
from retspec.subjects.training.tasks.classification import Classification
from tests.tiny import base, vit

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

IMAGE = torch.zeros(3, 8, 8)


class Pair(NamedTuple):
    pred: Any
    features: Any


@dataclass
class Fields:
    pred: Any
    features: Any


class Items(torch.utils.data.Dataset[Any]):
    """A dataset of four equal items, or of what a function makes of a number."""

    def __init__(self, make: Callable[[int], Any]) -> None:
        self._make = make

    def __len__(self) -> int:
        return 4

    def __getitem__(self, index: int) -> Any:
        return self._make(index)


def pil(_index: int) -> Any:
    from PIL import Image

    return Image.new("RGB", (8, 8)), 0


def ends(_index: int) -> Any:
    raise StopIteration


BATCHES: dict[str, tuple[Callable[[], Any], str]] = {
    "text": (lambda: Items(lambda index: (IMAGE, f"class {index}")), "they are text: give the numbers of the classes"),
    "images": (lambda: Items(pil), "give the Dataset a transform that ends in a tensor"),
    "sizes": (lambda: Items(lambda n: (torch.zeros(3, 8, 8 + n), 0)), "bring all items to one size in a transform"),
    "end": (lambda: Items(ends), "gives no batch of its 4 items: something in it raised StopIteration"),
    "list": (lambda: [(IMAGE, 0), (IMAGE, 1)], "gave a list of 2 items, and a batch is a pair"),
    "generator": (lambda: ((IMAGE, 0) for _ in range(3)), "gave an iterator, which can be read once; return its Data"),
    "several": (
        lambda: (IMAGE, {"grade": IMAGE}),
        "several targets say where they are, `keys: {inputs: 0, targ",
    ),
}


@pytest.mark.parametrize("what", BATCHES)
def test_what_is_no_batch_is_named(what: str) -> None:
    make, words = BATCHES[what]
    with pytest.raises(SubjectError, match=re.escape(words)) as error:
        first_pair(make(), 4, "data:make", path="data.factory")
    assert "StopIteration" not in str(error.value) or what == "end"


TARGETS = {
    "one-hot": (torch.eye(5)[:4].long(), (4, 5), "these look one-hot: give class numbers"),
    "fractional": (torch.zeros(4), (4, 5), "class numbers are integers: give `targets.long()`"),
    "summed": (torch.zeros(4).long(), (5,), "let the model return one row of logits per image"),
}


@pytest.mark.parametrize("what", TARGETS)
def test_targets_that_a_loss_does_not_take_are_explained(what: str) -> None:
    targets, shape, words = TARGETS[what]
    loss = NamedLoss(Recipe(), torch.device("cpu"))
    with pytest.raises(SubjectError, match=re.escape(words)) as error:
        loss(Classification(), torch.zeros(shape), targets)
    assert error.value.path == "train.loss"


def exits() -> Any:
    raise SystemExit("no GPU\nhere")


def test_a_factory_that_exits_is_named(tmp_path: Path) -> None:
    with pytest.raises(SubjectError, match=r"^it ends the program \(`sys.exit`\): no GPU"):
        call("it", exits, {}, path="model.factory")
    (tmp_path / "module_that_exits.py").write_text("raise SystemExit(3)\n")
    allow_imports_from(tmp_path)
    with pytest.raises(SubjectError, match=r"importing it ends the program \(`sys.exit`\): 3$"):
        load_callable("module_that_exits:build", path="model.factory")
    with pytest.raises(SubjectError, match="did you mean 'module_that_exits'"):
        load_callable("modul_that_exits:build", path="model.factory")


@pytest.mark.parametrize(
    ("output", "words"),
    [
        (None, "the model returns nothing; let `forward` return its logits"),
        ("logits", "the model returns str, and no tensor"),
        (torch.zeros(2).numpy(), "the model returns ndarray, and no tensor"),
        ({"a": 1}, "the model returns dict, and no tensor"),
        ({"a": IMAGE, "b": IMAGE}, "name the logits in `model.output`"),
        (
            {"cls": {"logits": IMAGE}, "features": IMAGE},
            "a dict of 'cls': dict, 'features': (3, 8, 8); name the logits",
        ),
        ((IMAGE, [Pair(IMAGE, None)]), "a tuple of 0: (3, 8, 8), 1: list; name the logits"),
        (Pair(IMAGE, IMAGE), "a Pair of 'pred': (3, 8, 8), 'features': (3, 8, 8); name the logits"),
        (Fields(IMAGE, IMAGE), "a Fields of 'pred': (3, 8, 8), 'features': (3, 8, 8); name the logits"),
    ],
)
def test_an_output_without_a_tensor_is_no_question_of_its_name(output: Any, words: str) -> None:
    with pytest.raises(SubjectError, match=re.escape(words)):
        logits_of(output)


@pytest.mark.parametrize("output", [Pair(IMAGE, None), Fields(IMAGE, [1]), {"a": [2], "pred": IMAGE}, [IMAGE]])
def test_the_only_tensor_of_an_output_is_certain(output: Any) -> None:
    assert logits_of(output) is IMAGE


@pytest.mark.parametrize("choice", ["pred", 0])
def test_a_field_of_a_named_tuple_is_named_or_counted(choice: str | int) -> None:
    assert Picks(choice)(nn.Identity(), (), Pair(IMAGE, None)) is IMAGE
    with pytest.raises(SubjectError, match="there is no tensor at"):
        Picks({"pred": "prd", 0: 2}[choice])(nn.Identity(), (), Pair(IMAGE, None))


@pytest.mark.parametrize(
    ("model", "hint", "never"),
    [
        (lambda: nn.Conv2d(1, 2, 3), "; the layer takes 1 channels, and the inputs have 3", "size$"),
        (
            lambda: nn.Sequential(nn.Flatten(), nn.Linear(192, 8), nn.Linear(4, 2)),
            "or two layers do not fit together",
            "",
        ),
    ],
)
def test_the_input_size_is_not_blamed_for_a_layer(model: Callable[[], nn.Module], hint: str, never: str) -> None:
    made = model()
    with pytest.raises(NoVerdict, match=hint) as error:
        Skeleton(hollow(made, on_meta), real=lambda: made).trace((2, 3, 8, 8))
    assert not never or not re.search(f"input {never}", str(error.value))


class WithTable(nn.Module):
    """Keeps a tensor that is no buffer."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(4, 4)
        self.table = torch.eye(4)

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        outputs: torch.Tensor = self.layer(inputs) @ self.table
        return outputs


@pytest.mark.parametrize("device", ["meta", "cpu"])
def test_a_tensor_that_is_no_buffer_needs_no_real_model(device: str) -> None:
    with torch.device(device):
        model = WithTable()
    assert Skeleton(model, real=lambda: pytest.fail("the real model was built")).trace((2, 4)).output_shape == (2, 4)


def test_images_that_are_still_integers_are_named() -> None:
    images = torch.zeros(2, 3, 32, 32, dtype=torch.uint8)
    trainer = RecipeTrainer(base(), Batch(images, torch.tensor([0, 1])), Recipe())
    with pytest.raises(NoVerdict, match=r"inputs of torch.uint8 fails: .*; let the transform make floating-"):
        trainer.compute_loss(images, torch.tensor([0, 1]))


def test_logits_without_a_gradient_are_looked_at() -> None:
    assert "the logits require no gradient" in suspicions_about("cross_entropy", torch.randn(2, 5))[0]
    assert suspicions_about("cross_entropy", torch.randn(2, 5, requires_grad=True)) == ()


def test_a_misspelt_argument_of_timm_gets_its_near_miss() -> None:
    with pytest.raises(SubjectError, match="argument 'num_clases'; did you mean 'num_classes'") as error:
        timm("vit_tiny_patch16_224", kwargs={"num_clases": 3})
    assert error.value.path == "model.kwargs"


def test_names_of_an_adapter_that_match_nothing_are_noted() -> None:
    assert name_notes(vit()) == ()
    config = LoraConfig(target_modules=["qkv", "qvk"], modules_to_save=["haed"])
    assert name_notes(get_peft_model(base(), config)) == (
        "target_modules names qvk, which no layer is called; peft takes the others; did you mean 'qkv'?",
        "modules_to_save names haed, which no layer is called; peft takes the others; did you mean 'head'?",
    )
    assert name_notes(get_peft_model(base(), LoraConfig(target_modules=["blocks.0.attn.qkv"]))) == ()


def test_numbers_of_blocks_without_an_adapter_are_noted() -> None:
    def notes(model: nn.Module, target: str, layers: Any) -> tuple[str, ...]:
        pattern = "blocks" if target == "qkv" else None
        config = LoraConfig(target_modules=[target], layers_to_transform=layers, layers_pattern=pattern)
        return name_notes(get_peft_model(model, config))

    assert notes(base(), "qkv", [0, 1]) == ()
    assert notes(base(), "qkv", 1) == ()
    (beyond,) = notes(base(), "qkv", [1, 9])
    assert beyond == "layers_to_transform names 9, and no adapted layer has that number; there are 1"
    flat = nn.Sequential(OrderedDict(fc=nn.Linear(4, 4), head=nn.Linear(4, 2)))
    (none,) = notes(flat, "fc", [99])
    assert none.endswith("layers_to_transform names 99, and no adapted layer has that number; there are none with one")


@pytest.mark.parametrize(
    ("last", "loss", "words"),
    [
        (lambda logits: logits.softmax(1), "cross_entropy", "each row of its logits sums to 1, and cross_entropy"),
        (lambda logits: logits.softmax(1), "bce_with_logits", "bce_with_logits applies its own sigmoid"),
        (lambda logits: logits.sigmoid().unsqueeze(1).squeeze(1), "bce_with_logits", "is a sigmoid, and bce_with"),
        (lambda logits: logits[:, :1].sigmoid(), "bce_with_logits", "is a sigmoid, and bce_with"),
        (lambda logits: logits.sigmoid(), "cross_entropy", "is a sigmoid, and cross_entropy applies its own softmax"),
        (torch.tanh, "cross_entropy", "a tanh: it keeps every logit between -1 and 1"),
        (torch.relu, "cross_entropy", "a ReLU after the head"),
        (lambda logits: logits.log_softmax(1), "cross_entropy", ""),
        (lambda logits: 4 * logits.tanh(), "cross_entropy", ""),
    ],
)
def test_what_bounds_the_logits_is_named_under_a_loss_by_name_and_under_ones_own(
    last: Callable[[Any], Any], loss: str, words: str
) -> None:
    torch.manual_seed(0)
    logits = last(torch.randn(6, 3, requires_grad=True))
    functions = {"cross_entropy": nn.CrossEntropyLoss(), "bce_with_logits": nn.BCEWithLogitsLoss()}
    targets = torch.zeros_like(logits) if loss == "bce_with_logits" else torch.zeros(6, dtype=torch.long)
    with held_against("my:loss", logits, targets) as seen:
        functions[loss](logits, targets)
    assert tuple(seen) == suspicions_about(loss, logits)
    assert words in "".join(seen)
    assert bool(words) == bool(seen)


def test_a_warning_of_torch_in_ones_own_loss_has_the_place_of_that_loss() -> None:
    outputs, targets = torch.randn(4, 1, requires_grad=True), torch.randn(4)
    with (
        pytest.warns(UserWarning, match="different to the input size") as caught,
        pytest.raises(SubjectError, match="broadcasts"),
        held_against("my:loss", outputs, targets),
    ):
        nn.functional.mse_loss(outputs, targets)
    assert {each.filename for each in caught} == {__file__}
