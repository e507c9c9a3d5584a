"""`model.lora` takes what `peft.LoraConfig` takes, and says what it does not take."""

from __future__ import annotations

import dataclasses
import re
import time
from typing import TYPE_CHECKING, Any

import peft
import pytest
from torch import nn

from retspec.errors import SpecError, SubjectError
from retspec.plugins.catalog import gather
from retspec.records import LORA_ALIASES, LORA_NOT_TAKEN, Lora
from retspec.spec.load import load
from retspec.spec.validate import validate
from retspec.subjects.models.lora import wrap
from retspec.subjects.models.patterns import require_quick
from retspec.subjects.models.structure import adapted_layers

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Wrapped = Callable[[str], nn.Module]

CATALOG = gather(entry_points=False)
OURS = {
    {name: alias for alias, name in LORA_ALIASES.items()}.get(field.name, field.name)
    for field in dataclasses.fields(Lora)
}
PEFTS = {field.name for field in dataclasses.fields(peft.LoraConfig)}


def block() -> nn.Module:
    return nn.ModuleDict({"qkv": nn.Linear(8, 24), "proj": nn.Linear(8, 8)})


def net() -> nn.Module:
    return nn.ModuleDict({"blocks": nn.ModuleList([block() for _ in range(3)]), "head": nn.Linear(8, 5)})


@pytest.fixture
def section(tmp_path: Path) -> Callable[[str], Lora]:
    """Validate a section `lora`."""

    def validated(text: str) -> Lora:
        spec = tmp_path / "spec.yaml"
        spec.write_text(f"retspec: 1\nmodel: {{timm: any, lora: {{{text}}}}}\nchecks: {{lora_layers: 1}}\n")
        model = validate(load(spec), CATALOG).model
        assert model is not None
        assert model.lora is not None
        return model.lora

    return validated


def test_every_field_of_peft_is_taken_or_refused_with_a_reason() -> None:
    assert PEFTS - OURS - set(LORA_NOT_TAKEN) == set()
    assert OURS <= PEFTS
    assert not OURS & set(LORA_NOT_TAKEN)


def test_what_is_left_out_is_as_peft_has_it() -> None:
    """Apart from alpha, whose default is older than the test."""
    ours = {field.name: field.default for field in dataclasses.fields(Lora) if field.name != "alpha"}
    pefts = {field.name: field.default for field in dataclasses.fields(peft.LoraConfig)}
    given = {name: value for name, value in ours.items() if isinstance(value, (bool, int, float, str))}
    assert given == {name: pefts[name if name in pefts else f"lora_{name}"] for name in given}


@pytest.mark.parametrize(
    ("text", "ranks"),
    [
        ("target_modules: [qkv], rank_pattern: {'blocks.1.qkv': 2}", {"0.qkv": 4, "1.qkv": 2, "2.qkv": 4}),
        ("target_modules: [qkv], layers_to_transform: [0, 2], layers_pattern: [blocks]", {"0.qkv": 4, "2.qkv": 4}),
        ("target_modules: [qkv], layers_to_transform: 1, layers_pattern: blocks", {"1.qkv": 4}),
        ("target_modules: 'blocks\\.[01]\\.proj'", {"0.proj": 4, "1.proj": 4}),
        ("target_modules: [qkv], exclude_modules: 'blocks\\.0.*'", {"1.qkv": 4, "2.qkv": 4}),
    ],
    ids=["ranks", "layers", "one-layer", "expression", "exclude"],
)
def test_which_layers_get_which_rank(section: Callable[[str], Lora], text: str, ranks: dict[str, int]) -> None:
    layers: dict[str, Any] = adapted_layers(wrap(net(), section(f"r: 4, {text}")))
    assert {name.removeprefix("blocks."): layer.r["default"] for name, layer in layers.items()} == ranks


def test_the_other_arguments_reach_peft(section: Callable[[str], Lora]) -> None:
    text = (
        "r: 2, lora_alpha: 6, lora_dropout: 0.1, target_modules: [qkv], alpha_pattern: {'0.qkv': 12}, "
        "init_lora_weights: false, lora_bias: true, use_rslora: true, bias: none"
    )
    wrapped: Any = wrap(net(), section(text))
    config = wrapped.peft_config["default"]
    assert (config.lora_alpha, config.lora_dropout, config.lora_bias) == (6, 0.1, True)
    assert config.init_lora_weights is False
    layers: dict[str, Any] = adapted_layers(wrapped)
    assert layers["blocks.0.qkv"].lora_alpha["default"] == 12
    assert layers["blocks.1.qkv"].lora_alpha["default"] == 6


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("target_modules: [q], rank_patern: {a: 1}", "did you mean 'rank_pattern'"),
        ("target_modules: [q], rank_pattern: {a: x}", "rank_pattern.a: expected an integer"),
        ("target_modules: [q], eva_config: {}", "takes no 'eva_config': it needs the data"),
        ("target_modules: [q], init_lora_weights: eva", "'eva' does not fit; allowed"),
        ("target_modules: [q], alpha: 1, lora_alpha: 2", "gives alpha and lora_alpha, which are the same; keep one"),
        ("target_modules: [q], layers_pattern: h", "says nothing without layers_to_transform"),
        ("target_modules: q, layers_to_transform: 1", "goes with a list of target_modules"),
        ("target_modules: '('", "'(' is no regular expression"),
        ("target_modules: [q], alpha_pattern: {'(': 1}", "'(' is no regular expression"),
    ],
)
def test_what_is_wrong_is_said_before_anything_runs(section: Callable[[str], Lora], text: str, message: str) -> None:
    with pytest.raises(SpecError, match=re.escape(message)):
        section(text)


def test_a_string_that_matches_nothing_is_explained() -> None:
    with pytest.raises(SubjectError, match=r"'qkv' is one regular expression.*write \[qkv\]") as error:
        wrap(net(), Lora(target_modules="qkv"))
    assert error.value.path == "model.lora.target_modules"
    with pytest.raises(SubjectError, match=r"such as head; it matches none; .*head, proj, qkv"):
        wrap(net(), Lora(target_modules=r"layers\.\d+"))
    with pytest.raises(SubjectError, match=r"\['query'\] matches no layer; this model has head, proj, qkv"):
        wrap(net(), Lora(target_modules=["query"]))


@pytest.mark.parametrize(
    ("blocks", "hint"), [({}, "as in `layers_pattern: blocks`"), ({"layers_pattern": "blocks"}, "check the numbers")]
)
def test_blocks_that_peft_does_not_find_are_explained(blocks: dict[str, Any], hint: str) -> None:
    lora = Lora(target_modules=["qkv"], layers_to_transform=[7], **blocks)
    with pytest.raises(SubjectError, match=f"no layer in the blocks of layers_to_transform; .*{hint}"):
        wrap(net(), lora)


def test_an_older_peft_without_a_field_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    @dataclasses.dataclass
    class Old:
        r: int = 8
        target_modules: Any = None

    monkeypatch.setattr(peft, "LoraConfig", Old)
    with pytest.raises(SubjectError, match=r"peft [\d.]+ has no lora_bias; it needs a newer one") as error:
        wrap(net(), Lora(target_modules=["qkv"], lora_bias=True))
    assert error.value.path == "model.lora.lora_bias"


@pytest.mark.parametrize("pattern", ["(a+)+b", "(a|a)*b", "(.*a){25}b"])
def test_a_regular_expression_that_would_run_for_ages_is_ended(pattern: str) -> None:
    started = time.perf_counter()
    with pytest.raises(SubjectError, match=r"takes more than 0\.2 s") as error:
        require_quick([("model.lora.target_modules", pattern)], ["a" * 60], limit=0.2)
    assert error.value.path == "model.lora.target_modules"
    assert time.perf_counter() - started < 30


def test_a_quick_one_leaves_no_timer() -> None:
    require_quick([("x", r"blocks\.\d+\.qkv")], ["blocks.0.qkv"] * 1000, limit=0.5)
    time.sleep(0.6)
