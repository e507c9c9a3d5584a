"""`retspec watch`: what is run, what is said of it, what it writes."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from retspec.cli.watched.command_line import parse
from retspec.errors import UsageError
from retspec.plugins.catalog import gather
from retspec.spec.load import load
from retspec.spec.validate import validate
from tests.cli.test_light import HEAVY, modules_after
from tests.cli.watched_script import SEED, STEP

pytestmark = pytest.mark.usefixtures("warm_programs")


# What is run ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "section"),
    [
        (["python", "train.py"], {"script": "train.py"}),
        (["python3.12", "-u", "train.py", "--lr", "1"], {"script": "train.py", "args": ["--lr", "1"]}),
        ([sys.executable, "train.py", "-m", "x"], {"script": "train.py", "args": ["-m", "x"]}),
        (["train.py", "--", "-c"], {"script": "train.py", "args": ["--", "-c"]}),
        (["python", "-m", "pkg.train", "-x"], {"module": "pkg.train", "args": ["-x"]}),
        (["tqdm", "-q"], {"callable": "tqdm.cli:main", "args": ["-q"]}),
    ],
)
def test_a_command_line_is_a_section_of_a_spec(script: Any, words: list[str], section: dict[str, Any]) -> None:
    script()
    assert parse(words).section(7) == {**section, "steps": 7}
    assert parse(words, cpu_ok=True).section(7) == {**section, "cpu_ok": True, "steps": 7}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["python"], "name the training that it runs"),
        (["python", "-c", "pass"], "python -c: only a script or `-m MODULE` can be watched"),
        (["python", "trian.py"], "there is no file 'trian.py'; did you mean 'train.py'?"),
        (["python", "."], ". is a folder; name the script in it"),
        (["tran.py"], "did you mean 'train.py'?"),
        (["pytset"], "'pytset' is neither a script nor a command of an installed package; did you mean 'py"),
        (["torchrun", "train.py"], "torchrun starts the training in processes of its own"),
        (["python", "-m", "torch.distributed.run", "train.py"], "python -m torch.distributed.run starts the training"),
    ],
)
def test_what_cannot_be_watched_is_a_usage_error(script: Any, words: list[str], said: str) -> None:
    script()
    with pytest.raises(UsageError, match=re.escape(said)) as caught:
        parse(words)
    assert caught.value.exit_code == 2


@pytest.mark.skipif(torch.cuda.is_available(), reason="needs a machine without a GPU")
def test_a_synchronization_is_skipped_without_a_gpu_if_asked(retspec: Any, script: Any) -> None:
    script((STEP, f"{STEP}            torch.cuda.synchronize()\n"))
    assert "train.py: 3 optimizer steps" not in retspec("watch", "--steps", "3", "--", "python", "train.py").out
    finished = retspec("watch", "--cpu-ok", "--steps", "3", "--write", "own.yaml", "--", "python", "train.py")
    assert (finished.code, "train.py: 3 optimizer steps" in finished.out) == (0, True), finished
    assert "cpu_ok: true" in Path("own.yaml").read_text()


# What is said --------------------------------------------------------------------------------------


def test_a_training_in_order_is_described_on_one_page(script: Any, retspec: Any) -> None:
    script()
    finished = retspec("watch", "--steps", "12", "--", "python", "train.py")
    assert finished.code == 0, finished.err
    lines = finished.out.splitlines()
    assert lines[0] == "python train.py: 12 optimizer steps"
    assert len(lines) <= 40
    assert max(map(len, lines)) <= 80
    for line in (
        "optimizer     SGD, 1 group",
        "              4 parameters (83 elements), lr 0.1 → 0.1, weight decay 0",
        "accumulation  1 backward pass per step, loss weight 1",
        "precision     float32 on cpu, no loss scaler",
        "batch         4 x 6, float32",
        "data          12 batches, 12 of them distinct",
        "criterion     cross_entropy (mean), 3 classes; logits enter",
        "schedule      none, the rates stay",
        "evaluations   none within these steps",
        "Nothing looks wrong.",
    ):
        assert line in lines
    assert any(line.startswith("trains        83 of 83 elements (100 %) of Sequential") for line in lines)
    assert re.search(r"^loss          [\d.]+ → [\d.]+$", finished.out, re.MULTILINE)
    assert re.search(r"^time          [\d.]+ s per step, \d+ % of it waiting for data$", finished.out, re.MULTILINE)


def test_what_looks_wrong_is_named_with_its_advice_and_fits_a_narrow_terminal(
    script: Any, retspec: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    script(("            optimizer.zero_grad()\n", ""))
    monkeypatch.setenv("COLUMNS", "60")
    finished = retspec("watch", "--steps", "5", "--", "python", "train.py")
    assert finished.code == 1
    said = " ".join(finished.out.split())
    assert "looks wrong: missed: stale_gradients = 4 parameters, required at most 0" in said
    assert f"→ {gather(entry_points=False).checks['stale_gradients'].advice}" in said
    assert "1 looks wrong" in said
    assert max(map(len, finished.out.splitlines())) <= 60


def test_what_cannot_be_judged_is_said_and_is_nothing_wrong(script: Any, retspec: Any) -> None:
    script()
    finished = retspec("watch", "--steps", "5", "--", "python", "train.py")
    assert finished.code == 0
    said = " ".join(finished.out.split())
    assert "could not be judged: scheduler_steps: SGD has no scheduler" in said
    assert (
        "train_mode_validations: no forward pass without gradients was seen; watch past a validation, with `--steps`"
        in said
    )


def test_what_many_trainings_do_on_purpose_warns_and_is_nothing_wrong(script: Any, retspec: Any) -> None:
    script(("lr=0.1", "lr=0.1, weight_decay=0.1"))
    finished = retspec("watch", "--steps", "4", "--", "python", "train.py")
    assert finished.code == 0
    assert "looks wrong:\n  warned: decayed_vectors = 2 parameters" in finished.out


def test_a_loader_that_repeats_its_order_looks_wrong_and_one_that_does_not_augment_does_not(
    script: Any, retspec: Any
) -> None:
    script(("shuffle=True", "shuffle=False"))
    finished = retspec("watch", "--steps", "4", "--", "python", "train.py")
    assert finished.code == 0
    assert "warned: epoch_order_repeats = true" in finished.out
    assert "train_loader_augments" not in finished.out


def test_a_schedule_that_counts_epochs_does_not_look_wrong(script: Any, retspec: Any) -> None:
    made = "    schedule = torch.optim.lr_scheduler.StepLR(optimizer, 1)\n    for epoch"
    script(("    for epoch", made), ("optimizer.step()\n", "optimizer.step()\n        schedule.step()\n"))
    finished = retspec("watch", "--steps", "12", "--", "python", "train.py")
    assert finished.code == 0
    assert "schedule      StepLR, 1 step after the first optimizer step" in finished.out.splitlines()
    assert "scheduler_steps" not in finished.out


@pytest.mark.parametrize(
    ("loss", "looks_wrong"),
    [
        ("nn.functional.mse_loss(model(inputs), inputs[:, :3], reduction='sum')", False),
        ("nn.functional.cross_entropy(model(inputs), labels, reduction='sum')", True),
        ("nn.functional.mse_loss(model(inputs), inputs[:, :3]) * 4", True),
    ],
)
def test_a_sum_on_purpose_does_not_look_wrong(script: Any, retspec: Any, loss: str, *, looks_wrong: bool) -> None:
    script(("nn.functional.cross_entropy(model(inputs), labels)", loss), ("lr=0.1", "lr=1e-3"))
    finished = retspec("watch", "--steps", "4", "--", "python", "train.py")
    assert ("loss_weight_rtol" in finished.out) is looks_wrong
    assert finished.code == int(looks_wrong)


def test_gradients_that_are_zeroed_per_micro_batch_look_wrong(script: Any, retspec: Any) -> None:
    script((STEP, f"            if torch.rand(()) < 0.5:\n    {STEP}"))
    finished = retspec("watch", "--steps", "6", "--", "python", "train.py")
    assert finished.code == 0
    assert "without a step" in finished.out
    assert "warned: backwards_without_step = " in finished.out


# What it writes ------------------------------------------------------------------------------------


def test_a_spec_is_drafted_that_the_same_training_meets(script: Any, program: Any) -> None:
    """The one walk through both commands, each as a program."""
    script()
    Path("specs").mkdir()
    watched = program("watch", "--steps", "6", "--write", "specs/own.yaml", "--", "python", "train.py", "--x", "${y}")
    assert watched.returncode == 0, watched.stderr
    assert "wrote specs/own.yaml; next:\n  retspec run specs/own.yaml\n" in watched.stdout
    spec = validate(load("specs/own.yaml"), gather(entry_points=False))
    assert spec.training is not None
    assert (spec.training.value, spec.training.arguments) == ("../train.py", {"args": ["--x", "${y}"]})
    assert {"accumulation": 1, "max_trainable_params": 83, "unowned_params": 0, "lr_rtol": 1e-3}.items() <= {
        criterion.id: criterion.limit for criterion in spec.criteria
    }.items()
    assert {"train_loader_augments": False, "epoch_order_repeats": False}.items() <= {
        criterion.id: criterion.limit for criterion in spec.criteria
    }.items()
    assert "  # loaders_share_samples: 0\n" in Path("specs/own.yaml").read_text()
    finished = program("run", "specs/own.yaml", "--no-reports")
    assert finished.returncode == 0, finished.stdout + finished.stderr


def test_a_miss_stands_in_the_draft_with_the_limit_and_what_was_seen(script: Any, retspec: Any) -> None:
    script(("            optimizer.zero_grad()\n", ""))
    retspec("watch", "--steps", "4", "--write", "own.yaml", "--", "python", "train.py")
    lines = Path("own.yaml").read_text().splitlines()
    assert "  stale_gradients: 0   # seen: 4" in lines
    assert any(line.startswith("  # scheduler_steps: 1") for line in lines)


def test_a_file_that_is_there_is_left_alone_and_nothing_runs(script: Any, retspec: Any) -> None:
    script((SEED, "    open('ran', 'w')\n"))
    Path("own.yaml").write_text("mine")
    finished = retspec("watch", "--write", "own.yaml", "--", "python", "train.py")
    assert (finished.code, finished.err) == (2, "Error: own.yaml exists; --force overwrites it\n")
    assert Path("own.yaml").read_text() == "mine"
    assert not Path("ran").exists()


def test_nothing_heavy_is_loaded_into_the_commands_own_process(script: Any) -> None:
    script()
    code, loaded = modules_after(["watch", "--steps", "2", "--", "python", "train.py"], Path.cwd())
    assert code == 0
    assert not loaded & HEAVY
