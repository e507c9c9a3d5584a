"""The schema of `checks:`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, get_args

from retspec.records import RECIPE_KEYS, Aggregate, Dtype, Duration, Judged, Severity, Slack, Waiver
from retspec.spec.document import RUNNER_KEYS
from retspec.spec.validate.arguments import has_shorthand, required_arguments, shorthand_fragment
from retspec.spec.validate.fragments import Fragment, Fragments, takes_mapping

if TYPE_CHECKING:
    from retspec.plugins.catalog import Catalog
    from retspec.plugins.kinds import Check
    from retspec.plugins.signatures import Argument

_JUDGED = "What is compared with the limit: the point estimate, or the worse end (bound) of its interval."
ID_PATTERN = r"^[A-Za-z_][\w.-]*$"


def is_id(key: str) -> bool:
    """Whether a key can be the id of a criterion."""
    return re.fullmatch(ID_PATTERN.strip("^$"), key, re.ASCII) is not None


def checks_section(catalog: Catalog, fragments: Fragments) -> Fragment:
    """Return the schema of the section, and add two definitions per check: its long form, and any form."""
    for check in catalog.checks.values():
        fragments.definitions[f"long.{check.name}"] = _long_form(catalog, check, fragments)
        fragments.definitions[f"check.{check.name}"] = _any_form(catalog, check, fragments)
    fragments.definitions["criterion"] = _named_otherwise(catalog)
    fragments.definitions |= _of_baselines(fragments)
    return {
        "type": "object",
        "description": "The criteria: the name of a check, or an id of your own with `check:`.",
        "minProperties": 1,
        "propertyNames": {"pattern": ID_PATTERN},
        "properties": {name: _reference(f"check.{name}") for name in catalog.checks},
        "additionalProperties": _reference("criterion"),
    }


def hover_text(check: Check) -> str:
    """Return what a check asks, how it is compared with its limit, and what to do when the limit is missed."""
    unit = f", in {check.unit}" if check.unit else ""
    return f"{check.question}\n\nThe limit: {check.direction}{unit}. When it is missed: {check.advice}"


def _reference(name: str) -> Fragment:
    return {"$ref": f"#/definitions/{name}"}


def _any_form(catalog: Catalog, check: Check, fragments: Fragments) -> Fragment:
    """Make the schema of a key that is a check's name: its shorthand, or the long form of that very check."""
    own = {"allOf": [_reference(f"long.{check.name}")], "properties": {"check": {"const": check.name}}}
    described = {"description": hover_text(check)}
    if not has_shorthand(catalog, check):
        return {**described, "type": "object", **own}
    value = shorthand_fragment(catalog, check, fragments)
    form: Fragment = {"type": "object"}
    if takes_mapping(value):
        form["propertyNames"] = {"enum": list(RUNNER_KEYS)}
    return {**described, "if": form, "then": own, "else": value}


def _named_otherwise(catalog: Catalog) -> Fragment:
    """Make the schema of a key that is not a check's name: the long form of the check that it names."""
    return {
        "type": "object",
        "required": ["check"],
        "properties": {"check": {"enum": list(catalog.checks), "description": "The check of this criterion."}},
        "allOf": [
            {
                "if": {"type": "object", "required": ["check"], "properties": {"check": {"const": name}}},
                "then": _reference(f"long.{name}"),
            }
            for name in catalog.checks
        ],
    }


def _long_form(catalog: Catalog, check: Check, fragments: Fragments) -> Fragment:
    required = required_arguments(catalog, check)
    arguments = ["with"] * bool(required) + ["judge"] * check.interval
    needed = ["limit"] * (check.default_limit is None) + arguments
    form = {
        "type": "object",
        "description": hover_text(check),
        "properties": _runner_properties(check, fragments) | {"with": _with(catalog, check, fragments)},
        "additionalProperties": False,
        "dependencies": {"vs": ["max_regression"], "max_regression": ["vs"]},
    }
    if not needed:
        return form
    limited: Fragment = {"if": {"required": ["vs"]}, "then": {"required": arguments}, "else": {"required": needed}}
    return {**form, "if": {"required": ["skip"]}, "else": limited}


def _by_dtype(bound: Fragment) -> Fragment:
    """Take one bound, or a mapping with one for each dtype: what is noise in bfloat16 is a fault in float32."""
    if "type" not in bound or takes_mapping(bound):
        return bound
    kinds = [bound["type"]] if isinstance(bound["type"], str) else bound["type"]
    return {
        **bound,
        "type": [*kinds, "object"],
        "minProperties": 1,
        "propertyNames": {"enum": list(get_args(Dtype))},
        "additionalProperties": bound,
    }


def _with(catalog: Catalog, check: Check, fragments: Fragments) -> Fragment:
    arguments = catalog.arguments_of(check)
    properties = {name: _argument(argument, check, fragments) for name, argument in arguments.items()}
    return {
        "type": "object",
        "description": "Arguments of the check and of its measurements.",
        "properties": properties,
        "additionalProperties": False,
        "required": required_arguments(catalog, check),
    }


def _argument(argument: Argument, check: Check, fragments: Fragments) -> Fragment:
    fragment = fragments.of_argument(argument, f"check {check.name!r}")
    if argument.is_required and argument.name in RECIPE_KEYS:
        return {"description": f"By default `train.{argument.name}`.", **fragment}
    return fragment


def _of_baselines(fragments: Fragments) -> dict[str, Fragment]:
    """Return the definitions of the two keys that hold a criterion to a baseline."""
    return {
        "vs": {
            "type": "string",
            "minLength": 1,
            "description": "A baseline, relative to this spec, as `retspec bless` writes it; with `max_regression`.",
            "examples": ["baseline.json"],
        },
        "max_regression": {
            **fragments.of(Slack, "max_regression"),
            "description": "How much worse than the baseline: in percent of its value, or in the unit of the check.",
            "examples": ["5%", 0.01],
        },
    }


def _runner_properties(check: Check, fragments: Fragments) -> Fragment:
    limit = _by_dtype(fragments.of(check.value_type, f"check {check.name!r}, limit"))
    default = {} if check.default_limit is None else {"default": check.default_limit}
    text = {"type": "string", "minLength": 1}
    judged = {"judge": {"enum": [each.value for each in Judged], "description": _JUDGED}} if check.interval else {}
    return {
        "check": {"type": "string", "description": "The check; by default the criterion's id."},
        **judged,
        "limit": {"description": f"{check.direction.capitalize()} this.", **limit, **default},
        "aggregate": {
            "description": "Which of the values under several seeds (`run.seed_count`) is judged.",
            "enum": [aggregate.value for aggregate in Aggregate],
            "default": Aggregate.WORST.value,
        },
        "warn": {"description": "A stricter limit; crossing it alone warns.", **limit},
        "vs": _reference("vs"),
        "max_regression": _reference("max_regression"),
        "severity": {
            "description": "warn makes a miss a warning.",
            "enum": [severity.value for severity in Severity],
            "default": Severity.ERROR.value,
        },
        "tags": {
            "type": "array",
            "items": text,
            "description": "Words to select criteria by.",
            "default": [],
        },
        "timeout": fragments.of(Duration, "timeout"),
        "skip": {**text, "description": "Why this criterion is not judged for now."},
        "waive": fragments.of(Waiver, "waive"),
        "description": {"type": "string", "description": "What this criterion is for.", "default": ""},
    }
