"""`retspec watch`: how the training ends, and where it runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.cli.watched_script import SEED, STEP

pytestmark = pytest.mark.usefixtures("warm_programs")

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
