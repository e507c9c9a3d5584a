"""`retspec verify`: whether results can be believed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Unpack

import click

from retspec.cli.options import Plugins, SpecFile, examples, override_options, plugin_options, verbose_option
from retspec.cli.screen import say
from retspec.prepare import prepare_cells
from retspec.records import EXIT_MISSED
from retspec.results.results_file import read_report
from retspec.review.recorded import verify
from retspec.text.wording import outcome

if TYPE_CHECKING:
    from collections.abc import Sequence


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
    (checkpoint, adapter, predictions), and judges every criterion again. A `?` is before weights that are not on this
    machine. Exits 0 if everything matches, 1 otherwise; whether the results are green is a question for judge. Finds
    files that were mixed up and verdicts that were edited, not observations that were invented.
    """
    plans, _ = prepare_cells(spec, overrides=overrides, **plugins)
    report = read_report(results)
    statements = verify(report, plans, checkpoint)
    for statement in statements:
        mark = "?    " if statement.is_open else "ok   " if statement.holds else "WRONG"
        say(f"{mark}  {statement.text}", indent=" " * 7)
    say(f"the run came to: {outcome(report)[0]}")
    if not all(statement.holds for statement in statements):
        context.exit(EXIT_MISSED)
