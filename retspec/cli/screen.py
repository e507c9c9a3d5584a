"""Lines that fit the screen that they are printed to; a file and a pipe get them as they are."""

from __future__ import annotations

import sys

import click

from retspec.text.fitting import screen_width, wrapped


def say(text: str, *, err: bool = False, indent: str = "    ") -> None:
    """Print lines, each broken at blanks and continued below with a deeper indent where the screen is narrower."""
    width = screen_width(sys.stderr if err else sys.stdout)
    click.echo("\n".join(wrapped(line, width, indent) for line in text.split("\n")), err=err)
