"""Values, places and schemas in words."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from retspec.characters import quoted

if TYPE_CHECKING:
    from retspec.plugins.kinds import Check
    from retspec.spec.document import Place
    from retspec.spec.validate.fragments import Fragment

_KINDS = {
    "integer": "an integer",
    "number": "a number",
    "string": "text",
    "boolean": "true or false",
    "array": "a list",
    "object": "a mapping",
}
_EXAMPLES = {"integer": 8, "number": 0.5}
_BOUNDS = {
    "minimum": "at least",
    "exclusiveMinimum": "above",
    "maximum": "at most",
    "exclusiveMaximum": "below",
    "multipleOf": "a multiple of",
}


def found(value: Any) -> str:
    """Return a value of the spec in one short line."""
    if value is None:
        return "nothing"
    if isinstance(value, dict | list):
        return _KINDS["object" if isinstance(value, dict) else "array"]
    return f"the text {quoted(value)}" if isinstance(value, str) else json.dumps(value)


def dotted(place: Place) -> str:
    """Write a place as it is written on the command line: `model.lora.target_modules.0`."""
    path = ".".join(map(str, place))
    return path if path.isprintable() else repr(path)


def subject(place: Place) -> str:
    """Write a place as the beginning of a sentence; the top of a spec is the spec."""
    return dotted(place) or "the spec"


def allowed(fragment: Fragment) -> str:
    """Say what a schema takes: its kinds, and a value that would do."""
    if "enum" in fragment:
        return f"one of {', '.join(map(str, fragment['x-names' if 'x-names' in fragment else 'enum']))}"
    kinds = fragment["type"]
    words = [_KINDS.get(kind, kind) for kind in ([kinds] if isinstance(kinds, str) else kinds)]
    return " or ".join(words) + such_as(fragment)


def such_as(fragment: Fragment) -> str:
    """Give an example of what a schema takes, where there is a short one."""
    value = example(fragment)
    if not isinstance(value, dict) and fragment.get("type") == "object" and (needed := fragment.get("required")):
        return f" such as {{{', '.join(f'{name}: ...' for name in needed)}}}"
    if value is None or isinstance(value, bool | dict) or value in ([], ""):
        return ""
    if isinstance(value, list) and all(isinstance(item, str) and item.isidentifier() for item in value):
        return f", such as [{', '.join(value)}]"
    return f", such as {value if isinstance(value, str) else json.dumps(value)}"


def usage(check: Check) -> str:
    """Quote the example in the documentation of a check, where it has one."""
    match = re.search(r"^Example:\s*\n\s*(?P<line>\S.*)$", check.doc, re.MULTILINE)
    return f", for example `{match['line']}`" if match else ""


def bounds(fragment: Fragment) -> str:
    """Say which numbers a schema takes."""
    return " and ".join(f"{words} {fragment[key]}" for key, words in _BOUNDS.items() if key in fragment)


def example(fragment: Fragment) -> Any:
    """Return a value that a schema takes, None where there is no short one."""
    for known in (*fragment.get("examples", []), *fragment.get("enum", []), fragment.get("default")):
        if known is not None:
            return known
    kinds = fragment.get("type", "object")
    kind = kinds if isinstance(kinds, str) else kinds[0]
    if kind == "array" and isinstance(fragment.get("items"), dict):
        item = example(fragment["items"])
        return None if item is None else [item]
    return fragment.get("minimum") or _EXAMPLES.get(kind)
