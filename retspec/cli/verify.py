"""`retspec verify`: whether results can be believed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Unpack

import click

from retspec.characters import one_line
from retspec.cli.options import Plugins, SpecFile, examples, override_options, plugin_options, verbose_option
from retspec.cli.screen import say
from retspec.prepare import prepare_cells
from retspec.records import EXIT_MISSED
from retspec.results.results_file import read_report
from retspec.review.recorded import Statement, verify
from retspec.text.asked import has_own_option, overriding
from retspec.text.wording import outcome

if TYPE_CHECKING:
    from collections.abc import Sequence

    from retspec.records import Asked, Plan


@click.command(
    "verify",
    epilog=examples(
        "retspec verify reports/lora_preflight/results.json --spec specs/lora_preflight.yaml",
        "retspec verify results.json --spec spec.yaml --checkpoint weights/RETFound_cfp.pth",
    ),
)
@click.argument("results", type=click.Path(path_type=Path))
@click.option("--spec", type=SpecFile(), required=True, help="The spec that the results should belong to.")
@click.option("--checkpoint", type=click.Path(path_type=Path), help="The checkpoint that they should belong to.")
@override_options
@plugin_options
@verbose_option
@click.pass_context
def command(
    context: click.Context,
    results: Path,
    spec: Path,
    checkpoint: Path | None,
    overrides: Sequence[str],
    **plugins: Unpack[Plugins],
) -> None:
    """Check whether results can be trusted.

    Compares the SHA-256 of the resolved spec, of its subject, of the config and of the files that were measured
    (checkpoint, adapter, predictions), and judges every criterion again. How the run was made, such as `--seeds 5`, is
    laid over the spec and named; its `--set` has to be given here, too. A `?` is before that, and before weights that
    are not on this machine. Exits 0 if everything matches, 1 otherwise; whether the results are green is a question for
    judge. Finds files that were mixed up and verdicts that were edited, not observations that were invented.
    """
    report = read_report(results)
    plans, statements = _planned(spec, report.parts[0].asked, overrides, plugins)
    statements += verify(report, plans, checkpoint)
    for statement in statements:
        mark = "?    " if statement.is_open else "ok   " if statement.holds else "WRONG"
        say(f"{mark}  {statement.text}", indent=" " * 7)
    say(f"the run came to: {outcome(report)[0]}")
    if not all(statement.holds for statement in statements):
        context.exit(EXIT_MISSED)


def _planned(
    spec: Path, asked: Asked, overrides: Sequence[str], plugins: Plugins
) -> tuple[list[Plan], list[Statement]]:
    """Return the plans of the spec under what the run and this command give, and what to say of the first.

    How it ran, such as `--seed`, is taken over; what changes what is measured or judged has to be given here, too.
    Raises what `prepare_cells` raises.
    """
    recorded = [each for each in asked.overrides if each not in overrides]
    laid = [each for each in recorded if has_own_option(each)]
    plans, _ = prepare_cells(spec, overrides=[*laid, *overrides], **plugins)
    statements = []
    if laid:
        text = f"overrides: the run had {overriding(laid)}; the spec is taken with that"
        statements.append(Statement(holds=True, is_open=True, text=one_line(text)))
    if others := [each for each in recorded if each not in laid]:
        text = f"overrides: the run had {overriding(others)}; give it here, too, if it is meant"
        statements.append(Statement(holds=False, text=one_line(text)))
    return plans, statements
