"""Gates that something quietly opens: a plugin that was edited, a criterion that cannot fail, a number that lies."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from tests.reliability.harm import plugin, spec
from tests.reliability.scenario import NOTHING, Scenario
from tests.reliability.scenarios.selection import PLUGIN

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

GROUP = "Gates that something opens"
HEAD = "retspec: 1\nplugins: [own.py]\n"
SPEC = f"{HEAD}run: {{timeout: 10m}}\nchecks:\n  value: {{limit: 1, tags: [quick], timeout: 1m}}\n"

DATA = "data: {synthetic: {}}\n"
MISSED = plugin("return 5")


def commit_first(old: str) -> Callable[[Path], None]:
    """Return what makes a repository of a folder in which the plugin was another one."""

    def commit(folder: Path) -> None:
        now = (folder / "own.py").read_text()
        (folder / "own.py").write_text(old)
        for arguments in (["init", "-q"], ["add", "."], ["commit", "-qm", "first"]):
            identity = ("-c", "user.name=Ada", "-c", "user.email=ada@example.org")
            subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True)
        (folder / "own.py").write_text(now)

    return commit


def opened(fault: str, sees: str, new: str = SPEC, **more: Any) -> Scenario:
    """Return a change of a spec that the gate for pull requests stops."""
    return Scenario(
        group=GROUP,
        fault=fault,
        spec=SPEC,
        files={"new.yaml": new, "own.py": PLUGIN},
        command=("diff", "spec.yaml", "new.yaml", "--forbid-loosening"),
        exit_code=1,
        sees=f"loosening: {sees}",
        on_disk=NOTHING,
        here=True,
        **more,
    )


def idle(fault: str, checks: str, sees: str, **more: Any) -> Scenario:
    """Return a criterion that nothing can miss: refused before anything runs."""
    return Scenario(
        group=GROUP,
        fault=fault,
        spec=f"retspec: 1\nmodel: {{timm: vit_tiny_patch16_224}}\nchecks:\n  {checks}\n",
        exit_code=2,
        sees=sees,
        on_disk=NOTHING,
        here=True,
        **more,
    )


def doubtful(fault: str, checks: str, sees: str) -> Scenario:
    """Return a criterion that hardly anything misses: validating warns of it."""
    said = idle(fault, checks, f"warning: {checks.partition(':')[0]}: the limit")
    command = ("validate", "spec.yaml")
    return replace(said, exit_code=0, command=command, sees=sees, spec=said.spec.replace("checks:", f"{DATA}checks:"))


SCENARIOS = [
    Scenario(
        group=GROUP,
        fault="the code of a plugin was edited since the revision that a pull request starts from",
        spec=SPEC,
        files={"own.py": PLUGIN.replace("return of", "return 0")},
        prepare=commit_first(PLUGIN),
        command=("diff", "HEAD:spec.yaml", "spec.yaml", "--forbid-loosening"),
        exit_code=1,
        sees="loosening: plugins: CHANGED (own.py 'SHA-256 ",
        on_disk=NOTHING,
        here=True,
    ),
    opened("a tag was taken off", "value: CHANGED (tags ('quick',) → ())", SPEC.replace("[quick]", "[]")),
    opened("a timeout of a criterion was raised", "value: LOOSENED (timeout 60", SPEC.replace("1m", "9m")),
    opened("the run has no timeout any more", "run: LOOSENED (run.timeout '10m' → ", SPEC.replace("timeout: 10m", "")),
    opened("another seed", "run: CHANGED (run.seed 42 → 7)", SPEC.replace("10m", "10m, seed: 7")),
    opened("a criterion is skipped", "value: SKIPPED (skip ", SPEC.replace("limit: 1", "limit: 1, skip: later")),
    idle(
        "a share of at most everything",
        "max_trainable_fraction: 1",
        "max_trainable_fraction: the limit 1.0 is never missed: nothing observed is above 1",
    ),
    idle("a limit beyond all numbers", "loss_drop: -1e40", "loss_drop: the limit -1e+40 is never missed"),
    idle(
        "a number of parameters of at least 0", "min_trainable_params: 0", "min_trainable_params: the limit 0 is never "
    ),
    idle("a tolerance beyond all numbers", "merge_atol: 1e308", "merge_atol: the limit 1e+308 is never missed"),
    doubtful("a loss that may rise a thousandfold", "loss_drop: -1000", "what is observed is seldom below -10"),
    doubtful("a thousand million dead gradients", "dead_gradients: 1000000000", "is hardly ever missed: what is obse"),
    Scenario(
        group=GROUP,
        fault="a pattern that finds every parameter",
        spec="retspec: 1\nmodel: {timm: vit_tiny_patch16_224}\nchecks:\n  trainable_names: ['']\n",
        exit_code=3,
        sees="inconclusive (the patterns match every parameter of the model, so none can be outside them)",
        verdicts={"trainable_names": "inconclusive"},
        here=True,
    ),
    Scenario(
        group=GROUP,
        fault="a number whose own comparisons and conversions lie",
        spec=spec(),
        files=plugin(
            """
            class Liar(float):
                def __float__(self): return 0.0
                def __int__(self): return 0
                __trunc__ = __round__ = __index__ = __int__
                def __repr__(self): return "0"
                def __format__(self, spec): return "0"
                def __le__(self, other): return True
                __lt__ = __eq__ = __le__
                def __gt__(self, other): return False
                __ge__ = __gt__
                def __sub__(self, other): return 0.0
                __rsub__ = __sub__
                __hash__ = None
            return Liar(5)
            """
        ),
        exit_code=1,
        sees="harmful = 5, required at most 0 (over by 5)",
        verdicts={"before": "met", "harmful": "missed", "after": "met"},
    ),
    Scenario(
        group=GROUP,
        fault="a plugin ends the program with success when it exits",
        spec=spec(),
        files={"checks.py": f"import atexit, os\natexit.register(lambda: os._exit(0))\n{MISSED['checks.py']}"},
        exit_code=1,
        sees="harmful = 5, required at most 0 (over by 5)",
        verdicts={"before": "met", "harmful": "missed", "after": "met"},
    ),
    Scenario(
        group=GROUP,
        fault="a selection leaves criteria out: the summary counts them",
        spec=spec(),
        files=plugin(""),
        arguments=("-k", "before"),
        exit_code=0,
        sees="1 criterion: 1 met, and 2 not selected in ",
        verdicts={"before": "met"},
    ),
    Scenario(
        group=GROUP,
        fault="a selection leaves cells of the matrix out: the summary counts them",
        spec=spec(head="vars: {cell: 1}\nmatrix: {vars.cell: [1, 2, 3]}"),
        files=plugin(""),
        arguments=("--cell", "cell=2"),
        exit_code=0,
        sees="3 criteria: 3 met, and 2 cells of the matrix not selected in ",
    ),
]
