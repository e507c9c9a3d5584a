"""A loop on several ranks, with accumulation; its arguments name what is wrong with it."""

from __future__ import annotations

import os
import signal
import sys
import time
from contextlib import nullcontext

import torch
from torch import Tensor, distributed, nn
from torch.nn import functional
from torch.nn.parallel import DistributedDataParallel
from torch.utils.data import DataLoader, DistributedSampler, TensorDataset

CHOSEN = frozenset(sys.argv[1:])
RANK = int(os.environ["RANK"])
AVERAGES = bool(CHOSEN & {"averages", "adds", "scales"})
"""Whether the loop averages the gradients by itself."""


class Net(nn.Module):
    """Its shift moves all logits alike, so that the true gradient of it is zero."""

    def __init__(self, *middle: nn.Module) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Linear(12, 16), *middle, nn.Tanh(), nn.Linear(16, 3))
        self.shift = nn.Parameter(torch.zeros(()))

    def forward(self, inputs: Tensor) -> Tensor:
        logits: Tensor = self.body(inputs) + self.shift
        return logits


def model() -> nn.Module:
    if "batchnorm" in CHOSEN:
        return Net(nn.BatchNorm1d(16))
    if "synced" in CHOSEN:
        return nn.SyncBatchNorm.convert_sync_batchnorm(Net(nn.BatchNorm1d(16)))
    return Net(nn.Dropout(0.1)) if "dropout" in CHOSEN else Net()


def loader() -> DataLoader[tuple[Tensor, Tensor]]:
    shards = CHOSEN & {"sampler", "unequal", "ungrouped"}
    count = (20 if "unequal" in CHOSEN and RANK else 24) if shards else 48
    data = TensorDataset(torch.randn(count, 12) + (RANK if "unequal" in CHOSEN else 0), torch.arange(count) % 3)
    if shards:
        return DataLoader(data, batch_size=4, shuffle=True)
    workers = 1 if "workers" in CHOSEN else 0
    return DataLoader(data, batch_size=4, sampler=DistributedSampler(data), num_workers=workers)


def main() -> None:
    torch.manual_seed(0)
    if "ungrouped" not in CHOSEN:
        distributed.init_process_group("nccl")  # as on a GPU
    bare = model()
    unwrapped = AVERAGES or "ungrouped" in CHOSEN
    net = bare if unwrapped else DistributedDataParallel(bare, device_ids=[RANK])
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    batches = loader()
    for epoch in range(20):
        if isinstance(batches.sampler, DistributedSampler) and "epoch" not in CHOSEN:
            batches.sampler.set_epoch(epoch)
        for index, (inputs, labels) in enumerate(batches):
            misfortune(epoch * len(batches) + index)
            called = bare if "unwrapped" in CHOSEN else net
            share = (3 if RANK else 1) if "uneven" in CHOSEN else 4
            last = index % 2 == ("late" not in CHOSEN)
            with net.no_sync() if isinstance(net, DistributedDataParallel) and not last else nullcontext():
                loss = functional.cross_entropy(called(inputs[:share]), labels[:share]) / 2
                loss.backward()
            if index % 2:
                if AVERAGES:
                    average(net)
                if "scales" not in CHOSEN:
                    torch.nn.utils.clip_grad_norm_(net.parameters(), 0.1)
                optimizer.step()
                optimizer.zero_grad()
                if "drift" in CHOSEN and RANK:
                    bare.body[0].bias.data += 1e-6


def average(net: nn.Module) -> None:
    """Average the gradients of all ranks by hand."""
    for parameter in net.parameters():
        if parameter.grad is not None:
            distributed.all_reduce(parameter.grad)
            if "adds" not in CHOSEN:
                parameter.grad /= distributed.get_world_size()
            if "scales" in CHOSEN:
                parameter.grad *= 0.1


def misfortune(batch: int) -> None:
    """End rank 1, or let it wait for ever, in its fourth batch."""
    if not RANK or batch != 3:
        return
    if "raises" in CHOSEN:
        raise KeyError("lr")
    if "killed" in CHOSEN:
        os.kill(os.getpid(), signal.SIGKILL)
    if "exits" in CHOSEN:
        sys.stderr.write("no space left on device\n")
        os._exit(7)
    if "waits" in CHOSEN:
        sys.stderr.write("looking for a lock\n")
        time.sleep(600)


if __name__ == "__main__":
    main()
