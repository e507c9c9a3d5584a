"""Files that are no spec: hostile, broken, or saved by the wrong program."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.reliability.scenario import NOTHING, Scenario

if TYPE_CHECKING:
    from pathlib import Path

HEAD = "retspec: 1\nchecks:\n"


def refused(fault: str, content: str | bytes, sees: str, *arguments: str) -> Scenario:
    """One line on stderr, exit code 2, nothing on disk."""
    raw = content if isinstance(content, bytes) else content.encode()
    return Scenario(
        group="Specs that cannot be read",
        fault=fault,
        spec="",
        prepare=lambda folder: _write(folder, raw),
        exit_code=2,
        sees=sees,
        on_disk=NOTHING,
        arguments=arguments,
        here=True,
    )


def _write(folder: Path, content: bytes) -> None:
    (folder / "spec.yaml").write_bytes(content)


def _doubling(levels: int) -> str:
    pairs = [f"  v{level}: ['${{vars.v{level + 1}}}', '${{vars.v{level + 1}}}']\n" for level in range(levels)]
    return f"retspec: 1\nvars:\n{''.join(pairs)}  v{levels}: lol\nname: ${{vars.v0}}\n"


ENCODINGS = [
    refused("an empty file", "", "the file is empty; a spec begins with `retspec: 1`"),
    refused(
        "UTF-16", f"{HEAD}  a: 1\n".encode("utf-16"), "spec.yaml:1:1: the file is UTF-16 or UTF-32; save it as UTF-8"
    ),
    refused("UTF-16 without its mark", f"{HEAD}  a: 1\n".encode("utf-16-be"), "the file is UTF-16 or UTF-32"),
    refused("Latin-1", "retspec: 1\nname: Größe\n".encode("latin-1"), "spec.yaml:2:9: the byte 0xf6 is not UTF-8"),
    refused("a NUL byte", b"retspec: 1\nname: a\0b\n", "spec.yaml:2:8: the character U+0000 is not allowed"),
    refused("a binary file", b"\x7fELF\x02\x01\x01\0\0\0\0\0", "spec.yaml:1:1: the character U+007F is not allowed"),
    refused("an escaped lone surrogate", 'retspec: 1\nname: "\\ud800"\n', "2:7: the character U+D800 is not allowed"),
    refused(
        "a line break that only YAML sees, at the end of a comment",
        f"{HEAD}  a:\n    limit: 1 # agreed\u2028    severity: warn\n",
        "spec.yaml:4:22: the character U+2028, a line break that a reviewer does not see, is not allowed",
    ),
    refused(
        "a carriage return at the end of a comment",
        f"{HEAD}  a:\n    limit: 1 # agreed\r    severity: warn\n",
        "spec.yaml:4:22: the character U+000D, a line break that a reviewer does not see, is not allowed",
    ),
    refused(
        "a control that reorders what is shown",
        f"{HEAD}  a: 1 # \u202e1 :timil\n",
        "spec.yaml:3:10: the character U+202E, a control of the direction of text that a reviewer does not see",
    ),
    refused("a terminal escape", b"retspec: 1\nname: \x1b[2Jx\n", "spec.yaml:2:7: the character U+001B is not allowed"),
]
BOMBS = [
    refused("an alias bomb", "retspec: 1\nvars:\n  a: &a [x, x]\n  b: [*a, *a]\n", "the anchor '&a' is not allowed"),
    refused("references that multiply", _doubling(30), "the references multiply or nest beyond reason"),
    refused("100,000 brackets", f"retspec: 1\nname: {'[' * 100_000}", "spec.yaml:2:56: nested deeper than 50 levels"),
    refused("60,000 open mappings", f"retspec: 1\nname: {'{a: ' * 60_000}", "nested deeper than 50 levels"),
    refused("more than 1 MiB", f"retspec: 1\n#{'x' * (1 << 20)}\n", "the file is larger than 1 MiB; is this a spec?"),
    refused(
        "50,000 criteria",
        HEAD + "".join(f"  c{number}: 1\n" for number in range(50_000)),
        "more than 32,768 keys and values; is this a spec?",
    ),
    refused("30,000 anchors", "retspec: 1\nname:\n" + "- &a 1\n" * 30_000, "these are the first 100 problems"),
    refused(
        "10,000 unknown checks",
        HEAD + "".join(f"  c{number}: 1\n" for number in range(10_000)),
        "more is wrong; these are 100 of the problems",
    ),
]
WORDS = [
    refused("an integer of 5,000 digits", f"{HEAD}  loss_drop: 1{'0' * 5_000}\n", "it must fit into 64 bits"),
    refused("a float beyond all floats", f"{HEAD}  loss_drop: 1e400\n", "the number 1e400 is too large"),
    refused("a key of 100,000 characters", f"{HEAD}  ? {'k' * 100_000}\n  : 1\n", "unknown check 'kkkkkkkkkk"),
    refused(
        "an environment variable of 100,000 characters", f"retspec: 1\nname: ${{env.{'A' * 100_000}}}\n", "is not set"
    ),
    refused("control characters in an id", f'{HEAD}  "\\e[2J": 1\n', r"checks: '\x1b[2J' cannot be a key"),
    refused("keys that are no text", "retspec: 1\nchecks: {true: 1}\n", "a key must be text, found true"),
    refused("a tab", f"{HEAD}\tloss_drop: 1\n", "spec.yaml:3:1: a tab; YAML is indented and separated with spaces"),
    refused("two documents", f"{HEAD}  a: 1\n---\n{HEAD}  a: 1\n", "spec.yaml:4:1: a second document begins"),
    refused(
        "a tag that makes objects", "retspec: 1\nname: !!python/name:os.system\n", "the tag '!!python/name:os.system'"
    ),
    refused("a plugin with a NUL", 'retspec: 1\nplugins: ["a\\0.py"]\n', "spec.yaml:2:11: the character U+0000"),
    refused("`--set` that is not UTF-8", f"{HEAD}  a: 1\n", "this is not UTF-8", "--set", "model.\udcff=1"),
]
SCENARIOS = ENCODINGS + BOMBS + WORDS
