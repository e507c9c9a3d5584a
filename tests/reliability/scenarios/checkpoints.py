"""What may stand where the spec names a checkpoint."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.reliability.scenario import Scenario
from tests.subjects.hostile import HUGE, archive, claiming, entry, safetensors

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Prepare = Callable[[Path], None]

SPEC = """
retspec: 1
model:
  factory: models:build
  checkpoint: w.pth
data: {factory: "models:batch"}
checks: {loss_drop: 0.5, dead_gradients: 0}
"""
MODELS = """
import torch

def build():
    return torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(12, 3))

def batch():
    return torch.randn(4, 3, 2, 2), torch.arange(4) % 3
"""
LFS = "version https://git-lfs.github.com/spec/v1\noid sha256:0f\nsize 3954000000\n"
ENDS_THE_WORKER = archive({"data.pkl": b"\x80\x02cposix\n_exit\nK\x00\x85R.", "version": b"3\n"})
"""Unpickled in full trust, this ends the process with status 0."""


def many_keys(folder: Path) -> None:
    entries = (b'"%d":{"dtype":"U8","shape":[1],"data_offsets":[%d,%d]}' % (n, n, n + 1) for n in range(10**6))
    (folder / "w.pth").write_bytes(safetensors(b"{" + b",".join(entries) + b"}", bytes(10**6)))


def given(fault: str, content: str | bytes | None, sees: str, prepare: Prepare | None = None) -> Scenario:
    return Scenario(
        group="Checkpoints that are none",
        fault=fault,
        spec=SPEC,
        files={"models.py": MODELS, **({} if content is None else {"w.pth": content})},
        prepare=prepare,
        exit_code=3,
        sees=sees,
        verdicts={"loss_drop": "error", "dead_gradients": "error"},
        here=True,
    )


SCENARIOS = [
    given("the checkpoint is not there", None, "spec.yaml:5:15: w.pth is not there (looked for "),
    given("a git-LFS pointer", LFS, "is a git-LFS pointer, not the weights; fetch them with `git lfs pull`"),
    given("the login page of a site", "<!DOCTYPE html>\n<title>Log in</title>", "w.pth is an HTML page"),
    given("a download that was cut off", ENDS_THE_WORKER[:-30], "w.pth is damaged, or cut off: its zip archive has no"),
    given("a pickle that runs code", ENDS_THE_WORKER, "its pickle asks for posix._exit, which could run code"),
    given(
        "a tensor of 10¹² numbers, all of them the same four bytes",
        claiming(4, (HUGE,), (0,)),
        "is damaged: weight has the shape (1000000000000,), which is more than the file holds",
    ),
    given("a header of a million keys", None, "is damaged: its header has ", many_keys),
    given(
        "weights of another model",
        safetensors(entry((2, 2))),
        "its one tensor does not fit; 1.weight has the shape (2, 2), in the model (3, 12)",
    ),
]
