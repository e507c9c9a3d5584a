"""Facts about a training of the user's own that ran several times, each time in a process of its own."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct
from msgspec.structs import replace

from retspec.errors import NoVerdict
from retspec.facts.config import ConfigReads


class Trace(Struct, frozen=True):
    """What one run did, step by step, and what it left."""

    command: str
    ending: str
    """How it ended; empty when it was ended after its steps."""
    losses: tuple[float, ...]
    """Mean loss of each step of the optimizer with the most elements."""
    rates: tuple[tuple[float, ...], ...]
    """Learning rate of each group at each of these steps."""
    batches: tuple[str, ...]
    """What recognises the batch of each training forward pass."""
    parameters: Mapping[str, int]
    """Fingerprint of each parameter after the last step."""
    state: Mapping[str, int]
    """Fingerprint of what the optimizer keeps for its parameters, by the name of the entry, after the last step."""
    scale: float
    """Loss scale after the last step; 1 without a loss scaler."""
    config: ConfigReads | None = None
    """What it read of the training config; None where that was not followed."""

    def last(self, steps: int) -> Trace:
        """Return the same without what came before its last steps; raises NoVerdict when it took fewer."""
        if len(self.losses) < steps:
            reason = f": {self.ending}" if self.ending else ""
            raise NoVerdict(f"{self.command} took {len(self.losses)} steps, and this needs {steps}{reason}")
        per_step = len(self.batches) // max(len(self.losses), 1)
        return replace(
            self,
            losses=self.losses[-steps:],
            rates=self.rates[-steps:],
            batches=self.batches[-steps * per_step :] if per_step else (),
        )


class TwoRuns(Struct, frozen=True):
    """Two runs that should do the same."""

    first: Trace
    second: Trace

    @property
    def differing_steps(self) -> tuple[int, ...]:
        """The steps, from 1, whose losses are not equal bit by bit."""
        pairs = zip(self.first.losses, self.second.losses, strict=False)
        return tuple(step for step, (a, b) in enumerate(pairs, 1) if a != b)

    @property
    def differences(self) -> dict[str, object]:
        """What differs besides the losses, as details."""
        first, second = self.first, self.second
        parameters = [n for n, print_ in first.parameters.items() if second.parameters.get(n) != print_]
        state = [n for n, print_ in first.state.items() if second.state.get(n) != print_]
        state += [name for name in second.state if name not in first.state]
        batches = [i for i, (a, b) in enumerate(zip(first.batches, second.batches, strict=False), 1) if a != b]
        found: dict[str, object] = {}
        if batches:
            found["first batch that differs"] = batches[0]
        if first.rates != second.rates:
            found["rates"] = f"{first.rates[0]} and {second.rates[0]}" if first.rates and second.rates else "differ"
        if first.scale != second.scale:
            found["loss scales"] = f"{first.scale:g} and {second.scale:g}"
        if state:
            found["optimizer state"] = state
        if parameters:
            found["parameters"] = f"{len(parameters)} of {len(first.parameters)}"
        return found
