"""Models that write down when they are built and run, and one that cannot be built at all."""

from __future__ import annotations

import os
import random
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

if TYPE_CHECKING:
    from torch import Tensor


class Counted(nn.Module):
    """Writes a line for each pass that goes through it, with the kind of tensor that went."""

    def __init__(self, log: str) -> None:
        super().__init__()
        self.log = log
        self.body = nn.Linear(3 * 8 * 8, 16)
        self.head = nn.Linear(16, 3)
        self.note(f"built on {self.body.weight.device.type}")

    def forward(self, inputs: Tensor) -> Tensor:
        kind = type(inputs).__name__
        self.note(f"forward {kind}")
        outputs: Tensor = self.head(self.body(inputs.flatten(1)).tanh())
        if outputs.requires_grad:
            outputs.register_hook(lambda _gradient: self.note(f"backward {kind}"))
        return outputs

    def note(self, line: str) -> None:
        with Path(self.log).open("a") as stream:
            stream.write(f"{line}\n")


def build(log: str) -> nn.Module:
    return Counted(log)


class Noisy(Counted):
    """Draws from a generator of its own, which no seed of the run sets back."""

    def __init__(self, log: str) -> None:
        super().__init__(log)
        self._random = random.Random(0)  # noqa: S311 - no secret

    def forward(self, inputs: Tensor) -> Tensor:
        return super().forward(inputs + self._random.random())


def build_noisy(log: str) -> nn.Module:
    return Noisy(log)


class Wearing(Counted):
    """Every pass wears off the weights that do not train."""

    def forward(self, inputs: Tensor) -> Tensor:
        for parameter in self.parameters():
            if self.training and not parameter.requires_grad:
                parameter.data.mul_(0.99)
        return super().forward(inputs)


def build_wearing(log: str) -> nn.Module:
    return Wearing(log)


def segfaults() -> Any:
    os.kill(os.getpid(), signal.SIGSEGV)


def out_of_memory() -> Any:
    raise torch.OutOfMemoryError("CUDA out of memory: tried to allocate 80 GiB")
