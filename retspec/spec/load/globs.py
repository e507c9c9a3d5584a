"""Patterns of files in a matrix: `runs/*/best.pth` is the list of the files that match it.

Which text is a pattern depends on what it is for, not on how it looks: `blocks.*.attn` names layers, and a folder may
be called `[r=8]`. So a key that holds a path (`retspec.spec.load.paths`) has patterns, alone or in its list; a
variable has one alone, in place of its list; nothing else has any, and a path that exists as it is written is itself.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

from retspec.characters import one_line, word
from retspec.errors import Problem
from retspec.spec.load.paths import is_path_key

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from retspec.spec.load.tree import Node

_WILDCARD = re.compile(r"[*?[]")
_REFERENCE = re.compile(r"\$\$\{|\$\{[^{}]*\}")
_DIGITS = re.compile(r"([0-9]+)")
_ANY_FOLDERS = "**"


@dataclass(frozen=True)
class Axis:
    """The values of one key of a matrix, its patterns replaced by files."""

    node: Node
    names: tuple[str, ...] = ()
    """By what each value names its cell; empty for one that names it itself."""
    problems: tuple[Problem, ...] = ()

    def name(self, index: int) -> str:
        """Return what names a value, or an empty string."""
        return self.names[index] if self.names else ""


@dataclass(frozen=True, kw_only=True)
class Files:
    """Finds the files of patterns."""

    folder_of: Callable[[Node], Path]
    """Returns the folder that a path is relative to."""
    resolve: Callable[[Node], Node]
    """Resolves the references in a pattern; the node is faulty if it cannot."""
    most: int
    """Files of one pattern at most; with more there are one more."""

    def axis(self, key: str, node: Node, *, is_variable: bool) -> Axis:
        """Return the values of a key: those of its list, or of the pattern in place of it."""
        is_alone = isinstance(node.value, str)
        if is_alone and not (_is_pattern(node) and (is_variable or is_path_key(key))):
            return Axis(node)
        items = (node,) if is_alone else node.value
        if not isinstance(items, tuple) or not (is_alone or (is_path_key(key) and any(map(_is_pattern, items)))):
            return Axis(node)
        found = _Found()
        for item in items:
            self._add(found, key, item)
        whole = replace(node, value=tuple(found.nodes), faulty=any(each.faulty for each in found.nodes))
        return Axis(whole, found.unique_names(), tuple(found.problems))

    def _add(self, found: _Found, key: str, item: Node) -> None:
        """Add one entry of a list: as it is, or the files that match it and are not there yet."""
        resolved = self.resolve(item) if _is_pattern(item) else item
        folder, text = self.folder_of(item), str(resolved.value)
        if resolved.faulty or not _is_pattern(resolved) or os.path.exists(folder / text):  # noqa: PTH110 - any text
            found.add(resolved if resolved.faulty else item, text)
            return
        try:
            paths = sorted(islice(_matches(folder, text), self.most + 1), key=_by_number)
        except (OSError, ValueError) as error:  # too long a name, or `**` beside other characters
            reason = error.strerror if isinstance(error, OSError) else str(error)
            message = f"{one_line(text):.80} is no pattern of files: {one_line(str(reason))}"
            found.problems.append(Problem(item.mark, f"matrix: {word(key)}: {message}"))
            return
        if not paths:
            shown, nearest = repr(one_line(text)), one_line(str(_nearest(folder, text)))
            message = f"nothing matches {shown}; of the folders on the way, {nearest} is the last that exists"
            found.problems.append(Problem(item.mark, f"matrix: {word(key)}: {message}"))
        fixed = _fixed_parts(text)
        for path in paths:
            written = str(path)
            if not _is_utf8(written):
                message = f"the name of the file {written!a} is not UTF-8; rename it"
                found.problems.append(Problem(item.mark, f"matrix: {word(key)}: {message}"))
            elif written not in found.texts:
                name = "/".join(path.parts[fixed:])
                found.add(replace(item, value=written.replace("${", "$${")), written, name)


@dataclass
class _Found:
    """The values of a list so far."""

    nodes: list[Node] = field(default_factory=list)
    texts: dict[str, None] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    _written: list[str] = field(default_factory=list)
    _names: list[str] = field(default_factory=list)

    def add(self, node: Node, text: str, name: str = "") -> None:
        """Add a value: what it comes to as text, and the name if it is a file of a pattern."""
        self.nodes.append(node)
        self.texts[text] = None
        self._written.append(text)
        self._names.append(name)

    def unique_names(self) -> tuple[str, ...]:
        """Return the names; where two are alike, both are the whole paths."""
        shown = [one_line(name or text) for name, text in zip(self._names, self._written, strict=True)]
        count = Counter(shown)
        names = [
            name and (short if count[short] == 1 else one_line(text))
            for name, short, text in zip(self._names, shown, self._written, strict=True)
        ]
        count = Counter(name or one_line(text) for name, text in zip(names, self._written, strict=True))
        # Two files may still look alike: runs of white space become one space.
        return tuple(f"{name} #{number}" if name and count[name] > 1 else name for number, name in enumerate(names, 1))


def _is_pattern(node: Node) -> bool:
    """Whether it is text with a wildcard outside its references; an address is none."""
    if not isinstance(node.value, str) or "://" in node.value:
        return False
    return _WILDCARD.search(_REFERENCE.sub("", node.value)) is not None


def _matches(folder: Path, text: str) -> Iterator[PurePath]:
    """Yield the paths that match a pattern, relative to the folder as the pattern is.

    `**` does not enter links to folders, which may be loops. Hidden files match only what spells their dot.
    """
    pattern = PurePath(text)
    start = Path(pattern.anchor) if pattern.anchor else folder
    parts = pattern.parts[1:] if pattern.anchor else pattern.parts
    spelled = {part for part in parts if part.startswith(".")}
    takes_hidden = any(_WILDCARD.search(part) for part in spelled)
    for path in start.glob("/".join(parts)) if "\0" not in text else ():
        found = path if pattern.anchor else path.relative_to(folder)
        if takes_hidden or all(part in spelled for part in found.parts if part.startswith(".")):
            yield found


def _fixed_parts(text: str) -> int:
    """Return how many parts of a pattern come before the first with a wildcard."""
    parts = PurePath(text).parts
    return next((index for index, part in enumerate(parts) if _WILDCARD.search(part)), len(parts))


def _nearest(folder: Path, text: str) -> Path:
    """Return the deepest folder on the way of a pattern that matches nothing."""
    parts = PurePath(text).parts
    for length in range(len(parts) - 1, 0, -1):
        if _ANY_FOLDERS not in parts[:length]:
            for path in _matches(folder, str(PurePath(*parts[:length]))):
                if (folder / path).is_dir():
                    return folder / path
    return folder


def _by_number(path: PurePath) -> tuple[tuple[tuple[tuple[int, str], ...], ...], str]:
    """Return what sorts paths by their parts, with numbers by their value: `r4` before `r16`."""
    parts = tuple(
        tuple((int(piece), "") if index % 2 else (0, piece) for index, piece in enumerate(_DIGITS.split(part)))
        for part in path.parts
    )
    return parts, str(path)


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
