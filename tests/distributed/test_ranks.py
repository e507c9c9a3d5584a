"""What a run on ranks leaves, says when it hangs, and needs of a spec."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from pathlib import Path

import pytest

from retspec.errors import NoVerdict, SpecError
from retspec.prepare import prepare
from retspec.records import Verdict
from retspec.subjects.training.watching.ranks.running import run_on_ranks
from retspec.subjects.training.watching.rerun import Rerun
from tests.distributed.planting import SPEC
from tests.here import run_here
from tests.run.tools import spec_in

SCRIPT = SPEC.parent / "scripts" / "ranked.py"
MARK = "RETSPEC_TEST_OF_ORPHANS"


def launched(*arguments: str) -> Rerun:
    return Rerun(
        source="script",
        value=SCRIPT.name,
        folder=str(SCRIPT.parent),
        steps=4,
        threads=1,
        arguments={"args": list(arguments), "ranks": 2},
    )


def marked(mark: str) -> list[int]:
    """Return the processes that have inherited a mark."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if f"{MARK}={mark}".encode() in (process / "environ").read_bytes().split(b"\0"):
                found.append(int(process.name))
    return found


def test_ranks_that_wait_for_each_other_are_ended_with_their_last_lines_and_their_workers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(MARK, str(os.getpid()))
    with pytest.raises(NoVerdict, match=r"the ranks wait for each other.*rank 1 after 1 steps \(looking for a lock\)"):
        run_on_ranks(launched("waits", "workers"), 2, patience=8)
    assert _gone(str(os.getpid())), "a rank or a worker of its DataLoader was left"


def _gone(mark: str) -> bool:
    until = time.monotonic() + 20  # a worker whose process was killed looks for it every 5 s
    while marked(mark) and time.monotonic() < until:
        time.sleep(0.2)
    return not marked(mark)


def test_the_same_training_runs_alone_for_the_checks_on_its_loop(tmp_path: Path) -> None:
    head = f"train: {{script: {SCRIPT}, ranks: 2, steps: 3, args: [synced]}}\n"
    spec = spec_in(tmp_path, "accumulation: 2\nunsynced_batchnorm: 0\nddp_unused_params: 0\n", head)
    results = run_here(spec)
    assert {name: each.verdict for name, each in results.items()} == dict.fromkeys(results, Verdict.MET)
    assert results["unsynced_batchnorm"].observed is not None
    assert results["unsynced_batchnorm"].observed.details["synced"] == 1
    assert "WORLD_SIZE" not in os.environ


@pytest.mark.parametrize(
    ("train", "said"),
    [
        ("{script: train.py, ranks: 1}", "spec.yaml:3:34: train.ranks: 1 is out of range"),
        ("{script: train.py, ranks: two}", "spec.yaml:3:34: train.ranks: expected"),
        (
            "{script: train.py}",
            "ranks_agree runs a training of your own on ranks, and the spec names none; add `train: ",
        ),
        ("{steps: 3}", "add `train: {script: train.py, ranks: 2}`"),
    ],
)
def test_a_mistake_in_the_ranks_is_told_with_its_place(tmp_path: Path, train: str, said: str) -> None:
    with pytest.raises(SpecError) as caught:
        prepare(spec_in(tmp_path, "ranks_agree: 0\n", f"train: {train}\n"), entry_points=False)
    assert said in str(caught.value)


def test_a_script_that_is_not_there_is_told_with_its_place_and_no_rank_is_blamed(tmp_path: Path) -> None:
    spec = spec_in(tmp_path, "ranks_agree: 0\n", "train: {script: trian.py, ranks: 2}\n")
    (result,) = run_here(spec).values()
    assert result.verdict is Verdict.ERROR
    assert result.reason.endswith(f"spec.yaml:3:17: there is no file {tmp_path / 'trian.py'}")
    assert "rank" not in result.reason.replace(str(tmp_path), "")
