"""A saved adapter is loaded as another process loads it: onto a base that is made again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import torch

from retspec.errors import NoVerdict
from retspec.measurements.reloading import reloading
from retspec.prepare import prepare
from retspec.subjects.models.seal import Seal
from retspec.subjects.subject import Subject
from tests.tiny import base, vit

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from retspec.facts import Reloading

    Reloaded = Callable[..., Reloading]

SHARED: Any = None


def one_model_for_all() -> Any:
    global SHARED  # noqa: PLW0603 - as a factory does that keeps what it made
    SHARED = SHARED or base()
    return SHARED


@pytest.fixture
def reloaded(tmp_path: Path) -> Reloaded:
    """Measure a spec whose section `model` ends in these lines."""

    def measured(*lines: str, factory: str = "tests.tiny:base") -> Reloading:
        spec = tmp_path / "spec.yaml"
        section = "".join(f"  {line}\n" for line in (f'factory: "{factory}"', *lines))
        data = "data: {synthetic: {input_size: [3, 32, 32], batch_size: 3}}"
        spec.write_text(f"retspec: 1\nmodel:\n{section}{data}\nchecks: {{reload_atol: 1e-6}}\n")
        plan, catalog = prepare(spec, entry_points=False)
        sources = {"model_sources": catalog.model_sources, "data_sources": catalog.data_sources}
        subject = Subject(plan.spec, **sources, weights=True)
        seal = Seal.of(subject.model)
        torch.manual_seed(0)
        found = reloading(subject.model, subject.batch, subject.build_again)
        assert seal.holds(subject.model, thorough=True)
        return found

    return measured


@pytest.mark.parametrize("start", ["true", "gaussian", "pissa", "olora", "orthogonal"])
def test_a_base_made_again_gives_the_same_to_the_bit(reloaded: Reloaded, start: str) -> None:
    found = reloaded(f"lora: {{target_modules: [qkv], modules_to_save: [head], init_lora_weights: {start}}}")
    assert (found.difference, found.not_saved) == (0, ())
    assert found.effect > 1e-2


def test_a_base_that_the_adapter_draws_is_another_one(reloaded: Reloaded) -> None:
    found = reloaded("lora: {target_modules: [qkv], modules_to_save: [head], init_lora_weights: pissa_niter_2}")
    assert found.difference > 1e-3
    assert found.initialization == "pissa_niter_2"


def test_a_base_that_each_process_draws_is_another_one(reloaded: Reloaded) -> None:
    found = reloaded("lora: {target_modules: [qkv], modules_to_save: [head]}", factory="tests.wild:another_each_time")
    assert found.difference > 1e-3


@pytest.mark.parametrize(
    ("start", "is_same"), [("pissa", True), ("olora", True), ("eva", True), ("pissa_niter_2", False)]
)
def test_a_trained_adapter_in_a_folder_is_loaded_onto_the_base_of_the_source(
    reloaded: Reloaded, tmp_path: Path, start: str, *, is_same: bool
) -> None:
    torch.manual_seed(1)
    trained = vit(init_lora_weights=True if start == "eva" else start)
    trained.peft_config["default"].init_lora_weights = start
    for parameter in trained.parameters():
        if parameter.requires_grad:
            parameter.data += 0.01 * torch.randn_like(parameter)
    trained.save_pretrained(tmp_path / "saved")
    assert (reloaded("adapter: saved").difference == 0) is is_same


def test_a_model_that_a_factory_wraps_keeps_its_base(reloaded: Reloaded) -> None:
    found = reloaded(factory="tests.tiny:vit")
    assert (found.difference, found.not_saved) == (0, ())


def test_a_factory_that_gives_one_model_each_time_has_no_verdict(reloaded: Reloaded) -> None:
    with pytest.raises(NoVerdict, match="the factory returns the same model each time"):
        reloaded(
            "lora: {target_modules: [qkv], modules_to_save: [head]}",
            factory="tests.subjects.test_reloading:one_model_for_all",
        )
