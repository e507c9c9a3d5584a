"""The pages of the checks in `docs/checks/`: one per check, made from what it declares, and an index by family."""

from __future__ import annotations

import re
from itertools import groupby
from operator import attrgetter
from textwrap import dedent, indent
from typing import TYPE_CHECKING

from retspec.cli.manual import as_yaml, default_of, descriptions_of, type_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from retspec.plugins.catalog import Catalog
    from retspec.plugins.kinds import Check
    from retspec.plugins.signatures import Argument

REFRESH = "python -m tests.house.refresh"
NOTICE = f"<!-- Generated from the code: {REFRESH} -->\n\n"
FOLDER = "docs/checks"
INDEX_HEAD = """# Checks

A check answers one question with one value; a spec compares the value with a limit. The direction of the limit belongs
to the check. `retspec checks` prints this list in a terminal, `retspec checks NAME` the page of one check.

A value that proves nothing (an adapter without effect, a timing that scatters) is *inconclusive*: no verdict, never
green. [Which fault turns which criterion red](../faults.md) is a grid of planted faults and checks, and every cell of
it is a test.
"""


def pages(catalog: Catalog) -> dict[str, str]:
    """Return the text of every page by its path in the repository, the index among them."""
    made = {f"{FOLDER}/{check.name}.md": page(check, catalog) for check in catalog.checks.values()}
    return {f"{FOLDER}/index.md": index(catalog)} | made


def families(catalog: Catalog) -> Iterator[tuple[str, list[Check]]]:
    """Yield the title of each family of checks with its members, both in alphabetical order."""
    checks = sorted(catalog.checks.values(), key=attrgetter("family", "name"))
    for family, members in groupby(checks, key=attrgetter("family")):
        yield family.capitalize(), list(members)


def index(catalog: Catalog) -> str:
    """Return the index: a table per family."""
    tables = [
        f"\n## {title}\n\n" + _table(("check", "direction", "question"), map(_row, members))
        for title, members in families(catalog)
    ]
    return NOTICE + INDEX_HEAD + "".join(tables)


def navigation(catalog: Catalog) -> str:
    """Return the entries of `nav` in `zensical.toml`, one line per family."""
    lines = []
    for title, members in families(catalog):
        entries = ", ".join(f'{{ "{check.name}" = "checks/{check.name}.md" }}' for check in members)
        lines.append(f'    {{ "{title}" = [{entries}] }},\n')
    return "".join(lines)


def page(check: Check, catalog: Catalog) -> str:
    """Return the page of one check: its question as the title, and what its manual says."""
    told = sections(check.doc)
    example = indent(told["Example"], "  ")
    parts = {
        "Why it matters": _linked(told["Why it matters"], check, catalog),
        "Example": f"```yaml\nchecks:\n{example}\n```",
        "What the number means": _linked(told["What the number means"], check, catalog),
        "Limit": _limit(check),
        "Arguments": _arguments(check, catalog),
        "When it is missed": _linked(check.advice, check, catalog),
        "Where the number comes from": _origin(check, catalog),
    }
    head = f"{NOTICE}# {check.question}\n\n`{check.name}`, of the family [{check.family}](index.md#{check.family})\n"
    return head + "".join(f"\n## {title}\n\n{text}\n" for title, text in parts.items())


def _linked(text: str, check: Check, catalog: Catalog) -> str:
    """Return a text in which each other check that it names leads to its page."""

    def link(match: re.Match[str]) -> str:
        name = match[1]
        return f"[`{name}`]({name}.md)" if name in catalog.checks and name != check.name else match[0]

    return re.sub(r"`(\w+)`", link, text)


def sections(doc: str) -> dict[str, str]:
    """Return the text under each heading of a docstring, by the heading."""
    _, *found = re.split(r"^(\S.*):$", doc, flags=re.MULTILINE)
    return {heading: dedent(text).strip() for heading, text in zip(found[::2], found[1::2], strict=True)}


def _row(check: Check) -> tuple[str, str, str]:
    return f"[`{check.name}`]({check.name}.md)", check.direction.value, check.question


def _limit(check: Check) -> str:
    given = check.default_limit is not None
    default = f"`{as_yaml(check.default_limit)}`" if given else "none: the spec gives it"
    row = (check.direction.value, type_name(check.value_type), check.unit or "none", default)
    table = _table(("direction", "value", "unit", "default limit"), [row]).rstrip()
    if not check.shorthand:
        return table
    return f"{table}\n\n`{check.name}: VALUE` sets the argument `{check.shorthand}`, not the limit."


def _arguments(check: Check, catalog: Catalog) -> str:
    """Return the table of what `with:` may hold, each argument once, with all that read it."""
    readers: dict[str, list[str]] = {name: ["the check"] for name in check.arguments}
    for measurement in catalog.measurements_of(check):
        for name in catalog.measurements[measurement].arguments:
            readers.setdefault(name, []).append(f"`{measurement}`")
    arguments = catalog.arguments_of(check)
    rows = [_argument(arguments[name], ", ".join(names)) for name, names in readers.items()]
    heads = ("under `with:`", "type", "default", "read by", "meaning")
    return _table(heads, rows).rstrip() if rows else "None."


def _argument(argument: Argument, readers: str) -> tuple[str, ...]:
    default = default_of(argument).removeprefix("default ")
    shown = f"`{default.strip('`')}`" if default != "required" else default
    return f"`{argument.name}`", type_name(argument.type), shown, readers, " ".join(descriptions_of(argument.type))


def _origin(check: Check, catalog: Catalog) -> str:
    """Return the measurements that a check reads and the file that it lives in."""
    lines = []
    for name in catalog.measurements_of(check):
        measurement = catalog.measurements[name]
        question = measurement.doc.partition("\n")[0]
        lines.append(f"- measurement `{name}` ({measurement.cost.name.lower()}): {question}")
    source = check.function.__module__.replace(".", "/")
    return "\n".join([*lines, f"- check `{check.name}`: `{source}.py`"])


def _table(heads: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Return a Markdown table without padding, so that a new row changes no other line."""
    heads = list(heads)
    lines = [heads, ["---"] * len(heads), *([cell.replace("|", r"\|") for cell in row] for row in rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)
