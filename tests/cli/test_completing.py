"""What a shell completes behind options: from the spec on the command line, fast, and in silence where it cannot."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.cli.test_light import HEAVY

SPEC = """\
retspec: 1
model: {timm: vit_tiny_patch16_224, lora: {r: 4, target_modules: [qkv]}}
matrix: {model.lora.r: [4, 8], train.steps: [3, 5]}
checks:
  lora_layers: 12
  loss_drop: {limit: 0.5, tags: [gpu, slow]}
  short_drop: {check: loss_drop, limit: 0.2, tags: [gpu]}
"""

Complete = Any
PROGRAM = Path(sys.executable).with_name("retspec")


@pytest.fixture
def complete(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, retspec: Any) -> Complete:
    """Return what bash gets for a command line whose last word is typed so far; one that ends with a blank has none."""
    monkeypatch.chdir(tmp_path)
    Path("gate.yaml").write_text(SPEC)

    def call(words: str, shell: str = "bash") -> list[str]:
        monkeypatch.setenv("_RETSPEC_COMPLETE", f"{shell}_complete")
        monkeypatch.setenv("COMP_WORDS", words)
        count = len(words.split())
        position = str(count if words.endswith(" ") else count - 1)
        last = "" if words.endswith(" ") else words.rsplit(maxsplit=1)[-1]
        monkeypatch.setenv("COMP_CWORD", last if shell == "fish" else position)
        finished = retspec()
        assert (finished.code, finished.err) == (0, "")
        return [line for line in finished.out.splitlines() if line]

    return call


def plain(*values: str) -> list[str]:
    return [f"plain,{value}" for value in values]


@pytest.mark.parametrize(
    ("words", "completed"),
    [
        ("retspec run gate.yaml -k ", ("lora_layers", "loss_drop", "short_drop")),
        ("retspec run gate.yaml -k lo", ("lora_layers", "loss_drop")),
        ("retspec run gate.yaml --skip sh", ("short_drop",)),
        ("retspec plan -k lora gate.yaml -k ", ("lora_layers", "loss_drop", "short_drop")),
        ("retspec run gate.yaml --tag ", ("gpu", "slow")),
        ("retspec run gate.yaml --cell ", ("r=4", "steps=3", "steps=5", "r=8")),
        ("retspec judge results.json --spec gate.yaml --cell steps", ("steps=3", "steps=5")),
        ("retspec run gate.yaml --device c", ("cpu", "cuda")),
        ("retspec run gate.yaml --report j", ("json=", "junit=", "junit-strict=")),
        ("retspec show gate.yaml --set checks.lora", ("checks.lora_layers=",)),
        ("retspec fit gate.yaml --set model.lora.", ("model.lora.r=", "model.lora.target_modules=")),
        ("retspec run gate.yaml --set run.thr", ("run.threads=",)),
        ("retspec checks dat", ("data",)),
    ],
)
def test_a_shell_completes_values(complete: Complete, words: str, completed: tuple[str, ...]) -> None:
    assert sorted(complete(words)) == sorted(plain(*completed))


@pytest.mark.parametrize(
    "words",
    [
        "retspec run ga",
        "retspec diff ga",
        "retspec diff gate.yaml ga",
        "retspec compare a.json b",
        "retspec run gate.yaml -p my_",
        "retspec run gate.yaml --json out",
    ],
)
def test_a_shell_is_asked_for_files(complete: Complete, words: str) -> None:
    assert complete(words) == [f"file,{words.rsplit(maxsplit=1)[-1]}"]


@pytest.mark.parametrize(
    ("words", "completed"),
    [
        ("retspec run gate.yaml --cell r =", ("4", "8")),
        ("retspec run gate.yaml --cell steps = 3", ("3",)),
        ("retspec run gate.yaml --cell = steps = 3", ("3",)),
        ("retspec run gate.yaml --cell = st", ("steps=3", "steps=5")),
        ("retspec run --set train.lr = 1 gate.yaml -k los", ("loss_drop",)),
    ],
)
def test_bash_cuts_words_at_an_equals_sign_and_gets_the_rest(
    complete: Complete, words: str, completed: tuple[str, ...]
) -> None:
    assert complete(words) == plain(*completed)


def test_behind_the_format_of_a_report_bash_completes_files(complete: Complete) -> None:
    assert complete("retspec run gate.yaml --report html =")[0].startswith("file,")


@pytest.mark.skipif(not PROGRAM.exists(), reason="retspec is not installed as a program here")
@pytest.mark.parametrize(
    ("words", "completed"),
    [("run gate.yaml -k lo", "lora_layers loss_drop"), ("run gate.yaml --cell r =", "4 8")],
)
def test_the_script_for_bash_works_in_bash(complete: Complete, words: str, completed: str) -> None:
    assert complete  # the folder with the spec is the current one
    count = len(words.split())
    script = (
        f'eval "$(retspec completion bash)"; COMP_WORDS=(retspec {words}); COMP_CWORD={count};'
        ' _retspec_completion retspec; echo "${COMPREPLY[@]}"'
    )
    environment = {"PATH": f"{PROGRAM.parent}:/usr/bin:/bin"}
    done = subprocess.run(["bash", "--norc", "-c", script], env=environment, capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == (f"{completed}\n", "")


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_other_shells_get_the_same(complete: Complete, shell: str) -> None:
    lines = complete("retspec run gate.yaml --tag sl", shell)
    assert lines == (["plain", "slow", "_"] if shell == "zsh" else ["plain,slow"])


@pytest.mark.parametrize(
    "text",
    ["retspec: [1", "checks: 3\nretspec: 1\n", "checks: {a: ${env.NONE}}\nextends: none.yaml\n", "\0", "- 1\n", ""],
)
@pytest.mark.parametrize("option", ["-k", "--tag", "--cell"])
def test_a_spec_that_cannot_be_read_completes_to_nothing(complete: Complete, text: str, option: str) -> None:
    Path("gate.yaml").write_text(text)
    assert complete(f"retspec run gate.yaml {option} ") == []
    assert complete(f"retspec run none.yaml {option} ") == []
    assert complete(f"retspec run {option} ") == []


def test_a_name_that_would_write_to_the_terminal_is_left_out(complete: Complete) -> None:
    Path("gate.yaml").write_text(SPEC + '  "two\\nlines": 1\n  "\\e[31mred": 1\n')
    assert complete("retspec run gate.yaml -k ") == plain("lora_layers", "loss_drop", "short_drop")


def test_it_imports_neither_torch_nor_what_measures(tmp_path: Path) -> None:
    (tmp_path / "gate.yaml").write_text(SPEC)
    environment = {"_RETSPEC_COMPLETE": "bash_complete", "COMP_WORDS": "retspec run gate.yaml -k ", "COMP_CWORD": "4"}
    environment["PYTHONPATH"] = str(Path(__file__).resolve().parents[2])
    code = "import sys; from retspec.cli import main; main([]); print(*sys.modules, file=sys.stderr)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == plain("lora_layers", "loss_drop", "short_drop")
    assert not {*done.stderr.split()} & {*HEAVY, "retspec.measurements", "retspec.checks"}
