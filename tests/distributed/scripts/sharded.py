"""FSDP on ranks: by `fully_shard`, or by the older wrapper."""

import sys

import torch
from torch import distributed, nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import FullyShardedDataParallel, fully_shard
from torch.nn import functional
from torch.utils.data import DataLoader, DistributedSampler, TensorDataset


def sharded(model: nn.Module) -> nn.Module:
    if "wrapped" in sys.argv:
        return FullyShardedDataParallel(model, device_id=torch.device("cpu"), use_orig_params="named" in sys.argv)
    mesh = init_device_mesh("cpu", (distributed.get_world_size(),))
    return fully_shard(model, mesh=mesh)


def main() -> None:
    torch.manual_seed(0)
    distributed.init_process_group("gloo")
    model = sharded(nn.Sequential(nn.Linear(12, 16), nn.Tanh(), nn.Linear(16, 3)))
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    data = TensorDataset(torch.randn(24, 12), torch.arange(24) % 3)
    loader = DataLoader(data, batch_size=4, sampler=DistributedSampler(data))
    for epoch in range(20):
        loader.sampler.set_epoch(epoch)
        for inputs, labels in loader:
            functional.cross_entropy(model(inputs), labels).backward()
            optimizer.step()
            optimizer.zero_grad()


if __name__ == "__main__":
    main()
