"""JUnit XML: the strict family against its schema, and every character in both families."""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path
from xml.parsers import expat

import pytest
from lxml import etree

from retspec.errors import Mark
from retspec.records import Direction, Provenance, Report, Verdict
from retspec.report.formats.junit import Family, junit_strict, render_junit
from tests.report.formats.sample import criterion, failed, judged, report, sample

SCHEMA = etree.XMLSchema(etree.parse(Path(__file__).with_name("junit-10.xsd")))
FAMILIES: list[Family] = ["rich", "strict"]
ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Everything but what XML 1.0 calls a character."""
TURNING = {"LRE", "RLE", "PDF", "LRO", "RLO", "LRI", "RLI", "FSI", "PDI"}
"""The classes of characters that turn around what follows them."""
MARKS = {"\u061c", "\u200e", "\u200f"}


def _chunks() -> list[str]:
    return ["".join(map(chr, range(start, start + 256))) for start in range(0, 0x10000, 256)]


def _every_character() -> Report:
    results = []
    for number, text in enumerate(_chunks()):
        mark = Mark(f"specs/{text}.yaml", 1, 1)
        held = criterion(f"{number}{text}", unit=text, check=text, advice=text, mark=mark)
        results += [
            judged(held, 0.1, {text: [text, {text: text}]}),
            failed(held, Verdict.CRASH, text, trace=text),
            judged(criterion(f"exact {number}", text, direction=Direction.EQUAL), text),
        ]
    everything = "".join(_chunks())
    provenance = Provenance(hostname=everything, versions={everything: everything}, device=everything)
    return report(*results, name=everything, file=everything, faults=tuple(_chunks()), provenance=provenance)


@pytest.mark.parametrize(
    "made",
    [
        sample(),
        report(),
        report(judged(criterion(), 0.9), interrupted=9, seconds=1234567.5),
        _every_character(),
    ],
    ids=["sample", "empty", "interrupted", "every character"],
)
def test_the_strict_family_is_valid(made: Report) -> None:
    SCHEMA.assertValid(etree.fromstring(junit_strict.render(made).encode()))


def test_the_schema_can_refuse() -> None:
    assert not SCHEMA.validate(etree.fromstring(render_junit(sample()).encode()))


def test_the_strict_family_keeps_everything_that_the_schema_has_a_place_for() -> None:
    rich, strict = (etree.fromstring(render_junit(sample(), family=family).encode()) for family in FAMILIES)
    for case in rich.iter("testcase"):
        for attribute in ("file", "line"):
            case.attrib.pop(attribute, None)
        for properties in case.findall("properties"):
            case.remove(properties)
    etree.indent(rich)
    etree.indent(strict)
    assert etree.tostring(rich) == etree.tostring(strict)


@pytest.mark.parametrize("family", FAMILIES)
def test_every_character_can_stand_anywhere(family: Family) -> None:
    text = render_junit(_every_character(), family=family)
    assert not ILLEGAL.search(text)
    root = etree.fromstring(text.encode())
    expat.ParserCreate().Parse(text.encode(), True)  # noqa: FBT003 - expat's own signature
    assert len(root.findall(".//testcase")) == 3 * 256 + 1


def test_what_xml_can_hold_is_kept_and_the_rest_is_spelled_out() -> None:
    root = etree.fromstring(render_junit(_every_character()).encode())
    crashes = root.xpath("//error[@type='retspec.Crash']")
    for chunk, error in zip(_chunks(), crashes, strict=True):
        for character in chunk:
            spelled = {f"\\x{ord(character):02x}", f"\\u{ord(character):04x}"}
            if ILLEGAL.match(character) or 0x7F <= ord(character) <= 0x9F:
                assert any(form in error.text for form in spelled)
            elif unicodedata.bidirectional(character) in TURNING or character in MARKS:
                assert character not in error.text
            else:
                assert character in error.text.replace("\n", "\r\n")
