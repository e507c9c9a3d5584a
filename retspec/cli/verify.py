"""`retspec verify`: whether results can be believed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Unpack

import click

from retspec.characters import one_line
from retspec.cli.options import Plugins, SpecFile, examples, override_options, plugin_options, verbose_option
from retspec.cli.screen import say
from retspec.errors import SpecError, UsageError
from retspec.prepare import prepare_cells
from retspec.records import EXIT_MISSED
from retspec.results.results_file import read_report
from retspec.review.recorded import Statement, verify
from retspec.spec.load import load_cells, plugins_of
from retspec.text.asked import overridden_by
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
    (checkpoint, adapter, predictions), and judges every criterion again. What overrode the spec in that run, such as
    `--seeds 5`, is laid over it again and named. A `?` is before that, and before weights that are not on this
    machine. Exits 0 if everything matches, 1 otherwise; whether the results are green is a question for judge. Finds
    files that were mixed up and verdicts that were edited, not observations that were invented.
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
    """Return the plans of the spec under what overrode it in the run and what does now, and what to say of the first.

    Raises what `prepare_cells` raises.
    """
    recorded = [each for each in asked.overrides if each not in overrides]
    if not recorded:
        return prepare_cells(spec, overrides=overrides, **plugins)[0], []
    said = f"overrides: the run had {one_line(overridden_by(asked))}"
    try:
        if _plugins(spec, [*recorded, *overrides]) != _plugins(spec, overrides):
            raise UsageError("no plugin is loaded because results name it; give it by --set, too")  # noqa: TRY301
        plans, _ = prepare_cells(spec, overrides=[*recorded, *overrides], **plugins)
    except (SpecError, UsageError) as error:
        plans, _ = prepare_cells(spec, overrides=overrides, **plugins)
        text = f"{said}, which cannot be laid over the spec: {one_line(str(error))}"
        return plans, [Statement(holds=False, text=text)]
    return plans, [Statement(holds=True, is_open=True, text=f"{said}; the spec is taken with them")]


def _plugins(spec: Path, overrides: Sequence[str]) -> set[tuple[str, ...]]:
    return {plugins_of(document) for document in load_cells(spec, overrides)}
