"""A training that reads its config; the first argument says how, and which fault is planted."""

from __future__ import annotations

import argparse
import copy
import dataclasses
import json
import sys
from pathlib import Path
from types import SimpleNamespace

import torch
import yaml
from torch import nn
from torch.utils.data import DataLoader, Dataset

HERE = Path(__file__).parent
CONFIG = HERE / "train.yaml"


class Noise(Dataset):
    """Reads the config in the process that reads the items."""

    def __init__(self, cfg, *, late):
        self.cfg = cfg
        self.late = late

    def __len__(self):
        return 16

    def __getitem__(self, index):
        if self.late:
            torch.manual_seed(self.cfg["seed"] + index)
        return torch.randn(4), index % 3


@dataclasses.dataclass
class Options:
    seed: int
    model: dict
    optimizer: dict
    stages: list
    sizes: list


def loaded(how):
    if how == "json":
        return json.loads((HERE / "train.json").read_text())
    if how == "text":
        return yaml.safe_load(CONFIG.read_text())
    if how == "lines":
        return dict(line.split(": ") for line in CONFIG.read_text().splitlines()[:1])
    if how == "unopened":
        return {}
    if how == "omegaconf_load":
        from omegaconf import OmegaConf

        return OmegaConf.load(CONFIG)
    with open(CONFIG) as file:
        return yaml.load(file, Loader=yaml.SafeLoader)


def converted(cfg, how):
    """Take the whole config at once, as people do."""
    if how == "namespace":
        return vars(SimpleNamespace(**cfg))
    if how == "dataclass":
        return dataclasses.asdict(Options(**cfg))
    if how == "dict":
        return {key: value for key, value in cfg.items()}
    if how == "argparse":
        parser = argparse.ArgumentParser()
        parser.set_defaults(**cfg)
        return vars(parser.parse_args([]))
    if how == "omegaconf":
        from omegaconf import OmegaConf

        return OmegaConf.to_container(OmegaConf.create(cfg))
    if how == "refused" and type(cfg) is not dict:
        raise TypeError("the config is no dict")
    return cfg


def main():
    how = sys.argv[1] if len(sys.argv) > 1 else ""
    cfg = converted(loaded(how), how)
    if how == "copied":
        cfg = copy.deepcopy(cfg)
    if how == "logged":
        sys.stdout.write(json.dumps(cfg) + yaml.safe_dump(cfg))
    if how in {"lines", "unopened"}:
        cfg = {"model": {"classes": 3, "hidden": 8}, "optimizer": {"lr": 0.1}, "stages": [], "sizes": [], "seed": 0}
    settings, optim = cfg["model"], cfg["optimizer"]
    model = nn.Sequential(nn.Linear(4, settings["hidden"]), nn.Linear(settings["hidden"], settings.get("classes")))
    decay = 0.01 if how == "misspelt" else optim.get("weight_decay", 0.0)
    optimizer = torch.optim.SGD(model.parameters(), lr=optim["lr"], weight_decay=decay)
    steps = sum(stage["steps"] for stage in cfg["stages"]) + len([stage["name"] for stage in cfg["stages"]])
    workers = 1 if how == "workers" else 0
    if how not in {"workers", "later"}:
        torch.manual_seed(cfg["seed"])
    loader = DataLoader(
        Noise(cfg, late=how == "workers"), batch_size=cfg["sizes"][0] if cfg["sizes"] else 4, num_workers=workers
    )
    for _ in range(max(steps // 4, 1) if how == "short" else 100):
        for inputs, targets in loader:
            loss = nn.functional.cross_entropy(model(inputs), targets)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    sys.stdout.write(str(cfg["seed"]))


if __name__ == "__main__":
    main()
