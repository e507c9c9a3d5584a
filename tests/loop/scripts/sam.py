"""Sharpness-aware minimization: an optimizer around another one, two backward passes per step."""

import torch
from parts import data, small_vit
from torch.nn import functional
from torch.utils.data import DataLoader


class SAM(torch.optim.Optimizer):
    def __init__(self, parameters, base, rho=0.05, **kwargs):
        super().__init__(parameters, {"rho": rho, **kwargs})
        self.base_optimizer = base(self.param_groups, **kwargs)
        self.param_groups = self.base_optimizer.param_groups

    @torch.no_grad()
    def first_step(self):
        grads = [p.grad for group in self.param_groups for p in group["params"] if p.grad is not None]
        scale = 0.05 / (torch.stack([grad.norm() for grad in grads]).norm() + 1e-12)
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is not None:
                    self.state[p]["climbed"] = p.grad * scale
                    p.add_(self.state[p]["climbed"])
        self.zero_grad()

    @torch.no_grad()
    def step(self, closure=None):
        closure = torch.enable_grad()(closure)
        self.first_step()
        closure()
        for group in self.param_groups:
            for p in group["params"]:
                if "climbed" in self.state[p]:
                    p.sub_(self.state[p]["climbed"])
        self.base_optimizer.step()


def main() -> None:
    torch.manual_seed(0)
    model = small_vit()
    optimizer = SAM(model.parameters(), torch.optim.SGD, lr=0.05, momentum=0.9)
    for _epoch in range(10):
        for images, labels in DataLoader(data(), batch_size=4, shuffle=True):

            def closure(images=images, labels=labels):
                loss = functional.cross_entropy(model(images), labels)
                loss.backward()
                return loss

            closure()
            optimizer.step(closure)
            optimizer.zero_grad()


if __name__ == "__main__":
    main()
