"""`retspec prove --suggest`: checks for faults that no criterion notices, written into the spec."""

from __future__ import annotations

from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from retspec.characters import one_line
from retspec.cli.rewriting import difference, require_unchanged, rewrite, validated
from retspec.cli.screen import say
from retspec.errors import UsageError
from retspec.review.calibration import Block, Entry, block_of, require_as_meant
from retspec.spec.load.spec_file import read
from retspec.text.wording import listing

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from retspec.cli.options import Planning
    from retspec.plugins.catalog import Catalog
    from retspec.proving import Suggestion
    from retspec.records import Plan, Proof, Spec


@dataclass(frozen=True)
class Suggesting:
    """Whether checks are suggested, and where they are written."""

    is_asked: bool
    dry_run: bool = False
    output: Path | None = None

    def require_sense(self, options: Planning) -> None:
        """Raise UsageError for options that do not go together."""
        if not self.is_asked and (self.dry_run or self.output):
            raise UsageError("--dry-run and --output go with --suggest")
        if self.is_asked and (options["select"] or options["tags"] or options["skip"]):
            raise UsageError("--suggest is for a whole spec, and -k, --tag and --skip leave parts out; leave them out")
        if self.output and not self.output.absolute().parent.is_dir():
            raise UsageError(f"{self.output}: there is no folder {self.output.parent}")

    def block(self, plans: Sequence[Plan]) -> Block | None:
        """Return the block of the spec to write into, if that is asked; raises UsageError where there is none."""
        if not self.is_asked:
            return None
        spec = plans[0].spec
        if spec.cell:
            raise UsageError(f"{spec.file} has a matrix, and a check is for all of its cells; leave --suggest out")
        return block_of(read(spec.file), spec.file)


def suggestion_options(function: Callable[..., None]) -> Callable[..., None]:
    """Add `--suggest`, `--dry-run` and `--output`; together they are `suggesting`."""

    @wraps(function)
    def merged(*args: Any, suggests: bool, dry_run: bool, output: Path | None, **rest: Any) -> None:
        function(*args, suggesting=Suggesting(suggests, dry_run, output), **rest)

    asked = click.option(
        "--suggest",
        "suggests",
        is_flag=True,
        help="Write checks into SPEC for faults that no criterion notices; not with -k, --tag, --skip or a matrix.",
    )
    dry_run = click.option("--dry-run", is_flag=True, help="With --suggest: write nothing; print a unified diff.")
    output = click.option(
        "-o",
        "--output",
        type=click.Path(dir_okay=False, path_type=Path),
        help="With --suggest: write there instead of overwriting SPEC.",
    )
    return asked(dry_run(output(merged)))


def say_search(proof: Proof) -> None:
    """Say that more is measured, if so."""
    if count := len(proof.unnoticed):
        click.echo(f"looking for checks that notice the {count} fault{'s' * (count != 1)} left", err=True)


def write_suggestion(
    suggesting: Suggesting, block: Block, suggestion: Suggestion, proven: tuple[Spec, Catalog], options: Planning
) -> None:
    """Write the suggested checks, or print what would change; say what was done, and what could not be.

    proven: the spec, and the catalog that its checks are from.
    Raises UsageError if the spec has changed since it was read, or the new one would not be valid.
    """
    before, catalog = proven
    spec = Path(block.file)
    require_unchanged(spec, block.text)
    new, target = block.extended(_entries(suggestion, catalog)), suggesting.output or spec
    if suggestion.additions:
        added = [each.criterion for each in suggestion.additions]
        require_as_meant(before, validated(new, target, options), added=added)
    if suggesting.dry_run:
        click.echo(difference(block.text, new, spec, target), nl=False)
    elif suggestion.additions or target != spec:
        rewrite(new, spec, target)
    _say(suggestion, target, options, would="would be " * suggesting.dry_run)


def _entries(suggestion: Suggestion, catalog: Catalog) -> list[Entry]:
    return [
        Entry(
            each.criterion,
            comments=tuple(f"Notices {trial.fault}: {trial.stands_for}" for trial in each.notices),
            is_long=catalog.checks[each.criterion.check].shorthand is not None,
        )
        for each in suggestion.additions
    ]


def _say(suggestion: Suggestion, target: Path, options: Planning, *, would: str) -> None:
    for fault, reason in suggestion.left.items():
        say(one_line(f"{fault}: nothing {would or 'is '}added: {reason}"), err=True)
    count = len(suggestion.additions)
    if count and options["overrides"]:
        given = listing(options["overrides"])
        say(one_line(f"note: proven with {given}, which the file does not say: limits may not hold without"), err=True)
    again = "; prove it again for its new score" if count and not would else ""
    say(one_line(f"{target}: {count or 'no'} check{'s' * (count > 1)} {would}added{again}"), err=True)
