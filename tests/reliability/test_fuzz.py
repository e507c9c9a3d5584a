"""Whatever a file, an override or an environment holds: a spec, or a refusal in lines that a terminal only shows.

`RETSPEC_FUZZ=long pytest tests/reliability/test_fuzz.py` looks for about an hour; by default it is seconds.
`tests/reliability/fuzz_load.py` does the same under atheris.
"""

from __future__ import annotations

import os
import re
import tempfile
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from retspec.errors import SpecError, UsageError
from retspec.plugins.catalog import Catalog, gather
from retspec.spec.load import load
from retspec.spec.validate import validate
from retspec.text.masking import MASK, SHORTEST, Mask

if TYPE_CHECKING:
    import pytest

EXAMPLES = {"long": 200_000}.get(os.environ.get("RETSPEC_FUZZ", ""), 80)
FUZZ = settings(
    max_examples=EXAMPLES,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
PIECES = st.sampled_from(
    [
        *(
            "retspec: 1\n",
            "checks:\n",
            "  loss_drop: 0.5\n",
            "  x: {check: loss_drop, limit: 1}\n",
            "model: {timm: x}\n",
        ),
        *(
            "run: {mask: [A.b, '*']}\n",
            "vars: {a: 1}\n",
            "name: ${vars.a}\n",
            "'${env.FUZZ_TOKEN}'",
            "${",
            "plugins: [a]",
        ),
        *(
            "&a ",
            "*a",
            "!!int ",
            "<<: ",
            "? ",
            "- ",
            "|\n",
            ">-\n",
            "%YAML 1.1\n",
            "---\n",
            "...\n",
            "\t",
            "\r",
            "\ufeff",
        ),
        *('"\\ud800"', '"\\0"', '"\\e[2J"', "\x85", "\u2028", "1" * 90, "1e999", ".nan", "0x", "[" * 60, "{a: " * 60),
    ]
)
TEXTS = st.lists(PIECES | st.text(max_size=6), max_size=12).map("".join)
CONTENTS = st.binary(max_size=60) | TEXTS.map(lambda text: text.encode("utf-8", "surrogatepass"))
"""Bytes of any kind, and pieces of specs in any order."""
OBEYED = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
"""Characters that a terminal obeys, or that cannot be printed."""


@cache
def _catalog() -> Catalog:
    return gather(entry_points=False)


def _refusal(content: bytes, overrides: tuple[str, ...]) -> SpecError | UsageError | None:
    """Load and validate; every other exception than a refusal of ours escapes."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "spec.yaml"
        path.write_bytes(content)
        try:
            validate(load(path, overrides), _catalog())
        except (SpecError, UsageError) as refusal:
            return refusal
    return None


def _hold(content: bytes, *overrides: str) -> None:
    refusal = _refusal(content, overrides)
    if refusal is None:
        return
    lines = str(refusal).splitlines()
    assert len(lines) == (len(refusal.problems) if isinstance(refusal, SpecError) else 1)
    assert not any(map(OBEYED.search, lines)), lines


@FUZZ
@given(content=CONTENTS)
def test_a_file_is_a_spec_or_refused(content: bytes) -> None:
    _hold(content)
    _hold(b"retspec: 1\nchecks: {loss_drop: 1}\n" + content)


@FUZZ
@given(override=st.text(max_size=12) | TEXTS)
def test_an_override_is_taken_or_refused(override: str) -> None:
    for text in (override, f"model={override}", f"checks.loss_drop={override}", f"run.mask=[{override}]"):
        _hold(b"retspec: 1\nchecks: {loss_drop: 1}\n", text)


@FUZZ
@given(value=st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=40) | TEXTS)
def test_an_environment_is_taken_or_refused_and_never_quoted(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FUZZ_TOKEN", value.encode("utf-8", "replace").decode().replace("\0", ""))
    text = "'${env.FUZZ_TOKEN}'"
    _hold(f"retspec: 1\nname: {text}\nmodel: {{timm: {text}}}\nchecks: {{loss_drop: {text}}}".encode())


@FUZZ
@given(secret=st.text(st.characters(exclude_characters=MASK), min_size=SHORTEST), before=st.text(), after=st.text())
def test_a_secret_is_masked_wherever_it_stands(secret: str, before: str, after: str) -> None:
    mask = Mask([secret])
    assert secret not in mask.text(before + secret + after)
    assert mask.data({secret: [secret, {"": secret}]}) == {MASK: [MASK, {"": MASK}]}
