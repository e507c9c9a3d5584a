"""What YAML 1.1 reads otherwise than YAML 1.2, by the reader that trainings use."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import yaml

from retspec.errors import Mark
from retspec.spec.load.config import read_config
from retspec.spec.load.scalars import scalar_of
from retspec.spec.load.yaml11 import other_reading

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("text", "reading"),
    [
        ("1e-4", "the text '1e-4', not 0.0001"),
        ("1E3", "the text '1E3', not 1000.0"),
        ("010", "8, not 10"),
        ("0o17", "the text '0o17', not 15"),
        ("09", "the text '09', not 9"),
        ("on", "true, not the text 'on'"),
        ("No", "false, not the text 'No'"),
        ("1:30", "90, not the text '1:30'"),
        ("2026-01-15", "the date 2026-01-15, not the text '2026-01-15'"),
        ("2026-13-45", "an error, not the text '2026-13-45'"),
        ("-.5", "the text '-.5', not -0.5"),
        ("0b11", "3, not the text '0b11'"),
    ],
)
def test_a_scalar_that_two_versions_read_differently_is_said_in_both(text: str, reading: str) -> None:
    assert other_reading(text) == reading


@pytest.mark.parametrize("text", ["1.0e-4", "10", "0x1F", "1_000", "true", "~", "", "word", ".inf", ".5", "y", "1.5"])
def test_a_scalar_that_both_read_alike_is_not_pointed_out(text: str) -> None:
    assert other_reading(text) == ""
    if text != ".inf":
        assert yaml.safe_load(text) == scalar_of(text)


def test_a_config_has_them_with_their_places_and_its_keys(tmp_path: Path) -> None:
    file = tmp_path / "train.yaml"
    file.write_text('a: &a {lr: 1e-4, text: "1e-4"}\nb: {<<: *a, list: [1, off]}\non: 1\n')
    found = read_config(str(file), Mark("spec.yaml", 1, 1), ["config.a.lr=1"]).otherwise
    assert found == (
        "the key on (line 3) is true, not the text 'on'",
        "a.lr: 1e-4 is the text '1e-4', not 0.0001",
        "b.lr: 1e-4 is the text '1e-4', not 0.0001",
        "b.list.1: off is false, not the text 'off'",
    )
