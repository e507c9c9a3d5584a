"""The project's own training config: read by the rules of its author, referred to as `${config.KEY}`."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from retspec.errors import SpecError, UsageError
from retspec.spec.document import Document

if TYPE_CHECKING:
    from pathlib import Path

Loaded = Callable[..., Document]

CONFIG = """\
base: &base {lr: 1e-4, betas: [0.9, 0.999]}
training:
  <<: *base
  batch_size: 8
  amp: on
names: {0: none, true: x, 1.5: y}
clip: .inf
text: $HOME and ???
"""


@pytest.fixture
def given(loaded: Loaded, tmp_path: Path) -> Loaded:
    """Load a spec of a few lines beside `train.yaml`, which holds a config."""

    def make(lines: str, *overrides: str, config: str = CONFIG, name: str = "train.yaml") -> Document:
        (tmp_path / name).write_text(config)
        return loaded(f"retspec: 1\nconfig: {name}\n{lines}\n", *overrides)

    return make


def _name(document: Document) -> Any:
    assert document.problems == ()
    return document.data["name"]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("${config.training.lr}", 0.0001),
        ("${config.training.batch_size}", 8),
        ("${config.training.amp}", "on"),
        ("${config.training.betas}", [0.9, 0.999]),
        ("${config.training.betas.1}", 0.999),
        ("${config.base}", {"lr": 0.0001, "betas": [0.9, 0.999]}),
        ("${config.names.0}", "none"),
        ("${config.names}", {"0": "none", "true": "x", "1.5": "y"}),
        ("${config.clip}", ".inf"),
        ("${config.text}", "$HOME and ???"),
        ("b${config.training.batch_size}", "b8"),
    ],
)
def test_a_reference_to_a_value_of_the_config(given: Loaded, text: str, value: object) -> None:
    assert repr(_name(given(f"name: '{text}'"))) == repr(value)


def test_all_of_the_config_may_be_referred_to(given: Loaded) -> None:
    document = given("model: {kwargs: {cfg: '${config}'}}")
    assert document.config
    assert document.data["model"]["kwargs"]["cfg"] == document.config.data


def test_variables_and_the_config_refer_to_each_other(given: Loaded) -> None:
    document = given("vars: {all: '${config.training}', file: train.yaml}\nname: ${vars.all.lr}", "config=${vars.file}")
    assert _name(document) == 0.0001


def test_a_value_from_the_config_is_marked_where_it_is_referred_to(given: Loaded) -> None:
    document = given("model:\n  timm: x\n  lora: ${config.training}")
    for place in (("model", "lora"), ("model", "lora", "lr"), ("model", "lora", "betas", 1)):
        assert str(document.mark(place)) == "spec.yaml:5:9"
    assert str(document.key_mark(("model", "lora", "lr"))) == "spec.yaml:5:9"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("${config.trainng.lr}", "spec.yaml:3:7: unknown value 'config.trainng.lr'; config holds base, .* 'training'"),
        ("${config.training.batchsize}", "config.training holds .*; did you mean 'batch_size'"),
        ("${config.training.lr.x}", "config.training.lr holds nothing"),
        ("${config.training.betas.2}", "config.training.betas holds 0, 1$"),
        ("x ${config.training}", "config.training is a mapping and cannot be part of a text"),
        ("${confg.x}", "write .*{config.KEY}.*; did you mean 'config'"),
    ],
)
def test_a_reference_that_leads_nowhere(given: Loaded, text: str, message: str) -> None:
    document = given(f"name: '{text}'")
    assert document.is_faulty(("name",))
    with pytest.raises(SpecError, match=message):
        raise SpecError(document.problems)


def test_without_a_config_the_reference_says_what_to_add(loaded: Loaded) -> None:
    (problem,) = loaded("retspec: 1\nname: ${config.lr}").problems
    assert str(problem) == "spec.yaml:2:7: config is named nowhere in this spec; add `config: path.yaml`"


def test_the_config_cannot_name_itself(given: Loaded) -> None:
    (problem,) = given("", "config=${config.file}").problems
    assert problem.message == "config cannot give its own path"


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ("a: [1", "train.yaml:1:6: this is not YAML"),
        ("a: 1\na: 2", "train.yaml:2:1: duplicate key 'a'"),
        ("a: *b", "train.yaml:1:4: the alias '\\*b' has no anchor before it"),
        ("a: &a [*a]", "train.yaml:1:8: the alias '\\*a' has no anchor before it"),
        ("a: {<<: [1]}", "train.yaml:1:10: '<<' merges a mapping or a list of mappings, found a single value"),
        ("- 1", "train.yaml:1:1: a config is a mapping, found a list"),
        ("# nothing", "train.yaml:1:1: a config is a mapping, found nothing"),
        ("a: 1\n---\nb: 2", "train.yaml:2:1: a second document begins; a config is one document"),
    ],
)
def test_what_is_wrong_with_the_config_is_marked_in_its_file_and_told_once(
    given: Loaded, config: str, message: str
) -> None:
    document = given("name: ${config.a}\ndescription: ${config.b}", config=config)
    (problem,) = document.problems
    assert document.config is None
    with pytest.raises(SpecError, match=f"^{message}"):
        raise SpecError([problem])


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("trian.yaml", "spec.yaml:2:9: config: trian.yaml: there is no such file; did you mean 'train.yaml'?"),
        ("train.ini", "spec.yaml:2:9: config: 'train.ini' is not a config; it is a file of YAML, JSON, TOML or Python"),
        (".", "spec.yaml:2:9: config: . is a directory; name a config in it"),
    ],
)
def test_a_config_that_is_not_there_is_told_where_it_is_named(
    loaded: Loaded, tmp_path: Path, name: str, message: str
) -> None:
    (tmp_path / "train.yaml").write_text("a: 1")
    (tmp_path / "train.ini").write_text("[a]\nb = 1\n")
    (problem,) = loaded(f"retspec: 1\nconfig: {name}\nname: ${{config.a}}\n").problems
    assert str(problem).startswith(message)


def test_earlier_merges_go_before_later_ones_and_what_is_written_before_both(given: Loaded) -> None:
    config = "a: &a {x: 1, y: 1, z: 1}\nb: &b {y: 2, z: 2, w: 2}\nc: {<<: [*b, *a], z: 3}"
    assert _name(given("name: ${config.c}", config=config)) == {"x": 1, "y": 2, "z": 3, "w": 2}


def test_aliases_that_multiply_are_stopped(given: Loaded) -> None:
    lines = [f"v{level}: &v{level} [{', '.join([f'*v{level - 1}'] * 9) if level else 'x'}]" for level in range(9)]
    (problem,) = given("", config="\n".join(lines)).problems
    assert "multiply or nest beyond reason" in problem.message


def test_references_to_the_config_that_multiply_are_stopped(given: Loaded) -> None:
    config = json.dumps({"all": ["x"] * 14_000})
    entries = ", ".join(["'${config.all}'"] * 10)
    (problem, *_) = given(f"model: {{kwargs: {{a: [{entries}]}}}}", config=config, name="train.json").problems
    assert "multiply to more than" in problem.message


# JSON -------------------------------------------------------------------------------------------------------


def test_a_config_of_json(given: Loaded) -> None:
    config = '{"lr": 1e-4,\n\t"names": ["a\\/b", "\\ud83d\\ude00"], "clip": NaN}'
    document = given("name: ${config.names}\ntrain: {lr: '${config.lr}'}", config=config, name="train.json")
    assert _name(document) == ["a/b", "\U0001f600"]
    assert document.data["train"]["lr"] == 0.0001


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ('{"a": 1,\n "b": }', "train.json:2:7: this is not JSON: Expecting value"),
        (r'{"a": "\ud800"}', "train.json:1:1: a text holds half of a surrogate pair, which is not a character"),
        ('{"a": 1, "a": 2}', "train.json:1:1: duplicate key 'a'"),
        ("[" * 60 + "]" * 60, "train.json:1:1: nested deeper than 50 levels"),
        ("[" * 50_000 + "]" * 50_000, "train.json:1:1: nested deeper than 50 levels"),
        ("3", "train.json:1:1: a config is a mapping, found a single value"),
    ],
)
def test_what_is_wrong_with_a_config_of_json(given: Loaded, config: str, message: str) -> None:
    (problem,) = given("", config=config, name="train.json").problems
    assert str(problem) == message


# Overrides --------------------------------------------------------------------------------------------------


def test_an_override_changes_the_config_wherever_it_is_referred_to(given: Loaded) -> None:
    text = "name: ${config.training.batch_size}"
    changed = given(text, "config.training.batch_size=16", "config.new.key=[1]")
    assert _name(changed) == 16
    assert changed.config
    assert changed.config.data["new"] == {"key": [1]}
    before = given(text).config
    assert before
    assert before.sha256 != changed.config.sha256


def test_another_config_may_take_its_place(given: Loaded, tmp_path: Path) -> None:
    (tmp_path / "other.yaml").write_text("training: {batch_size: 2}")
    document = given("name: ${config.training.batch_size}", "config=other.yaml", "config.training.lr=1")
    assert _name(document) == 2
    assert document.config
    assert document.config.file == str(tmp_path / "other.yaml")


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("config.training.lr.x=1", "--set config.training.lr.x=1: there is no 'x' in a single value"),
        ("config.training.betas.7=1", "there is no item '7' in a list of 2"),
    ],
)
def test_an_override_of_the_config_that_leads_nowhere(given: Loaded, override: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        given("", override)


def test_an_override_of_a_config_that_is_not_named(loaded: Loaded) -> None:
    with pytest.raises(UsageError, match=r"^--set config.lr=1: a config is named nowhere in this spec"):
        loaded("retspec: 1\n", "config.lr=1")


# Secrets, provenance ----------------------------------------------------------------------------------------


def test_a_value_of_the_config_can_be_masked(given: Loaded) -> None:
    masked = "run: {mask: [config.wandb.key]}"
    document = given(masked, config="wandb: {key: abc-123, url: https://host}")
    assert document.problems == ()
    assert document.secrets == {"abc-123"}
    assert document.config
    rotated = given(masked, config="wandb: {key: abc-456, url: https://host}").config
    assert rotated
    assert document.config.sha256 == rotated.sha256


def test_a_place_of_the_config_that_is_not_there_cannot_be_masked(given: Loaded) -> None:
    (problem,) = given("run: {mask: [config.training.lrr]}").problems
    assert "did you mean 'config.training.lr'" in problem.message


def test_the_hash_of_the_config_is_of_what_it_says(given: Loaded) -> None:
    one, other = given("", config="{a: 1, b: 2}").config, given("", config="b: 2   # the same\na: 1").config
    assert one
    assert other
    assert one.sha256 == other.sha256


def test_folders_of_relative_paths(given: Loaded, tmp_path: Path) -> None:
    (tmp_path / "configs").mkdir()
    document = given("", name="configs/train.yaml")
    assert document.config
    assert document.config.folders == (str(tmp_path), str(tmp_path / "configs"))
