"""The modules that peft puts into a model, recognised by their types.

Importing peft takes seconds, and where nobody has imported it no model holds any of its modules. So to ask imports
nothing.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from peft import PeftModel
    from peft.tuners.tuners_utils import BaseTuner, BaseTunerLayer
    from peft.utils.other import ModulesToSaveWrapper
    from torch import nn


def peft_model_in(model: nn.Module) -> PeftModel | None:
    """Return the first wrapper of peft, however deep it sits in the model."""
    return next(iter(_of_type(model, "peft", "PeftModel").values()), None)


def outermost_wrapper(model: nn.Module) -> PeftModel | None:
    """Return the model itself, if it is a wrapper of peft."""
    return _of_type(model, "peft", "PeftModel").get("")


def tuner_in(model: nn.Module) -> BaseTuner | None:
    """Return the tuner of the first wrapper."""
    return next(iter(_of_type(model, "peft.tuners.tuners_utils", "BaseTuner").values()), None)


def tuner_layers(model: nn.Module) -> dict[str, BaseTunerLayer]:
    """Return the layers that carry an adapter, by the names that they have in this very model."""
    return _of_type(model, "peft.tuners.tuners_utils", "BaseTunerLayer")


def saved_modules(model: nn.Module) -> list[ModulesToSaveWrapper]:
    """Return the modules that are trained and saved in full beside the adapter."""
    return [*_of_type(model, "peft.utils.other", "ModulesToSaveWrapper").values()]


def _of_type(model: nn.Module, module: str, name: str) -> dict[str, Any]:
    kind = getattr(sys.modules.get(module), name, None)
    return {} if kind is None else {path: part for path, part in model.named_modules() if isinstance(part, kind)}
