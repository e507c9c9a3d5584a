"""Whatever a file holds: a spec, or a refusal that says where."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from retspec.errors import SpecError, UsageError
from retspec.spec.load import load_cells
from retspec.spec.validate import validate_cells

if TYPE_CHECKING:
    from retspec.plugins.catalog import Catalog
    from retspec.records import Spec

GOOD = sorted((Path(__file__).parents[2] / "cases" / "specs" / "good").glob("*.yaml"))
WORDS = (
    "retspec model timm factory lora r data synthetic train steps run timeout checks check limit with warn skip vars "
    "extends matrix waive until model.lora.r train.lr"
)
KEYS = st.sampled_from([*WORDS.split(), "loss_drop", "rank_params", "trainable_names", "head_trainable", "expected"])
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=8),
    st.sampled_from(
        ["loss_drop", "10m", "${vars.x}", "${env.HOME}", "${", "$${", "${vars.vars}", "${matrix.x}", "${matrix.r}"]
    ),
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS | st.text(max_size=3), inner, max_size=4)
)
SLOW = settings(max_examples=60)


def _outcome(content: bytes, catalog: Catalog, overrides: tuple[str, ...] = ()) -> Spec | Exception:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "spec.yaml"
        path.write_bytes(content)
        try:
            return validate_cells(load_cells(path, overrides), catalog)[0]
        except (SpecError, UsageError) as refusal:
            return refusal


def _require_clear(outcome: Spec | Exception) -> None:
    if isinstance(outcome, SpecError):
        lines = str(outcome).splitlines()
        assert len(lines) == len(outcome.problems) > 0
        assert all(problem.mark.line > 0 and problem.message for problem in outcome.problems)


@SLOW
@given(spec=st.dictionaries(KEYS, VALUES, max_size=5))
def test_mutated_data_never_escapes(spec: dict[str, Any], catalog: Catalog) -> None:
    text = yaml.safe_dump({"retspec": 1, "model": {"timm": "x"}, **spec}, allow_unicode=True)
    _require_clear(_outcome(text.encode("utf-8", "replace"), catalog))


@SLOW
@given(checks=st.dictionaries(KEYS, VALUES, min_size=1, max_size=4))
def test_mutated_criteria_never_escape(checks: dict[str, Any], catalog: Catalog) -> None:
    text = yaml.safe_dump({"retspec": 1, "checks": checks}, allow_unicode=True)
    _require_clear(_outcome(text.encode("utf-8", "replace"), catalog))


@SLOW
@given(data=st.data())
def test_mutated_text_never_escapes(data: st.DataObject, catalog: Catalog) -> None:
    content = data.draw(st.sampled_from(GOOD)).read_bytes()
    start = data.draw(st.integers(0, len(content)))
    end = data.draw(st.integers(start, min(start + 20, len(content))))
    piece = data.draw(st.binary(max_size=6) | st.text("${}[]&*!|>-:#\t\n 'r.e1", max_size=8).map(str.encode))
    _require_clear(_outcome(content[:start] + piece + content[end:], catalog))


@SLOW
@given(path=st.lists(KEYS | st.text(max_size=3), max_size=4), value=SCALARS)
def test_an_override_never_escapes(path: list[str], value: object, catalog: Catalog) -> None:
    override = f"{'.'.join(path)}={value}"
    _require_clear(_outcome(GOOD[0].read_bytes(), catalog, (override,)))
