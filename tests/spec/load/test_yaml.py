from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from retspec.errors import Mark, SpecError, UsageError
from retspec.spec.document import Document
from retspec.spec.load import load, plugins_of

Loaded = Callable[..., Document]


def _problems(document: Document) -> list[str]:
    return [str(problem) for problem in document.problems]


def test_values_and_keys_know_where_they_are(loaded: Loaded) -> None:
    document = loaded("retspec: 1\nmodel:\n  timm: vit\n  kwargs: {a: [1, 2]}\n")
    assert document.data == {"retspec": 1, "model": {"timm": "vit", "kwargs": {"a": [1, 2]}}}
    assert document.marks["model", "timm"] == Mark("spec.yaml", 3, 9)
    assert document.key_marks["model", "timm"] == Mark("spec.yaml", 3, 3)
    assert document.marks["model", "kwargs", "a", 1] == Mark("spec.yaml", 4, 19)
    assert document.mark(("model", "lora", "r")) == document.marks["model",]
    assert document.path == Path.cwd() / "spec.yaml"
    assert document.problems == ()


def test_an_integer_key_is_kept_as_its_digits(loaded: Loaded) -> None:
    assert loaded("retspec: 1\nranks: {4: 1, 0x10: 2, 1_0: 3}").data["ranks"] == {"4": 1, "16": 2, "10": 3}


def test_quoted_and_block_scalars_are_text(loaded: Loaded) -> None:
    data = loaded("retspec: 1\na: '1'\nb: \"~\"\nc: |\n  true\n").data
    assert (data["a"], data["b"], data["c"]) == ("1", "~", "true\n")


def test_both_places_of_a_duplicate_are_told(loaded: Loaded) -> None:
    document = loaded("retspec: 1\na: 1\nb: 2\na: 3\na: 4\n")
    assert _problems(document) == [
        "spec.yaml:4:1: duplicate key 'a'; it is first given at spec.yaml:2:1",
        "spec.yaml:5:1: duplicate key 'a'; it is first given at spec.yaml:2:1",
    ]
    assert document.data["a"] == 1


def test_a_fault_leaves_the_rest_readable(loaded: Loaded) -> None:
    document = loaded("retspec: 1\na: [.nan, 2]\n1.5: x\nb: &x 1\nc: *x\n")
    assert len(document.problems) == 4
    assert document.data["a"] == [None, 2]
    assert document.data["b"] == 1
    assert document.is_faulty(("a", 0))
    assert document.is_faulty(("c", "below"))
    assert not document.is_faulty(("a",))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "spec.yaml:1:1: the file is empty"),
        (b"---\n...\n", "spec.yaml:1:1: the file is empty"),
        (b"text", "spec.yaml:1:1: a spec is a mapping, found a single value"),
        (b"a: [1, 2", "spec.yaml:1:9: this is not YAML"),
        (b"a: b: c", "spec.yaml:1:5: this is not YAML: mapping values are not allowed here"),
        (b"a: %x", "spec.yaml:1:4: this is not YAML"),
        (b"a: !x!y z", "spec.yaml:1:4: this is not YAML"),
        (b"a:\t1", "spec.yaml:1:3: a tab"),
        (b"a: \x07", "spec.yaml:1:4: the character U+0007 is not allowed"),
        (b"a: 1\nb: \xff", "spec.yaml:2:4: the byte 0xff is not UTF-8"),
        *[
            ("retspec: 1".encode(encoding), "spec.yaml:1:1: the file is UTF-16 or UTF-32; save it as UTF-8")
            for encoding in ("utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be")
        ],
        (b"a: \xed\xa0\x80", "spec.yaml:1:4: the byte 0xed is not UTF-8"),
        (b"a: b\0c", "spec.yaml:1:5: the character U+0000 is not allowed"),
        (b"a: !%s!y z" % (b"x" * 5_000), "spec.yaml:1:4: this is not YAML"),
        (b"a: [%s]" % (b"b," * 40_000), "spec.yaml:1:65535: more than 32,768 keys and values; is this a spec?"),
        (b"#" * (1 << 20) + b"\n", "spec.yaml:1:1: the file is larger than 1 MiB"),
        (b"a: " + b"[" * 100_000, "spec.yaml:1:53: nested deeper than 50 levels"),
        (b"retspec: 2", "spec.yaml:1:10: this retspec reads version 1 of the spec, found 2"),
        (b"retspec: true", "spec.yaml:1:10: this retspec reads version 1 of the spec, found true"),
        (b"retspec: '1'", 'spec.yaml:1:10: this retspec reads version 1 of the spec, found "1"'),
    ],
    ids=lambda value: str(value)[:30],
)
def test_what_cannot_be_read_is_one_clear_line(loaded: Loaded, content: bytes, message: str) -> None:
    with pytest.raises(SpecError) as refusal:
        loaded(content)
    assert str(refusal.value).startswith(message)
    assert len(str(refusal.value)) < 300
    assert len(refusal.value.problems) == 1


def test_a_hundred_problems_are_enough(loaded: Loaded) -> None:
    with pytest.raises(SpecError) as refusal:
        loaded("a: [" + "&x 1, " * 10_000 + "]")
    assert len(refusal.value.problems) == 101
    assert refusal.value.problems[-1].message.startswith("more is wrong from here on; these are the first 100")


@pytest.mark.parametrize(
    "content",
    [
        *(b"&%s 1", b"!%s 1", b"'${vars.%s}'", b"'${env.%s}'", b"'${%s}'", b"'${env.%s:x}'"),
        b"{? '%s' : 1, ? '%s' : 2}",
        b"{? {%s: 1} : 2}",
    ],
)
def test_a_stranger_s_word_stays_short_and_on_one_line(loaded: Loaded, content: bytes) -> None:
    name = content.replace(b"%s", b"x" * 1_000)
    problems = loaded(b"retspec: 1\nname: " + name).problems
    assert problems
    assert all(len(problem.message) < 300 for problem in problems)


@pytest.mark.parametrize(
    ("escape", "shown"), [(r"\0", "U+0000"), (r"\ud800", "U+D800"), (r"\uDFFF", "U+DFFF"), (r"\U0000DC80", "U+DC80")]
)
def test_an_escape_for_what_nothing_can_hold_is_refused(loaded: Loaded, escape: str, shown: str) -> None:
    document = loaded(f'retspec: 1\nname: "a{escape}"\n? "{escape}"\n: 1\n')
    assert _problems(document) == [
        f"spec.yaml:2:7: the character {shown} is not allowed",
        f"spec.yaml:3:3: the character {shown} is not allowed",
    ]


def test_control_characters_are_told_and_not_obeyed(loaded: Loaded) -> None:
    document = loaded(r'{retspec: 1, vars: {"\e[1m": 1}, name: "${vars.\e[2J\n}", description: "${env.\e[2J\a}"}')
    assert len(document.problems) == 2
    assert all(str(problem).isprintable() for problem in document.problems)


def test_problems_before_a_syntax_error_are_kept(loaded: Loaded) -> None:
    with pytest.raises(SpecError) as refusal:
        loaded("a: .nan\nb: c: d")
    assert [problem.mark.line for problem in refusal.value.problems] == [1, 2]


def test_a_byte_order_mark_and_a_version_directive_are_harmless(loaded: Loaded) -> None:
    assert loaded(b"\xef\xbb\xbf%YAML 1.2\n---\nretspec: 1\n...\n").data == {"retspec": 1}


def test_a_missing_file_is_a_usage_error_with_the_near_miss(loaded: Loaded) -> None:
    loaded("retspec: 1")
    with pytest.raises(UsageError, match=r"^spce.yaml: there is no such file; did you mean 'spec.yaml'\?$"):
        load("spce.yaml")


def test_a_folder_is_a_usage_error(loaded: Loaded, tmp_path: Path) -> None:
    loaded("retspec: 1")
    with pytest.raises(UsageError, match=r"is a directory; name a spec in it, such as .*spec.yaml"):
        load(tmp_path)


def test_an_unusable_path_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        load("a\0b")


def test_a_path_that_no_report_can_hold_is_a_usage_error(loaded: Loaded) -> None:
    loaded("retspec: 1")
    with pytest.raises(UsageError, match="is not UTF-8; rename the file"):
        load("sp\udcffec.yaml")


def test_the_hash_is_of_what_the_spec_says_and_not_of_how(loaded: Loaded) -> None:
    one = loaded("retspec: 1\nname: a\ntrain: {steps: 1_0}\n")
    other = loaded("# why\ntrain:\n  steps: ${vars.n}\nname: a\nretspec: 1\nvars: {n: 10}\n")
    assert one.sha256 == other.sha256
    assert one.sha256 != loaded("retspec: 1\nname: a\ntrain: {steps: 11}\n").sha256


def test_plugins_are_known_before_the_spec_is_valid(loaded: Loaded, tmp_path: Path) -> None:
    document = loaded("retspec: 1\nplugins: [a.py, b.c, 3, .nan, '', '${vars.x}']")
    assert plugins_of(document) == (str(tmp_path / "a.py"), "b.c")
    assert plugins_of(loaded("retspec: 1\nplugins: a.py")) == ()
