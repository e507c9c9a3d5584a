"""The commands by name, each imported when it is called."""

from __future__ import annotations

from importlib import import_module

import click
from click.shell_completion import CompletionItem

from retspec.engine.interrupts import importing
from retspec.errors import did_you_mean

COMMANDS = {
    "run": "Run the checks of specs and write their reports.",
    "watch": "Watch the first steps of a training and report what looks wrong.",
    "validate": "Validate specs and report every problem.",
    "plan": "Show what a run would measure, and for which criteria.",
    "prove": "Plant faults, and show which criteria notice them.",
    "calibrate": "Write limits from what a known-good setup shows.",
    "judge": "Judge recorded results under the limits of a spec.",
    "merge": "Make one report of partial ones.",
    "report": "Write a report of recorded results.",
    "compare": "Compare two results criterion by criterion.",
    "diff": "Show what became stricter and what weaker between two specs.",
    "bless": "Approve results as the baseline of later runs.",
    "verify": "Check whether results can be trusted.",
    "show": "Print a spec with everything it extends and refers to.",
    "fit": "Show which batch sizes fit in memory.",
    "checks": "List the checks, or show the manual of one.",
    "new-check": "Write a check of your own: a plugin, a spec and a test.",
    "init": "Write a commented starter spec.",
    "schema": "Print the JSON Schema of specs, or of results.",
    "plugins": "List the plugins, and why any failed to load.",
    "doctor": "Check whether torch and its companions work here.",
    "completion": "Print the completion script of a shell.",
}
"""Name to first line of its help, in the order of the listing. The file of that name, with _ for -, holds `command`."""

HIDDEN = frozenset({"run-task"})
"""Commands that programs call."""


class CommandGroup(click.Group):
    """A group that lists its commands without importing them."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - the same in every context
        """Return the names in the order of the listing."""
        return [*COMMANDS]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - the same
        """Import one command, or return None if there is none of that name."""
        if cmd_name not in COMMANDS and cmd_name not in HIDDEN:
            return None
        with importing():
            command = import_module(f"retspec.cli.{cmd_name.replace('-', '_')}").command
        assert isinstance(command, click.Command)  # noqa: S101 - narrows the type; each file holds one
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that is named first; an unknown name fails with the nearest known one."""
        name = args[0]
        if name not in COMMANDS and name not in HIDDEN and not name.startswith("-") and not ctx.resilient_parsing:
            hint = did_you_mean(name, COMMANDS) or f"; there are {', '.join(COMMANDS)}"
            ctx.fail(f"there is no command {name!r}{hint}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - the same
        """Write the listing for `--help`."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Return the commands and options that begin as typed."""
        names = [CompletionItem(name, help=text) for name, text in COMMANDS.items() if name.startswith(incomplete)]
        return names + click.Command.shell_complete(self, ctx, incomplete)
