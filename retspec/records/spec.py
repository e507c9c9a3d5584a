"""A valid spec: its sections and its complete criteria."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from retspec.errors import Mark, Problem
from retspec.records.predictions import PredictionFiles
from retspec.records.recipe import Recipe, TrainingSource
from retspec.records.sections import Config, Data, Model, RunOptions
from retspec.records.seeds import Aggregate
from retspec.records.values import Direction, Judged, Observed, Severity, Value

Slack = Annotated[float, Meta(ge=0)] | Annotated[str, Meta(pattern=r"^[0-9]{1,9}(\.[0-9]{1,9})?%$")]
"""How much worse a value may be: a percentage, or a number in the unit of the check."""


@dataclass(frozen=True, kw_only=True)
class Regression:
    """How much worse than a baseline a criterion may be; its effective limit has been computed from this."""

    vs: str
    """The file of the baseline, as the spec names it."""
    most: Slack
    value: int | float | None = None
    """The baseline's value; None until it is read."""


@dataclass(frozen=True, kw_only=True)
class Waiver:
    """Why a miss is accepted, by whom, until when. It covers a miss, never a missing verdict."""

    reason: Annotated[
        str,
        Meta(
            pattern=r"\S",
            description="Why a miss is accepted for now.",
            examples=["the new head is trained next week"],
        ),
    ]
    owner: Annotated[str, Meta(pattern=r"\S", description="Who is responsible for it.", examples=["ada"])]
    until: Annotated[
        date,
        Meta(description="The last day (UTC) on which a miss is accepted, YYYY-MM-DD.", examples=["2026-12-31"]),
    ]


@dataclass(frozen=True, kw_only=True)
class Criterion:
    """One entry under `checks:`, complete: what the judge and the reporters need of the check is copied into it."""

    id: str
    cell: str = ""
    """The cell of the matrix that it belongs to."""
    check: str
    question: str = ""
    """What the check asks, for people."""
    direction: Direction
    unit: str
    limit: Value | None
    """None only for a criterion that is skipped and has no limit yet. With a baseline, the stricter of both."""
    regression: Regression | None = None
    judge: Judged | None = None
    """What is held against the limit; None for a check whose observations have no interval."""
    aggregate: Aggregate | None = None
    """Which of the values under several seeds is judged; None for what the spec does not say: the worst."""
    warn: Value | None = None
    severity: Severity = Severity.ERROR
    arguments: Mapping[str, Any] = field(default_factory=dict)
    tags: tuple[str, ...] = ()
    timeout: float | None = None
    skip: str | None = None
    waive: Waiver | None = None
    description: str = ""
    advice: str
    mark: Mark

    @property
    def name(self) -> str:
        """The unique name in a run: the id, in a matrix with the cell."""
        return f"{self.id}[{self.cell}]" if self.cell else self.id

    def judged(self, observed: Observed[Value]) -> Value:
        """Return what is held against the limit: the observed value, or the worse end of its interval."""
        if self.judge is not Judged.BOUND or observed.interval is None:
            return observed.value
        return observed.interval.upper if self.direction is Direction.AT_MOST else observed.interval.lower


@dataclass(frozen=True, kw_only=True)
class Spec:
    """A valid spec: every reference resolved, every argument of its declared type."""

    file: str
    cell: str = ""
    """The cell of the matrix that it is; empty without a matrix."""
    unselected_cells: int = 0
    """How many other cells of the matrix the options of the run left out."""
    extended: tuple[str, ...] = ()
    """The files that it extends."""
    name: str
    description: str = ""
    model: Model | None = None
    data: Data = field(default_factory=Data)
    train: Recipe = field(default_factory=Recipe)
    """The recipe; for another kind of training, the keys that it shares with the recipe."""
    training: TrainingSource | None = None
    """A kind of training other than the recipe."""
    predictions: PredictionFiles | None = None
    run: RunOptions = field(default_factory=RunOptions)
    config: Config | None = None
    plugins: tuple[str, ...] = ()
    criteria: tuple[Criterion, ...]
    doubts: tuple[Problem, ...] = ()
    """What is no error, and likely a mistake."""
    marks: Mapping[str, Mark] = field(default_factory=dict)
    secrets: tuple[str, ...] = ()
    """Texts that must not appear in any output."""
    sha256: str = ""

    @property
    def model_keys(self) -> frozenset[str]:
        """The keys of the section `model` that say how the model is made; none without that section."""
        if self.model is None:
            return frozenset()
        wrapped = {"lora": self.model.lora, "peft": self.model.peft, "adapter": self.model.adapter}
        return frozenset({self.model.source, *(key for key, value in wrapped.items() if value is not None)})

    @property
    def base(self) -> object:
        """A key for the base model, without the content of files: specs with the same key can share it.

        Without the seed where a checkpoint is loaded: whether it leaves anything to the seed is known afterwards.
        """
        if self.model is None:
            return None
        model = self.model
        made_of = (model.source, model.value, model.arguments, model.checkpoint, model.fill)
        seed = None if model.checkpoint is not None and model.fill else self.run.seed
        cast = (seed, self.run.dtype, self.train.grad_checkpointing)
        return msgspec.json.encode((made_of, cast, [*map(str, self.folders)]))

    @property
    def folders(self) -> tuple[Path, ...]:
        """Folders of the modules that it names: its own, then those of the files that it extends."""
        return tuple(dict.fromkeys(Path(file).resolve().parent for file in (self.file, *self.extended)))
