"""What is drawn for a run of several cells: who does harm, beside whom, what happens to the run, and what is right."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from soaking import PLUGIN

if TYPE_CHECKING:
    import random
    from pathlib import Path

Name = tuple[str, str]
"""A cell and the id of a criterion."""

CRITERIA = 4
HARMS = ("none", "flood", "large", "session", "clock", "hang", "exit", "kill")
"""What the harmful criterion does; `kill` is to its own worker."""
EVENTS = ("none", "none", "SIGINT", "SIGTERM", "SIGKILL", "twins", "full disk")
"""What happens to the run; `twins` are two runs of the spec at once."""
ENDLESS = {"flood": {"timeout", "crash"}, "hang": {"timeout"}}
"""Harms that a timeout ends, and what becomes of them: how much a flood leaves on the disk is up to the machine."""
DEADLY = {"exit", "kill"}
PATIENCE, LEAST_PATIENCE = 60, 2
"""Seconds that a criterion has, and where it would never end. The same one of other cells has as many."""
FULL_AT = (20_000, 42_000)
"""Bytes of a file at which the disk is full, least and most: too few for the first reports, or for the last."""
WORDS = 500
"""Characters of the details of each criterion."""
LATER = 0.1
"""Seconds from the beginning of a criterion to the signal, at most."""


@dataclass(frozen=True)
class Case:
    """What was drawn for a run."""

    jobs: int
    cells: tuple[str, ...]
    harm: str
    harmful: Name
    """The criterion that does harm."""
    beside: Name
    """The criterion of another cell during which it is done."""
    missed: frozenset[Name]
    event: str
    begun: int
    """Criteria that have begun when the signal is sent."""
    later: float
    """Seconds from then to the signal."""
    full_at: int

    def __str__(self) -> str:
        return f"{self.harm} in {' '.join(self.harmful)} beside {' '.join(self.beside)}, {self.event}"

    @property
    def names(self) -> list[Name]:
        """Every criterion of every cell."""
        return [(cell, f"c{number}") for cell in self.cells for number in range(CRITERIA)]

    def verdicts_of(self, name: Name) -> set[str]:
        """Return what the verdict may be: nearly always one."""
        if name == self.harmful and self.harm in {*ENDLESS, *DEADLY}:
            return ENDLESS.get(self.harm, {"crash"})
        return {"missed" if name in self.missed else "met"}

    def value_of(self, name: Name) -> int:
        """Return what is observed, which no other criterion observes; each is held against the number of its cell."""
        number = int(name[1][1:]) + 1
        return int(name[0]) + (number if name in self.missed else -number)

    @property
    def times(self) -> int:
        """How many runs there are at once."""
        return 2 if self.event == "twins" else 1

    @property
    def exit_code(self) -> int:
        """What a run ends with that is left alone."""
        verdicts = {verdict for name in self.names for verdict in self.verdicts_of(name)}
        return 1 if "missed" in verdicts else 3 if verdicts > {"met"} else 0


def drawn(chance: random.Random, jobs: int) -> Case:
    """Draw a run. The cells that begin it do the harm and see it: they are measured at the same time."""
    cells = tuple(str(100 * (number + 1)) for number in range(jobs + chance.choice([0, 1])))
    ids = chance.sample([f"c{number}" for number in range(CRITERIA)], 2)
    harmful, beside = zip(chance.sample(cells[:jobs], 2), ids, strict=True)
    harm, event = chance.choice(HARMS), chance.choice(EVENTS)
    names = [(cell, f"c{number}") for cell in cells for number in range(CRITERIA)]
    missed = frozenset(chance.sample(names, chance.choice([0, 0, 1, 3]))) - {harmful}
    begun, later = chance.randint(1, len(names) * 2 // 3), chance.uniform(0, LATER)
    return Case(jobs, cells, harm, harmful, beside, missed, event, begun, later, chance.randint(*FULL_AT))


def write(case: Case, folder: Path) -> None:
    """Write the plugin, the spec, and what each criterion of each cell does."""
    (folder / "plugin.py").write_text(PLUGIN)
    lines = []
    for number in range(CRITERIA):
        is_harmful = case.harmful[1] == f"c{number}"
        patience = LEAST_PATIENCE if is_harmful and case.harm in ENDLESS else PATIENCE
        child = str(number % 2 == 0 or (is_harmful and case.harm == "session")).lower()
        lines.append(
            f"  c{number}: {{check: logged, limit: '${{vars.cell}}', timeout: {patience}s, "
            f"with: {{name: 'c{number}-${{vars.cell}}', child: {child}}}}}\n"
        )
    (folder / "spec.yaml").write_text(
        f"retspec: 1\nplugins: [plugin.py]\nvars: {{cell: 0}}\n"
        f"matrix: {{vars.cell: [{', '.join(case.cells)}]}}\nchecks:\n{''.join(lines)}"
    )
    given: dict[str, dict[str, object]] = {
        noted(name): {"value": case.value_of(name), "words": WORDS} for name in case.names
    }
    given[noted(case.harmful)] |= {
        "harm": case.harm,
        "meets": {noted(case.beside): 1, noted(case.harmful): case.times},
    }
    given[noted(case.beside)]["meets"] = {noted(case.harmful): 1}
    (folder / "drawn.json").write_text(json.dumps(given))


def noted(name: Name) -> str:
    """Return what a criterion writes to the log."""
    return f"{name[1]}-{name[0]}"
