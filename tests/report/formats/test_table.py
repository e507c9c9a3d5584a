"""The table: what people see."""

from __future__ import annotations

import re

from retspec.records import Verdict
from retspec.report.formats.github import github
from retspec.report.formats.markdown import markdown
from retspec.report.formats.table import WORST_FIRST, Top, fitted_ending, render_table
from retspec.report.formats.table import table as render
from tests.report.formats.sample import criterion, failed, judged, report, sample

ANSI = re.compile(r"\x1b\[[0-9]+m")


def _red(word: str, verdict: Verdict) -> str:
    return f"\x1b[{31 + [*Verdict].index(verdict)}m{word}\x1b[0m"


def _table(text: str) -> list[str]:
    return text.partition("\n\n")[0].splitlines()


def _block(text: str, start: str) -> list[str]:
    return next(block.splitlines() for block in text.split("\n\n") if block.startswith(start))


def test_a_row_shows_value_limit_margin_verdict_and_time() -> None:
    rows = [re.split(r"\s{2,}", line) for line in _table(render(sample()))]
    assert rows[0] == ["criterion", "observed", "limit", "margin", "verdict", "time"]
    met = ["max_trainable_params", "791,557", "at most 1,000,000 parameters", "208,443", "met", "0.25 s"]
    assert met in rows
    assert ["loss_drop", "0.31", "at least 0.5", "-0.19", "missed", "0.25 s"] in rows
    assert ["overfit_accuracy", "—", "at least 1", "—", "not run", "0.00 s"] in rows


def test_the_worst_verdicts_come_first_and_equal_ones_in_the_order_of_the_spec() -> None:
    verdicts = [re.split(r"\s{2,}", line)[4] for line in _table(render(sample()))[2:]]
    assert list(dict.fromkeys(verdicts)) == [verdict.value for verdict in WORST_FIRST if verdict.value in verdicts]
    missed = report(*(judged(criterion(name), 0.1) for name in ("b", "a")))
    assert [line.split()[0] for line in _table(render(missed))[2:]] == ["b", "a"]


def test_colour_does_not_shift_the_columns() -> None:
    coloured = render_table(sample(), style=_red)
    assert ANSI.search(coloured)
    assert ANSI.sub("", coloured) == render(sample())


def test_a_miss_is_told_with_its_place_its_details_and_advice() -> None:
    assert _block(render(sample()), "specs/lora_preflight.yaml:22: ") == [
        "specs/lora_preflight.yaml:22: missed: loss_drop = 0.31, required at least 0.5 (short by 0.19)",
        "    losses: 1.6, 1.575, 1.55, 1.525, 1.5, 1.475, 1.45, 1.425, 1.4, 1.375, and 10 more",
        "    by class: Grad 0 0.4, Grad 4 — プロリフ (1, 2)",
    ]
    assert _block(render(sample()), "specs/lora_preflight.yaml:24: ")[1:] == ["    → Use amp."]


def test_advice_that_several_share_comes_once_and_names_them() -> None:
    advice = "    → Raise the learning rate, or train for more steps."
    assert _block(render(sample()), "loss_drop, short_loss_drop:") == ["loss_drop, short_loss_drop:", advice]
    assert render(sample()).count(advice) == 1
    cells = [judged(criterion(name, cell=cell), 0.1) for name in ("a", "b") for cell in ("r=4", "r=8")]
    assert "\n\na in 2 cells, b[r=4]:\n    → " in render(report(*cells[:3]))


def test_the_id_is_told_where_the_sentence_does_not_begin_with_it() -> None:
    assert _block(render(sample()), "specs/lora_preflight.yaml:27: ")[0].startswith(
        "specs/lora_preflight.yaml:27: warned: short_loss_drop: loss_drop = 0.19999999, required at least 0.2"
    )


def test_one_cause_is_told_once_with_all_its_criteria() -> None:
    names = [f"check_{number}" for number in range(12)]
    broken = [failed(criterion(name, line=i), Verdict.ERROR, "no such model") for i, name in enumerate(names)]
    other = failed(criterion("other"), Verdict.TIMEOUT, "no such model")
    text = render(report(*broken, other))
    assert text.count("no such model") == 2
    assert _block(text, "specs/lora_preflight.yaml:0: ") == [
        "specs/lora_preflight.yaml:0: error: 12 criteria: no such model",
        f"    criteria: {', '.join(names)}",
    ]


def test_two_misses_are_never_merged() -> None:
    results = [judged(criterion(name, check="loss_drop"), 0.31) for name in ("a", "b")]
    assert render(report(*results)).count("short by 0.19") == 2


def test_no_verdict_gives_no_advice_on_a_miss() -> None:
    text = render(report(failed(criterion(), Verdict.CRASH, "SIGSEGV")))
    assert "SIGSEGV" in text
    assert "→" not in text


def test_a_waiver_is_told_with_what_it_covers_and_when_it_is_no_longer_needed() -> None:
    text = render(sample())
    first, *others = _block(text, "specs/lora_preflight.yaml:28: ")
    assert first.startswith(
        "specs/lora_preflight.yaml:28: waived: frozen_drift = 2 tensors, required at most 0 tensors"
    )
    assert first.endswith("; waived until 2026-01-15: BatchNorm is thawed on purpose (ada)")
    assert others == ["    first: blocks.0.norm.running_mean", "    → Freeze."]
    (met,) = _block(text, "specs/lora_preflight.yaml:30: ")
    assert met.startswith("specs/lora_preflight.yaml:30: met: adapter_rank = 8")
    assert met.endswith("its waiver is no longer needed")


def test_what_is_met_is_explained_on_demand() -> None:
    met = report(judged(criterion(), 0.9, {"first": 1.61}))
    assert "first" not in render(met)
    assert _block(render_table(met, verbose=True), "specs/lora_preflight.yaml:22: met: ")[1] == "    first: 1.61"


def test_traces_are_shown_on_demand_once_per_cause_and_without_control_characters() -> None:
    assert "Traceback" not in render(sample())
    verbose = render_table(sample(), verbose=True)
    assert verbose.count("    | Traceback (most recent call last):") == 1
    assert "    | ValueError: 0/0 ↯" in verbose


def test_the_last_line_sums_up() -> None:
    last = "18 criteria: 4 met, 2 missed, 2 warned, 1 waived, 1 skipped, 8 no verdict in 83.1 s: missed"
    assert render(sample()).splitlines()[-1] == last


def test_an_empty_report_says_that_nothing_was_judged() -> None:
    assert render(report()).splitlines()[-1] == "0 criteria: none in 83.1 s: nothing judged"


def test_faults_of_the_run_are_told() -> None:
    text = render(report(judged(criterion(), 0.9), faults=("disk\nfull",), interrupted=2))
    assert "\n\nrun: disk full\n\nrun: the run was interrupted by SIGINT\n\n" in text


def test_notes_are_at_the_foot_whatever_came_out() -> None:
    """A note is no fault: it changes no verdict and no exit code."""
    noted = report(judged(criterion(), 0.9), notes=("d: no split reads\nvalid.", "train: 2 of 3 files."))
    text = render(noted)
    assert "\n\nnote: d: no split reads valid.\nnote: train: 2 of 3 files.\n\n1 criterion: 1 met" in text
    assert noted.exit_code == 0
    assert "- note: d: no split reads valid." in markdown(noted)
    assert "::notice title=lora_preflight%3A note::d: no split reads valid." in github(noted)


def test_a_stranger_s_text_cannot_steer_the_terminal() -> None:
    hostile = failed(criterion("\x1b[2Jx\ry\x9b"), Verdict.ERROR, "\x1b]0;t\x07\x08a\nb", trace="\x1bc")
    text = render_table(report(hostile), verbose=True)
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", text)
    assert r"\x08a b" in text


def test_quiet_keeps_what_needs_a_look_and_notes() -> None:
    shown = render_table(report(judged(criterion(), 0.9), notes=("2 files are listed nowhere.",)), top=Top.NOTHING)
    assert shown == "note: 2 files are listed nowhere.\n\n1 criterion: 1 met in 83.1 s: met\n"
    assert render_table(sample(), top=Top.NOTHING) == render_table(sample()).partition("\n\n")[2]


def test_the_line_of_a_report_among_several_is_broken_before_it_is_coloured() -> None:
    name = "specs/preflight.yaml"
    plain = fitted_ending(sample(), lambda word, _: word, 40, name)
    coloured = fitted_ending(sample(), _red, 40, name)
    first, *rest = plain.splitlines()
    assert first.startswith("specs/preflight.yaml: ")
    assert all(line.startswith("    ") for line in rest)
    assert max(map(len, [first, *rest])) <= 40
    assert ANSI.sub("", coloured) == plain != coloured
