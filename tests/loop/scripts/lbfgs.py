"""An optimizer that calls a closure several times per step."""

import torch
from parts import data, small_vit
from torch.nn import functional


def main() -> None:
    torch.manual_seed(0)
    model = small_vit()
    optimizer = torch.optim.LBFGS(model.parameters(), lr=0.1, max_iter=4)
    images, labels = data(8).tensors

    def closure() -> torch.Tensor:
        optimizer.zero_grad()
        loss = functional.cross_entropy(model(images), labels)
        loss.backward()
        return loss

    for _ in range(30):
        optimizer.step(closure)


if __name__ == "__main__":
    main()
