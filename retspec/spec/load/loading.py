"""text → tree, laid over what it extends → overrides → cells → config → references → Document."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from retspec.characters import one_line
from retspec.errors import Mark, Problem, SpecError, UsageError
from retspec.records import Config
from retspec.spec.document import Document, Place
from retspec.spec.load.config import ConfigFile, is_of_config, named_config, read_config
from retspec.spec.load.extends import EXTENDS, assemble, require_version
from retspec.spec.load.mapping import IN_MEMORY
from retspec.spec.load.matrix import MATRIX, Cell, cells_of, distinguishing_keys, faults_of
from retspec.spec.load.overrides import override
from retspec.spec.load.paths import relative_to_spec
from retspec.spec.load.references import Resolver
from retspec.spec.load.secrets import find_secrets, objection
from retspec.spec.load.spec_file import folder_of
from retspec.spec.load.tree import MAX_DEPTH, MAX_NODES, Flat, Node
from retspec.text.masking import Mask

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence

SpecGiven = str | os.PathLike[str] | Mapping[str, Any]
"""A spec: the path of its file, or what such a file holds."""
_VARS = "vars"
_NOTHING = Node(None, Mark("", 1, 1))


def load(spec: SpecGiven, overrides: Sequence[str] = ()) -> Document:
    """Read a spec, laid over what it extends, into plain data with the marks of its places.

    spec: path of the file, or the same as a mapping.
    overrides: `PATH=VALUE`, such as `model.lora.r=16`, or `config.lr=1e-4` for a value of the config that it names.
    What is wrong but leaves something to check is carried in the document's `problems`.
    Raises `UsageError` for a file that cannot be read or an override that leads nowhere, `SpecError` for a
    file from which nothing can be made, and for a matrix: it makes several documents.
    """
    written = _read(spec, overrides)
    if written.matrix is not None:
        message = "this spec has a matrix, and here one spec is asked for; take the matrix out"
        raise SpecError([*written.problems, Problem(written.matrix.start, message)])
    return _document(written, _resolve(written, written.tree))


def load_cells(spec: SpecGiven, overrides: Sequence[str] = ()) -> list[Document]:
    """Read a spec as `load` does, into a document for each cell of its matrix; without one, into one."""
    written = _read(spec, overrides)
    if written.matrix is None:
        return [_document(written, _resolve(written, written.tree))]
    no_config = replace(_NOTHING, obstacle="is read for each cell, so that the matrix itself cannot refer to it")
    opener = Resolver({_VARS: dict(written.tree.children).get(_VARS, _NOTHING)}, os.environ, no_config)
    cells, problems = cells_of(written.matrix, opener.resolve, lambda node: folder_of(written.file_of(node)))
    if not cells:
        raise SpecError([*written.problems, *opener.problems, *problems])
    keys = {key for cell in cells for key in cell.values}
    _require_apart(keys, overrides)
    resolved = [_resolve(written, *cell.put_into(written.tree), cell=cell) for cell in cells]
    distinguishing = distinguishing_keys(cells)
    documents = [_document(written, each, distinguishing) for each in resolved]
    used = {key for each in resolved for key in each.used}
    problems = [*opener.problems, *faults_of(cells, [document.cell for document in documents], used)]
    return [replace(document, problems=(*document.problems, *problems)) for document in documents]


@dataclass(frozen=True, kw_only=True)
class _SpecText:
    """A spec laid over what it extends, overrides included, references unresolved."""

    file: str
    extended: tuple[str, ...]
    tree: Node
    """Everything but the matrix."""
    matrix: Node | None
    of_config: tuple[str, ...]
    """The overrides that change values of the config."""
    problems: list[Problem]
    reading: Callable[..., ConfigFile] = field(default_factory=lambda: cache(read_config))
    """Reads a config once, however many cells name it."""

    def file_of(self, node: Node | None) -> str:
        """Return the file that wrote a value; an override counts as written in the spec."""
        return node.mark.file if node and node.mark.file in self.extended else self.file


def _read(spec: SpecGiven, overrides: Sequence[str]) -> _SpecText:
    file = IN_MEMORY if isinstance(spec, Mapping) else os.fspath(spec)
    assembled = assemble(file, spec if isinstance(spec, Mapping) else None)
    tree, problems = _overridden(assembled.tree, overrides)
    sections = {str(key): child for key, child in tree.children}
    matrix = sections.pop(MATRIX, None)
    return _SpecText(
        file=file,
        extended=assembled.extended,
        tree=replace(tree, value=sections),
        matrix=matrix,
        of_config=tuple(filter(is_of_config, overrides)),
        problems=[*assembled.problems, *problems],
    )


def _require_apart(keys: Iterable[str], overrides: Sequence[str]) -> None:
    """Refuse an override that every cell would take back."""
    for entry in overrides:
        path = entry.partition("=")[0].strip()
        for key in keys:
            if f"{path}.".startswith(f"{key}."):
                shown = one_line(entry)
                raise UsageError(
                    f"--set {shown}: the matrix sets {key} in every cell; set {MATRIX}.{key}, or select a cell"
                )


def _overridden(tree: Node, overrides: Sequence[str]) -> tuple[Node, list[Problem]]:
    problems = []
    for entry in overrides:
        if not is_of_config(entry):
            tree, found = override(tree, entry)
            problems += found
    require_version(tree, problems)
    extends = dict(tree.children).get(EXTENDS)
    if extends is not None:
        problems.append(Problem(extends.start, "extends is read before --set; name the file in the spec"))
    return tree, problems


def plugins_of(document: Document) -> tuple[str, ...]:
    """Return the plugins that a spec names, files as absolute paths: the catalog needs them."""
    return document.plugins


@dataclass(frozen=True, kw_only=True)
class _Resolved:
    """A spec, or a cell of it, whose references are resolved."""

    tree: Node
    """Everything but the variables."""
    variables: Node
    config: ConfigFile
    cell: Cell | None
    values: dict[str, Any]
    """Those of the cell."""
    named: set[str]
    """The environment variables that it refers to."""
    used: set[str]
    """The keys of the matrix that it refers to."""
    problems: list[Problem]


def _resolve(
    written: _SpecText, root: Node, problems: Sequence[Problem] = (), *, cell: Cell | None = None
) -> _Resolved:
    """Resolve the references of a spec or of a cell, read the config that it names, and take its variables out."""
    sections = {str(key): child for key, child in root.children}
    variables = sections.pop(_VARS, _NOTHING)
    values = Node(cell.nodes, root.mark) if cell else _NOTHING
    spaces = {_VARS: variables} | ({MATRIX: values} if cell else {})
    first = Resolver(spaces, os.environ, Node(None, root.mark, obstacle="cannot give its own path"))
    named = first.resolve(sections["config"]) if "config" in sections else None
    config = named_config(named, written.file_of(named), written.of_config, written.reading)
    resolver = Resolver(spaces, os.environ, config.tree)
    resolved, values = resolver.resolve(variables), resolver.resolve(values)
    tree = resolver.resolve(Node(sections, root.mark))
    problems = [*problems, *first.problems, *config.problems, *resolver.problems, *_of_variables(variables)]
    if any(node.height > MAX_DEPTH or node.size > MAX_NODES for node in (tree, resolved, values)):
        problems.append(Problem(root.mark, "the references multiply or nest beyond reason"))
        raise SpecError(problems)
    return _Resolved(
        tree=tree,
        variables=resolved,
        config=config,
        cell=cell,
        values=Flat().add(values) or {},
        named=first.named | resolver.named | config.named,
        used=first.used | resolver.used,
        problems=problems,
    )


def _of_variables(variables: Node) -> list[Problem]:
    if isinstance(variables.value, dict) or variables.value is None or variables.faulty:
        return []
    return [Problem(variables.mark, f"vars is a mapping of names to values, found {variables.kind}")]


def _document(written: _SpecText, resolved: _Resolved, keys: Collection[str] = ()) -> Document:
    """Make the document of a spec or of one cell; keys: those by which each is named."""
    flat = Flat()
    data = flat.add(relative_to_spec(resolved.tree, written.file, written.extended))
    known = {_VARS: Flat().add(resolved.variables), MATRIX: resolved.values, "config": resolved.config.data}
    everything = {**data, **known}
    masked = _masked(data)
    secrets = find_secrets(everything, masked.values(), resolved.named, os.environ)
    problems = [*written.problems, *resolved.problems]
    problems += [
        Problem(flat.marks[place], said) for place, entry in masked.items() if (said := objection(entry, everything))
    ]
    mask = Mask(secrets)
    return Document(
        file=written.file,
        path=Path(written.file).absolute(),
        extended=tuple(str(Path(other).absolute()) for other in written.extended),
        cell=resolved.cell.name(resolved.values, keys, mask) if resolved.cell else "",
        data=data,
        marks=flat.marks,
        key_marks=flat.key_marks,
        problems=tuple(dict.fromkeys(map(mask.problem, problems))),
        faulty=frozenset(flat.faulty),
        secrets=secrets,
        config=_config(resolved.config, Path(written.file), mask),
        sha256=_sha256(mask.given(data)),
    )


def _config(found: ConfigFile, spec: Path, mask: Mask) -> Config | None:
    """Return the config as it travels on, None where a spec names none or one that cannot be read."""
    if found.path is None:
        return None
    return Config(
        file=str(found.path),
        folders=tuple(dict.fromkeys(map(str, (spec.absolute().parent, found.path.parent, Path.cwd())))),
        data=found.data,
        unresolved=found.unresolved,
        otherwise=tuple(map(mask.text, found.otherwise)),
        sha256=_sha256(mask.given(found.data)),
    )


def _masked(data: dict[str, Any]) -> dict[Place, str]:
    """Return the entries of `run.mask` with their places; anything that is not text is left to `validate`."""
    run = data.get("run")
    entries = run.get("mask") if isinstance(run, dict) else None
    listed = enumerate(entries if isinstance(entries, list) else [])
    return {("run", "mask", index): entry for index, entry in listed if isinstance(entry, str)}


def _sha256(data: dict[str, Any]) -> str:
    canonical = json.dumps(data, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()
