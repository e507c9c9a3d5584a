"""What a seal sees of a model: its settings only where it is asked to look at them."""

from __future__ import annotations

from typing import Any

import pytest
from torch import nn

from retspec.subjects.models import seal
from retspec.subjects.models.seal import Seal


@pytest.fixture
def model() -> nn.Module:
    return nn.Sequential(nn.Linear(2, 2), nn.Dropout(0.5))


def test_a_setting_breaks_a_seal_only_for_a_thorough_look(model: nn.Module) -> None:
    sealed = Seal.of(model)
    assert sealed.holds(model, thorough=True)
    model[1].p = 0.1  # type: ignore[assignment]
    assert (sealed.holds(model, thorough=False), sealed.holds(model, thorough=True)) == (True, False)


def test_settings_are_read_only_for_a_thorough_look(model: nn.Module, monkeypatch: pytest.MonkeyPatch) -> None:
    sealed, read = Seal.of(model), []

    def settings(module: nn.Module) -> tuple[Any, ...]:
        read.append(module)
        return ()

    monkeypatch.setattr(seal, "_settings", settings)
    assert sealed.holds(model, thorough=False)
    assert not read


def test_a_tensor_breaks_a_seal_at_every_look(model: nn.Module) -> None:
    sealed = Seal.of(model)
    model[0].weight.data[1, 1] += 1  # type: ignore[index, operator]
    assert not sealed.holds(model, thorough=False)
