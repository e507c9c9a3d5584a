"""`retspec fit`: show which batch sizes fit in memory, before you book a GPU."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from retspec.cli.measuring import measured
from retspec.cli.options import SpecFile, examples, override_options, plugin_options, verbose_option
from retspec.cli.progress import watching
from retspec.cli.screen import say
from retspec.cli.tables import Columns, table_of
from retspec.errors import ReportError
from retspec.facts import MemoryFit
from retspec.plan import make_plan
from retspec.plugins.catalog import gather
from retspec.records import EXIT_NO_VERDICT, Size, bytes_of
from retspec.report.live import folders_of, read_by, require_apart
from retspec.spec.load import load, plugins_of
from retspec.spec.validate import validate
from retspec.text.fitting import screen_width, wrapped
from retspec.text.masking import Mask
from retspec.text.wording import readable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from retspec.facts import Estimate, Fitting
    from retspec.plugins.catalog import Catalog
    from retspec.records import Plan

CRITERION = "fit"
MEASUREMENT, CHECK = "memory_fit", "min_fitting_batch_size"
AMPS = ("none", "bfloat16")
GIGABYTE = 1e9
UNVERIFIED = "an estimate, not verified on CUDA: leave a tenth of the memory free"


class Memory(click.ParamType):  # type: ignore[type-arg] # older versions of click have no argument there
    """A size with its unit, as in a spec, in bytes."""

    name = "size"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return the bytes; a usage error for anything else."""
        try:
            return bytes_of(msgspec.convert(value, Size))
        except msgspec.ValidationError:
            self.fail(f"{value!r} is not a size; write a number and its unit, MB or GB: 500MB, 24GB", param, ctx)


class BatchSizes(click.ParamType):  # type: ignore[type-arg]
    """Positive integers, separated by commas."""

    name = "sizes"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> list[int]:
        """Return the sizes in ascending order, each once; a usage error for anything else."""
        words = [word.strip() for word in str(value).split(",")]
        if not all(word.isascii() and word.isdecimal() and int(word) for word in words):
            self.fail(f"{value!r} are not batch sizes; write positive integers with commas: 1,2,4", param, ctx)
        return sorted({int(word) for word in words})


@click.command(
    "fit",
    epilog=examples(
        "retspec fit specs/lora_preflight.yaml --memory 24GB",
        "retspec fit specs/lora_preflight.yaml --memory 16GB --batch-sizes 8,12,16 --set train.grad_checkpointing=true",
    ),
)
@click.argument("spec", type=SpecFile())
@click.option("--memory", type=Memory(), required=True, help="Memory of the card, with its unit: 24GB.")
@click.option(
    "--batch-sizes",
    type=BatchSizes(),
    default="1,2,4,8,16,32,64",
    show_default=True,
    help="Batch sizes to show, separated by commas.",
)
@click.option(
    "--target",
    type=click.Choice(["cuda", "cpu"]),
    default="cuda",
    show_default=True,
    help="Device whose allocator and kernels to assume.",
)
@click.option("--json", "destination", metavar="PATH", type=click.Path(path_type=Path), help="Write the figures there.")
@override_options
@plugin_options
@verbose_option
@click.pass_context
def command(  # noqa: PLR0913 - one per option
    context: click.Context,
    spec: Path,
    memory: int,
    batch_sizes: list[int],
    target: str,
    destination: Path | None,
    *,
    overrides: Sequence[str],
    plugins: Sequence[str],
    entry_points: bool,
) -> None:
    """Show which batch sizes fit in memory.

    Follows the storages of one step of the model in SPEC, without weights, without a GPU: with its adapter,
    optimizer and input size, in the model's precision and under bfloat16 autocast. The criteria of SPEC are
    ignored.
    """
    arguments = {"memory_gb": memory / GIGABYTE, "target": target, "batch_sizes": batch_sizes, "amps": [*AMPS]}
    with watching(sys.stderr) as observer:
        plan, catalog = _prepare(
            spec, arguments, overrides=overrides, plugins=plugins, entry_points=entry_points, observer=observer
        )
        require_apart([destination] if destination else [], [catalog.named, read_by(plan.spec)], folders_of([plan]))
        found = measured(plan, catalog)
    outcome, facts = found.outcomes[CRITERION], found.facts.get(MEASUREMENT)
    for fault in found.faults:
        say(f"run: {fault}", err=True)
    if outcome.failure is not None or facts is None:
        say(Mask(plan.spec.secrets).text(f"{spec}: {outcome.reason}"), err=True)
        context.exit(EXIT_NO_VERDICT)
    fit = msgspec.convert(facts, MemoryFit)
    click.echo("\n".join(lines(fit, screen_width())))
    if destination is not None:
        _write(destination, fit)
    if found.faults:
        context.exit(EXIT_NO_VERDICT)


def _prepare(
    spec: Path,
    arguments: dict[str, Any],
    *,
    overrides: Sequence[str],
    plugins: Sequence[str],
    entry_points: bool,
    observer: object,
) -> tuple[Plan, Catalog]:
    """Plan one criterion in place of the spec's own: it carries the arguments, and its verdict is ignored."""
    document = load(spec, overrides)
    catalog = gather([*plugins_of(document), *plugins], entry_points=entry_points, observers=[observer])
    entry = {"check": CHECK, "limit": 1, "with": arguments}
    document = replace(document, data={**document.data, "checks": {CRITERION: entry}})
    return make_plan(validate(document, catalog), catalog), catalog


def lines(fit: MemoryFit, width: int | None) -> Iterator[str]:
    """Yield what is printed of a fit: a table of the batch sizes, then what fits."""
    names = {fitting.amp: _named(fitting.amp, fit.dtype) for fitting in fit.fittings}
    columns = Columns(("batch size", *(f"{name}: GB" for name in names.values())), align="right")
    yield table_of(columns, [*_rows(fit)], "table", width)
    yield ""
    for fitting in fit.fittings:
        yield wrapped(f"{names[fitting.amp]}: {_verdict(fitting, fit.memory)}", width)
        yield wrapped(f"  {_saving(fitting)}", width)
    yield wrapped(f"estimated for {fit.target}" + (f"; {UNVERIFIED}" if fit.target == "cuda" else ""), width)


def _rows(fit: MemoryFit) -> Iterator[list[str]]:
    by_size: dict[int, list[Estimate]] = {}
    for estimate in fit.estimates:
        by_size.setdefault(estimate.batch_size, []).append(estimate)
    for size, estimates in by_size.items():
        yield [str(size), *(_cell(estimate.peak, fit.memory) for estimate in estimates)]


def _cell(peak: int, memory: int) -> str:
    return f"{_gigabytes(peak, beside=memory)} {'fits' if peak <= memory else '-'}"


def _named(amp: str, dtype: str) -> str:
    return dtype if amp == "none" else f"{amp} autocast"


def _verdict(fitting: Fitting, memory: int) -> str:
    room = f"in {_gigabytes(memory)} GB"
    if not fitting.largest:
        return f"no batch fits {room}"
    recommended = f"; recommended {fitting.recommended}" if fitting.recommended else "; none leaves a tenth free"
    return f"the largest batch that fits {room} is {fitting.largest:,}{recommended}"


def _saving(fitting: Fitting) -> str:
    step, full = fitting.step, fitting.full
    taken = f"batch size {step.batch_size} takes {_gigabytes(step.peak)} GB"
    if step.peak == full.peak:
        return f"{taken}, as full fine-tuning does"
    saved = f"this setup saves {_gigabytes(full.peak - step.peak)} GB"
    return f"{taken}, full fine-tuning {_gigabytes(full.peak)} GB: {saved}"


def _gigabytes(size: int, *, beside: int | None = None) -> str:
    return readable(size / GIGABYTE, beside=None if beside is None else beside / GIGABYTE)


def _write(path: Path, fit: MemoryFit) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(msgspec.json.format(msgspec.json.encode(fit)) + b"\n")
    except OSError as error:
        raise ReportError(f"cannot write {path}: {error.strerror or error}") from error
