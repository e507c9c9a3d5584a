"""A training config as OmegaConf resolves it. Importing this module imports OmegaConf."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from omegaconf import OmegaConf
from omegaconf.errors import (
    GrammarParseError,
    InterpolationKeyError,
    OmegaConfBaseException,
    UnsupportedInterpolationType,
)

from retspec.characters import one_line

if TYPE_CHECKING:
    from retspec.spec.document import Place
    from retspec.spec.load.tree import Node


class Omega:
    """Gives the values of a config, resolved."""

    def __init__(self, root: Node) -> None:
        self._misspelt: dict[Place, str] = {}
        self._config = OmegaConf.create(self._plain(root, ()))

    def value(self, place: Place) -> Any:
        """Return the plain value at a place.

        Raises LookupError for an interpolation of what is not in the config, ValueError for one that fails otherwise,
        with the reason in one line.
        """
        if place in self._misspelt:
            raise ValueError(self._misspelt[place])
        found: Any = self._config
        try:
            for step in place:
                found = found[step]
            return OmegaConf.to_container(found, resolve=True) if OmegaConf.is_config(found) else found
        except (InterpolationKeyError, UnsupportedInterpolationType) as error:
            raise LookupError(_reason(error)) from None
        except (OmegaConfBaseException, RecursionError, TypeError) as error:
            raise ValueError(_reason(error)) from None

    def _plain(self, node: Node, place: Place) -> Any:
        if isinstance(node.value, dict):
            return {key: self._plain(child, (*place, key)) for key, child in node.value.items()}
        if isinstance(node.value, tuple):
            return [self._plain(child, (*place, index)) for index, child in enumerate(node.value)]
        is_interpolation = isinstance(node.value, str) and "${" in node.value
        return None if is_interpolation and self._is_misspelt(node, place) else node.value

    def _is_misspelt(self, node: Node, place: Place) -> bool:
        """Note what OmegaConf cannot parse: one such text would keep it from taking the config at all."""
        try:
            OmegaConf.create({"value": node.value})
        except GrammarParseError as error:
            self._misspelt[place] = _reason(error)
        return place in self._misspelt


def _reason(error: Exception) -> str:
    return one_line(str(error).partition("\n")[0]) or type(error).__name__
