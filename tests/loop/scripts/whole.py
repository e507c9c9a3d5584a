"""A module that returns its loss beside the logits; the model in it is copied and saved as a whole while it trains."""

from __future__ import annotations

from contextlib import suppress
from copy import deepcopy
from io import BytesIO

import torch
from parts import data, small_vit
from torch import nn
from torch.nn import functional
from torch.utils.data import DataLoader


class Task(nn.Module):
    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model
        self.average = deepcopy(model).eval()

    def forward(self, images: torch.Tensor, labels: torch.Tensor) -> dict[str, torch.Tensor]:
        logits = self.model(images)
        return {"loss": functional.cross_entropy(logits, labels), "logits": logits}


def loaded(model: nn.Module) -> nn.Module:
    saved = BytesIO()
    torch.save(model, saved)
    saved.seek(0)
    return torch.load(saved, weights_only=False)


def main() -> None:
    torch.manual_seed(0)
    model = small_vit(proj_drop_rate=0.1)
    model.cls_token.requires_grad_(False)
    task = Task(model).train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=0.0)
    scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, patience=100)
    with suppress(AssertionError):  # the images are too large
        task(torch.randn(4, 3, 48, 48), torch.arange(4))
    for _epoch in range(20):
        for images, labels in DataLoader(data(), batch_size=4, shuffle=True):
            optimizer.zero_grad()
            loss = task(images, labels)["loss"]
            loss.backward()
            optimizer.step()
            scheduler.step(loss.item())
            for copy in (deepcopy(model), loaded(model)):
                assert not copy._forward_hooks
                assert not copy._forward_pre_hooks
        model.eval()
        with torch.inference_mode():
            model(images)
        model.train()


if __name__ == "__main__":
    main()
