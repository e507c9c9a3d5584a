"""What planting faults into a subject has shown: which criteria notice which, and how often the gate flips."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from retspec.records.values import Direction, Value, Verdict


class Tried(StrEnum):
    """What became of a fault."""

    PLANTED = "planted"
    UNFIT = "does not apply"
    LEFT_OUT = "left out"
    """The time was over before its turn."""


@dataclass(frozen=True)
class Answer:
    """What came of one criterion."""

    verdict: Verdict
    value: Value | None = None
    reason: str = ""

    @property
    def is_green(self) -> bool:
        """Whether a gate passes with it."""
        return self.verdict.is_accepted


@dataclass(frozen=True, kw_only=True)
class Proven:
    """One criterion of the spec that was proven, without a fault."""

    id: str
    check: str
    direction: Direction
    unit: str = ""
    limit: Value | None = None
    answer: Answer
    would_notice: Value | None = None
    """For one that never fails: a limit that the subject meets, and that one of the faults would miss."""

    @property
    def can_notice(self) -> bool:
        """Whether it is green without a fault: only then can a fault turn it red."""
        return self.answer.is_green


@dataclass(frozen=True, kw_only=True)
class Trial:
    """One fault, and what came of the criteria that it may touch."""

    fault: str
    stands_for: str
    tried: Tried
    reason: str = ""
    """Why it was not planted."""
    answers: Mapping[str, Answer] = field(default_factory=dict)
    """By the id of the criterion."""
    noticed_by: tuple[str, ...] = ()
    """Criteria that were green without the fault, and are not with it."""
    checks: tuple[str, ...] = ()
    """Checks that notice it and are not in the spec, the best one first."""
    seconds: float = 0.0

    @property
    def is_noticed(self) -> bool:
        """Whether the gate is closed by it."""
        return bool(self.noticed_by)


@dataclass(frozen=True, kw_only=True)
class Spread:
    """How far the numbers go apart that one criterion observed in the same subject, again and again."""

    runs: int
    """Runs in which a number was observed."""
    least: float
    median: float
    greatest: float
    deviation: float
    """The sample standard deviation."""


@dataclass(frozen=True, kw_only=True)
class Flips:
    """The same subject, measured again and again: what came of each criterion, and of the whole gate."""

    runs: int
    flipped: int
    """Runs whose gate differs from that of most."""
    criteria: Mapping[str, int] = field(default_factory=dict)
    """Runs in which the verdict of a criterion differs from that of most; those that never differ are left out."""
    observed: Mapping[str, Spread] = field(default_factory=dict)
    """What each criterion observed that observes numbers; empty in proofs of an earlier retspec."""
    device: str = ""
    """Where it was measured: the noise of one device is not that of another."""


@dataclass(frozen=True, kw_only=True)
class Proof:
    """What planting faults has shown."""

    name: str
    file: str
    spec_sha256: str
    versions: Mapping[str, str] = field(default_factory=dict)
    criteria: tuple[Proven, ...]
    trials: tuple[Trial, ...] = ()
    flips: Flips | None = None
    started: str = ""
    """In UTC, as ISO 8601."""
    seconds: float = 0.0

    @property
    def planted(self) -> tuple[Trial, ...]:
        """The faults that were planted."""
        return tuple(trial for trial in self.trials if trial.tried is Tried.PLANTED)

    @property
    def noticed(self) -> tuple[Trial, ...]:
        """The faults that some criterion notices."""
        return tuple(trial for trial in self.planted if trial.is_noticed)

    @property
    def unnoticed(self) -> tuple[Trial, ...]:
        """The faults that no criterion notices."""
        return tuple(trial for trial in self.planted if not trial.is_noticed)

    @property
    def share(self) -> float:
        """The share of the planted faults that are noticed, from 0 to 1; 0 if none was planted."""
        return len(self.noticed) / len(self.planted) if self.planted else 0.0

    @property
    def never_fail(self) -> tuple[Proven, ...]:
        """The criteria that are green, and that no fault turned red."""
        noticing = {name for trial in self.trials for name in trial.noticed_by}
        return tuple(each for each in self.criteria if each.can_notice and each.id not in noticing)

    @property
    def score(self) -> str:
        """The proof in one line."""
        count, never = len(self.planted), len(self.never_fail)
        parts = [f"{len(self.noticed)} of {count} plantable fault{'s' * (count != 1)} noticed"]
        parts += [f"{never} criteri{'a' if never != 1 else 'on'} never fail{'s' * (never == 1)}"] if never else []
        parts += [f"flips {self.flips.flipped} of {self.flips.runs}"] if self.flips else []
        return ", ".join(parts)
