"""The command `retspec-retfound`."""

from __future__ import annotations

from pathlib import Path

import click

KINDS = ("mae", "dinov2", "green", "finetuned")
"""Those of `samples.weights.KINDS`; that module needs torch, and `--help` does not."""


@click.group()
def main() -> None:
    """Helpers for checking RETFound setups with retspec."""


@main.command()
@click.argument("directory", type=click.Path(path_type=Path, file_okay=False))
@click.option("--kind", "kinds", type=click.Choice(KINDS), multiple=True, help="Only this checkpoint; may be repeated.")
@click.option(
    "--full-size", is_flag=True, help="All blocks instead of two: 1.3 GB for mae, 1.2 for finetuned and dinov2."
)
@click.option("--no-images", is_flag=True, help="Only checkpoints.")
@click.option(
    "--clinic",
    type=click.IntRange(min=2),
    metavar="PATIENTS",
    help="Only a drawn clinic with a test of so many patients: two eyes each, sex and camera.",
)
def make_sample(
    directory: Path, kinds: tuple[str, ...], *, full_size: bool, no_images: bool, clinic: int | None
) -> None:
    """Write checkpoints of the true layouts, drawn datasets and a spec into DIRECTORY, for dry runs.

    The weights are noise. A file with two blocks fits `model: {retfound: large, depth: 2}`; Green is small and always
    written in full.
    """
    from retspec_retfound.samples import PREFLIGHT
    from retspec_retfound.samples.clinic import write_clinic
    from retspec_retfound.samples.images import write_folders, write_tables
    from retspec_retfound.samples.weights import SHALLOW, write_checkpoint

    if directory.exists() and any(directory.iterdir()):
        raise click.UsageError(f"{directory} is not empty; name a folder that is, or one that is not there yet")
    directory.mkdir(parents=True, exist_ok=True)
    if clinic is not None:
        click.echo(f"{directory}: {write_clinic(directory, clinic)} images with train.csv, val.csv and test.csv")
        return
    for kind in kinds or KINDS:
        shallow = not full_size and kind != "green"
        path = write_checkpoint(kind, directory, depth=SHALLOW if shallow else None)
        click.echo(f"{path}: {path.stat().st_size / 1e6:,.0f} MB")
    if not no_images:
        click.echo(f"{directory / 'imagefolder'}: {write_folders(directory / 'imagefolder')} images in three splits")
        click.echo(f"{directory / 'aptos'}: {write_tables(directory / 'aptos')} images with train.csv and val.csv")
    if "green" in (kinds or KINDS) and not no_images:
        (directory / PREFLIGHT.name).write_text(PREFLIGHT.read_text(encoding="utf-8"), encoding="utf-8")
        click.echo(f"{directory / PREFLIGHT.name}: try it with `retspec run {directory / PREFLIGHT.name}`")
