"""Edit the limits in the text of a spec, and change nothing else."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import yaml

from retspec.errors import UsageError
from retspec.records import Judged
from retspec.spec.document import RUNNER_KEYS
from retspec.spec.load.scalars import scalar_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from retspec.plugins.kinds import Check
    from retspec.records import Criterion, Spec
    from retspec.review.calibration.proposals import Proposal

FALSE_ALARM = "chance of a false alarm"
"""What a comment begins with that says how often a limit is missed for nothing."""
_OWN_COMMENT = re.compile(rf"[ \t]*(?:#[ \t]*{FALSE_ALARM}[^\r\n]*)?(?=[\r\n]|\Z)")
_LIMIT, _JUDGE = "limit", "judge"
_LINE_END = re.compile(r"\r\n?|\n")
_SMALLEST, _LARGEST = -4, 15
"""Numbers from 10^smallest to below 10^largest are written without an exponent."""
_WORD = re.compile(r"[A-Za-z][\w.-]*", re.ASCII)


class LeftAlone(Exception):  # noqa: N818 - never leaves this package
    """Nothing is written for a criterion; the message says why."""


@dataclass(frozen=True)
class Spot:
    """A piece of the text that a new limit replaces, and what goes around the limit; an empty piece is an insertion."""

    start: int
    end: int
    before: str = ""
    after: str = ""


class SpecText:
    """The text of a valid spec, before references are resolved and the specs that it extends are merged in."""

    def __init__(self, text: str) -> None:
        self.text = text
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        self.checks = _pairs(root).get("checks")
        """The nodes of the key `checks` and of its value, None where there is no such key."""
        self._criteria = _pairs(self.checks[1]) if self.checks else {}

    @property
    def names(self) -> tuple[str, ...]:
        """The ids that are written below `checks:`, those of criteria that are taken away included."""
        return tuple(self._criteria)

    def limit(self, criterion: Criterion, check: Check, dtype: str) -> Spot | None:
        """Return where the limit of a criterion is written, or None when the text has no limit for it.

        dtype: the dtype of the run, which selects the limit where limits differ by dtype.
        Raises LeftAlone for a limit in another file, and for one that is not a plain value on one line.
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

    def judge(self, criterion: Criterion) -> Spot:
        """Return where a criterion says what of an interval is judged.

        Raises LeftAlone where another file says it, or a reference.
        """
        _, node = self._criterion(criterion)
        if _JUDGE not in (pairs := _pairs(node)):
            raise LeftAlone("what is judged is written in another file")
        said = _required(pairs[_JUDGE][1])
        return Spot(said.start_mark.index, said.end_mark.index)

    def insertion(self, criterion: Criterion) -> Spot:
        """Return where to insert a limit into a criterion in the long form that has none.

        Raises LeftAlone for a criterion in another file.
        """
        key, node = self._criterion(criterion)
        first = next((key for key, _ in node.value), None)
        if node.flow_style:
            start = first.start_mark.index if first else node.start_mark.index + 1
            return Spot(start, start, f"{_LIMIT}: ", ", " if first else "")
        # Below the key's own line: a comment above the first entry stays with that entry.
        end = _LINE_END.search(self.text, key.end_mark.index)
        assert end  # noqa: S101 - a block begins on a new line
        return Spot(end.end(), end.end(), f"{' ' * node.start_mark.column}{_LIMIT}: ", end[0])

    def comment(self, spot: Spot) -> Spot | None:
        """Return the rest of the line of a limit, for a comment; None where anything but such a comment is there."""
        found = _OWN_COMMENT.match(self.text, spot.end) if spot.start < spot.end else None
        return Spot(found.start(), found.end()) if found else None

    def at(self, spot: Spot) -> str:
        """Return the text at a spot."""
        return self.text[spot.start : spot.end]

    def _criterion(self, criterion: Criterion) -> tuple[Any, Any]:
        """Return the nodes of a criterion's key and of its value."""
        if criterion.id not in self._criteria:
            raise LeftAlone(f"it is written at {criterion.mark.file}:{criterion.mark.line}")
        return self._criteria[criterion.id]

    def _spot(self, node: Any, criterion: Criterion) -> Spot:
        spot = Spot(node.start_mark.index, node.end_mark.index)
        if _LINE_END.search(self.at(spot)):
            raise LeftAlone("it is written over several lines")
        if _value(node) != criterion.limit:
            raise LeftAlone("the limit in effect is not the one that is written here")
        return spot


def _pairs(node: Any) -> dict[str, tuple[Any, Any]]:
    """Return the (key, value) nodes of a mapping by the text of the key; empty for any other node."""
    if not isinstance(node, yaml.MappingNode):
        return {}
    return {key.value: (key, value) for key, value in node.value}


def _is_long(node: Any) -> bool:
    """Whether this is the long form; a mapping with other keys is the value of a shorthand."""
    return isinstance(node, yaml.MappingNode) and _pairs(node).keys() <= {*RUNNER_KEYS}


def _required(node: Any) -> Any:
    """Return a node.

    Raises LeftAlone for a reference, which must stay.
    """
    if isinstance(node, yaml.ScalarNode) and "${" in node.value:
        raise LeftAlone(f"it is a reference: {node.value}")
    return node


def _value(node: Any) -> object:
    """Return the limit that a node without references means."""
    if isinstance(node, yaml.SequenceNode):
        return tuple(map(_value, node.value))
    return scalar_of(node.value) if node.style is None else node.value


def spelled(value: object, like: str = "") -> str:
    """Return a value as YAML on one line.

    like: the old spelling; if it has `_` between thousands, so does the new one.
    """
    match value:
        case bool():
            return str(value).lower()
        case int():
            return f"{value:_}" if "_" in like else str(value)
        case float():
            return _number(Decimal(str(value)))
        case Decimal():
            return spelled(int(value), like) if value == value.to_integral() and "_" in like else _number(value)
        case tuple():
            return f"[{', '.join(map(spelled, value))}]"
    return _text(str(value))


def _number(value: Decimal) -> str:
    if not value or _SMALLEST <= value.adjusted() < _LARGEST:
        text = f"{value:f}"
        return text.rstrip("0").removesuffix(".") if "." in text else text
    _, digits, _ = value.normalize().as_tuple()
    first, *rest = map(str, digits)
    mantissa = f"{first}.{''.join(rest)}" if rest else first
    return f"{'-' * value.is_signed()}{mantissa}e{value.adjusted()}"


def _text(text: str) -> str:
    """Return a text, in quotes unless YAML reads it as the same text without them."""
    return text if _WORD.fullmatch(text) and scalar_of(text) == text else json.dumps(text)


def edited(text: str, proposals: Iterable[Proposal]) -> str:
    """Return the text of a spec with the proposed limits written into it, and `bound` where they are from a bound."""
    given = [*proposals]
    changes = [(proposal.spot, proposal.text) for proposal in given if proposal.spot is not None]
    changes += [(proposal.judge, Judged.BOUND.value) for proposal in given if proposal.judge is not None]
    for proposal in given:
        if proposal.comment is not None and (proposal.chance or text[proposal.comment.start : proposal.comment.end]):
            changes.append((proposal.comment, f"  # {proposal.chance}" if proposal.chance else ""))
    for spot, written in sorted(changes, key=lambda change: -change[0].start):  # from the end: positions stay valid
        text = f"{text[: spot.start]}{spot.before}{written}{spot.after}{text[spot.end :]}"
    return text


def require_as_meant(
    before: Spec, after: Spec, proposals: Iterable[Proposal] = (), added: Iterable[Criterion] = ()
) -> None:
    """Raise UsageError if a spec, read again after the edit, differs in anything but what is proposed and added."""
    proposed = {proposal.result.criterion.id: proposal for proposal in proposals if proposal.new is not None}
    found = {criterion.id: criterion for criterion in after.criteria}
    for old in (*before.criteria, *added):
        new = found.pop(old.id, None)
        meant = proposed[old.id].applied(old) if old.id in proposed else old
        if new is None or replace(new, mark=old.mark) != meant:
            raise UsageError(f"{old.id} would not become what it is meant to be; nothing is written")
    if found:
        raise UsageError(f"{next(iter(found))} would be a new criterion; nothing is written")
