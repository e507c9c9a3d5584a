"""A secret leaves in no report, no message and no log; everything else leaves as it is."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from base64 import b64encode, encodebytes, urlsafe_b64encode
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus

import pytest

from retspec.cli import main
from retspec.errors import SpecError
from retspec.plugins.catalog import gather
from retspec.records import Direction, Measured, Verdict
from retspec.report.formats import retspec_reporters
from retspec.spec.load import load
from retspec.spec.validate import validate
from retspec.text.masking import MASK, Mask
from tests.report.formats.sample import criterion, failed, judged, report, sample, waiver

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[2]
HIDDEN = "s3cr'et\\\n-----KEY-----\n12"
PLUGIN = '''
import os, sys
from retspec.plugin import Check, Observed, check, hookimpl

@check(direction="at most", advice="Nothing to do.")
def told(*, token: str = "", pin: int = 0) -> int:
    """Does it tell?"""
    print("stdout", token, pin)
    sys.stderr.write(f"stderr {token} {pin}\\n")
    return Observed(1, {token: [token, {"pin": str(pin)}], "environment": os.environ["ELSEWHERE"]})

@check(direction="at most", advice="Nothing to do.")
def raised(*, token: str = "", pin: int = 0) -> int:
    """Does it raise?"""
    raise ValueError(f"{token!r} {pin:,}")

@check(direction="at most", advice="Nothing to do.")
def died(*, token: str = "", pin: int = 0) -> int:
    """Does it die?"""
    sys.stderr.write(f"dying with {token} {pin}\\n")
    sys.stderr.flush()
    os._exit(7)

@hookimpl
def retspec_checks() -> list[Check]:
    return [told, raised, died]
'''
WITH = "limit: 5, with: {token: '${env.MY_TOKEN}', pin: '${env.DB_PASSWORD}'}"
SPEC = f"""
retspec: 1
name: "of ${{env.MY_TOKEN}}"
description: "with ${{env.MY_TOKEN}} and ${{env.HOST_NAME}}"
run: {{mask: [ELSEWHERE]}}
checks:
  told: {{{WITH}}}
  raised: {{{WITH}}}
  died: {{{WITH}}}
  skipped: {{check: told, skip: "no ${{env.MY_TOKEN}}"}}
"""
VARIABLES = {
    "MY_TOKEN": "tok-4711-abcdef",
    "DB_PASSWORD": "87654321",
    "ELSEWHERE": "named-by-mask-only",
    "HOST_NAME": "host-7",
}
UNNAMED = "never-named-4242"


def test_secrets_leave_neither_in_reports_nor_in_the_log(tmp_path: Path) -> None:
    (tmp_path / "spec.yaml").write_text(SPEC)
    (tmp_path / "checks.py").write_text(PLUGIN)
    done = subprocess.run(
        [sys.executable, "-m", "retspec", "run", "spec.yaml", "-p", "checks.py", "-v"],
        cwd=tmp_path,
        env={**os.environ, **VARIABLES, "RETSPEC_UNNAMED": UNNAMED, "PYTHONPATH": str(ROOT), "CI": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 3
    folder = tmp_path / "reports" / "spec"
    written = {path.name: path.read_text() for path in folder.iterdir() if path.name != ".spec"}
    assert len(written) == 4
    for text in (*written.values(), done.stdout, done.stderr):
        for hidden in ("tok-4711", "87654321", "87,654,321", "named-by-mask-only", UNNAMED):
            assert hidden not in text
    reports = [text for path, text in written.items() if path != "history.jsonl"]
    assert all("***" in text for text in (*reports, done.stdout))
    assert "host-7" in written["results.json"]


def test_a_message_about_an_invalid_spec_does_not_quote_a_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = "x" * 30 + "-secret-" + "y" * 40
    monkeypatch.setenv("MY_TOKEN", secret)
    (tmp_path / "spec.yaml").write_text(
        "retspec: 1\nrun: {device: '${env.MY_TOKEN}', seed: '${env.MY_TOKEN}', dtype: '${env.MY_TOKEN}'}\n"
        "model: {timm: [], lora: {bias: 'a ${env.MY_TOKEN}'}}\nchecks: {loss_drop: '${env.MY_TOKEN}'}\n"
    )
    with pytest.raises(SpecError) as refusal:
        validate(load(tmp_path / "spec.yaml"), gather(entry_points=False))
    assert str(refusal.value).count("***") == 5
    assert "xxx" not in str(refusal.value)


@pytest.mark.parametrize(
    "spec",
    [
        'plugins: ["${env.MY_TOKEN}.py"]',
        "plugins: [raising.py]\nname: '${env.MY_TOKEN}'",
        'config: "${env.MY_TOKEN}.yaml"',
        'config: "${env.MY_TOKEN}-broken.yaml"',
        'config: "${env.MY_TOKEN}/train.yaml"\nmodel: {timm: "${env.MY_TOKEN}", adapter: 1}',
        'vars: {t: "${env.MY_TOKEN}"}\nconfig: ["${vars.t}"]',
    ],
)
def test_a_message_before_a_run_does_not_name_a_secret(
    spec: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MY_TOKEN", VARIABLES["MY_TOKEN"])
    (tmp_path / f"{VARIABLES['MY_TOKEN']}-broken.yaml").write_text("a: [")
    (tmp_path / "raising.py").write_text("import os\nraise ValueError(os.environ['MY_TOKEN'])\n")
    path = tmp_path / "spec.yaml"
    path.write_text(f"retspec: 1\n{spec}\nchecks: {{loss_drop: 0.5, unknown: 1}}\n")
    for command in ("validate", "run", "plan", "show", "diff"):
        main([command, str(path), *([str(path)] if command == "diff" else [])])
        printed = "".join(capsys.readouterr())
        assert printed
        assert VARIABLES["MY_TOKEN"] not in printed


@pytest.mark.parametrize("reporter", retspec_reporters(), ids=lambda reporter: reporter.name)
def test_no_reporter_sees_a_secret_in_any_form(reporter: object) -> None:
    hidden = {"skip": HIDDEN, "description": HIDDEN, "waive": waiver(reason=HIDDEN, owner=HIDDEN)}
    held = criterion("exact", HIDDEN, direction=Direction.EQUAL, arguments={"a": [HIDDEN]}, **hidden)
    results = (judged(held, HIDDEN, {HIDDEN: HIDDEN}), failed(held, Verdict.CRASH, HIDDEN, trace=repr(HIDDEN)))
    made = report(*results, name=HIDDEN, faults=(HIDDEN,), measurements=(Measured(key=f"m({HIDDEN})", facts=[HIDDEN]),))
    text = reporter.render(Mask([HIDDEN]).report(made))  # type: ignore[attr-defined]
    assert "***" in text.replace("\\*", "*"), "Markdown escapes its stars"
    assert "s3cr" not in text
    assert "KEY" not in text


def test_without_secrets_nothing_changes() -> None:
    made = sample()
    assert Mask().report(made) is made
    assert repr(Mask(["no such text"]).report(made)) == repr(made)


def test_what_is_too_short_or_measured_is_not_masked() -> None:
    mask = Mask(["abc", "0.31", "1234"])
    made = mask.result(judged(criterion(arguments={"steps": 1234, "on": True}), 0.31, {"steps": 1234}))
    assert made.observed is not None
    assert (made.observed.value, made.observed.details) == (0.31, {"steps": 1234})
    assert made.criterion.arguments == {"steps": "***", "on": True}
    assert mask.text("abc") == "abc"
    assert mask.text("1,234 steps to 0.31") == "*** steps to ***"


def test_the_name_of_a_criterion_stays_so_that_no_two_become_one() -> None:
    mask = Mask(["loss_drop"])
    assert [mask.result(judged(criterion(name), 0.9)).criterion.id for name in ("loss_drop", "loss_drop_2")] == [
        "loss_drop",
        "loss_drop_2",
    ]


TRAVELLING = "pa/ss'w\"o rd$+1?é"
LONG = "a-rather-long-token-of-an-api-that-takes-more-than-one-line-of-base64"
FORMS = {
    "URL": quote(TRAVELLING, safe=""),
    "URL, path": quote(TRAVELLING),
    "form": quote_plus(TRAVELLING),
    "JSON": json.dumps(TRAVELLING),
    "JSON, UTF-8": json.dumps(TRAVELLING, ensure_ascii=False),
    "shell": shlex.quote(TRAVELLING),
    "another case": TRAVELLING.upper(),
    "over two lines": f"{TRAVELLING[:9]}\n  {TRAVELLING[9:]}",
    "over two lines that were joined": f"{TRAVELLING[:9]} {TRAVELLING[9:]}",
    "with a part in colour": f"{TRAVELLING[:9]}\x1b[1;36m{TRAVELLING[9:12]}\x1b[0m{TRAVELLING[12:]}",
    "with a control that turns text": f"{TRAVELLING[:9]}\u202e{TRAVELLING[9:]}",
    "database URL": f"postgres://user:{quote(TRAVELLING, safe='')}@host/db",
}


@pytest.mark.parametrize("form", FORMS)
def test_a_secret_is_masked_in_each_form_in_which_it_travels(form: str) -> None:
    shown = Mask([TRAVELLING]).text(f"begin {FORMS[form]} end")
    assert MASK in shown
    for piece in (TRAVELLING[:5], TRAVELLING[-6:], TRAVELLING[5:12]):
        assert piece.lower() not in shown.lower()
    assert shown.startswith("begin ")
    assert shown.endswith(" end")


@pytest.mark.parametrize("before", ["", "u", "us", "user:"])
@pytest.mark.parametrize("encode", [b64encode, urlsafe_b64encode, encodebytes])
def test_a_secret_in_base64_is_masked_wherever_it_begins(before: str, encode: Callable[[bytes], bytes]) -> None:
    text = encode(f"{before}{LONG}, and more".encode()).decode()
    shown = Mask([LONG]).text(f"Basic {text}")
    assert MASK in shown
    left = shown.removeprefix("Basic ").replace("\n", "").replace(MASK, "")
    assert len(left) <= len(text.replace("\n", "")) - len(LONG)


def test_a_short_word_is_masked_as_it_is_written_and_in_no_other_case() -> None:
    assert Mask(["word"]).text("a word, a Word, wo\nrd") == f"a {MASK}, a Word, wo\nrd"


def test_a_text_is_masked_before_it_is_cut() -> None:
    for most in range(1, 60):
        kept = Mask([LONG]).first(f"{'.' * 20}{LONG}{'.' * 200}", most)
        assert LONG[:3] not in kept
        assert "characters left out" in kept


def test_a_secret_that_is_no_utf_8_is_masked_like_others() -> None:
    mask = Mask(["\udcffs3cret-token"])
    for shown in ("\udcffs3cret-token", r"\udcffs3cret-token", "%FFs3cret-token"):
        assert mask.text(f"a {shown} b") == "a *** b"
