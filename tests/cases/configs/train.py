"""A training config in Python, which is read and never run."""

from __future__ import annotations

import os

batch_size = 8
accumulation = 4


class CFG:
    lr = 1e-4
    sizes = (224, 224)
    total = batch_size * accumulation
    epochs = 10


if os.environ.get("LONG"):
    CFG.epochs = 100
