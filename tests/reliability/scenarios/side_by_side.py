"""Runs beside each other, and specs in odd places."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

from tests.reliability.harm import plugin, spec
from tests.reliability.scenario import NOTHING, ROOT, Scenario

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

GROUP = "Places"
PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de"
    "0000000c49444154789c63f8cfc000000301010018dd8db00000000049454e44ae426082"
)
"""A PNG of one red pixel."""
MET = {"before": "met", "harmful": "met", "after": "met"}
WAITS_FOR_THE_OTHER = """
note(f"here-{os.getpid()}")
deadline = time.monotonic() + 120
while len(list(Path().glob("here-*[0-9]"))) < 2 and time.monotonic() < deadline:
    time.sleep(0.02)
return int(time.monotonic() >= deadline)
"""


def run_another(results: str) -> Callable[[subprocess.Popen[str], Path], None]:
    """Run the same spec once more at the same time, each in the middle while the other is; hold it too."""

    def act(_program: subprocess.Popen[str], folder: Path) -> None:
        reports = ["--junit-xml", "junit.xml", "--json", results]
        command = [sys.executable, "-m", "retspec", "run", "spec.yaml", "-p", "checks.py", *reports]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        other = subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=240
        )
        assert (other.returncode, "3 criteria: 3 met" in other.stdout) == (0, True), other.stderr
        assert json.loads((folder / results).read_text())["exit_code"] in {0, 3}

    return act


def both_whole(folder: Path) -> None:
    assert json.loads((folder / "other.json").read_text())["counts"]["met"] == 3


def elsewhere(fault: str, path: str) -> Scenario:
    """Return a spec at another place; its plugin lies beside it."""
    plugin_path = f"{path.rpartition('/')[0]}/beside.py".removeprefix("/")
    return Scenario(
        group=GROUP,
        fault=fault,
        spec=spec(head="plugins: [beside.py]"),
        spec_path=path,
        files={plugin_path: plugin("")["checks.py"]},
        exit_code=0,
        sees="3 criteria: 3 met",
        verdicts=MET,
    )


def link_the_spec(folder: Path) -> None:
    (folder / "real").mkdir()
    (folder / "spec.yaml").rename(folder / "real" / "named_otherwise.yaml")
    (folder / "spec.yaml").symlink_to("real/named_otherwise.yaml")


def both(fault: str, results: str, afterwards: Callable[[Path], None] | None = None) -> Scenario:
    return Scenario(
        group=GROUP,
        fault=fault,
        spec=spec(),
        files=plugin(WAITS_FOR_THE_OTHER),
        act=run_another(results),
        exit_code=0,
        sees="3 criteria: 3 met",
        verdicts=MET,
        afterwards=afterwards,
    )


def name_images(folder: Path) -> None:
    (folder / "photos" / "a").mkdir(parents=True)
    for name in ("=cmd|calc.png", "x\udcff.png", "\u202escan.png"):
        (folder / "photos" / "a" / name).write_bytes(PIXEL)


SCENARIOS = [
    both("two runs at once write the same reports: the last one wins whole", "results.json"),
    both("two runs at once write reports of their own", "other.json", both_whole),
    elsewhere("the spec lies on a path with spaces and quotes", 'my specs/it\'s "mine".yaml'),
    elsewhere("the spec lies on a path with other scripts", "früh/网膜-🩺.yaml"),
    elsewhere("the spec lies in another folder than the working directory", "deep/er/spec.yaml"),
    elsewhere("the name of the spec looks like an option", "./-x.yaml"),
    Scenario(
        group=GROUP,
        fault="the spec is a link",
        spec=spec(),
        files=plugin(""),
        prepare=link_the_spec,
        exit_code=0,
        sees="3 criteria: 3 met",
        verdicts=MET,
    ),
    Scenario(
        group=GROUP,
        fault="the names of images are no UTF-8, turn text, or are formulas",
        spec="retspec: 1\ndata: {imagefolder: {root: photos, splits: {train: .}}}\nchecks:\n  duplicate_images: 0\n",
        prepare=name_images,
        exit_code=1,
        sees="identical: a/=cmd|calc.png = a/x\\udcff.png = a/scan.png",
        verdicts={"duplicate_images": "missed"},
    ),
    Scenario(
        group=GROUP,
        fault="the working directory was deleted",
        spec=spec(),
        files=plugin(""),
        prelude='mkdir gone && cd gone && rmdir "$OLDPWD/gone"',
        exit_code=2,
        sees="Error: the working directory is gone; change to one that exists",
        on_disk=NOTHING,
    ),
]
