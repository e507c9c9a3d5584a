from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any, Literal

import pytest
from jsonschema import Draft7Validator, Draft202012Validator
from msgspec import Meta

from retspec.errors import PluginError
from retspec.plugin import check
from retspec.spec.validate import compose_schema, results_schema
from retspec.spec.validate.fragments import Fragments

if TYPE_CHECKING:
    from collections.abc import Iterator

    from retspec.plugins.catalog import Catalog


def _objects(schema: Any) -> Iterator[dict[str, Any]]:
    if isinstance(schema, dict):
        yield schema
    for part in schema.values() if isinstance(schema, dict) else schema if isinstance(schema, list) else ():
        yield from _objects(part)


@pytest.mark.parametrize("published", [False, True])
def test_the_schema_is_valid_and_without_bare_alternatives(catalog: Catalog, *, published: bool) -> None:
    schema = compose_schema(catalog, published=published)
    Draft7Validator.check_schema(schema)
    assert not [part for part in _objects(schema) if {"anyOf", "oneOf", "$defs", "prefixItems"} & part.keys()]


def test_every_record_is_closed(catalog: Catalog) -> None:
    definitions = compose_schema(catalog)["definitions"]
    names = ["Lora", "Recipe", "RunOptions", *(f"long.{name}" for name in catalog.checks)]
    assert all(definitions[name]["additionalProperties"] is False for name in names)
    for name in catalog.checks:
        assert definitions[f"long.{name}"]["properties"]["with"]["additionalProperties"] is False


def test_hovering_tells_the_question_and_the_advice(catalog: Catalog) -> None:
    description = compose_schema(catalog)["definitions"]["check.loss_drop"]["description"]
    assert "By which fraction did the loss drop?" in description
    assert "Raise the learning rate." in description


def test_defaults_are_told(catalog: Catalog) -> None:
    definitions = compose_schema(catalog)["definitions"]
    assert definitions["Recipe"]["properties"]["steps"]["default"] == 20
    assert definitions["long.head_trainable"]["properties"]["limit"]["default"] is True
    properties = definitions["long.loss_drop"]["properties"]["with"]["properties"]
    assert properties["relative_to"]["default"] == "first"
    assert "train.steps" in properties["steps"]["description"]


@pytest.mark.parametrize(
    ("annotation", "expected"),
    [
        (int | None, {"type": "integer"}),
        (list[str] | str, {"type": ["array", "string"], "items": {"type": "string"}}),
        (float | int, {"type": "number"}),
        (Annotated[float, Meta(le=1)], {"type": "number", "maximum": 1}),
        (tuple[int, ...], {"type": "array", "items": {"type": "integer"}}),
        (Any, {}),
        (dict[int, int], {"type": "object", "propertyNames": {"pattern": "^[0-9]+$"}}),
        (Literal["a", "b"] | None, {"enum": ["a", "b"]}),
        (
            float | Literal["auto"],
            {
                "type": ["number", "string"],
                "allOf": [{"if": {"type": "string"}, "then": {"enum": ["auto"]}}],
            },
        ),
    ],
    ids=str,
)
def test_an_annotation_becomes_a_fragment(annotation: Any, expected: dict[str, Any]) -> None:
    assert expected.items() <= Fragments().of(annotation, "test").items()


def test_a_pair_stays_a_pair() -> None:
    pair = Draft7Validator(Fragments().of(tuple[int, str], "test"))
    assert pair.is_valid([1, "a"])
    assert not pair.is_valid([1, "a", 2])
    assert not pair.is_valid(["a", 1])


@pytest.mark.parametrize("annotation", [complex, list[int] | list[str], "nonsense"], ids=str)
def test_a_type_that_no_spec_can_hold_is_the_plugins_fault(annotation: Any) -> None:
    with pytest.raises(PluginError, match=r"check 'x': its type cannot be used in a spec"):
        Fragments().of(annotation, "check 'x'")


def test_a_shorthand_must_set_an_argument(catalog: Catalog) -> None:
    @check(direction="at most", default_limit=0, shorthand="nothing", advice="None.")
    def odd(parameters: Any) -> int:
        return int(parameters)

    with pytest.raises(PluginError, match="its shorthand sets 'nothing', which is not an argument of it"):
        compose_schema(replace(catalog, checks={"odd": odd}))


@pytest.mark.parametrize(
    "changes",
    [
        {"model": {"timm": "x", "lora": "${vars.lora}"}},
        {"train": {"steps": "${vars.n}", "optimizer": "${env.OPTIMIZER:-sgd}", "lr": "${vars.lr}"}},
        {"train": {"steps": "1_000"}},
        {"data": {"imagefolder": "${env.PHOTOS}", "batch_size": "${vars.n}", "transform": "${vars.transform}"}},
        {"run": {"timeout": "${vars.t}", "device": "cuda:${env.GPU}"}},
        {"checks": {"loss_drop": "${vars.limit}", "rank_params": "${vars.ranks}", "head_trainable": "${vars.b}"}},
        {"checks": {"own": {"check": "loss_drop", "limit": "${vars.limit}", "severity": "${vars.s}"}}},
        {"checks": {"max_trainable_params": "1_000_000", "output_shape": ["${vars.batch}", 5]}},
    ],
    ids=str,
)
def test_the_published_schema_takes_references(catalog: Catalog, changes: dict[str, Any]) -> None:
    spec = {"retspec": 1, "checks": {"loss_drop": 0.5}, **changes}
    assert list(Draft7Validator(compose_schema(catalog, published=True)).iter_errors(spec)) == []
    assert not Draft7Validator(compose_schema(catalog)).is_valid(spec)


@pytest.mark.parametrize(
    ("value", "is_valid"),
    [
        ("runs/*/best.pth", True),
        ("runs/r[48].pth", True),
        ("${vars.runs}/*", True),
        ("${vars.runs}", True),
        (["runs/*.pth"], True),
        ("runs/best.pth", False),
        ([], False),
        (3, False),
    ],
)
def test_the_published_schema_takes_patterns_of_files(catalog: Catalog, value: Any, *, is_valid: bool) -> None:
    spec = {"retspec": 1, "checks": {"loss_drop": 0.5}, "matrix": {"model.checkpoint": value}}
    assert Draft7Validator(compose_schema(catalog, published=True)).is_valid(spec) is is_valid


@pytest.mark.parametrize("value", ["fast", "1_", "_1", "$vars.x", "${vars.x} more", True, None, []], ids=str)
def test_the_published_schema_takes_no_other_text_for_a_number(catalog: Catalog, value: Any) -> None:
    spec = {"retspec": 1, "checks": {"loss_drop": value}}
    assert not Draft7Validator(compose_schema(catalog, published=True)).is_valid(spec)


@pytest.mark.parametrize(
    "form",
    [
        {"limit": None},
        {"limit": {}},
        {"limit": 0.5, "warn": None},
        {"limit": 0.5, "vs": "baseline.json"},
        {"limit": 0.5, "max_regression": "5%"},
        {"limit": 0.5, "severity": None},
        {"limit": 0.5, "tags": None},
        {"limit": 0.5, "with": None},
        {"limit": 0.5, "with": {"steps": None}},
        {"limit": 0.5, "waive": {}},
        {"limit": 0.5, "check": None},
        {"skip": None},
        {"warn": 0.5},
    ],
    ids=str,
)
@pytest.mark.parametrize("published", [False, True])
def test_a_part_of_a_criterion_is_none(catalog: Catalog, form: dict[str, Any], *, published: bool) -> None:
    """Only a file that extends another may hold a part, or null; an editor says so as `retspec validate` does."""
    validator = Draft7Validator(compose_schema(catalog, published=published))
    for checks in ({"loss_drop": form}, {"own": {"check": "loss_drop"} | form}):
        assert not validator.is_valid({"retspec": 1, "checks": checks})


EXTENDING = {"retspec": 1, "extends": "base.yaml"}


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"model": None, "checks": None, "vars": {"x": None}},
        {"model": {"kwargs": {"x": None}, "lora": {"r": 4}}},
        {"model": {"timm": None, "factory": "a:b"}},
        {"train": {"min_steps": 3}},
        {"train": {"lr": None, "steps": 3}, "run": {"timeout": None, "device": "cpu"}},
        {"checks": {"loss_drop": None, "merge_atol": {"warn": 1e-6}, "own": {"limit": None, "with": {"steps": 3}}}},
        {"checks": {"rank_params": {"with": {"expected": {"4": None}}}, "loss_drop": {"severity": None}}},
        {"checks": {"loss_drop": {"with": None, "tags": None, "skip": None}}},
    ],
    ids=str,
)
def test_a_file_that_extends_another_holds_a_part_and_may_remove_the_rest(
    catalog: Catalog, changes: dict[str, Any]
) -> None:
    validator = Draft7Validator(compose_schema(catalog, published=True))
    assert list(validator.iter_errors(EXTENDING | changes)) == []
    assert not validator.is_valid({"retspec": 1, "checks": {"loss_drop": 0.5}, "vars": None} | changes)


@pytest.mark.parametrize(
    "changes",
    [
        {"retspec": None},
        {"extends": None},
        {"extends": []},
        {"chekcs": {}},
        {"train": {"steps": "many"}},
        {"model": {"timm": "x", "lora": {"rank": 4}}},
        {"checks": {"loss_drop": {"limit": "much"}}},
        {"checks": {"loss_drop": {"with": {"step": 3}}}},
        {"checks": {"own": {"check": "los_drop"}}},
        {"checks": {"trainable_names": [None]}},
    ],
    ids=str,
)
def test_what_a_file_that_extends_another_does_hold_is_checked(catalog: Catalog, changes: dict[str, Any]) -> None:
    assert not Draft7Validator(compose_schema(catalog, published=True)).is_valid(EXTENDING | changes)


def test_the_schema_of_results_is_valid() -> None:
    schema = results_schema()
    Draft202012Validator.check_schema(schema)
    assert schema["$defs"]["Report"]["properties"]["retspec"] == {"enum": [1], "default": 1}
