"""What a run asks of whatever decides which plans it measures, and where their reports go."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path
    from types import TracebackType

    from retspec.plugins.catalog import Catalog
    from retspec.records import Plan, Proof, Report

    Prepared = Sequence[tuple[Sequence[Plan], Catalog]]
    Files = Mapping[str, str | Path]


class Keeps(Protocol):
    """Entered while the run measures."""

    last_failed: bool

    def chosen(self, prepared: Prepared) -> list[tuple[list[Plan], Catalog]]:
        """Return the plans of what is measured."""
        ...

    def ended(self, prepared: Prepared) -> Sequence[Report | None]:
        """Return the report of the last run of each spec, where that run ended early."""
        ...

    def files(self, prepared: Prepared, named: Sequence[Files]) -> Sequence[Files]:
        """Return the reports of each spec by format: those that were named, and others."""
        ...

    def proofs(self) -> Sequence[Proof | None]:
        """Return what `retspec prove` has found about each spec, if anything."""
        ...

    def __enter__(self) -> Any:
        """Begin."""
        ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None:
        """End."""
        ...
