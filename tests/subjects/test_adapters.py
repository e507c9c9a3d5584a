"""Adapters of many kinds: which are found, what is said of them, and what is left as it was."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import peft
import pytest
import torch
from torch import nn

from retspec.checks.numerics.merge_atol import merge_atol
from retspec.errors import NoVerdict, SubjectError
from retspec.facts import Group, RankCount
from retspec.measurements.merging import merging
from retspec.measurements.parameters import parameters
from retspec.measurements.ranks import ranks
from retspec.measurements.reloading import reloading
from retspec.subjects.data.batch import Batch
from retspec.subjects.models.adapters import adapters_off
from retspec.subjects.models.own_adapters import name_adapters, own_adapters
from retspec.subjects.models.seal import Seal
from retspec.subjects.models.skeleton import Skeleton, hollow, on_meta
from retspec.subjects.models.structure import groups
from tests import own_adapters as own
from tests import tiny, tiny_adapters, wild

if TYPE_CHECKING:
    from collections.abc import Callable

    from retspec.facts import Parameters

MERGED = ("LoHaConfig", "LoKrConfig", "OFTConfig", "BOFTConfig", "VeraConfig", "FourierFTConfig")
SIZES = {
    "OFTConfig": {"oft_block_size": 16},
    "BOFTConfig": {"boft_block_size": 4},
    "FourierFTConfig": {"n_frequency": 50, "scaling": 10.0},
}


def of_kind(kind: str, **settings: Any) -> nn.Module:
    config = getattr(peft, kind)(target_modules=["qkv"], modules_to_save=["head"], **SIZES.get(kind, {}), **settings)
    model: nn.Module = peft.get_peft_model(tiny.base(), config)
    return model


def skeleton_of(model: nn.Module) -> Skeleton:
    return Skeleton(hollow(model, on_meta), real=lambda: model)


def seen_in(model: nn.Module) -> Parameters:
    found: Parameters = parameters(skeleton_of(model))
    return found


# Of peft -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", MERGED)
def test_every_kind_that_peft_merges_is_merged_and_reloaded_exactly(kind: str) -> None:
    torch.manual_seed(0)
    model, batch = of_kind(kind), Batch(*tiny.batch())
    seal = Seal.of(model)
    assert merge_atol(merging(model, batch)).value < 1e-5
    assert reloading(model, batch, None).difference == 0
    assert seal.holds(model, thorough=False)


def test_what_peft_cannot_unmerge_is_no_fault_of_the_model() -> None:
    with pytest.raises(NoVerdict, match=r"peft cannot unmerge adapters of this type: NotImplementedError: OSF models"):
        merging(of_kind("OSFConfig"), Batch(*tiny.batch()))


@pytest.mark.parametrize("initialization", ["pissa", "olora", "orthogonal", "gaussian"])
def test_an_initialization_that_draws_no_base_is_reloaded_to_the_bit(initialization: str) -> None:
    torch.manual_seed(0)
    model = tiny.vit(init_lora_weights=initialization)
    seal = Seal.of(model)
    found = reloading(model, Batch(*tiny.batch()), None)
    assert (found.difference, found.not_saved, found.initialization) == (0, (), initialization)
    assert seal.holds(model, thorough=False)


@pytest.mark.parametrize("made", [wild.two_adapters, lambda: wild.two_adapters(use_dora=True), wild.called_otherwise])
def test_every_adapter_is_saved_and_loaded_under_its_own_name(made: Callable[[], nn.Module]) -> None:
    torch.manual_seed(0)
    found = reloading(made(), Batch(*tiny.batch()), None)
    assert (found.difference, found.not_saved) == (0, ())
    assert found.effect > 1e-3


def test_the_size_at_a_rank_is_that_of_all_active_adapters_however_they_begin() -> None:
    def counted(model: nn.Module) -> tuple[RankCount, ...]:
        counts: tuple[RankCount, ...] = ranks(skeleton_of(model), expected={8: 0}).counts
        return counts

    (one,), (two,), (decomposed,) = map(counted, (tiny.vit(), wild.two_adapters(), tiny_adapters.decomposed()))
    assert (one.count, two.count, decomposed.count) == (3072, 2 * 3072, 3072)


def test_weights_that_two_layers_share_are_named() -> None:
    torch.manual_seed(0)
    config = peft.LoraConfig(r=4, lora_alpha=16, target_modules=["first"])
    apart, tied = (
        merging(peft.get_peft_model(wild.Tied(by_block=by_block), config), Batch(*tiny.batch()))
        for by_block in (True, False)
    )
    assert "weights tied to another layer, which merging changes too" in merge_atol(tied).details
    assert merge_atol(tied).details["weights tied to another layer, which merging changes too"] == ["first"]
    assert merge_atol(apart).value < 1e-5


# Of other libraries, or of a team's own ------------------------------------------------------------


@pytest.mark.parametrize("made", [own.in_the_layer, own.for_query_and_value, own.of_the_weight])
def test_two_factors_beside_a_frozen_weight_are_an_adapter(made: Callable[[], nn.Module]) -> None:
    model = made()
    found = seen_in(model)
    assert [name.partition(" ")[0].removesuffix(".parametrizations.weight") for name in found.adapted_layers] == [
        "blocks.0.attn.qkv",
        "blocks.1.attn.qkv",
    ]
    trained = {name: group for name, p, group in groups(model) if p.requires_grad}
    assert set(trained.values()) == {Group.ADAPTER, Group.HEAD}
    assert all((group is Group.HEAD) == name.startswith("head.") for name, group in trained.items())


@pytest.mark.parametrize("made", [tiny.base, tiny.vit, own.partly_frozen, tiny.convnet, tiny.multihead])
def test_nothing_else_is_an_adapter_of_another_library(made: Callable[[], nn.Module]) -> None:
    assert own_adapters(made()) == {}


def test_factors_are_switched_off_and_on_again() -> None:
    model, (inputs, _) = own.in_the_layer().eval(), tiny.batch()
    base = own.in_the_layer().eval()
    base.load_state_dict(model.state_dict())
    with torch.no_grad():
        for block in model.blocks:
            block.attn.qkv.lora_B.normal_()
        before, off = model(inputs), base(inputs)
        with adapters_off(model):
            assert model(inputs).equal(off)
        assert model(inputs).equal(before)
    assert not before.equal(off)


def test_others_are_named_by_a_pattern() -> None:
    model = own.behind_the_mlp()
    assert own_adapters(model) == {}
    name_adapters(model, "adapter_")
    assert seen_in(model).adapted_layers == ("blocks.0.mlp (Bottleneck)", "blocks.1.mlp (Bottleneck)")
    assert {name.split(".")[3] for name, _, group in groups(model) if group is Group.ADAPTER} == {
        "adapter_down",
        "adapter_up",
    }


@pytest.mark.parametrize(
    ("pattern", "why"),
    [("nothing_", "is found in no name of a parameter"), ("(", "is no regular expression"), ("(a+)+$", "is found in")],
)
def test_a_pattern_that_names_none_is_refused(pattern: str, why: str) -> None:
    with pytest.raises(SubjectError, match=why) as caught:
        name_adapters(tiny.base(), pattern)
    assert caught.value.path == "model.adapters"
