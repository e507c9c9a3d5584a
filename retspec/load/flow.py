"""text → tree → overrides → references → Document."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from retspec.document import Document
from retspec.errors import Mark, Problem, SpecError
from retspec.load.files import read
from retspec.load.overrides import override
from retspec.load.parse import parse
from retspec.load.references import Resolver
from retspec.load.tree import MAX_DEPTH, MAX_NODES, Flat, Node

if TYPE_CHECKING:
    from collections.abc import Sequence


def load(path: str | os.PathLike[str], overrides: Sequence[str] = ()) -> Document:
    """Read a spec into plain data with the marks of its places.

    overrides: `PATH=VALUE`, such as `model.lora.r=16`.
    What is wrong but leaves something to check is carried in the document's `problems`.
    Raises `UsageError` for a file that cannot be read or an override that leads nowhere, `SpecError` for a
    file from which nothing can be made.
    """
    file = os.fspath(path)
    text = read(file)
    root, problems = parse(text, lambda line, column: Mark(file, line, column))
    tree = _mapping(root, Mark(file, 1, 1), problems)
    for entry in overrides:
        tree, found = override(tree, entry)
        problems += found
    tree, found = _resolve(tree)
    return _document(file, text, tree, problems + found)


def plugins_of(document: Document) -> tuple[str, ...]:
    """Return the plugins that a spec names, files as absolute paths: the catalog needs them."""
    return document.plugins


def _mapping(root: Node | None, start: Mark, problems: list[Problem]) -> Node:
    if root is None or (root.value is None and not root.faulty):
        raise SpecError([*problems, Problem(start, "the file is empty; a spec begins with `retspec: 1`")])
    if not isinstance(root.value, dict):
        raise SpecError(
            [
                *problems,
                Problem(root.mark, f"a spec is a mapping, found {root.kind}; begin with `retspec: 1`"),
            ]
        )
    return root


def _resolve(root: Node) -> tuple[Node, list[Problem]]:
    """Resolve the references of a spec and take its variables out."""
    sections = dict(root.children)
    variables = sections.pop("vars", None)
    resolver = Resolver(variables, os.environ)
    if variables is not None:
        resolver.resolve(variables)
    tree = resolver.resolve(Node({str(key): child for key, child in sections.items()}, root.mark))
    problems = [*resolver.problems, *_of_variables(variables)]
    if tree.height > MAX_DEPTH or tree.size > MAX_NODES:
        problems.append(Problem(root.mark, "the references multiply or nest beyond reason"))
        raise SpecError(problems)
    return tree, problems


def _of_variables(variables: Node | None) -> list[Problem]:
    if variables is None or isinstance(variables.value, dict) or variables.value is None or variables.faulty:
        return []
    return [Problem(variables.mark, f"vars is a mapping of names to values, found {variables.kind}")]


def _document(file: str, text: str, tree: Node, problems: list[Problem]) -> Document:
    flat = Flat()
    data = flat.add(tree)
    _require_version(flat, data, problems)
    return Document(
        file=file,
        path=Path(file).absolute(),
        text=text,
        data=data,
        marks=flat.marks,
        key_marks=flat.key_marks,
        problems=tuple(dict.fromkeys(problems)),
        faulty=frozenset(flat.faulty),
        sha256=_sha256(data),
    )


def _require_version(flat: Flat, data: dict[str, Any], problems: list[Problem]) -> None:
    """Refuse another version at once: the rest of such a file follows rules that are not known here."""
    if "retspec" not in data or ("retspec",) in flat.faulty:
        return
    version = data["retspec"]
    if version != 1 or not isinstance(version, int) or isinstance(version, bool):
        message = f"this retspec reads version 1 of the spec, found {json.dumps(version)[:40]}; write `retspec: 1`"
        raise SpecError([*problems, Problem(flat.marks["retspec",], message)])


def _sha256(data: dict[str, Any]) -> str:
    canonical = json.dumps(data, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()
