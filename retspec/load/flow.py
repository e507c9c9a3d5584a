"""text → tree → overrides → config → references → Document."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from retspec.document import Document, Place
from retspec.errors import Mark, Problem, SpecError
from retspec.load.config import ConfigFile, is_of_config, named_config
from retspec.load.files import read
from retspec.load.overrides import override
from retspec.load.parse import parse
from retspec.load.references import Resolver
from retspec.load.secrets import find_secrets, objection
from retspec.load.tree import MAX_DEPTH, MAX_NODES, Flat, Node
from retspec.masking import Mask
from retspec.records import Config

if TYPE_CHECKING:
    from collections.abc import Sequence


def load(path: str | os.PathLike[str], overrides: Sequence[str] = ()) -> Document:
    """Read a spec into plain data with the marks of its places.

    overrides: `PATH=VALUE`, such as `model.lora.r=16`, or `config.lr=1e-4` for a value of the config that it names.
    What is wrong but leaves something to check is carried in the document's `problems`.
    Raises `UsageError` for a file that cannot be read or an override that leads nowhere, `SpecError` for a
    file from which nothing can be made.
    """
    file = os.fspath(path)
    text = read(file)
    root, problems = parse(text, lambda line, column: Mark(file, line, column))
    tree = _mapping(root, Mark(file, 1, 1), problems)
    for entry in overrides:
        if not is_of_config(entry):
            tree, found = override(tree, entry)
            problems += found
    resolved = _resolve(tree, file, [*filter(is_of_config, overrides)])
    return _document(file, text, resolved, problems + resolved.problems)


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


@dataclass(frozen=True, kw_only=True)
class _Resolved:
    """A spec whose references are resolved."""

    tree: Node
    """Everything but the variables."""
    variables: Node
    config: ConfigFile
    named: set[str]
    """The environment variables that it refers to."""
    problems: list[Problem]


def _resolve(root: Node, file: str, overrides: Sequence[str]) -> _Resolved:
    """Resolve the references of a spec, read the config that it names, and take its variables out."""
    sections = {str(key): child for key, child in root.children}
    variables = sections.pop("vars", Node(None, root.mark))
    first = Resolver(variables, os.environ, Node(None, root.mark, obstacle="cannot tell where it is itself"))
    named = first.resolve(sections["config"]) if "config" in sections else None
    config = named_config(named, file, overrides)
    resolver = Resolver(variables, os.environ, config.tree)
    resolved = resolver.resolve(variables)
    tree = resolver.resolve(Node(sections, root.mark))
    problems = [*first.problems, *config.problems, *resolver.problems, *_of_variables(variables)]
    if any(node.height > MAX_DEPTH or node.size > MAX_NODES for node in (tree, resolved)):
        problems.append(Problem(root.mark, "the references multiply or nest beyond reason"))
        raise SpecError(problems)
    names = first.named | resolver.named | config.named
    return _Resolved(tree=tree, variables=resolved, config=config, named=names, problems=problems)


def _of_variables(variables: Node) -> list[Problem]:
    if isinstance(variables.value, dict) or variables.value is None or variables.faulty:
        return []
    return [Problem(variables.mark, f"vars is a mapping of names to values, found {variables.kind}")]


def _document(file: str, text: str, resolved: _Resolved, problems: list[Problem]) -> Document:
    flat = Flat()
    data = flat.add(resolved.tree)
    _require_version(flat, data, problems)
    everything = {**data, "vars": Flat().add(resolved.variables), "config": resolved.config.data}
    masked = _masked(data)
    secrets = find_secrets(everything, masked.values(), resolved.named, os.environ)
    problems = problems + [
        Problem(flat.marks[place], said) for place, entry in masked.items() if (said := objection(entry, everything))
    ]
    return Document(
        file=file,
        path=Path(file).absolute(),
        text=text,
        data=data,
        marks=flat.marks,
        key_marks=flat.key_marks,
        problems=tuple(dict.fromkeys(problems)),
        faulty=frozenset(flat.faulty),
        secrets=secrets,
        config=_config(resolved.config, Path(file), secrets),
        sha256=_sha256(Mask(secrets).given(data)),
    )


def _config(found: ConfigFile, spec: Path, secrets: frozenset[str]) -> Config | None:
    """Return the config as it travels on, None where a spec names none or one that cannot be read."""
    if found.path is None:
        return None
    return Config(
        file=str(found.path),
        folders=tuple(dict.fromkeys(map(str, (spec.absolute().parent, found.path.parent, Path.cwd())))),
        data=found.data,
        unresolved=found.unresolved,
        sha256=_sha256(Mask(secrets).given(found.data)),
    )


def _masked(data: dict[str, Any]) -> dict[Place, str]:
    """Return the entries of `run.mask` with their places; what is no text is left to `validate`."""
    run = data.get("run")
    entries = run.get("mask") if isinstance(run, dict) else None
    listed = enumerate(entries if isinstance(entries, list) else [])
    return {("run", "mask", index): entry for index, entry in listed if isinstance(entry, str)}


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
