"""What the code under test prints is kept with the criteria that waited for it, and with no other."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from retspec.engine.supervisor.streams import KEPT
from retspec.records import Output, Verdict
from retspec.running import run
from tests.run.tools import HERE, result_of, spec_in, verdicts

if TYPE_CHECKING:
    from pathlib import Path

    from retspec.records import Report

TALKATIVE = str(HERE / "talkative.py")
SECRET = "hunter2-and-a-tail"  # noqa: S105 - of nobody


def run_talkative(folder: Path, checks: str, head: str = "", **options: Any) -> Report:
    """Run a spec over `talkative.py`, whose import prints before the first criterion; `silent` gets that."""
    spec = spec_in(folder, f"silent: 1\n{checks}", head)
    return run(spec, plugins=[TALKATIVE], entry_points=False, **options)


def output_of(report: Report, name: str) -> dict[str, tuple[str, str]]:
    return {output.source: (output.stdout, output.stderr) for output in result_of(report, name).output}


@pytest.fixture(scope="module")
def talked(tmp_path_factory: pytest.TempPathFactory) -> Report:
    checks = "reads_spoken: 0\nspeaks_itself: 1\nreads_unfinished: 1\nreads_broken: 1\nquiet: {check: silent, limit: 1}"
    return run_talkative(tmp_path_factory.mktemp("talked"), checks)


SPOKEN = ("from Python\nfrom C\nfrom a child\n", "to stderr\na child on stderr\n")


def test_python_c_and_children_are_heard_on_both_streams(talked: Report) -> None:
    assert output_of(talked, "reads_spoken") == {"spoken": SPOKEN}


def test_a_measurement_s_output_is_kept_with_every_criterion_that_waited_for_it(talked: Report) -> None:
    assert output_of(talked, "speaks_itself") == {"spoken": SPOKEN, "the check itself": ("in the check\n", "")}


def test_what_waits_in_buffers_is_written_before_the_measurement_ends(talked: Report) -> None:
    stdout, stderr = output_of(talked, "reads_unfinished")["unfinished"]
    assert sorted(stdout.replace("no line break", "|").split("|")) == ["", "in a buffer of C"]
    assert stderr == ""


def test_a_measurement_that_fails_keeps_what_it_printed(talked: Report) -> None:
    assert verdicts(talked)["reads_broken"] is Verdict.ERROR
    assert output_of(talked, "reads_broken") == {"broken": ("before the error\n", "")}


def test_what_printed_nothing_has_no_output(talked: Report) -> None:
    assert result_of(talked, "quiet").output == ()


def test_what_is_printed_before_the_first_criterion_is_kept_with_it(talked: Report) -> None:
    assert output_of(talked, "silent") == {"starting the worker": ("imported the plugin\n", "")}


@pytest.mark.usefixtures("warm_programs")
def test_what_a_training_prints_is_kept_with_all_that_is_answered_from_it(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text(
        "import torch\n"
        "print('the training starts')\n"
        "model = torch.nn.Linear(4, 2)\n"
        "optimizer = torch.optim.SGD(model.parameters(), lr=0.1)\n"
        "while True:\n"
        "    torch.nn.functional.cross_entropy(model(torch.ones(2, 4)), torch.tensor([0, 1])).backward()\n"
        "    optimizer.step()\n"
    )
    checks = ("max_trainable_params", "unowned_params", "batch_leak", "dead_gradients")
    spec = tmp_path / "spec.yaml"
    limits = "".join(f"  {name}: 10\n" for name in checks)
    spec.write_text(f"retspec: 1\ntrain: {{script: train.py, steps: 3}}\nchecks:\n{limits}")
    report = run(spec, entry_points=False)
    for name in checks:
        assert output_of(report, name)["watched_run"] == ("the training starts\n", ""), name


def test_a_crash_keeps_what_was_printed_up_to_then(tmp_path: Path) -> None:
    report = run_talkative(tmp_path, "reads_spoken: 0\nreads_deadly: 1\nagain: {check: reads_deadly, limit: 1}")
    assert output_of(report, "reads_spoken") == {"spoken": SPOKEN}
    for name in ("reads_deadly", "again"):
        result = result_of(report, name)
        assert result.verdict is Verdict.CRASH
        assert result.output == (Output(source="deadly", stdout="the end is near\n", stderr="last words\n"),)
        assert "last words" in result.trace


def test_a_timeout_keeps_what_was_printed_up_to_then(tmp_path: Path) -> None:
    report = run_talkative(tmp_path, "reads_endless: {limit: 1, timeout: 2s}")
    assert result_of(report, "reads_endless").verdict is Verdict.TIMEOUT
    assert output_of(report, "reads_endless") == {"endless": ("here to stay\n", "")}


def test_of_a_flood_begin_and_end_are_kept_and_the_rest_is_counted(tmp_path: Path) -> None:
    ((stdout, stderr),) = output_of(run_talkative(tmp_path, "reads_flooded: 1"), "reads_flooded").values()
    head, left_out, tail = re.split(r"\n\[([\d,]+) bytes left out\]\n", stdout)
    assert head.startswith("the first line\nxxx")
    assert tail.endswith("xxx\nthe last line\n")
    assert (len(head), len(tail), stderr) == (KEPT, KEPT, "")
    size = 50_000_000 + len("the first line\n") + len("the last line\n")
    assert int(left_out.replace(",", "")) == size - 2 * KEPT


def test_a_secret_is_masked_before_anything_is_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("API_TOKEN", SECRET)
    checks = "reads_secrets: {limit: 1, with: {secret: '${env.API_TOKEN}'}}"
    report = run_talkative(tmp_path, checks)
    ((_, stderr),) = output_of(report, "reads_secrets").values()
    assert "bytes left out" in stderr
    assert set(re.sub(r"\[[\d,]+ bytes left out\]", "", stderr)) <= set("*#\n")


def test_what_a_terminal_would_obey_is_not_kept(tmp_path: Path) -> None:
    report = run_talkative(tmp_path, "reads_hostile: 1")
    assert output_of(report, "reads_hostile") == {"hostile": ("click evil\n", "")}


def test_a_child_that_truncates_the_stream_harms_nothing(tmp_path: Path) -> None:
    report = run_talkative(tmp_path, "reads_truncating: 1\nreads_spoken: 1")
    assert output_of(report, "reads_truncating")["truncating"] == ("short\nmore\n", "")
    assert output_of(report, "reads_spoken") == {"spoken": SPOKEN}


def test_live_output_goes_to_stderr_and_nothing_is_kept(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    report = run_talkative(tmp_path, "reads_spoken: 0\nreads_deadly: 1", live_output=True)
    out, err = capfd.readouterr()
    assert "from" not in out
    assert "from Python\n" in err
    assert "from a child\n" in err
    assert "last words\n" in err
    assert [result.output for result in report.results] == [(), (), ()]
    assert result_of(report, "reads_deadly").reason == "the worker was killed by SIGABRT while measuring 'deadly'"


# A model that prints ------------------------------------------------------------------------------


@pytest.mark.usefixtures("warm_programs")
def test_factories_and_forward_passes_are_heard(tmp_path: Path) -> None:
    head = 'model: {factory: "tests.run.talkative:model"}\ndata: {synthetic: {input_size: [3, 8, 8], batch_size: 2}}'
    report = run_talkative(tmp_path, "max_trainable_params: 1\neval_drift: 0", head)
    assert "making the model" in output_of(report, "max_trainable_params")["model"][0]
    drift = output_of(report, "eval_drift")
    assert "making the model" in drift["model"][0]
    assert "forward (2, 3, 8, 8)" in "".join(stdout for source, (stdout, _) in drift.items() if source != "model")


@pytest.mark.usefixtures("warm_programs")
def test_a_factory_that_fails_keeps_what_it_printed_with_all_that_need_the_model(tmp_path: Path) -> None:
    head = (
        'model: {factory: "tests.run.talkative:model", kwargs: {fails: true}}\n'
        "data: {synthetic: {input_size: [3, 8, 8], batch_size: 2}}"
    )
    report = run_talkative(tmp_path, "max_trainable_params: 1\neval_drift: 0", head)
    for name in ("max_trainable_params", "eval_drift"):
        assert "making the model" in output_of(report, name)["model"][0]


@pytest.mark.usefixtures("warm_programs")
def test_the_workers_of_a_loader_are_heard(tmp_path: Path) -> None:
    head = 'model: {factory: "tests.run.talkative:model"}\ndata: {factory: "tests.run.talkative:loader"}'
    report = run_talkative(tmp_path, "eval_drift: 0", head)
    assert "loading 1\n" in "".join(stdout for stdout, _ in output_of(report, "eval_drift").values())
