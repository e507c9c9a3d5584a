"""Print a document as text, with the place that each value comes from."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import yaml

from retspec.characters import one_line
from retspec.errors import Mark
from retspec.spec.load.parse import parse
from retspec.spec.load.scalars import scalar_of
from retspec.spec.load.tree import Flat, Node
from retspec.text.fitting import NARROWEST
from retspec.text.masking import Mask

if TYPE_CHECKING:
    from retspec.spec.document import Document, Place

_TEXT = "tag:yaml.org,2002:str"
_LIST = "tag:yaml.org,2002:seq"


def origins(document: Document) -> dict[str, Any]:
    """Return a document as plain data: the spec, secrets masked, and the place of every value."""
    mask = Mask(document.secrets)
    return {
        "file": document.file,
        "cell": document.cell,
        "sha256": document.sha256,
        "spec": mask.given(document.data),
        "origins": {
            ".".join(map(str, place)): mask.text(str(_origin(document, place))) for place in document.marks if place
        },
    }


def with_origins(document: Document, width: int | None = None) -> str:
    """Return a document as YAML that `load` reads back, secrets masked.

    Each section and criterion carries its place as a comment, and so does whatever was written in another file
    than what holds it.

    width: columns of the screen. Where it is narrower than a line with its comment, the comment is on a line before it.
    """
    mask = Mask(document.secrets)
    text = _fitted(_escaped(mask.given(document.data)), width)
    lines = text.split("\n")
    for place, written in _key_marks(text).items():
        if _is_notable(document, place):
            line, origin = lines[written.line - 1], f"# {one_line(mask.text(_short(_origin(document, place))))}"
            lines[written.line - 1] = _commented(line, origin, width)
    cell = f"# cell {document.cell}\n" if document.cell else ""
    return f"{cell}# sha256 {document.sha256}\n" + "\n".join(lines)


def _fitted(data: Any, width: int | None) -> str:
    """Return data as YAML with the fewest lines that are wider than the screen.

    PyYAML breaks a line at the first blank beyond a width, so that it is asked for smaller ones, too.
    """
    if width is None:
        return _dumped(data, math.inf)
    texts = (_dumped(data, narrower) for narrower in range(width, NARROWEST - 1, -4))
    return min(texts, key=lambda text: sum(len(line) > width for line in text.split("\n")))


def _dumped(data: Any, width: float) -> str:
    text: str = yaml.dump(data, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=width)
    return text


def _commented(line: str, comment: str, width: int | None) -> str:
    after = f"{line}  {comment}"
    if width is None or len(after) <= width:
        return after
    return f"{' ' * (len(line) - len(line.lstrip(' ')))}{comment}\n{line}"


def _origin(document: Document, place: Place) -> Mark:
    """Return the mark of a key, or of its value where the value comes from another file."""
    key, value = document.key_mark(place), document.mark(place)
    return key if key.file == value.file else value


def _short(origin: Mark) -> str:
    return origin.file if origin.file.startswith("--set ") else f"{origin.file}:{origin.line}"


def _is_notable(document: Document, place: Place) -> bool:
    is_criterion = place[0] == "checks" and len(place) == len(("checks", "id"))
    return len(place) == 1 or is_criterion or _origin(document, place).file != _origin(document, place[:-1]).file


def _key_marks(text: str) -> dict[Place, Mark]:
    """Return where each key is in a text; items of lists have none."""
    flat = Flat()
    root, _ = parse(text, lambda line, column: Mark("", line, column))
    flat.add(root or Node(None, Mark("", 1, 1)))
    return flat.key_marks


def _escaped(value: Any) -> Any:
    """Return plain data in which no text is a reference."""
    match value:
        case str():
            return value.replace("${", "$${")
        case dict():
            return {key: _escaped(entry) for key, entry in value.items()}
        case list():
            return [_escaped(entry) for entry in value]
    return value


class _Dumper(yaml.SafeDumper):
    """Writes each value on one line for a comment to fit after it; quotes what `load` would not read as text."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 - of nothing
        """Write a shared value out each time: `load` takes no aliases."""
        return True


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.Node:
    style = '"' if not text.isprintable() else None if _is_plain(text) else "'"
    return dumper.represent_scalar(_TEXT, text, style=style)


def _represent_list(dumper: yaml.SafeDumper, items: list[Any]) -> yaml.Node:
    return dumper.represent_sequence(_LIST, items, flow_style=True)


def _is_plain(text: str) -> bool:
    try:
        return isinstance(scalar_of(text), str)
    except ValueError:
        return False


_Dumper.add_representer(str, _represent_text)
_Dumper.add_representer(list, _represent_list)
