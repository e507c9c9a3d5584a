"""What the front end of a cluster costs for each cell, and whether thousands of cells cost more each than hundreds."""

from __future__ import annotations

import tempfile
from pathlib import Path

import click
from measuring import Bound, Cost, conclude, cost_of, retspec

HERE = Path(__file__).parent
JOB = 30.0
"""Seconds that a node needs for a cell: a short one."""
MOST = 0.02
"""Share of the jobs' time that the front end may take."""
LINEAR = 1.3
"""What a cell among many may cost, over one among few."""
SPEC = """\
retspec: 1
plugins: [{plugin}]
matrix: {{run.seed: {seeds}}}
run: {{executor: simulated, resources: {{rate: 100}}}}
checks:
  first: {{check: a_minute, limit: 60}}
  second: {{check: a_minute, limit: 61}}
  third: {{check: a_minute, limit: 62}}
"""


@click.command(help=__doc__)
@click.option("--few", default=250, show_default=True, help="Cells of the smaller run.")
@click.option("--many", default=2000, show_default=True, help="Cells of the larger run.")
def main(few: int, many: int) -> None:
    """Measure, print, and exit with 1 when a bar is missed."""
    costs = {cells: _cost(cells) for cells in (few, many)}
    each = {cells: cost.cpu / cells for cells, cost in costs.items()}
    conclude(
        [(f"{cells:,} cells", cost.cpu, 1000 * each[cells], cost.peak) for cells, cost in costs.items()],
        ["front end", "CPU s", "ms for each cell", "peak MB"],
        [
            Bound(f"CPU time of the front end / {JOB:.0f} s on a node", each[many] / JOB, MOST),
            Bound(f"CPU time for a cell of {many:,} / of {few:,}", each[many] / each[few], LINEAR),
        ],
    )


def _cost(cells: int) -> Cost:
    with tempfile.TemporaryDirectory() as folder:
        spec = Path(folder) / "many.yaml"
        plugin = HERE / "simulated_cluster.py"
        spec.write_text(SPEC.format(plugin=plugin, seeds=[*range(1, cells + 1)]))
        return cost_of(retspec("run", str(spec), "--no-plugins", "--jobs", str(cells), "--quiet"))


if __name__ == "__main__":
    main()
