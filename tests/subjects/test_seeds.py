"""Seeding: every generator that is there, and none that would have to be imported first."""

from __future__ import annotations

import random
import subprocess
import sys

import numpy as np
import torch

from retspec.subjects.seeds import seeded


def drawn() -> tuple[float, float, float]:
    return random.random(), float(np.random.rand()), float(torch.rand(()))  # noqa: S311, NPY002


def test_every_generator_is_seeded_and_gets_its_state_back() -> None:
    with seeded(1):
        expected = drawn()
        after = drawn()
    with seeded(1):
        assert drawn() == expected
        with seeded(1, only_loaded=True):
            assert drawn() == expected
        assert drawn() == after


def test_what_nobody_imported_stays_so() -> None:
    proof = (
        "import sys\nfrom retspec.subjects.seeds import *\nwith seeded(1, only_loaded=True): print(loaded_libraries())"
    )
    done = subprocess.run([sys.executable, "-c", proof], capture_output=True, text=True, check=True)
    assert done.stdout == "frozenset()\n"
