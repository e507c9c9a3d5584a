"""`model.peft` takes the other methods of peft by their own names and types, and checks judge them as they are."""

from __future__ import annotations

import dataclasses
import re
from typing import TYPE_CHECKING, Any

import peft
import pytest
import torch
from peft.mapping import PEFT_TYPE_TO_CONFIG_MAPPING

from retspec.checks.numerics.merge_atol import merge_atol
from retspec.errors import NoVerdict, SpecError, SubjectError
from retspec.measurements.merging import merging
from retspec.measurements.parameters import parameters
from retspec.measurements.ranks import ranks
from retspec.plugins.catalog import gather
from retspec.records import PEFT_KEYS, PEFT_NEEDS, PEFT_REFUSED, Peft, peft_names, peft_type
from retspec.spec.load import load
from retspec.spec.validate import validate
from retspec.subjects.data.batch import Batch
from retspec.subjects.models.lora import wrap_otherwise
from retspec.subjects.models.seal import Seal
from retspec.subjects.models.skeleton import Skeleton, hollow, on_meta
from tests.tiny import base
from tests.tiny import batch as tiny_batch

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

CATALOG = gather(entry_points=False)
CONFIGS: dict[str, Any] = {kind.value: config for kind, config in PEFT_TYPE_TO_CONFIG_MAPPING.items()}
LEFT_OUT = {field.name for field in dataclasses.fields(peft.PeftConfig)}
"""What describes a saved adapter, and no method."""


@pytest.fixture
def section(tmp_path: Path) -> Callable[[str], Peft]:
    """Validate a section `peft`."""

    def validated(text: str) -> Peft:
        spec = tmp_path / "spec.yaml"
        spec.write_text(f"retspec: 1\nmodel:\n  timm: any\n  peft: {{{text}}}\nchecks: {{lora_layers: 1}}\n")
        model = validate(load(spec), CATALOG).model
        assert model is not None
        assert model.peft is not None
        return model.peft

    return validated


def test_every_method_of_peft_is_taken_or_refused_with_a_reason() -> None:
    assert {*PEFT_KEYS} | {name.upper() for name in PEFT_REFUSED} == {*CONFIGS}
    assert not {*PEFT_KEYS} & {name.upper() for name in PEFT_REFUSED}


@pytest.mark.parametrize("kind", PEFT_KEYS)
def test_the_keys_of_a_method_are_those_of_its_configuration(kind: str) -> None:
    keys, known = PEFT_KEYS[kind], {field.name for field in dataclasses.fields(CONFIGS[kind])}
    assert None not in keys.values()
    assert {*keys, *PEFT_NEEDS.get(kind, ())} <= known
    of_lora = {field.name for field in dataclasses.fields(peft.LoraConfig)} if kind == "ADALORA" else set()
    assert known - LEFT_OUT - of_lora <= {*keys}


@pytest.mark.parametrize("kind", PEFT_KEYS)
def test_a_method_is_known_by_its_names_in_peft(kind: str) -> None:
    of_class = CONFIGS[kind].__name__.removesuffix("Config")
    assert {kind, kind.lower(), of_class} <= {*peft_names(kind)}
    assert {peft_type(name) for name in peft_names(kind)} == {kind}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("target_modules: [q]", "4:3: model.peft needs the key 'type': The method, such as loha."),
        ("type: loah, target_modules: [q]", "4:16: model.peft.type: expected one of adalora, "),
        ("type: loah, target_modules: [q]", "found the text 'loah'; did you mean 'loha'?"),
        ("type: lora, target_modules: [q]", "cannot be used here: write it as `lora:`, without a type"),
        ("type: PROMPT_TUNING", "cannot be used here: it adds tokens to the input of a language model"),
        ("type: loha, r: 4", "model.peft needs the key 'target_modules'"),
        ("type: ia3, target_modules: [q]", "model.peft needs the key 'feedforward_modules'"),
        (
            "type: loha, rank: 4, target_modules: [q]",
            "4:22: unknown key 'rank' in model.peft; allowed: type, target_mod",
        ),
        ("type: vera, target_modules: [q], vera_droput: 0.1", "did you mean 'vera_dropout'?"),
        ("type: oft, target_modules: [q], r: two", "4:45: model.peft.r: expected an integer, such as 8"),
        ("type: lokr, target_modules: [q], decompose_both: 3", "model.peft.decompose_both: expected true or false"),
        (
            "type: fourierft, target_modules: [q], n_frequency: 0",
            "model.peft.n_frequency: 0 is out of range; allowed: at",
        ),
        ("type: hra, target_modules: '('", "4:37: model.peft.target_modules: '(' is no regular expression"),
        (
            "type: loha, target_modules: [q], layers_pattern: h",
            "layers_pattern says nothing without layers_to_transform",
        ),
    ],
)
def test_what_is_wrong_is_said_before_anything_runs(section: Callable[[str], Peft], text: str, message: str) -> None:
    with pytest.raises(SpecError, match=re.escape(message)):
        section(text)


@pytest.mark.parametrize("other", ["lora: {target_modules: [q]}", "adapter: saved"])
def test_one_way_to_add_an_adapter_is_enough(section: Callable[[str], Peft], other: str) -> None:
    with pytest.raises(SpecError, match="are two ways to add an adapter; keep one"):
        section(f"type: loha, target_modules: [q]}}\n  {other}\n#")


def test_what_a_spec_gives_reaches_peft(section: Callable[[str], Peft]) -> None:
    wrapped: Any = wrap_otherwise(
        base(),
        section(
            "type: LoKr, r: 2, alpha: 6, target_modules: [qkv], exclude_modules: '.*blocks\\.0.*', "
            "decompose_both: true, rank_pattern: {'1.attn.qkv': 3}, init_weights: lycoris, modules_to_save: [head]"
        ),
    )
    config = wrapped.peft_config["default"]
    assert (config.peft_type, config.r, config.alpha, config.decompose_both) == ("LOKR", 2, 6, True)
    assert config.init_weights == "lycoris"
    layers = [name for name, module in wrapped.named_modules() if isinstance(module, peft.tuners.lokr.LoKrLayer)]
    assert layers == ["base_model.model.blocks.1.attn.qkv"]


@pytest.mark.parametrize(
    ("given", "path", "message"),
    [
        (Peft(type="LOHA", arguments={"target_modules": ["qvk"]}), "model.peft.target_modules", "did you mean 'qkv'?"),
        (
            Peft(type="MISS", arguments={"target_modules": ["qkv"]}),
            "model.peft",
            "`r` (64) must be less than or equal to",
        ),
        (Peft(type="NEXT", arguments={}), "model.peft.type", "has no next; it needs a newer one"),
        (Peft(type="HRA", arguments={"next": 1}), "model.peft.next", "has no next; it needs a newer one"),
    ],
)
def test_what_peft_refuses_is_said_in_one_line(given: Peft, path: str, message: str) -> None:
    torch.manual_seed(0)
    with pytest.raises(SubjectError, match=re.escape(message)) as error:
        wrap_otherwise(base(), given)
    assert error.value.path == path
    assert "\n" not in str(error.value)


# What the checks say of them -----------------------------------------------------------------------

BATCH = Batch(*tiny_batch())
TARGETS: dict[str, list[str]] = {"LN_TUNING": ["norm1"]}
SIZES: dict[str, dict[str, Any]] = {
    "ADALORA": {"total_step": 10},
    "C3A": {"block_size": 48},
    "FOURIERFT": {"n_frequency": 50},
    "FROD": {"progressbar": False},
    "GRALORA": {"r": 8},
    "IA3": {"feedforward_modules": []},
    "MISS": {"r": 8},
    "OFT": {"oft_block_size": 16},
    "PSOFT": {"r": 8},
    "ROAD": {"group_size": 16},
    "SHIRA": {"r": 4},
    "VBLORA": {"vector_length": 16},
    "WAVEFT": {"n_frequency": 50},
}
UNMERGED = {"LILY": "merge", "OSF": "unmerge"}
"""What peft cannot do."""


def of_kind(kind: str, **settings: Any) -> Any:
    torch.manual_seed(0)
    targets = {"target_modules": TARGETS.get(kind, ["qkv"]), "modules_to_save": ["head"]}
    return wrap_otherwise(base(), Peft(type=kind, arguments={**targets, **SIZES.get(kind, {}), **settings}))


@pytest.mark.parametrize("kind", [kind for kind in PEFT_KEYS if kind not in {"ADAMSS", *UNMERGED}])
def test_every_method_that_peft_merges_has_a_value(kind: str) -> None:
    """Also where an adapter changes nothing to begin with, such as (IA)^3."""
    model = of_kind(kind)
    before = Seal.of(model).tensors
    assert merge_atol(merging(model, BATCH)).value < 1e-4
    assert Seal.of(model).tensors == before


@pytest.mark.parametrize("kind", UNMERGED)
def test_what_peft_cannot_merge_has_no_verdict(kind: str) -> None:
    with pytest.raises(NoVerdict, match=f"peft cannot {UNMERGED[kind]} adapters of this type"):
        merging(of_kind(kind), BATCH)


def test_a_merge_that_loses_an_adapter_shows_for_every_way_to_begin() -> None:
    for kind in ("IA3", "HRA", "ADALORA"):
        model = of_kind(kind)
        layer = model.base_model.model.blocks[0].attn.qkv
        layer.merge = lambda *_arguments, layer=layer, **_named: layer.merged_adapters.append("default")
        assert merge_atol(merging(model, BATCH)).value > 1e-4, kind


@pytest.mark.parametrize(
    ("kind", "counts"),
    [
        ("ADALORA", {4: 2 * 4 * (48 + 144 + 1), 8: 2 * 8 * (48 + 144 + 1)}),
        ("LOHA", {4: 2 * 2 * 4 * (48 + 144)}),
        ("HRA", {4: 2 * 4 * 48}),
        ("VERA", {4: 2 * (144 + 4)}),
        ("OFT", {4: 4 * 2 * (12 * 11 // 2)}),
    ],
)
def test_a_rank_is_that_of_the_method(kind: str, counts: dict[int, int]) -> None:
    """`r` is no rank of AdaLoRA, and of OFT the number of blocks."""
    model = of_kind(kind)
    skeleton = Skeleton(hollow(model, on_meta), real=lambda: model)
    assert {count.rank: count.count for count in ranks(skeleton, expected=counts).counts} == counts


@pytest.mark.parametrize(("kind", "scale"), [("ADALORA", None), ("IA3", None), ("LOHA", 1.0), ("LOKR", 1.0)])
def test_a_scale_is_given_only_where_there_is_one(kind: str, scale: float | None) -> None:
    """AdaLoRA divides by the rank that is left."""
    model = of_kind(kind)
    found = parameters(Skeleton(hollow(model, on_meta), real=lambda: model)).scalings
    assert {*found.values()} == ({scale} if scale is not None else set())
