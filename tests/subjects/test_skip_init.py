"""What a checkpoint overwrites is not drawn before; what it leaves, or anything reads, is as if nobody had tried."""

from __future__ import annotations

import contextlib
import inspect
from typing import TYPE_CHECKING

import pytest
import timm
import torch
from torch import nn

from retspec.prepare import prepare
from retspec.subjects.models import skip_init
from retspec.subjects.models.skip_init import without_draws
from retspec.subjects.seeds import seeded
from retspec.subjects.subject import Subject

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

WIDE = 300


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The sizes of the tensors that were filled with random numbers all the same."""
    sizes: list[int] = []
    spare = skip_init._Numbers.spare

    def noting(self: skip_init._Numbers, operation: object, args: tuple[torch.Tensor, ...], kwargs: object) -> bool:
        spares = spare(self, operation, args, kwargs)  # type: ignore[arg-type]
        if not spares and operation.overloadpacket.__name__ in {"uniform_", "normal_"}:  # type: ignore[attr-defined]
            sizes.append(args[0].numel())
        return spares

    monkeypatch.setattr(skip_init._Numbers, "spare", noting)
    return sizes


def filled_from(state: dict[str, torch.Tensor], make: Callable[[], nn.Module]) -> nn.Module:
    model = make()
    model.load_state_dict(state, strict=False)
    return model


@pytest.mark.parametrize(
    "name",
    [
        "vit_tiny_patch16_224",
        "vit_small_patch14_reg4_dinov2",
        "resnet18",
        "convnext_atto",
        "swin_tiny_patch4_window7_224",
    ],
)
def test_a_model_is_what_its_file_says_and_its_new_head_is_drawn(name: str, drawn: list[int]) -> None:
    state = {
        k: v
        for k, v in timm.create_model(name, num_classes=5).state_dict().items()
        if "head" not in k and "fc." not in k
    }

    def build() -> nn.Module:
        with seeded(42):
            return filled_from(state, lambda: timm.create_model(name, num_classes=5))

    model, again = without_draws(build), without_draws(build)
    assert model is not None
    assert again is not None
    assert all(tensor.equal(state[key]) for key, tensor in model.state_dict().items() if key in state)
    heads = [tensor for key, tensor in model.state_dict().items() if key not in state]
    assert heads
    assert all(tensor.isfinite().all() for tensor in heads)
    assert all(tensor.equal(again.state_dict()[key]) for key, tensor in model.state_dict().items())
    assert drawn
    assert max(drawn) < skip_init.LARGE


class Plain(nn.Module):
    """One large layer, and something that its constructor does with it."""

    def __init__(self, then: Callable[[Plain], object] = lambda _model: None) -> None:
        super().__init__()
        self.body = nn.Linear(WIDE, WIDE)
        then(self)


STATE = Plain().state_dict()


@pytest.mark.parametrize(
    "then",
    [
        lambda model: timm.layers.trunc_normal_(model.body.weight),
        lambda model: nn.init.kaiming_normal_(model.body.weight),
        lambda model: nn.init.xavier_uniform_(model.body.weight, gain=2),
        lambda model: model.body.weight.data.mul_(0.5),
        lambda model: nn.init.zeros_(model.body.weight),
        lambda model: model.body.weight.detach().view(-1),
        lambda model: model.body.requires_grad_(False),  # noqa: FBT003 - as torch has it
    ],
)
def test_what_only_initializes_costs_nothing(then: Callable[[Plain], object]) -> None:
    model = without_draws(lambda: filled_from(STATE, lambda: Plain(then)))
    assert model is not None
    assert model.body.weight.equal(STATE["body.weight"])


def keep_a_copy(model: Plain) -> None:
    model.copy = model.body.weight.detach().clone()


def keep_the_tensor(model: Plain) -> None:
    model.hidden = [torch.empty(WIDE, WIDE).normal_()]


def draw_until_all_are_within(model: Plain) -> None:
    """As torch's newer trunc_normal_ does: it looks at what it drew."""
    drawn = model.body.weight.data.normal_()
    while (beyond := drawn.abs() > 2).any():
        drawn.copy_(torch.where(beyond, torch.empty_like(drawn).normal_(), drawn))


def swallow(model: Plain) -> None:
    with contextlib.suppress(BaseException):
        model.body.weight.sum().item()


@pytest.mark.parametrize(
    "then",
    [
        lambda model: nn.init.orthogonal_(model.body.weight),
        draw_until_all_are_within,
        pytest.param(
            lambda model: nn.init.trunc_normal_(model.body.weight),
            marks=pytest.mark.skipif(
                "erfinv_" in inspect.getsource(nn.init._no_grad_trunc_normal_),
                reason="an older torch computes it in place from what it drew, which is no look at the numbers",
            ),
        ),
        lambda model: model.body.weight.sum().item(),
        lambda model: model.body.weight.data[:, :5].zero_(),
        lambda model: model.body.weight.data.t_(),
        lambda model: model.register_buffer("scale", model.body.weight.detach() * 2),
        lambda model: model.body.to(torch.bfloat16),
        lambda model: model.add_module("other", nn.Linear(WIDE, WIDE)),  # the file does not fill it
        keep_a_copy,
        keep_the_tensor,
        swallow,
    ],
)
def test_whoever_needs_the_numbers_gets_a_model_as_it_is_written(then: Callable[[Plain], object]) -> None:
    assert without_draws(lambda: filled_from(STATE, lambda: Plain(then))) is None


def test_an_error_of_the_constructor_is_its_own() -> None:
    def fail(_model: Plain) -> None:
        raise ValueError("no such size")

    with pytest.raises(ValueError, match="no such size"):
        without_draws(lambda: Plain(fail))


SPEC = """
retspec: 1
model: {timm: vit_tiny_patch16_224, kwargs: {num_classes: 5}, checkpoint: w.pth, lora: {target_modules: [qkv]}}
checks: {merge_atol: 1e-3}
"""


def test_a_spec_with_a_checkpoint_builds_its_model_once_and_draws_next_to_nothing(
    tmp_path: Path, drawn: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    state = timm.create_model("vit_tiny_patch16_224", num_classes=5).state_dict()
    torch.save({name: tensor for name, tensor in state.items() if "head" not in name}, tmp_path / "w.pth")
    (tmp_path / "spec.yaml").write_text(SPEC)
    plan, catalog = prepare(tmp_path / "spec.yaml", entry_points=False)
    built: list[str] = []
    create = timm.create_model
    monkeypatch.setattr(timm, "create_model", lambda name, **options: built.append(name) or create(name, **options))
    sources = {"model_sources": catalog.model_sources, "data_sources": catalog.data_sources}
    model = Subject(plan.spec, **sources, weights=True).model
    assert built == ["vit_tiny_patch16_224"]
    assert max(drawn) < skip_init.LARGE
    base = model.get_base_model()
    assert base.blocks[0].attn.qkv.base_layer.weight.equal(state["blocks.0.attn.qkv.weight"])
    assert base.head.weight.isfinite().all()
