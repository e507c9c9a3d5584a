"""What a message must know of the catalog to say what was meant."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from retspec.characters import quoted
from retspec.plugins.catalog import Catalog
from retspec.spec.document import Place

if TYPE_CHECKING:
    from collections.abc import Mapping

    from retspec.plugins.kinds import Check, Source

_CRITERION = 2
"""Length of the place of a criterion: ("checks", id)."""


@dataclass(frozen=True)
class Finding:
    """Something wrong at a place; `on_key` when the key is to be shown, not its value."""

    place: Place
    message: str
    on_key: bool = False


@dataclass(frozen=True)
class Context:
    """The catalog, and the data of the spec that is validated against it."""

    catalog: Catalog
    data: dict[str, Any]

    def check_at(self, place: Place) -> Check | None:
        """Return the check of the criterion at or above a place, None if it names none that is known."""
        if len(place) < _CRITERION or place[0] != "checks":
            return None
        entry = self.data["checks"][place[1]]
        named = entry.get("check") if isinstance(entry, dict) else None
        return self.catalog.checks.get(str(place[1])) or self.catalog.checks.get(str(named))

    def criterion_check(self, place: Place) -> Check | None:
        """Return the check of the criterion at exactly this place."""
        return self.check_at(place) if len(place) == _CRITERION else None

    def is_unknown_criterion(self, place: Place, entry: Any) -> bool:
        """Whether a key under `checks:` names no check, neither by itself nor with `check:`."""
        if len(place) != _CRITERION or place[0] != "checks" or place[1] in self.catalog.checks:
            return False
        return not isinstance(entry, dict) or "check" not in entry

    def sources(self, place: Place) -> Mapping[str, Source]:
        """Return the sources that the section at a place may name."""
        if place == ("model",):
            return self.catalog.model_sources
        if place == ("train",):
            return self.catalog.training_keys
        return self.catalog.data_sources if place == ("data",) else {}

    def unknown_criterion(self, place: Place, entry: Any) -> str:
        """Return the message that the id of a criterion names no check."""
        hint = "; an id of your own needs `check:`" if isinstance(entry, dict) else ""
        return self.unknown_check(str(place[1]), hint)

    def unknown_check(self, name: str, otherwise: str = "") -> str:
        """Return the message that there is no such check, with the nearest name."""
        hint = self.catalog.explain_missing(name, self.catalog.checks)
        return f"unknown check {quoted(name)}{hint or otherwise or '; `retspec checks` lists them all'}"
