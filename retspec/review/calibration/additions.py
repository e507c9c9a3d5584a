"""Add criteria at the end of the block `checks:` in the text of a spec, and change nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import yaml

from retspec.characters import one_line
from retspec.errors import Mark, UsageError
from retspec.review.calibration.yaml_edit import SpecText, spelled

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from retspec.records import Criterion


@dataclass(frozen=True)
class Entry:
    """A criterion to write, and the comments above it, a line each."""

    criterion: Criterion
    comments: tuple[str, ...] = ()
    is_long: bool = False
    """Whether `name: value` would give something else than the limit."""

    def lines(self, indent: str) -> Iterable[str]:
        """Yield its lines, without what ends them."""
        yield from (f"{indent}# {one_line(comment)}" for comment in self.comments)
        limit = spelled(self.criterion.limit)
        yield f"{indent}{self.criterion.id}: " + (f"{{limit: {limit}}}" if self.is_long else limit)


@dataclass(frozen=True)
class Block:
    """The block `checks:` of a spec: its last line ends at `end`, and the ids of its criteria have that indent."""

    file: str
    text: str
    end: int
    indent: str
    names: tuple[str, ...]

    def extended(self, entries: Sequence[Entry]) -> str:
        """Return the text of the spec with entries at the end of the block."""
        line_end = "\r\n" if "\r\n" in self.text else "\n"
        added = "".join(f"{line_end}{line}" for entry in entries for line in entry.lines(self.indent))
        return self.text[: self.end] + added + self.text[self.end :]


def block_of(text: str, file: str) -> Block:
    """Return the block `checks:` of a valid spec; raises UsageError where it has none to write into."""
    spec = SpecText(text)
    if spec.checks is None:
        raise UsageError(f"{file} has no `checks:` of its own; add the section, one criterion on a line")
    key, node = spec.checks
    if not isinstance(node, yaml.MappingNode) or node.flow_style:
        mark = Mark(file, key.start_mark.line + 1, key.start_mark.column + 1)
        raise UsageError(f"{mark}: `checks` is no block that a line can be added to; write one criterion on a line")
    column = node.value[0][0].start_mark.column
    return Block(file, text, _end(text, node, column), " " * column, spec.names)


def _end(text: str, node: yaml.MappingNode, column: int) -> int:
    """Return where the last line of a block ends; blank lines, and comments that are indented less, follow it."""
    after = node.end_mark
    end = after.index if after.index >= len(text) else after.index - after.column
    while True:
        start = text.rfind("\n", 0, end) + 1
        line = text[start:end].rstrip()
        indent = len(line) - len(line.lstrip())
        if line and not (line.lstrip().startswith("#") and indent < column):
            return start + len(text[start:end].rstrip("\r"))
        end = start - 1
