"""What is watched inside a module that returns its loss: the model alone, and nothing of the watch stays in it."""

from __future__ import annotations

import copyreg
from pathlib import Path

import pytest

from retspec.subjects.training.watching.launching import launch_script
from retspec.subjects.training.watching.watch import Watch

SCRIPT = Path(__file__).parent / "scripts" / "whole.py"


@pytest.fixture(scope="module")
def watch() -> Watch:
    watch = Watch(launch_script(SCRIPT, []), 12)
    watch.run()
    return watch


@pytest.fixture(scope="module")
def kinds() -> set[type]:
    return set(copyreg.dispatch_table)


def test_the_model_is_what_returns_logits_alone(watch: Watch) -> None:
    loop = watch._finish("")
    assert (loop.ending, loop.model, len(loop.steps)) == ("", "VisionTransformer", 12)
    assert {name.split(".")[0] for group in loop.optimizers[0].groups for name in group.parameters} >= {
        "blocks",
        "head",
    }
    assert loop.evaluations == 1


def test_a_forward_pass_that_raised_leaves_no_trace(watch: Watch) -> None:
    loop = watch._finish("")
    assert loop.batches == 12
    assert loop.batch is not None
    assert loop.batch.shape == (4, 3, 32, 32)


def test_the_steps_of_a_plateau_scheduler_count(watch: Watch) -> None:
    loop = watch._finish("")
    assert [(each.kind, each.steps) for each in loop.schedulers] == [("ReduceLROnPlateau", 11)]


def test_a_frozen_parameter_in_a_group_has_no_history(watch: Watch) -> None:
    assert watch.training is not None
    names = {each.name for each in watch.training.gradients}
    assert "cls_token" not in names
    assert "head.weight" in names


def test_copy_and_pickle_are_as_before(kinds: set[type], watch: Watch) -> None:
    assert watch.trainee is not None
    assert type(watch.trainee.module) not in copyreg.dispatch_table
    assert not watch.trainee.module._forward_hooks
    assert set(copyreg.dispatch_table) >= kinds
