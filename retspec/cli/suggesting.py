"""`retspec prove --suggest`: checks for faults that no criterion notices, written into the spec."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from retspec.characters import one_line
from retspec.cli.rewriting import difference, require_unchanged, rewrite, validated
from retspec.cli.screen import say
from retspec.errors import UsageError
from retspec.proving import suggest
from retspec.report.live import folders_of, read_by, require_apart
from retspec.review.calibration import Block, Entry, block_of, require_as_meant
from retspec.spec.load.spec_file import read
from retspec.text.wording import listing

if TYPE_CHECKING:
    from collections.abc import Callable

    from retspec.cli.options import Planning
    from retspec.plugins.catalog import Catalog
    from retspec.proving import Suggestion
    from retspec.records import Plan, Proof, Trial


@dataclass(frozen=True)
class Suggesting:
    """Whether checks are suggested, and where they are written."""

    is_asked: bool
    dry_run: bool = False
    output: Path | None = None

    def require_sense(self, options: Planning) -> None:
        """Raise UsageError for options that do not go together."""
        if not self.is_asked:
            if self.dry_run or self.output:
                raise UsageError("--dry-run and --output go with --suggest")
            return
        if options["select"] or options["tags"] or options["skip"]:
            raise UsageError(
                "--suggest adds to the whole spec, and -k, --tag and --skip prove a part of it; leave them out"
            )

    def block(self, spec: Path, plan: Plan, catalog: Catalog) -> Block:
        """Return the block of the spec to write into; raises UsageError where nothing can be written."""
        if plan.spec.cell:
            raise UsageError(f"{spec} has a matrix, and --suggest measures limits for one cell; leave --suggest out")
        if self.output:
            require_apart([self.output], [catalog.named, read_by(replace(plan.spec, file=""))], folders_of([plan]))
        return block_of(read(str(spec)), str(spec))


def suggestion_options(function: Callable[..., None]) -> Callable[..., None]:
    """Add `--suggest`, `--dry-run` and `--output`; together they are `suggesting`."""

    @wraps(function)
    def merged(*args: Any, suggests: bool, dry_run: bool, output: Path | None, **rest: Any) -> None:
        function(*args, suggesting=Suggesting(suggests, dry_run, output), **rest)

    asked = click.option(
        "--suggest",
        "suggests",
        is_flag=True,
        help="Write checks into SPEC for faults that no criterion notices. Not with -k, --tag, --skip or a matrix; "
        "limits that are measured under --set may not hold without it.",
    )
    dry_run = click.option("--dry-run", is_flag=True, help="With --suggest: write nothing; print a unified diff.")
    output = click.option(
        "-o",
        "--output",
        type=click.Path(dir_okay=False, path_type=Path),
        help="With --suggest: write there instead of overwriting SPEC.",
    )
    return asked(dry_run(output(merged)))


def write_suggestion(  # noqa: PLR0913, PLR0917 - what a proof is made of
    spec: Path,
    block: Block,
    prepared: tuple[Plan, Catalog],
    proof: Proof,
    suggesting: Suggesting,
    options: Planning,
    jobs: int,
) -> None:
    """Write the checks that notice what no criterion of a proof does, or print what would change.

    Raises UsageError if the spec has changed since, or the new one would not be valid.
    """
    plan, catalog = prepared
    suggestion = suggest(plan, catalog, proof.unnoticed, taken=block.names, lanes=jobs)
    require_unchanged(spec, block.text)
    new, target = block.extended(_entries(suggestion, catalog)), suggesting.output or spec
    if suggestion.additions:
        require_as_meant(
            plan.spec, validated(new, target, options), added=[each.criterion for each in suggestion.additions]
        )
    if suggesting.dry_run:
        click.echo(difference(block.text, new, spec, target), nl=False)
    elif suggestion.additions or target != spec:
        rewrite(new, spec, target)
    _say(suggestion, target, options, dry_run=suggesting.dry_run)


def _entries(suggestion: Suggestion, catalog: Catalog) -> list[Entry]:
    return [
        Entry(
            each.criterion,
            tuple(map(_comment, each.notices)),
            is_long=catalog.checks[each.criterion.check].shorthand is not None,
        )
        for each in suggestion.additions
    ]


def _comment(trial: Trial) -> str:
    """Return what a line is for: the fault, and the mistake that it stands for within a sentence."""
    mistake = trial.stands_for
    if mistake[1:2].islower() or mistake[1:2] == " ":
        mistake = mistake[0].lower() + mistake[1:]
    return f"Notices {trial.fault}: {mistake}"


def _say(suggestion: Suggestion, target: Path, options: Planning, *, dry_run: bool) -> None:
    for fault, reason in suggestion.left.items():
        say(one_line(f"{fault}: nothing is added; {reason}"), err=True)
    if suggestion.additions and options["overrides"]:
        given = listing(options["overrides"])
        say(one_line(f"note: proven with {given}, which the file does not say: limits may not hold without"), err=True)
    if not dry_run:
        count = len(suggestion.additions)
        added = f"{count} check{'s' * (count != 1)} added" if count else "no check added"
        say(f"{target}: {added}" + ("; prove it again for its new score" if count else ""), err=True)
