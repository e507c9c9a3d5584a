"""Reading a function's signature: its inputs, its arguments and its return type."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, get_args, get_origin, get_type_hints

from msgspec import UNSET, Meta

from retspec.records import RARE, Observed

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


@dataclass(frozen=True, kw_only=True)
class Argument:
    """A keyword-only parameter of a check, a measurement or a source."""

    name: str
    type: Any
    default: Any = UNSET

    @property
    def is_required(self) -> bool:
        """Whether the spec must give it."""
        return self.default is UNSET


def read_signature(function: Callable[..., Any]) -> tuple[tuple[str, ...], dict[str, Argument]]:
    """Split a signature into the names of its inputs and its arguments."""
    parameters = inspect.signature(function).parameters.values()
    keywords = [p for p in parameters if p.kind is p.KEYWORD_ONLY]
    types = hints(function, [p.name for p in keywords])
    arguments = {
        p.name: Argument(name=p.name, type=types.get(p.name, Any), default=UNSET if p.default is p.empty else p.default)
        for p in keywords
    }
    return tuple(p.name for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD), arguments


def hints(function: Callable[..., Any], names: Sequence[str]) -> dict[str, Any]:
    """Evaluate only these annotations: the others may name types that exist for the type checker alone."""
    raw = {name: hint for name, hint in inspect.get_annotations(function).items() if name in names}
    return get_type_hints(
        SimpleNamespace(__annotations__=raw),
        globalns=getattr(function, "__globals__", {}),
        include_extras=True,
    )


def place_of(function: Any) -> str:
    """Return the `file:line` where a function is defined, its decorators included; empty if it has no source."""
    code = getattr(inspect.unwrap(function) if callable(function) else function, "__code__", None)
    return f"{Path(code.co_filename).name}:{code.co_firstlineno}" if code else ""


def value_type(function: Callable[..., Any]) -> Any:
    """Return the type of the value that a check returns, bare or as `Observed`."""
    returned = hints(function, ["return"]).get("return", float)
    return get_args(returned)[0] if get_origin(returned) is Observed else returned


def bounds(type_: Any) -> tuple[float | None, float | None]:
    """Return the least and the greatest value of a type, as its `Meta` says; None where it says nothing."""
    metas = _metas(type_)
    least = next((meta.ge for meta in metas if meta.ge is not None), None)
    return least, next((meta.le for meta in metas if meta.le is not None), None)


def rare(type_: Any) -> float | None:
    """Return where values of a type seldom get, as its `Meta` says; None where it says nothing."""
    return next((meta.extra[RARE] for meta in _metas(type_) if meta.extra and RARE in meta.extra), None)


def _metas(type_: Any) -> list[Meta]:
    return [meta for meta in getattr(type_, "__metadata__", ()) if isinstance(meta, Meta)]
