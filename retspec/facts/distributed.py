"""Facts about a training of the user's own that ran on several ranks, each a process of its own."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from msgspec import Struct

from retspec.errors import Inconclusive, NoVerdict
from retspec.facts.reruns import Trace

if TYPE_CHECKING:
    from collections.abc import Iterator

BY_ITSELF = "it ended by itself"
"""How the ending begins of a training that was not ended, and did not fail."""


class Pass(Struct, frozen=True):
    """A pass through the data of a DataLoader that trains."""

    length: int | None
    """Batches that its sampler announces; None where it does not."""
    positions: tuple[str, ...]
    """What its sampler drew so far, in order; empty for a stream. Workers draw ahead of the steps."""
    ended: bool
    """Whether the sampler came to its end."""
    drawn: int
    """Batches that it drew so far."""

    @property
    def batches(self) -> int | None:
        """Batches of the whole pass; None where neither the sampler nor its end shows them."""
        return self.drawn if self.ended else self.length


class RankTrace(Struct, frozen=True):
    """What one rank did."""

    rank: int
    trace: Trace
    backend: str
    """Backend of its process group; empty when it made none."""
    world: int
    """Processes in that group."""
    samples: tuple[tuple[str, ...], ...]
    """What recognises the samples that entered training forward passes, for each step; those of one value left out."""
    passes: tuple[Pass, ...]
    """The passes of its DataLoaders that trained."""
    sharded: bool = False
    """Whether it holds only a part of the parameters, as with FSDP."""
    arrived: int = 0
    """How many other ranks had come to their end before it."""

    @property
    def steps(self) -> int:
        """Steps of the optimizer with the most elements."""
        return len(self.trace.rates)

    @property
    def died(self) -> bool:
        """Whether it raised, or left with another exit code than 0."""
        ending = self.trace.ending
        return bool(ending) and ending not in {BY_ITSELF, f"{BY_ITSELF}, with exit code 0"}


class RankDeviation(Struct, frozen=True):
    """How far a gradient on a rank is from that of one process."""

    rank: int
    parameter: str
    relative: float
    """Norm of the difference over the norm of that of one process, or over a hundredth of that of all gradients."""


class GradientsOfRanks(Struct, frozen=True):
    """The gradients at the first step, against those of one process that is fed what all ranks were fed."""

    deviations: tuple[RankDeviation, ...]
    """The largest for each rank and parameter, the worst first."""
    compared: int
    """Parameters that were compared."""
    samples: tuple[int, ...]
    """Samples of the step on each rank."""
    micro_batches: int
    unknown: str = ""
    """Why there is no such comparison; empty when there is one."""


class DistributedRun(Struct, frozen=True):
    """A training on several ranks."""

    ranks: tuple[RankTrace, ...]
    gradients: GradientsOfRanks

    @property
    def command(self) -> str:
        """How each rank was started."""
        return self.ranks[0].trace.command

    @property
    def grouped(self) -> tuple[RankTrace, ...]:
        """The ranks, which know of each other and took a step.

        Raises NoVerdict when one took none, Inconclusive when one made no process group.
        """
        if failed := self._first(each for each in self.ranks if not each.steps):
            ending = failed.trace.ending or "the reason is not known"
            raise NoVerdict(f"rank {failed.rank} of {len(self.ranks)} took no optimizer step: {ending}")
        alone = [str(each.rank) for each in self.ranks if each.world != len(self.ranks)]
        if alone:
            raise Inconclusive(
                f"{self.command} made no process group of {len(self.ranks)} (rank {', '.join(alone)}): it ran "
                f"{len(self.ranks)} times, and no rank knew of another; call `init_process_group`, or leave out "
                "`train.ranks`"
            )
        return self.ranks

    @property
    def sound(self) -> tuple[RankTrace, ...]:
        """The same, when none died; raises NoVerdict with the rank that did so first."""
        grouped = self.grouped
        if dead := self._first(each for each in grouped if each.died):
            raise NoVerdict(
                f"rank {dead.rank} of {len(grouped)} died after {dead.steps} optimizer steps: {dead.trace.ending}"
            )
        return grouped

    @staticmethod
    def _first(ranks: Iterator[RankTrace]) -> RankTrace | None:
        return min(ranks, key=lambda each: each.arrived, default=None)

    @property
    def extent(self) -> dict[str, object]:
        """The ranks and their steps as details."""
        early = {f"rank {each.rank} ended": each.trace.ending for each in self.ranks if each.trace.ending}
        return {"ranks": len(self.ranks), "steps": min(each.steps for each in self.ranks), **early}

    def pairs_of_passes(self) -> Iterator[tuple[int, Pass, Pass]]:
        """Give each rank with two passes that follow one another."""
        for each in self.sound:
            for first, second in pairwise(each.passes):
                yield each.rank, first, second
