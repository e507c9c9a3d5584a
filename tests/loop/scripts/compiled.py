"""A model that torch.compile compiled."""

import torch
from parts import data, small_vit
from torch.nn import functional
from torch.utils.data import DataLoader


def main() -> None:
    torch.manual_seed(0)
    model = small_vit()
    compiled = torch.compile(model, backend="aot_eager")
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    for _epoch in range(10):
        for images, labels in DataLoader(data(), batch_size=4, shuffle=True):
            loss = functional.cross_entropy(compiled(images), labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()


if __name__ == "__main__":
    main()
