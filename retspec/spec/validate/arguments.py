"""What a criterion may hold: shared by the schema, the messages and the conversion, so that they agree."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from retspec.errors import PluginError
from retspec.records import RECIPE_KEYS, BatchSize, Classes, Grouping, TransformChoice
from retspec.spec.document import RUNNER_KEYS
from retspec.spec.validate.fragments import Fragments, takes_mapping

if TYPE_CHECKING:
    from collections.abc import Mapping

    from retspec.plugins.catalog import Catalog
    from retspec.plugins.kinds import Check, Source
    from retspec.plugins.signatures import Argument

BESIDE_FILES = {
    "batch_size": BatchSize,
    "transform": TransformChoice,
    "train_transform": TransformChoice,
    "group": Grouping,
    "classes": Classes,
}
"""The keys of `data:` that go with every source of files."""
_BESIDE_LOADERS = ("group", "classes")


def beside(source: Source) -> tuple[str, ...]:
    """Return the keys of `data:` that go with a source: of loaders, those that say what made predictions are of."""
    if source.gives_files:
        return tuple(BESIDE_FILES)
    return _BESIDE_LOADERS if source.gives_loaders else ()


def required_arguments(catalog: Catalog, check: Check) -> list[str]:
    """Return the arguments that a criterion must give; one named like a key of `train:` comes from there."""
    arguments = catalog.arguments_of(check).values()
    return [argument.name for argument in arguments if argument.is_required and argument.name not in RECIPE_KEYS]


def shorthand_argument(catalog: Catalog, check: Check) -> Argument | None:
    """Return the argument that `name: value` sets, None if it sets the limit."""
    if check.shorthand is None:
        return None
    arguments = catalog.arguments_of(check)
    if check.shorthand not in arguments:
        raise PluginError(
            f"check {check.name!r}: its shorthand sets {check.shorthand!r}, which is not an argument of it"
        )
    return arguments[check.shorthand]


def has_shorthand(catalog: Catalog, check: Check) -> bool:
    """Whether one value says everything that a criterion of this check must say."""
    if check.interval:
        return False
    if check.shorthand is None:
        return not required_arguments(catalog, check)
    return check.default_limit is not None and set(required_arguments(catalog, check)) <= {check.shorthand}


def shorthand_fragment(catalog: Catalog, check: Check, fragments: Fragments) -> dict[str, Any]:
    """Return the schema of the shorthand's value."""
    argument = shorthand_argument(catalog, check)
    owner = f"check {check.name!r}"
    return fragments.of_argument(argument, owner) if argument else fragments.of(check.value_type, f"{owner}, limit")


def long_form(catalog: Catalog, check: Check, entry: Any) -> Mapping[str, Any]:
    """Return a criterion in the long form; a mapping is one unless it must be the value of the shorthand."""
    if isinstance(entry, dict) and not _is_shorthand(catalog, check, entry):
        return entry
    return {"limit": entry} if check.shorthand is None else {"with": {check.shorthand: entry}}


def _is_shorthand(catalog: Catalog, check: Check, entry: dict[str, Any]) -> bool:
    if not has_shorthand(catalog, check) or set(entry) <= set(RUNNER_KEYS):
        return False
    return takes_mapping(shorthand_fragment(catalog, check, Fragments()))
