"""The frozen records that travel along the arrows of the flow: load → validate → plan → measure → judge → report.

Each is plain data: `msgspec` turns it into JSON and back, and its field types are the schema of what is written.
Times are seconds, lines and columns count from 1, shapes are written as in torch: (batch, channels, height, width).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Annotated, Any, Generic, Literal, TypeVar

from msgspec import Meta

from retspec.errors import Mark

Value = bool | int | float | str | tuple[int, ...]
"""What a check observes and a limit holds it against: one number, or one exact value."""

T_co = TypeVar("T_co", bound=Value, covariant=True)


@dataclass(frozen=True)
class Observed(Generic[T_co]):
    """What a check saw: one value, and the details that a person wants when it is missed (JSON-able)."""

    value: T_co
    details: Mapping[str, Any] = field(default_factory=dict)


class Direction(StrEnum):
    """How an observation is held against its limit. It belongs to the check, never to the spec."""

    AT_MOST = "at most"
    AT_LEAST = "at least"
    EQUAL = "equal"


class Severity(StrEnum):
    """What a missed limit means for the run."""

    ERROR = "error"
    WARN = "warn"


class Verdict(StrEnum):
    """The outcome of one criterion. All from `INCONCLUSIVE` on are "no verdict": never green."""

    MET = "met"
    MISSED = "missed"
    WARNED = "warned"
    SKIPPED = "skipped"
    INCONCLUSIVE = "inconclusive"
    ERROR = "error"
    TIMEOUT = "timeout"
    CRASH = "crash"
    OUT_OF_MEMORY = "out of memory"
    NOT_RUN = "not run"

    @property
    def is_decided(self) -> bool:
        """Whether this is a verdict at all."""
        return self in {Verdict.MET, Verdict.MISSED, Verdict.WARNED, Verdict.SKIPPED}


# The sections of a spec ---------------------------------------------------------------------------

PositiveInt = Annotated[int, Meta(ge=1)]
Fraction = Annotated[float, Meta(ge=0, le=1)]
Duration = Annotated[
    str,
    Meta(
        pattern=r"^[0-9]+(\.[0-9]+)?(ms|s|m|h)$",
        description="A duration with its unit: 500ms, 90s, 10m, 1h.",
        examples=["90s", "10m"],
    ),
]
_SECONDS = {"ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}


def seconds(duration: Duration) -> float:
    """Return a duration such as `90s` or `1.5h` in seconds."""
    number = duration.rstrip("smh")
    return float(number) * _SECONDS[duration[len(number) :]]


@dataclass(frozen=True, kw_only=True)
class Lora:
    """How peft wraps the model; the names are those of `peft.LoraConfig` (without its `lora_` prefix)."""

    r: Annotated[PositiveInt, Meta(description="Rank of the update matrices.")] = 8
    alpha: Annotated[float, Meta(gt=0, description="The update is scaled by alpha / r.")] = 16
    dropout: Annotated[float, Meta(ge=0, lt=1, description="Dropout on the adapter's input.")] = 0.0
    target_modules: Annotated[
        list[str] | str,
        Meta(description="Names of layers (a layer matches when its name ends with one), or one regular expression."),
    ]
    exclude_modules: Annotated[list[str] | str, Meta(description="Layers to leave alone.")] = ()  # type: ignore[assignment]
    modules_to_save: Annotated[
        list[str],
        Meta(description="Modules trained in full and saved with the adapter; the head belongs here."),
    ] = ()  # type: ignore[assignment]
    bias: Annotated[Literal["none", "all", "lora_only"], Meta(description="Which biases train.")] = "none"
    use_rslora: Annotated[bool, Meta(description="Scale by alpha / sqrt(r) instead.")] = False
    use_dora: Annotated[bool, Meta(description="Train magnitude and direction apart (DoRA).")] = False


@dataclass(frozen=True, kw_only=True)
class Model:
    """The section `model`: which source builds it, from what, and what wraps it."""

    source: str
    value: Any
    arguments: Mapping[str, Any] = field(default_factory=dict)
    lora: Lora | None = None


@dataclass(frozen=True, kw_only=True)
class Data:
    """The section `data`: which source gives the batch, from what."""

    source: str = "synthetic"
    value: Any = field(default_factory=dict)
    arguments: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """The section `train`: how the short trainings of the checks are done."""

    steps: Annotated[PositiveInt, Meta(description="Optimizer steps of a training.")] = 20
    optimizer: Annotated[Literal["adamw", "sgd"], Meta(description="The optimizer.")] = "adamw"
    lr: Annotated[float, Meta(ge=0, description="Learning rate, constant.")] = 1e-3
    weight_decay: Annotated[float, Meta(ge=0, description="Weight decay of every trainable parameter.")] = 0.0
    momentum: Annotated[float, Meta(ge=0, lt=1, description="Momentum, for sgd.")] = 0.0
    batch_size: Annotated[PositiveInt, Meta(description="Images per optimizer step.")] = 4
    accumulation: Annotated[PositiveInt, Meta(description="Micro-batches per optimizer step.")] = 1
    amp: Annotated[Literal["none", "bfloat16", "float16"], Meta(description="Autocast dtype.")] = "none"
    loss: Annotated[
        str,
        Meta(
            pattern=r"^(cross_entropy|bce_with_logits|[\w.]+:\w+)$",
            description="cross_entropy, bce_with_logits, or your own as package.module:callable(logits, targets).",
            examples=["cross_entropy", "bce_with_logits"],
        ),
    ] = "cross_entropy"
    dropout: Annotated[
        Literal["zero", "keep"],
        Meta(description="zero: switch dropout and stochastic depth off while measuring; keep: leave them on."),
    ] = "zero"


@dataclass(frozen=True, kw_only=True)
class RunOptions:
    """The section `run`: where and how the measurements run."""

    seed: Annotated[int, Meta(ge=0, description="Seeds torch, numpy and random before each measurement.")] = 42
    device: Annotated[
        str,
        Meta(
            pattern=r"^(auto|cpu|mps|cuda(:[0-9]+)?)$",
            description="auto takes cuda, else mps, else cpu.",
            examples=["auto", "cpu", "cuda", "mps"],
        ),
    ] = "auto"
    dtype: Annotated[
        Literal["float32", "float64", "bfloat16", "float16"], Meta(description="Of the model's weights.")
    ] = "float32"
    timeout: Annotated[Duration, Meta(description="For the whole run.")] | None = None
    threads: Annotated[PositiveInt, Meta(description="CPU threads of torch.")] | None = None


@dataclass(frozen=True, kw_only=True)
class Criterion:
    """One entry under `checks:`, complete: what the judge and the reporters need of the check is copied into it."""

    id: str
    check: str
    direction: Direction
    unit: str
    limit: Value | None
    """None only for a criterion that is skipped before anybody has set one."""
    warn: Value | None = None
    severity: Severity = Severity.ERROR
    arguments: Mapping[str, Any] = field(default_factory=dict)
    tags: tuple[str, ...] = ()
    timeout: float | None = None
    skip: str | None = None
    description: str = ""
    advice: str
    mark: Mark


@dataclass(frozen=True, kw_only=True)
class Spec:
    """A valid spec: every reference resolved, every argument of its declared type."""

    file: str
    name: str
    description: str = ""
    model: Model | None = None
    data: Data = field(default_factory=Data)
    train: Recipe = field(default_factory=Recipe)
    run: RunOptions = field(default_factory=RunOptions)
    plugins: tuple[str, ...] = ()
    criteria: tuple[Criterion, ...]
    marks: Mapping[str, Mark] = field(default_factory=dict)
    sha256: str = ""


# The plan -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Passes:
    """Forward and backward passes of the real model, counted per batch that goes through it."""

    forward: int = 0
    backward: int = 0

    def __add__(self, other: Passes) -> Passes:
        return Passes(self.forward + other.forward, self.backward + other.backward)


@dataclass(frozen=True, kw_only=True)
class MeasurementStep:
    """One measurement with its arguments: made once, shared by the criteria that wait for it."""

    key: str
    name: str
    cost: str
    arguments: Mapping[str, Any]
    inputs: Mapping[str, str]
    """Parameter name to the key of the measurement that fills it, or to the part of the subject itself."""
    passes: Passes
    criteria: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class CheckStep:
    """One criterion and the measurements that its check reads."""

    criterion: Criterion
    inputs: Mapping[str, str]
    arguments: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What will be measured, for whom, in which order; measurements come before what reads them, cheap before dear."""

    spec: Spec
    measurements: tuple[MeasurementStep, ...]
    checks: tuple[CheckStep, ...]
    skipped: tuple[Criterion, ...] = ()
    needs_weights: bool = True

    @property
    def passes(self) -> Passes:
        """All passes of the run."""
        return sum((step.passes for step in self.measurements), Passes())

    def criterion(self, name: str) -> Criterion:
        """Return the criterion of that id; raises KeyError when the plan runs none."""
        return {step.criterion.id: step.criterion for step in self.checks}[name]

    def restricted_to(self, ids: Iterable[str]) -> Plan:
        """Return the part of the plan that these criteria need."""
        keep = set(ids)
        return replace(
            self,
            checks=tuple(step for step in self.checks if step.criterion.id in keep),
            measurements=tuple(step for step in self.measurements if keep.intersection(step.criteria)),
        )


# What comes back ----------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What measuring one criterion came to: an observation, or the reason why there is none."""

    id: str
    observed: Observed[Value] | None = None
    failure: Verdict | None = None
    reason: str = ""
    trace: str = ""
    """The traceback or the tail of stderr, for `-v`."""
    seconds: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Result:
    """One criterion with its verdict."""

    criterion: Criterion
    verdict: Verdict
    observed: Observed[Value] | None = None
    reason: str = ""
    trace: str = ""
    seconds: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Measured:
    """A measurement that was made: its facts, if they are plain data, and what it cost."""

    key: str
    facts: Any = None
    seconds: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Provenance:
    """What the verdicts speak about: enough to tell whether two results are comparable."""

    spec_sha256: str = ""
    seed: int = 0
    device: str = ""
    dtype: str = ""
    threads: int | None = None
    git_commit: str = ""
    platform: str = ""
    hostname: str = ""
    versions: Mapping[str, str] = field(default_factory=dict)
    plugins: Mapping[str, str] = field(default_factory=dict)


EXIT_MET, EXIT_MISSED, EXIT_USAGE, EXIT_NO_VERDICT, EXIT_INTERNAL, EXIT_NOTHING = range(6)


@dataclass(frozen=True, kw_only=True)
class Report:
    """All verdicts of a run, with provenance. It owns the exit code."""

    retspec: Literal[1] = 1
    name: str
    file: str
    description: str = ""
    started: str
    """UTC, `YYYY-MM-DDTHH:MM:SS`."""
    seconds: float = 0.0
    results: tuple[Result, ...]
    measurements: tuple[Measured, ...] = ()
    faults: tuple[str, ...] = ()
    """What went wrong with the run itself, outside any one criterion."""
    interrupted: int = 0
    """Number of the signal that ended the run, or 0."""
    strict: bool = False
    provenance: Provenance = field(default_factory=Provenance)

    def count(self, *verdicts: Verdict) -> int:
        """Return how many criteria have one of these verdicts."""
        return sum(result.verdict in verdicts for result in self.results)

    @property
    def undecided(self) -> Sequence[Result]:
        """The criteria without a verdict."""
        return [result for result in self.results if not result.verdict.is_decided]

    @property
    def exit_code(self) -> int:
        """0 all met · 1 a limit missed · 3 some criterion has no verdict · 5 nothing was judged · 128+n interrupted."""
        if self.interrupted:
            return 128 + self.interrupted
        if self.count(Verdict.MISSED) or (self.strict and self.count(Verdict.WARNED)):
            return EXIT_MISSED
        if self.undecided or self.faults:
            return EXIT_NO_VERDICT
        if not self.count(Verdict.MET, Verdict.WARNED):
            return EXIT_NOTHING
        return EXIT_MET
