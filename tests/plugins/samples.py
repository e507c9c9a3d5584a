"""The source of plugins that the tests write, and the types of what writes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from pathlib import Path

CHECK = """
from retspec.facts import Training
from retspec.plugin import Check, check, hookimpl

@check(direction="at most", unit="steps", advice="Warm up for fewer steps.")
def {name}(training: Training) -> int:
    '''How many steps did the training take?'''
    return len(training.losses)

@hookimpl
def retspec_checks() -> list[Check]:
    return [{name}]
"""

FACTORY = """
from torch import nn

def build():
    return nn.Sequential(nn.Flatten(), nn.Linear(3 * 8 * 8, 16), nn.ReLU(), nn.Linear(16, 3))
"""


class Write(Protocol):
    """Writes a file below the test's folder."""

    def __call__(self, name: str, text: str) -> Path: ...


class Install(Protocol):
    """Makes a module importable and names it as an entry point, as an installed package does."""

    def __call__(self, name: str, text: str) -> Path: ...
