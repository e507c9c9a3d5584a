"""The cells of a matrix are validated as if each stood alone, though what they share is looked at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retspec.spec.validate.schema import compose_schema
from retspec.spec.validate.schema_errors import faults
from retspec.spec.validate.sound import Sound

if TYPE_CHECKING:
    from typing import Any

    from retspec.plugins.catalog import Catalog

GOOD: dict[str, Any] = {"retspec": 1, "run": {"seed": 1}, "checks": {"loss_drop": 0.5}}
CELLS: list[dict[str, Any]] = [
    GOOD,
    {**GOOD, "run": {"seed": True}},  # equal to 1 in Python
    {**GOOD, "run": {"seed": "1"}},
    {**GOOD, "run": {"seed": -1}},
    {**GOOD, "run": {"seed": -1}},
    {**GOOD, "checks": {"loss_drop": "much"}},
    {"retspec": 1, "run": {"seed": 1}},
    {"retspec": 2, "checks": {"loss_drop": 0.5}},
    {**GOOD, "extra": 1},
    {**GOOD, 7: 1},
    {**GOOD, "name": object()},
    GOOD,
]


def test_every_cell_has_the_faults_that_it_has_alone(catalog: Catalog) -> None:
    schema = compose_schema(catalog)
    sound = Sound(schema)
    for cell in CELLS:
        alone = [(fault.place, fault.keyword) for fault in faults(schema, cell)]
        assert [(fault.place, fault.keyword) for fault in sound.faults(cell)] == alone


def test_what_is_sound_is_looked_at_once(catalog: Catalog) -> None:
    schema = compose_schema(catalog)
    sound = Sound(schema)
    assert list(sound.faults(GOOD)) == []
    schema["properties"].clear()  # whatever is validated from now on is unknown
    assert list(sound.faults(GOOD)) == []
    assert list(sound.faults({**GOOD, "run": {"seed": 2}}))
