"""Measure the cell of a spec that Hydra asks for; `hydra_submitit.yaml` says on which machines."""

import subprocess
from pathlib import Path

import hydra
from omegaconf import DictConfig

CELL = Path(__file__).with_name("cell.sh")
MISSED = 1


@hydra.main(version_base=None, config_path=".", config_name="hydra_submitit")
def main(config: DictConfig) -> int:
    """Return the exit code of the run; one without a verdict for every criterion is a failed job."""
    results = Path(config.results).absolute()
    results.mkdir(parents=True, exist_ok=True)
    code = subprocess.call(["sh", CELL, config.spec, str(config.cell), results / f"{config.cell}.json"])
    if code > MISSED:
        raise SystemExit(code)
    return code


if __name__ == "__main__":
    main()
