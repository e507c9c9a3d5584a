"""How a fault is stated: what plants it, and the criteria that it leaves missed or without a verdict."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

if TYPE_CHECKING:
    from collections.abc import Iterable

PREFLIGHT = Path(__file__).parent.parent / "cases" / "preflight"
FULL = PREFLIGHT / "full.yaml"
CHECKPOINT = PREFLIGHT / "checkpoint.yaml"
SPECS = (FULL, CHECKPOINT)


class Cell(StrEnum):
    """What comes of one criterion under one fault."""

    MET = "met"
    MISSED = "missed"
    UNDECIDED = "no verdict"
    SKIPPED = "skipped"


@dataclass(frozen=True)
class Fault:
    """Overrides of a spec that plant it, and every criterion that is not met because of them.

    planted: the fault of `retspec.faults` that plants it, if one does.
    """

    name: str
    overrides: tuple[str, ...]
    missed: frozenset[str]
    undecided: frozenset[str]
    """Criteria without a verdict: nothing can be said about them under this fault."""
    skipped: frozenset[str] = frozenset()
    spec: Path = FULL
    planted: str = ""

    @property
    def settings(self) -> tuple[str, ...]:
        """All overrides, with that which plants the fault."""
        return (*self.overrides, f"run.fault={self.planted}") if self.planted else self.overrides

    @property
    def cells(self) -> dict[str, Cell]:
        """One row of the grid: every criterion of the spec by its id."""
        return {name: self._cell(name) for name in criteria(self.spec)}

    def _cell(self, name: str) -> Cell:
        if name in self.skipped:
            return Cell.SKIPPED
        if name in self.missed:
            return Cell.MISSED
        return Cell.UNDECIDED if name in self.undecided else Cell.MET


@cache
def criteria(spec: Path) -> tuple[str, ...]:
    """Return the ids of the criteria of a spec; here each is named like its check."""
    return tuple(yaml.safe_load(spec.read_text())["checks"])


def vit(
    name: str,
    *overrides: str,
    missed: str = "",
    undecided: str = "",
    unsteady: str = "",
    model: str = "",
    planted: str = "",
) -> Fault:
    """State a fault of the tiny ViT with LoRA, planted by overrides, another model (`module:factory`), or by retspec.

    missed, undecided: criteria, separated by spaces; unsteady: those that are left out, because this fault makes their
    observation swing so far that another processor may see another one. planted: the name of a fault of retspec.
    """
    factory = (f'model.factory="{model}"',) if model else ()
    skips = _skips(unsteady.split(), "it swings")
    return Fault(
        name,
        (*factory, *overrides, *skips),
        frozenset(missed.split()),
        frozenset(undecided.split()),
        skipped=frozenset(unsteady.split()),
        planted=planted,
    )


_SIZES = "{img_size: 64, embed_dim: 48, depth: 2, num_heads: 2, num_classes: 3}"
_LORA = "{r: 4, alpha: 16, target_modules: [qkv], modules_to_save: [head]}"
TIMM = (
    f"model={{timm: vit_tiny_patch16_224, kwargs: {_SIZES}, lora: {_LORA}}}",
    "data.synthetic.input_size=[3, 64, 64]",
)
"""The same ViT by its name in timm, adapted by the spec: as many patches, each of the usual 16 pixels."""


def named(name: str, *, planted: str = "", missed: str = "", undecided: str = "", unsteady: str = "") -> Fault:
    """State a fault of what the spec says of that ViT, planted by retspec."""
    return vit(name, *TIMM, planted=planted, missed=missed, undecided=undecided, unsteady=unsteady)


def _skips(names: Iterable[str], why: str) -> list[str]:
    return [f"checks.{name}={{skip: {why}}}" for name in names]


NET_LIMITS = {
    "max_trainable_params": "20_000",
    "max_trainable_fraction": "0.5",
    "lora_layers": "1",
    "rank_params": "{2: 6176, 8: 24704}",
    "min_trainable_params": "10_000",
    "initial_loss_rtol": "5.0",
}
PATCHES = frozenset({"patch_count", "embed_dim", "input_divisible_by_patch", "sequence_length", "attention_shape"})


def net(
    name: str, model: str = "plain", *, missed: str = "", undecided: str = "", unsteady: str = "", planted: str = ""
) -> Fault:
    """State a fault between the adapted embedding and the saved head of a small net; limits are those that fit it.

    unsteady: criteria that are left out, as for `vit`; planted: the name of a fault of retspec, which the net gets.
    """
    overrides = (
        'model.factory="tests.tiny_between:adapted"',
        f'model.kwargs={{fault: "{model}"}}',
        *(f"checks.{check}={limit}" for check, limit in NET_LIMITS.items()),
        *_skips(sorted(PATCHES), "a net without patches"),
        *_skips(unsteady.split(), "it swings"),
    )
    skipped = PATCHES.union(unsteady.split())
    return Fault(
        name, overrides, frozenset(missed.split()), frozenset(undecided.split()), skipped=skipped, planted=planted
    )


def file(
    name: str, checkpoint: str, *overrides: str, missed: str = "", undecided: str = "", planted: str = ""
) -> Fault:
    """State a fault of a checkpoint, one of `write_checkpoints`, or of the model that it is to fill.

    planted: the name of a fault of retspec, which the file gets.
    """
    path = f'model.checkpoint="${{env.RETSPEC_TEST_CHECKPOINTS}}/{checkpoint}"'
    return Fault(
        name,
        (path, *overrides),
        frozenset(missed.split()),
        frozenset(undecided.split()),
        spec=CHECKPOINT,
        planted=planted,
    )
