"""`retspec bless`: approve results as a baseline."""

from __future__ import annotations

import getpass
import json
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import click

from retspec.cli.options import examples, verbose_option
from retspec.cli.replacing import require_replaceable
from retspec.cli.screen import say
from retspec.errors import UsageError
from retspec.records import Blessing, plain
from retspec.report.live import require_apart, write_whole
from retspec.results.results_file import read_report
from retspec.review.recorded import bless


@click.command(
    "bless",
    epilog=examples(
        'retspec bless reports/lora_preflight/results.json --to specs/baseline.json --reason "after the new head"'
    ),
)
@click.argument("results", type=click.Path(path_type=Path))
@click.option("--to", "target", type=click.Path(path_type=Path), required=True, help="The baseline to write.")
@click.option("--reason", required=True, help="Why these values are right; recorded in the baseline.")
@click.option("--who", help="Who approves them; by default the user name of git, or of the system.")
@verbose_option
def command(results: Path, target: Path, reason: str, who: str | None) -> None:
    """Approve results as the baseline of later runs.

    RESULTS is a results.json with exit code 0. Writes every number that can get better or worse to a file that
    criteria name under vs, with who approved it, when, why, and the commit at which it was measured.
    """
    if not reason.strip():
        raise UsageError("--reason is empty; say why these values are right")
    require_apart([target], [results])
    require_replaceable(target, "baseline", without="results")
    report = read_report(results)
    blessing = Blessing(
        who=who or _user(),
        reason=reason.strip(),
        when=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S"),
        commit=report.parts[0].provenance.git_commit,
        device=report.parts[0].provenance.device,
        versions=report.parts[0].provenance.versions,
    )
    baseline = bless(report, blessing)
    write_whole(target, json.dumps(plain(baseline), indent=2, sort_keys=True, ensure_ascii=False) + "\n")
    count = len(baseline.values)
    say(f"{target}: {count} {'value' if count == 1 else 'values'}, blessed by {blessing.who}")


def _user() -> str:
    """Return the name that git commits under here, or that of the account."""
    try:
        said = subprocess.run(
            ["git", "config", "user.name"],  # noqa: S607 - the git that the user has
            capture_output=True,
            text=True,
            check=False,
        ).stdout.strip()
        return said or getpass.getuser()
    except (OSError, KeyError) as error:  # an account without a name raises either, by version of Python
        raise UsageError("neither git nor the system knows your user name; give it with --who") from error
