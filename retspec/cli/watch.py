"""`retspec watch`: what a training script does in its first steps, without a spec."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click
import msgspec

from retspec.characters import visible
from retspec.cli.drafting.watched import draft
from retspec.cli.drafting.writing import require_free, write_draft
from retspec.cli.measuring import measured
from retspec.cli.options import examples, verbose_option
from retspec.cli.progress import watching
from retspec.cli.screen import say
from retspec.cli.watched.command_line import parse
from retspec.cli.watched.facts import Seen
from retspec.cli.watched.page import nothing_seen, page
from retspec.cli.watched.suspicions import is_a_matter_of_taste, suspicions
from retspec.facts import ItemReads, Parameters, Training
from retspec.facts.loop import Loop
from retspec.judge import judge
from retspec.plan import make_plan
from retspec.plugins.catalog import gather
from retspec.records import EXIT_MISSED, EXIT_NO_VERDICT, Verdict
from retspec.report.live import require_apart
from retspec.spec.document import Document
from retspec.spec.validate import validate
from retspec.text.fitting import screen_width

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from retspec.cli.measuring import Measurements
    from retspec.cli.watched.command_line import CommandLine
    from retspec.plugins.catalog import Catalog

NAME = "watch"
WIDTH = 80
"""Columns of the page where there is no screen."""
LAST_LINES = 10
"""Lines that are shown of a training that took no step."""
Facts = TypeVar("Facts")


@click.command(
    NAME,
    epilog=examples(
        "retspec watch -- python train.py --config configs/train.yaml",
        "retspec watch --steps 50 -- python -m my_project.train",
        "retspec watch --write specs/own.yaml -- python train.py",
        "retspec watch -- yolo train data=mine.yaml",
    ),
    context_settings={"allow_interspersed_args": False},
)
@click.option(
    "--steps",
    type=click.IntRange(min=1),
    default=20,
    show_default=True,
    metavar="N",
    help="Optimizer steps after which the training is ended.",
)
@click.option(
    "--write",
    "destination",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Draft a spec of what was seen.",
)
@click.option("--force", is_flag=True, help="Let --write overwrite a file that is there.")
@click.option("--cpu-ok", is_flag=True, help="Make torch.cuda.synchronize do nothing where there is no GPU.")
@verbose_option
@click.argument("words", nargs=-1, required=True, type=click.UNPROCESSED, metavar="-- COMMAND...")
@click.pass_context
def command(
    context: click.Context,
    words: Sequence[str],
    *,
    steps: int,
    destination: Path | None,
    force: bool,
    cpu_ok: bool,
) -> None:
    """Watch the first steps of a training and report what looks wrong.

    COMMAND is what starts it: `python train.py …`, `python -m package.module …`, `train.py …`, or a command
    that a package installs. It runs as it is, by the Python that retspec runs in, in the current directory, and is
    ended after N optimizer steps; files that it writes on its way stay.

    Exit code 1 means that something looks wrong, 3 that no optimizer step was seen.
    """
    training = parse(words, cpu_ok=cpu_ok)
    if destination is not None:
        require_apart([destination], [*_read_by(words)])
        require_free(destination, force=force)
    with watching(sys.stderr) as observer:
        catalog = gather(entry_points=False, observers=[observer])
        plan = make_plan(validate(_document(training, steps, catalog), catalog), catalog)
        found = measured(plan, catalog)
    width = screen_width() or WIDTH
    seen = _seen(found)
    if seen is None or not seen.loop.optimizers:
        click.echo("\n".join(_unseen(found, seen, training.typed, width)), err=True)
        context.exit(EXIT_NO_VERDICT)
    outcomes = found.outcomes
    judged = [each for each in plan.spec.criteria if not is_a_matter_of_taste(outcomes[each.id], seen.loop)]
    results = [judge(criterion, outcomes[criterion.id]) for criterion in judged]
    click.echo("\n".join(page(seen, results, training.typed, width)))
    if destination is not None:
        write_draft(destination, draft(training, seen, results, destination), force=force)
        click.echo(f"wrote {destination}; next:\n  retspec run {destination}")
    for fault in found.faults:
        say(f"run: {fault}", err=True)
    if any(result.verdict is Verdict.MISSED for result in results):
        context.exit(EXIT_MISSED)
    if found.faults:
        context.exit(EXIT_NO_VERDICT)


def _read_by(words: Sequence[str]) -> Iterator[str]:
    """Yield what may be a file that a command reads: its script or module, a config, also in `data=mine.yaml`."""
    for word in words:
        yield word
        yield word.partition("=")[2]
        yield f"{word.replace('.', '/')}.py"


def _document(training: CommandLine, steps: int, catalog: Catalog) -> Document:
    """Return a spec that lies in no file; what it names is relative to the current directory."""
    data = {"retspec": 1, "name": NAME, "train": training.section(steps), "checks": suspicions(catalog)}
    return Document(file=NAME, path=Path(NAME).absolute(), data=data, marks={}, key_marks={}, sha256="")


def _seen(found: Measurements) -> Seen | None:
    """Return the facts; None where the training could not be started, or its process died."""
    loop = _facts(found, "loop", Loop)
    if loop is None:
        return None
    parameters, training = _facts(found, "parameters", Parameters), _facts(found, "training", Training)
    return Seen(loop, parameters, training, _facts(found, "train_reads", ItemReads))


def _facts(found: Measurements, name: str, kind: type[Facts]) -> Facts | None:
    plain: Any = found.facts.get(name)
    return None if plain is None else msgspec.convert(plain, kind)


def _unseen(found: Measurements, seen: Seen | None, typed: str, width: int) -> Iterator[str]:
    if seen is not None:
        yield from nothing_seen(seen.loop, typed, width)
    else:
        yield f"{typed}: {next(iter(found.outcomes.values())).reason}"
    lines = _last_lines(found)
    if lines:
        yield "its last lines:"
        yield from (f"  | {line}" for line in lines)


def _last_lines(found: Measurements) -> list[str]:
    """Return what the training printed last, on either stream."""
    outputs = dict.fromkeys(each for outcome in found.outcomes.values() for each in outcome.output)
    printed = [text for output in outputs for text in (output.stdout, output.stderr)]
    lines = [line for text in printed for line in visible(text).splitlines() if line.strip()]
    return lines[-LAST_LINES:]
