"""Faults as findings: what is wrong, what is allowed, what was probably meant.

One function per keyword of JSON Schema.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from retspec.characters import quoted
from retspec.errors import did_you_mean
from retspec.records import LORA_NOT_TAKEN
from retspec.spec.validate import phrases
from retspec.spec.validate.arguments import has_shorthand, required_arguments
from retspec.spec.validate.context import Context, Finding
from retspec.spec.validate.criteria import is_id

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from retspec.plugins.kinds import Check
    from retspec.spec.validate.schema_errors import Fault

_EXECUTORS = {"slurm": "retspec-slurm", "ray": "retspec-ray"}
"""The packages that bring executors, for messages to those who have not installed them."""


def explain(fault: Fault, context: Context) -> Iterator[Finding]:
    """Yield the findings about one fault; two faults may say the same."""
    if fault.in_key:
        yield _bad_key(fault)
    elif fault.keyword in {"type", "required"} and context.is_unknown_criterion(fault.place, fault.value):
        if not is_id(str(fault.place[1])):
            return  # the key itself is reported
        yield Finding(fault.place, context.unknown_criterion(fault.place, fault.value), on_key=True)
    else:
        yield from _BY_KEYWORD.get(fault.keyword, _otherwise)(fault, context)


# Keys -----------------------------------------------------------------------------------------------------


def _unknown_keys(fault: Fault, context: Context) -> Iterator[Finding]:
    known = list(fault.schema["properties"])
    for key in fault.value:
        if key not in known:
            yield Finding((*fault.place, key), _unknown_key(key, fault, known, context), on_key=True)


def _unknown_key(key: str, fault: Fault, known: list[str], context: Context) -> str:
    place, word = fault.place, quoted(key)
    if key in context.sources(place):
        return f"{place[0]} names two sources, {known[0]} and {key}; keep one"
    if place == ("model", "lora") and key in LORA_NOT_TAKEN:
        return f"model.lora takes no {word}: {LORA_NOT_TAKEN[key]}"
    check = context.check_at(place)
    if check and place[2:] == ("with",):
        return f"{check.name} has no argument {word}; it has: {_choice(key, known)}"
    inside = f" in {phrases.dotted(place)}" if place else ""
    if check and place[2:] == () and key in context.catalog.arguments_of(check):
        return f"unknown key {word}{inside}; it is an argument, write `with: {{{key}: ...}}`"
    allowed = ", ".join(known)
    near = did_you_mean(key, [*known, *(_other_kinds(fault, context))])
    return f"unknown key {word}{inside}; allowed: {allowed or 'none'}{near}"


def _other_kinds(fault: Fault, context: Context) -> Iterator[str]:
    """Yield the kinds of training that may be meant in a section that names none."""
    if fault.place == ("train",) and not {*fault.value} & {*context.sources(fault.place)}:
        yield from context.sources(fault.place)


def _choice(word: str, known: list[str]) -> str:
    return f"{', '.join(known) or 'none'}{did_you_mean(word, known)}"


def _missing_keys(fault: Fault, context: Context) -> Iterator[Finding]:
    for key in fault.expected:
        if key not in fault.value:
            yield Finding(fault.place, _missing_key(key, fault, context), on_key=True)


def _missing_key(key: str, fault: Fault, context: Context) -> str:
    check = context.criterion_check(fault.place)
    if check and key == "limit":
        return f"{phrases.subject(fault.place)} has no limit; add `limit:`{phrases.usage(check)}"
    if check and key == "judge":
        return (
            f"{phrases.subject(fault.place)} does not say what is held against the limit; add `judge: point` (the "
            "estimate) or `judge: bound` (the worse end of its interval)"
        )
    if check and key == "with":
        needed = ", ".join(required_arguments(context.catalog, check))
        return f"{phrases.subject(fault.place)} needs {needed}; give it under `with:`"
    return f"{phrases.subject(fault.place)} needs the key {key!r}{_purpose(key, fault)}"


def _purpose(key: str, fault: Fault) -> str:
    head = {"retspec": "; begin with `retspec: 1`", "checks": "; list the criteria under it"}
    if not fault.place:
        return head.get(key, "")
    described = fault.schema.get("properties", {}).get(key)
    text = described.get("description", "") if isinstance(described, dict) else ""
    return f": {text}" if text else ""


def _lone_key(fault: Fault, _context: Context) -> Iterator[Finding]:
    for key, companions in fault.expected.items():
        for missing in companions if key in fault.value else ():
            if missing not in fault.value:
                message = f"{phrases.subject(fault.place)}: {key} says nothing without {missing}; add `{missing}:`"
                yield Finding((*fault.place, key), message, on_key=True)


def _no_source(fault: Fault, context: Context) -> Iterator[Finding]:
    known = list(context.sources(fault.place))
    # A misspelt source is reported as an unknown key, with what was meant.
    if not any(did_you_mean(key, known) for key in fault.value):
        message = f"{phrases.subject(fault.place)} needs a source: one of {', '.join(known)}"
        yield Finding(fault.place, message, on_key=True)


def _bad_key(fault: Fault) -> Finding:
    key = str(fault.value)
    rule = "the keys here are integers, such as 8" if fault.keyword == "pattern" else fault.message
    if fault.place == ("checks",):
        rule = "an id is made of letters, digits, '_', '.' and '-', and begins with a letter or '_'"
    message = f"{phrases.subject(fault.place)}: {quoted(key)} cannot be a key; {rule}"
    return Finding((*fault.place, key), message, on_key=True)


# Values ---------------------------------------------------------------------------------------------------


def _wrong_type(fault: Fault, context: Context) -> Iterator[Finding]:
    expected = phrases.allowed(fault.schema)
    if check := context.criterion_check(fault.place):
        expected = _criterion_forms(expected, check, context)
    meant = f"; did you mean {fault.schema['x-meant']!r}?" if "x-meant" in fault.schema else ""
    yield _wrong(fault, f"expected {expected}; found {phrases.found(fault.value)}{meant}")


def _criterion_forms(expected: str, check: Check, context: Context) -> str:
    """Say what the value of a criterion's id may be."""
    if not has_shorthand(context.catalog, check):
        return f"the long form, a mapping{phrases.usage(check) if check.interval else ''}"
    kinds = expected.partition(", such as")[0]
    return f"{kinds} (its {check.shorthand or 'limit'}), or the long form{phrases.usage(check)}"


def _not_in_enum(fault: Fault, context: Context) -> Iterator[Finding]:
    if fault.place[:1] == ("checks",) and fault.place[2:] == ("check",):
        yield Finding(fault.place, context.unknown_check(str(fault.value)))
        return
    refused = fault.schema.get("x-refused", {}).get(str(fault.value).lower())
    if refused:
        yield _wrong(fault, f"{phrases.found(fault.value)} cannot be used here: {refused}")
        return
    hint = did_you_mean(str(fault.value), map(str, fault.expected))
    if fault.place == ("run", "fault"):
        hint = context.catalog.explain_missing(str(fault.value), context.catalog.faults)
        yield _wrong(fault, f"there is no fault {str(fault.value)!r}{hint}; `retspec prove SPEC --list` names all")
        return
    if fault.place == ("run", "executor"):
        package = _EXECUTORS.get(fault.value, "")
        hint = context.catalog.explain_missing(str(fault.value), context.catalog.executors)
        hint = f"; install {package}, which brings it{hint}" if package else hint
    yield _wrong(fault, f"expected {phrases.allowed(fault.schema)}; found {phrases.found(fault.value)}{hint}")


def _not_the_constant(fault: Fault, _context: Context) -> Iterator[Finding]:
    if fault.place[2:] == ("check",):
        message = f"{fault.place[1]!r} is the name of a check; give a criterion of another check an id of its own"
        yield Finding(fault.place, message)
    else:
        yield _wrong(fault, f"expected {phrases.found(fault.expected)}; found {phrases.found(fault.value)}")


def _out_of_range(fault: Fault, _context: Context) -> Iterator[Finding]:
    yield _wrong(fault, f"{phrases.found(fault.value)} is out of range; allowed: {phrases.bounds(fault.schema)}")


def _no_match(fault: Fault, _context: Context) -> Iterator[Finding]:
    otherwise = "a date as YYYY-MM-DD" if fault.keyword == "format" else f"text that matches {fault.expected}"
    rule = fault.schema.get("description") or otherwise
    examples = ", ".join(map(str, fault.schema.get("examples", [])))
    allowed = f"write it like {examples} ({rule.rstrip('.')})" if examples else f"allowed: {rule}"
    words = [*map(str, fault.schema.get("examples", []))]
    is_choice = len(words) > 1 and len(str(fault.value)) >= _SHORT  # of two short words, each is near the other
    near = did_you_mean(str(fault.value), words) if is_choice else ""
    yield _wrong(fault, f"{phrases.found(fault.value)} does not fit; {allowed}{near}")


def _too_small(fault: Fault, context: Context) -> Iterator[Finding]:
    if fault.value:
        yield from _otherwise(fault, context)
    else:
        unit = _SIZES[fault.keyword]
        yield Finding(fault.place, f"{phrases.subject(fault.place)} is empty; give at least {fault.expected} {unit}")


def _otherwise(fault: Fault, _context: Context) -> Iterator[Finding]:
    yield _wrong(fault, fault.message[:200])


def _wrong(fault: Fault, message: str) -> Finding:
    return Finding(fault.place, f"{phrases.subject(fault.place)}: {message}")


_SHORT = 4
_RANGES = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf")
_SIZES = {"minLength": "character", "minItems": "item", "minProperties": "entry"}
_BY_KEYWORD: dict[str, Callable[[Fault, Context], Iterator[Finding]]] = {
    "additionalProperties": _unknown_keys,
    "required": _missing_keys,
    "dependencies": _lone_key,
    "not": _no_source,
    "type": _wrong_type,
    "enum": _not_in_enum,
    "const": _not_the_constant,
    "pattern": _no_match,
    "format": _no_match,
    **dict.fromkeys(_RANGES, _out_of_range),
    **dict.fromkeys(_SIZES, _too_small),
}
