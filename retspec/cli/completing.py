"""What a shell completes: criteria, tags, cells and paths of the spec on the command line, formats, files.

Nothing is measured or validated, and torch is never imported. A spec that cannot be read completes to nothing: a
message would be written over the prompt.
"""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any

from click.shell_completion import CompletionItem

from retspec.characters import one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    import click

    from retspec.plugins.catalog import Catalog
    from retspec.spec.document import Document

    Complete = Callable[[click.Context, click.Parameter, str], list[CompletionItem[str]]]

DEVICES = ("auto", "cpu", "cuda", "mps")
SPEC_PARAMETERS = ("specs", "spec", "old")
"""The parameters of the commands that hold specs."""
SUFFIXES = (".yaml", ".yml")


def criteria(context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
    """Return the ids of the spec's criteria."""
    return _items(_of_specs(context, _checks), incomplete)


def tags(context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
    """Return the tags of the spec's criteria."""
    return _items(_of_specs(context, _tags), incomplete)


def cells(context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
    """Return what distinguishes the cells of the spec's matrix, one value each: `r=8` of `r=8, steps=20`."""
    return _items(_of_specs(context, lambda document: document.cell.split(", ")), incomplete)


def paths(context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
    """Return the paths of the spec's values, and of the options of a run and its recipe, each with `=`."""
    return _items((f"{path}=" for path in _of_specs(context, _paths)), incomplete)


def devices(_context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
    """Return the names of devices."""
    return _items(DEVICES, incomplete)


def executors(context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
    """Return the names of executors."""
    return _items(_quietly(lambda: _gathered(context).executors), incomplete)


def formats(context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
    """Return the formats of reports, each with `=`; behind that, files."""
    if "=" in incomplete:
        return [CompletionItem(incomplete, type="file")]
    return _items((f"{name}=" for name in _quietly(lambda: _gathered(context).reporters)), incomplete)


def files(_context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
    """Return the request to complete names of files."""
    return [CompletionItem(incomplete, type="file")]


def _items(texts: Iterable[str], incomplete: str) -> list[CompletionItem[str]]:
    """Return the texts that begin as typed, each once; one with a control character could not be typed."""
    found = dict.fromkeys(text for text in texts if text and text.startswith(incomplete))
    return [CompletionItem(text) for text in found if one_line(text) == text]


def _of_specs(context: click.Context, read: Callable[[Document], Iterable[str]]) -> list[str]:
    return _quietly(lambda: (text for document in _documents(context) for text in read(document)))


def _quietly(read: Callable[[], Iterable[str]]) -> list[str]:
    try:
        return [*read()]
    except Exception:  # noqa: BLE001 - whatever is wrong with a spec or a plugin, the prompt stays as it is
        return []


def _documents(context: click.Context) -> Iterator[Document]:
    from retspec.spec.load import load_cells

    for spec in _specs(context):
        yield from load_cells(spec, ())


def _specs(context: click.Context) -> list[str]:
    """Return the specs that are on the command line: before an option without its value, click leaves them unread."""
    named = [context.params.get(name) for name in SPEC_PARAMETERS]
    flat = [each for value in named for each in (value if isinstance(value, tuple | list) else [value])]
    found = [str(each) for each in flat if each is not None]
    return found or [word for word in context.args if word.endswith(SUFFIXES)]


def _checks(document: Document) -> dict[str, Any]:
    checks = document.data.get("checks")
    return checks if isinstance(checks, dict) else {}


def _tags(document: Document) -> Iterator[str]:
    for criterion in _checks(document).values():
        found = criterion.get("tags") if isinstance(criterion, dict) else None
        yield from (tag for tag in found or () if isinstance(tag, str))


def _paths(document: Document) -> Iterator[str]:
    from retspec.records import Recipe, RunOptions

    yield from _leaves(document.data, ())
    for section, kind in (("run", RunOptions), ("train", Recipe)):
        yield from (f"{section}.{each.name}" for each in fields(kind))


def _leaves(value: Any, place: tuple[str, ...]) -> Iterator[str]:
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from _leaves(inner, (*place, str(key)))
    elif len(place) > 1:
        yield ".".join(place)


def _gathered(context: click.Context) -> Catalog:
    from retspec.plugins.catalog import gather

    return gather(context.params.get("plugins") or ())
