"""What static checks of a ViT-L/16 cost the worker, beyond importing the libraries that build the model."""

from __future__ import annotations

from pathlib import Path
from statistics import median

import click
from measuring import Ratio, conclude, interleaved, python

BAR = 1.5
IMPORTS = "import torch, timm, peft"
SPEC = str(Path(__file__).with_name("static.yaml"))
WORKER = str(Path(__file__).with_name("only_children.py"))


@click.command(help=__doc__)
@click.option("--rounds", type=click.IntRange(min=1), default=7, show_default=True, help="Rounds to take medians over.")
def main(rounds: int) -> None:
    """Measure, print, and exit with 1 when the bar is missed."""
    ...


if __name__ == "__main__":
    main()
