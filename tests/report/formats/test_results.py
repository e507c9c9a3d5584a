"""results.json: valid JSON in every case, and a report again where it is finite."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from typing import Any

import msgspec
import pytest

from retspec.records import Asked, Measured, Picture, Proof, Report, Verdict
from retspec.report.formats.results import json as render
from tests.report.formats.sample import criterion, failed, judged, report, sample


def _read(text: str) -> dict[str, Any]:
    """Read as a strict reader does: NaN and Infinity are no JSON."""

    def refuse(word: str) -> float:
        raise AssertionError(f"{word} is no JSON")

    read: dict[str, Any] = json.loads(text, parse_constant=refuse)
    return read


def _finite() -> Report:
    held = [result for result in sample().results if result.criterion.id != "max_final_loss"]
    return report(*held, provenance=sample().provenance, measurements=sample().measurements, faults=("x",), strict=True)


def test_a_finite_report_survives_the_round_trip() -> None:
    assert msgspec.json.decode(render(_finite()), type=Report) == _finite()


def test_the_exit_code_and_the_counts_are_in_the_file() -> None:
    read = _read(render(sample()))
    assert read["exit_code"] == sample().exit_code == 1
    assert read["counts"] == {verdict.value: sample().count(verdict) for verdict in Verdict}
    assert sum(read["counts"].values()) == len(sample().results)


def test_it_holds_every_field_of_the_report_sorted() -> None:
    read = _read(render(sample()))
    fields = {*Report.__dataclass_fields__} | {"exit_code", "counts"}
    assert {*read} == fields - {"asked", "pictures", "proof"}
    full = replace(
        sample(),
        asked=Asked(tags=("gpu",)),
        pictures=(Picture(caption="a", group="b", image="c"),),
        proof=Proof(name="a", file="a.yaml", spec_sha256="", criteria=()),
    )
    assert {*_read(render(full))} == fields
    assert [*read] == sorted(read)
    assert [*read["results"][0]] == sorted(read["results"][0])
    assert render(sample()).endswith("\n}\n")


def test_floats_that_json_lacks_become_words_wherever_they_stand() -> None:
    details = {"nested": [{"a": (math.inf, -math.inf)}], "nan": math.nan}
    facts = {"losses": [1.0, math.nan]}
    text = render(report(judged(criterion(), math.nan, details), measurements=(Measured(key="training", facts=facts),)))
    read = _read(text)
    assert read["results"][0]["observed"] == {
        "value": "nan",
        "details": {"nested": [{"a": ["inf", "-inf"]}], "nan": "nan"},
    }
    assert read["measurements"][0]["facts"] == {"losses": [1.0, "nan"]}


@pytest.mark.parametrize("value", [2**80, -1, 0.1, 1.0, True, "größer", (4, 16), 5e-324])
def test_values_keep_their_type_and_every_digit(value: Any) -> None:
    read = _read(render(report(judged(criterion(), value))))["results"][0]["observed"]["value"]
    assert read == ([*value] if isinstance(value, tuple) else value)
    assert isinstance(read, list if isinstance(value, tuple) else type(value))


def test_keys_and_characters_that_json_readers_refuse_are_spelled_out() -> None:
    details: dict[Any, Any] = {8: 786_432, "\udfff": object}
    hostile = failed(criterion("a\udc80b"), Verdict.ERROR, "\ud800 \x00 \x1b")
    text = render(report(hostile, judged(criterion(), 0.9, details)))
    first, second = _read(text.encode().decode())["results"]
    assert first["criterion"]["id"] == r"a\udc80b"
    assert first["reason"] == "\\ud800 \x00 \x1b"
    assert second["observed"]["details"]["8"] == 786_432
    assert {*second["observed"]["details"]} == {"8", r"\udfff"}
