"""A plugin whose measurements and checks print, each in another way; and models that do."""

# ruff: noqa: T201 - printing is what it is for

from __future__ import annotations

import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING

from retspec.plugin import Check, Cost, Measurement, check, hookimpl, measurement

if TYPE_CHECKING:
    from torch import Tensor, nn
    from torch.utils.data import DataLoader

FLOOD = 50_000_000
SECRET_PLACE = 16 * 1024
"""Where the flood of a secret turns from what is kept to what is left out."""

print("imported the plugin")


# Models -------------------------------------------------------------------------------------------


def model(*, fails: bool = False) -> nn.Module:
    """A model that prints while it is made, and in each forward pass."""
    from torch import nn

    class Talks(nn.Module):
        def forward(self, inputs: Tensor) -> Tensor:
            print("forward", tuple(inputs.shape))
            return inputs

    print("making the model")
    if fails:
        raise ValueError("no model today")
    return nn.Sequential(Talks(), nn.Flatten(), nn.Linear(192, 3))


def loader() -> DataLoader[tuple[Tensor, int]]:
    """Batches of a dataset that prints in a process of its own."""
    import torch
    from torch.utils.data import DataLoader, Dataset

    class Talks(Dataset[tuple[torch.Tensor, int]]):
        def __len__(self) -> int:
            return 4

        def __getitem__(self, index: int) -> tuple[torch.Tensor, int]:
            print("loading", index)
            return torch.ones(3, 8, 8), index % 3

    return DataLoader(Talks(), batch_size=2, num_workers=1)


# Measurements -------------------------------------------------------------------------------------


@measurement(cost=Cost.FORWARD, needs_torch=False)
def spoken() -> int:
    """Print from Python, from C, and from a child."""
    print("from Python")
    print("to stderr", file=sys.stderr)
    os.write(1, b"from C\n")
    subprocess.run(["sh", "-c", "echo from a child; echo a child on stderr >&2"], check=True)
    return 1


@measurement(cost=Cost.FORWARD, needs_torch=False)
def unfinished() -> int:
    """Print what no line break ends, into a buffer of C."""
    import ctypes

    ctypes.CDLL(None).printf(b"in a buffer of C")
    sys.stdout.write("no line break")
    return 1


@measurement(cost=Cost.FORWARD, needs_torch=False)
def flooded() -> int:
    """Print far too much."""
    line = b"x" * 999 + b"\n"
    os.write(1, b"the first line\n")
    for _ in range(FLOOD // len(line)):
        os.write(1, line)
    os.write(1, b"the last line\n")
    return 1


@measurement(cost=Cost.FORWARD, needs_torch=False)
def cut_secrets(*, secret: str) -> int:
    """Print a secret at every place where a cut may go through it."""
    for offset in range(len(secret) + 1):
        os.write(2, b"#" * offset + secret.encode() * (3 * SECRET_PLACE // len(secret)))
    return 1


@measurement(cost=Cost.FORWARD, needs_torch=False)
def hostile() -> int:
    """Print what a terminal would obey."""
    print("\x1b]52;c;cm0gLXJmIH4=\x07\x1b]8;;https://evil.example\x1b\\click\x1b]8;;\x1b\\ \u202eevil\u202c\x1b[2J")
    return 1


@measurement(cost=Cost.FORWARD, needs_torch=False)
def broken() -> int:
    """Print and raise."""
    print("before the error")
    raise ValueError("it broke")


@measurement(cost=Cost.TRAINING, needs_torch=False)
def deadly() -> int:
    """Print and abort."""
    print("the end is near")
    os.write(2, b"last words\n")
    os.abort()


@measurement(cost=Cost.TRAINING, needs_torch=False)
def endless() -> int:
    """Print and stay."""
    print("here to stay")
    time.sleep(600)
    return 1


@measurement(cost=Cost.FORWARD, needs_torch=False)
def truncating() -> int:
    """Let a child write the standard output as if it were a file of its own."""
    print("a first line")
    subprocess.run(["sh", "-c", "echo short > /dev/stdout"], check=True)
    print("more")
    return 1


# Checks -------------------------------------------------------------------------------------------


@check(direction="at most", advice="Nothing to do.")
def reads_spoken(spoken: int) -> int:
    """Was it spoken?"""
    return spoken


@check(direction="at most", advice="Nothing to do.")
def speaks_itself(spoken: int) -> int:
    """Does the check print?"""
    print("in the check")
    return spoken


@check(direction="at most", advice="Nothing to do.")
def silent() -> int:
    """Is it silent?"""
    return 1


@check(direction="at most", advice="Nothing to do.")
def reads_unfinished(unfinished: int) -> int:
    """Is it unfinished?"""
    return unfinished


@check(direction="at most", advice="Nothing to do.")
def reads_flooded(flooded: int) -> int:
    """Is it flooded?"""
    return flooded


@check(direction="at most", advice="Nothing to do.")
def reads_secrets(cut_secrets: int) -> int:
    """Are there secrets?"""
    return cut_secrets


@check(direction="at most", advice="Nothing to do.")
def reads_hostile(hostile: int) -> int:
    """Is it hostile?"""
    return hostile


@check(direction="at most", advice="Nothing to do.")
def reads_broken(broken: int) -> int:
    """Is it broken?"""
    return broken


@check(direction="at most", advice="Nothing to do.")
def reads_deadly(deadly: int) -> int:
    """Is it deadly?"""
    return deadly


@check(direction="at most", advice="Nothing to do.")
def reads_endless(endless: int) -> int:
    """Is it endless?"""
    return endless


@check(direction="at most", advice="Nothing to do.")
def reads_truncating(truncating: int) -> int:
    """Does it truncate?"""
    return truncating


@hookimpl
def retspec_checks() -> list[Check]:
    return [item for item in globals().values() if isinstance(item, Check)]


@hookimpl
def retspec_measurements() -> list[Measurement]:
    return [item for item in globals().values() if isinstance(item, Measurement)]
