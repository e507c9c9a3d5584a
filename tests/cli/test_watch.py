"""`retspec watch`: what is run, what is said of it, what it writes."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import torch

from retspec.cli.watched.command_line import parse
from retspec.errors import UsageError
from retspec.plugins.catalog import gather
from retspec.spec.load import load
from retspec.spec.validate import validate
from tests.cli.test_light import HEAVY, modules_after

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.usefixtures("warm_programs")

TRAIN = """\
import sys

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def main(epochs=50):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 3))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    loader = DataLoader(TensorDataset(torch.randn(40, 6), torch.arange(40) % 3), batch_size=4, shuffle=True)
    for epoch in range(epochs):
        for inputs, labels in loader:
            loss = nn.functional.cross_entropy(model(inputs), labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()


if __name__ == "__main__":
    main()
"""
SEED, STEP = "    torch.manual_seed(0)\n", "            optimizer.step()\n"
CAUGHT = """\
            try:
                optimizer.step()
            except BaseException:
                pass
"""
PARSED = """\
    parser = argparse.ArgumentParser()
    parser.add_argument("--epochs", required=True)
    parser.parse_args()
    main()
"""


@pytest.fixture
def script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Write a training script with some lines replaced, into the current directory."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")

    def write(*changes: tuple[str, str], name: str = "train.py") -> Path:
        text = TRAIN
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        path = Path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    return write


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


# How it ends ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ([("epochs=50", "epochs=1")], "python train.py: 10 of 20 optimizer steps, then it ended by itself"),
        (
            [("epochs=50", "epochs=1"), ("    main()\n", "    main()\n    sys.exit(4)\n")],
            "python train.py: 10 of 20 optimizer steps, then it ended by itself, with exit code 4",
        ),
        (
            [("        for inputs", "        if epoch: raise RuntimeError('no more')\n        for inputs")],
            "python train.py: 10 of 20 optimizer steps, then it raised RuntimeError: no more (train.py:14)",
        ),
    ],
    ids=["returns", "exits", "raises"],
)
def test_a_training_that_ends_early_is_judged_on_the_steps_that_it_took(
    script: Any, retspec: Any, changes: list[tuple[str, str]], said: str
) -> None:
    script(*changes)
    finished = retspec("watch", "--", "python", "train.py")
    assert finished.code == 0, finished.err
    first, _, _ = finished.out.partition("\n\n")
    assert " ".join(first.split()) == said


@pytest.mark.parametrize(
    ("changes", "reason", "line"),
    [
        (
            [
                (STEP, ""),
                ("epochs=50", "epochs=1"),
                ("main()\n", "main()\n    print('ok')\n"),
            ],
            "then it ended by itself; seen were 10 forward passes with gradients, 10 backward passes",
            "  | ok",
        ),
        (
            [("import sys\n", "import argparse\n"), ("    main()\n", PARSED)],
            "no optimizer step, then it ended by itself, with exit code 2; seen were 0 forward passes",
            "  | train.py: error: the following arguments are required: --epochs",
        ),
        (
            [(SEED, "    print('reading')\n    open('images.csv')\n")],
            "raised FileNotFoundError: [Errno 2] No such file or directory: 'images.csv' (train.py:10)",
            "  | reading",
        ),
    ],
    ids=["never steps", "wants an argument", "raises"],
)
def test_a_training_without_a_step_gets_no_verdict_and_its_last_lines(
    script: Any, retspec: Any, changes: list[tuple[str, str]], reason: str, line: str
) -> None:
    script(*changes)
    finished = retspec("watch", "--", "python", "train.py")
    assert (finished.code, finished.out) == (3, "")
    assert reason in " ".join(finished.err.split())
    assert line in finished.err.splitlines()


def test_one_that_kills_its_process_gets_no_verdict(script: Any, retspec: Any) -> None:
    script(
        ("import sys\n", "import os\n"),
        (SEED, "    print('bye', flush=True)\n    os._exit(7)\n"),
    )
    finished = retspec("watch", "--", "python", "train.py")
    assert (finished.code, finished.out) == (3, "")
    assert "exited with status 7" in finished.err
    assert "  | bye" in finished.err.splitlines()


# Where it runs -------------------------------------------------------------------------------------


def test_a_module_with_relative_imports_runs_as_python_runs_it(script: Any, retspec: Any) -> None:
    script(
        ("import sys\n", "from .sizes import WIDTH\n"), ("nn.Linear(6, 8)", "nn.Linear(6, WIDTH)"), name="own/train.py"
    )
    Path("own/sizes.py").write_text("WIDTH = 8\n")
    finished = retspec("watch", "--steps", "3", "--", "python", "-m", "own.train")
    assert finished.code == 0, finished.err
    assert finished.out.startswith("python -m own.train: 3 optimizer steps\n")


def test_a_command_that_a_package_installs_is_watched(
    script: Any, retspec: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    script(name="own_package.py")
    installed = Path("own_package-1.0.dist-info")
    installed.mkdir()
    (installed / "METADATA").write_text("Metadata-Version: 2.1\nName: own_package\nVersion: 1.0\n")
    (installed / "entry_points.txt").write_text("[console_scripts]\nown-train = own_package:main\n")
    monkeypatch.syspath_prepend(str(Path.cwd()))
    finished = retspec("watch", "--steps", "3", "--", "own-train", "--x")
    assert finished.code == 0, finished.err
    assert finished.out.startswith("own-train --x: 3 optimizer steps\n")


def test_a_training_that_changes_the_directory_and_has_workers_of_its_own_is_watched(script: Any, retspec: Any) -> None:
    """The workers are spawned, so that they import the script again: its guard keeps them from training."""
    workers = "num_workers=1, multiprocessing_context='spawn', shuffle=True"
    script(
        ("import sys\n", "import os\n"), ("shuffle=True", workers), ("    main()\n", "    os.chdir('/')\n    main()\n")
    )
    finished = retspec("watch", "--steps", "3", "--write", "own.yaml", "--", "python", "train.py")
    assert finished.code == 0, finished.err
    assert Path("own.yaml").is_file()


def test_one_that_catches_what_ends_it_is_ended_all_the_same(script: Any, retspec: Any) -> None:
    script((STEP, CAUGHT))
    finished = retspec("watch", "--steps", "4", "--", "python", "train.py")
    assert finished.code == 0, finished.err
    assert finished.out.startswith("python train.py: 4 optimizer steps\n")


def test_one_that_catches_it_again_and_again_gets_no_verdict(script: Any, retspec: Any) -> None:
    forever = "    while True:\n        try:\n            main()\n        except BaseException:\n            pass\n"
    script(("    main()\n", forever))
    finished = retspec("watch", "--steps", "4", "--", "python", "train.py")
    assert (finished.code, finished.out) == (3, "")
    assert "train.py catches every exception, so that it cannot be ended" in finished.err


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
