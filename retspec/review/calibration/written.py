"""Where the limit of a criterion stands in the text of its spec, whatever its spelling."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import yaml

from retspec.review.calibration.leaving import LeftAlone
from retspec.spec.load.scalars import scalar_of
from retspec.spec.validate.arguments import RUNNER_KEYS

if TYPE_CHECKING:
    from retspec.plugins.kinds import Check
    from retspec.records import Criterion

_LIMIT = "limit"
_LINE_END = re.compile(r"\r\n?|\n")


@dataclass(frozen=True)
class Spot:
    """A piece of the text that a new limit replaces, and what goes around it; an empty piece is an insertion."""

    start: int
    end: int
    before: str = ""
    after: str = ""


class Written:
    """The text of a valid spec, as it is before references are resolved and other files are laid under it."""

    def __init__(self, text: str) -> None:
        self.text = text
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        checks = _pairs(root).get("checks")
        self._criteria = _pairs(checks[1]) if checks else {}

    def limit(self, criterion: Criterion, check: Check, dtype: str) -> Spot | None:
        """Return where the limit stands, None for a criterion that stands here without one.

        dtype: that of the run, for a limit by dtype.
        Raises LeftAlone for what is written elsewhere, or by other means than a value on one line.
        """
        _, node = self._criterion(criterion)
        if _is_long(node):
            if _LIMIT not in (pairs := _pairs(node)):
                return None
            node = _required(pairs[_LIMIT][1])
            node = _pairs(node)[dtype][1] if isinstance(node, yaml.MappingNode) else node
        elif check.shorthand is not None:
            raise LeftAlone(f"the shorthand gives `{check.shorthand}`; write `limit` in the long form")
        return self._spot(_required(node), criterion)

    def insertion(self, criterion: Criterion) -> Spot:
        """Return where a limit can be added to a criterion in the long form that has none."""
        key, node = self._criterion(criterion)
        first = next((key for key, _ in node.value), None)
        if node.flow_style:
            start = first.start_mark.index if first else node.start_mark.index + 1
            return Spot(start, start, f"{_LIMIT}: ", ", " if first else "")
        # Below the key's own line: a comment above the first entry stays with that entry.
        end = _LINE_END.search(self.text, key.end_mark.index)
        assert end  # noqa: S101 - a block begins on a line of its own
        return Spot(end.end(), end.end(), f"{' ' * node.start_mark.column}{_LIMIT}: ", end[0])

    def at(self, spot: Spot) -> str:
        """Return what stands at a spot."""
        return self.text[spot.start : spot.end]

    def _criterion(self, criterion: Criterion) -> tuple[Any, Any]:
        """Return the nodes of a criterion's key and of what stands behind it."""
        if criterion.id not in self._criteria:
            raise LeftAlone(f"it is written at {criterion.mark.file}:{criterion.mark.line}")
        return self._criteria[criterion.id]

    def _spot(self, node: Any, criterion: Criterion) -> Spot:
        spot = Spot(node.start_mark.index, node.end_mark.index)
        if _LINE_END.search(self.at(spot)):
            raise LeftAlone("it is written over several lines")
        if _value(node) != criterion.limit:
            raise LeftAlone("another value holds than the one that is written here")
        return spot


def _pairs(node: Any) -> dict[str, tuple[Any, Any]]:
    """Return the nodes of keys and values of a mapping by the text of the key; nothing for anything else."""
    if not isinstance(node, yaml.MappingNode):
        return {}
    return {key.value: (key, value) for key, value in node.value}


def _is_long(node: Any) -> bool:
    """Whether this is the long form; a mapping of other keys is the value of a shorthand."""
    return isinstance(node, yaml.MappingNode) and _pairs(node).keys() <= {*RUNNER_KEYS}


def _required(node: Any) -> Any:
    """Return a node; a reference stays what it is."""
    if isinstance(node, yaml.ScalarNode) and "${" in node.value:
        raise LeftAlone(f"it is a reference: {node.value}")
    return node


def _value(node: Any) -> object:
    """Return what a node without references means, as a limit."""
    if isinstance(node, yaml.SequenceNode):
        return tuple(map(_value, node.value))
    return scalar_of(node.value) if node.style is None else node.value
