"""A kind of training that starts a whole program, as a plugin in one file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retspec.plugin import Source, hookimpl, training_source
from retspec.toolkit import Launch

if TYPE_CHECKING:
    from pathlib import Path

STEP = """\
import torch

if SEED:
    torch.manual_seed(SEED)
model = torch.nn.Linear(4, 2)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
while True:
    loss = torch.nn.functional.cross_entropy(model(torch.randn(3, 4)), torch.tensor([0, 1, 1]))
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
"""


@training_source(launches=True)
def seeded_text(value: dict[str, int], _folder: Path) -> Launch:
    """Run a short text, with a seed, or with none for 0."""
    return Launch("a text", lambda: exec(STEP, {"SEED": value["seed"], "__name__": "__main__"}))  # noqa: S102 - our own


@hookimpl
def retspec_training_sources() -> list[Source]:
    return [seeded_text]
