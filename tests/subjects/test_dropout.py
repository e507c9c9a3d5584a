"""`without_dropout`: what drops nothing meanwhile, and what it leaves as it was."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import timm
import torch
from torch import nn
from torch.nn import functional

from retspec.subjects.models.dropout import without_dropout
from retspec.subjects.models.seal import Seal
from tests import wild

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor


class Recurrent(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.LSTM(16, 16, num_layers=2, dropout=0.5, batch_first=True)

    def forward(self, inputs: Tensor) -> Tensor:
        outputs: Tensor = self.layers(inputs.flatten(1).unflatten(1, (-1, 16)))[0]
        return outputs


def transformer() -> nn.Module:
    layer = nn.TransformerEncoderLayer(32, 2, 32, dropout=0.5, batch_first=True)
    return nn.Sequential(nn.Flatten(1, 2), layer)


def with_every_kind() -> nn.Module:
    rates = {"drop_rate": 0.5, "proj_drop_rate": 0.5, "attn_drop_rate": 0.5, "drop_path_rate": 0.5}
    sizes = {"img_size": 32, "patch_size": 8, "embed_dim": 48, "depth": 2, "num_heads": 2}
    return timm.create_model("vit_tiny_patch16_224", **sizes, **rates, patch_drop_rate=0.25)


MODELS = (wild.functional_dropout, wild.stochastic_depth, Recurrent, transformer, with_every_kind)


@pytest.mark.parametrize("made", MODELS)
def test_a_pass_in_train_mode_is_the_same_each_time(made: Callable[[], nn.Module]) -> None:
    torch.manual_seed(0)
    model, inputs = made().train(), torch.randn(6, 3, 32, 32)
    seal = Seal.of(model)
    with torch.no_grad():
        assert not model(inputs).equal(model(inputs))
        with without_dropout(model):
            assert model(inputs).equal(model(inputs))
        assert not model(inputs).equal(model(inputs))
    assert seal.holds(model, thorough=True)


def test_functions_are_put_back_also_after_an_error() -> None:
    before = dict(vars(functional))
    with pytest.raises(ZeroDivisionError), without_dropout(nn.Identity()):
        raise ZeroDivisionError
    assert vars(functional) == before


def test_attention_keeps_its_mask_and_its_other_arguments() -> None:
    query, mask = torch.randn(2, 1, 4, 8), torch.ones(4, 4, dtype=torch.bool).tril()
    attend = functional.scaled_dot_product_attention
    expected = attend(query, query, query, mask)
    with without_dropout(nn.Identity()):
        attend = functional.scaled_dot_product_attention
        assert attend(query, query, query, mask, 0.5).equal(expected)
        assert attend(query, query, query, attn_mask=mask, dropout_p=0.5).equal(expected)
        assert attend(query, query, query, None, 0.5, True).equal(attend(query, query, query, is_causal=True))  # noqa: FBT003 - as it is called
