"""Whole runs on a cluster: the results are those of this machine, and Ctrl-C leaves nothing on the nodes."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from ray_tasks import PATIENCE, are_gone, processes, until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ray.cluster_utils import Cluster

VARYING = {"seconds", "started", "hostname", "asked", "spec_sha256"}
"""Times and places; the hash is that of the spec with its overrides, and so with its executor."""
PLUGIN = str(Path(__file__).parents[3] / "tests" / "cluster" / "counted.py")


def spec_in(folder: Path, criteria: dict[str, dict[str, Any]], **sections: Any) -> Path:
    """Write a spec whose criteria each append a line to a log of their name when they are measured."""
    checks = {
        name: {"check": "turns", "limit": 1, "with": {"log": f"{folder}/{name}.log", **given}}
        for name, given in criteria.items()
    }
    path = folder / "spec.yaml"
    path.write_text(json.dumps({"retspec": 1, "plugins": [PLUGIN], **sections, "checks": checks}))  # JSON is YAML
    return path


def lines(spec: Path, name: str) -> int:
    """Return how often a criterion was measured."""
    log = spec.parent / f"{name}.log"
    return len(log.read_text().splitlines()) if log.exists() else 0


@pytest.fixture
def start(cluster: Cluster) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Starts `retspec run` beside a spec; what still runs ends with the test."""
    assert cluster.address
    started = []

    def start(spec: Path, *options: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-m", "retspec", "run", spec.name, "-p", "retspec_ray", *options],
            cwd=spec.parent,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def normalized(path: Path) -> Any:
    def without(table: dict[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in table.items() if name not in VARYING}

    return json.loads(path.read_text(), object_hook=without)


def test_the_results_are_those_of_this_machine(
    cluster: Cluster, start: Callable[..., subprocess.Popen[str]], tmp_path: Path
) -> None:
    sections: dict[str, Any] = {
        "matrix": {"seed": [1, 2, 3]},
        "run": {"seed": "${matrix.seed}", "threads": 1, "executor": "ray", "resources": {"address": cluster.address}},
    }
    spec = spec_in(tmp_path, {"one": {}, "two": {}}, **sections)
    process = start(spec, "--jobs", "2")
    output, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, output + errors
    assert re.fullmatch(r"((ray: \d+ tasks? at work.*|spec: \d of 3 cells, .*)\n)*", errors), errors
    there = normalized(tmp_path / "reports/spec/results.json")
    here = start(spec, "--executor", "local")
    output, errors = here.communicate(timeout=PATIENCE)
    assert here.returncode == 0, output + errors
    assert normalized(tmp_path / "reports/spec/results.json") == there
    assert lines(spec, "one") == 2 * 3


def test_ctrl_c_leaves_nothing(cluster: Cluster, start: Callable[..., subprocess.Popen[str]], tmp_path: Path) -> None:
    resources = {"executor": "ray", "resources": {"address": cluster.address}}
    spec = spec_in(tmp_path, {"slow": {"seconds": 600}}, run=resources)
    process = start(spec)
    until(lambda: lines(spec, "slow") == 1)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=PATIENCE)
    assert process.returncode == 130
    assert until(lambda: are_gone(*commands(tmp_path)))
    assert until(lambda: not processes("ray::Desk"))


def commands(cwd: Path) -> list[int]:
    """Return the processes of nodes that work in a folder."""
    found = []
    for path in sorted(p for p in Path("/proc").iterdir() if p.name.isdigit()):
        try:
            if (path / "cwd").resolve() == cwd:
                found.append(int(path.name))
        except OSError:
            continue
    return found
