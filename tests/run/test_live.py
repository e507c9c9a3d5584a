"""`retspec.run` over live objects: measured in this process, and given back bit by bit."""

from __future__ import annotations

import random
import sys
import warnings
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.utils.data import DataLoader, TensorDataset

import retspec
from retspec import given
from tests.run.tools import ACTING

if TYPE_CHECKING:
    from collections.abc import Callable

CHECKS = {"loss_drop": 0.05, "determinism_atol": 0, "max_trainable_params": 9000, "output_shape": [6, 3]}
SECTIONS = {"train": {"steps": 3, "lr": 1e-2}}


class Net(nn.Module):
    """A module with all that a measurement could forget to give back, and a forward pass that is free to misbehave."""

    misbehave: Callable[[Net], object] = staticmethod(lambda _net: None)

    def __init__(self) -> None:
        super().__init__()
        self.embed, self.norm = nn.Linear(192, 16), nn.BatchNorm1d(16)
        self.drop, self.head = nn.Dropout(0.1), nn.Linear(16, 3)
        self.embed.weight.requires_grad = False
        self.seen: list[int] = []
        self.calls = 0

    def forward(self, images: Tensor) -> Tensor:
        self.calls += 1
        self.seen.append(len(images))
        self.misbehave(self)
        logits: Tensor = self.head(self.drop(self.norm(self.embed(images.flatten(1)))))
        return logits


def net(misbehave: Callable[[Net], object] = lambda _net: None) -> Net:
    """A net in the middle of somebody's work: with gradients, a hook, one part in eval mode."""
    torch.manual_seed(1)
    made = Net()
    made.head.register_forward_hook(lambda *_: None)
    cross_entropy(made(torch.randn(6, 3, 8, 8)), torch.arange(6) % 3).backward()
    made.norm.eval()
    made.misbehave = misbehave
    return made


def loader() -> DataLoader[Any]:
    torch.manual_seed(2)
    items = TensorDataset(torch.randn(12, 3, 8, 8), torch.arange(12) % 3)
    return DataLoader(items, batch_size=6, shuffle=True, generator=torch.Generator().manual_seed(3))


def state_of(module: Net, batches: DataLoader[Any]) -> list[Any]:
    """Everything that a run must leave as it was, in a form that can be compared."""
    modules = [*module.modules()]
    return [
        [(name, p.detach().numpy().tobytes(), id(p), p.data_ptr()) for name, p in module.named_parameters()],
        [(name, b.numpy().tobytes(), id(b)) for name, b in module.named_buffers()],
        [p.requires_grad for p in module.parameters()],
        [None if p.grad is None else (id(p.grad), p.grad.numpy().tobytes()) for p in module.parameters()],
        [(each.training, [*each._forward_hooks], [*each._forward_pre_hooks], sorted(vars(each))) for each in modules],
        [id(each) for each in modules],
        (module.calls, [*module.seen]),
        (random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state().tolist()),  # noqa: NPY002 - it belongs to the user
        batches.generator.get_state().tolist(),
        (torch.are_deterministic_algorithms_enabled(), torch.is_deterministic_algorithms_warn_only_enabled()),
        (torch.backends.cudnn.benchmark, torch.backends.cudnn.allow_tf32, torch.backends.cuda.matmul.allow_tf32),
        (torch.is_grad_enabled(), torch.get_num_threads(), [*sys.path], warnings.showwarning),
    ]


def run(model: nn.Module, data: object = None, **options: Any) -> retspec.Report:
    chosen = {"checks": CHECKS, "spec": SECTIONS, "entry_points": False, **options}
    return retspec.run(model=model, data=loader() if data is None else data, **chosen)


def test_objects_are_measured_here_and_given_back_bit_by_bit() -> None:
    model, batches = net(), loader()
    with torch.no_grad():  # as a notebook cell may be wrapped
        before = state_of(model, batches)
        report = run(model, batches, loss=cross_entropy)
        assert state_of(model, batches) == before
    assert {each.criterion.id: each.verdict.value for each in report.results} == dict.fromkeys(CHECKS, "met")
    assert any("model (Net), data (DataLoader), loss (cross_entropy)" in note for note in report.notes)
    again = run(model, batches, loss=cross_entropy)
    assert [each.observed for each in again.results] == [each.observed for each in report.results]


def _breaks(_net: Net) -> None:
    raise RuntimeError("no more")


def _writes(module: Net) -> None:
    module.embed.weight.data.mul_(0.5)
    module.train(mode=not module.training)
    module.head.register_forward_hook(lambda *_: None)
    module.extra = nn.Linear(2, 2)


def _stops(_net: Net) -> None:
    raise KeyboardInterrupt


def _exits(_net: Net) -> None:
    sys.exit(3)


@pytest.mark.parametrize(
    ("misbehave", "code", "reason"),
    [
        (_breaks, 3, "RuntimeError: no more"),
        (_writes, None, ""),
        (_stops, 130, "the run ended before it was reached"),
        (_exits, 3, "the code under test ended the program"),
    ],
)
def test_they_are_given_back_whatever_happens(misbehave: Callable[[Net], None], code: int | None, reason: str) -> None:
    model, batches = net(misbehave), loader()
    before = state_of(model, batches)
    report = run(model, batches)
    assert state_of(model, batches) == before
    assert code is None or (report.exit_code == code and reason in report.result("loss_drop").reason)


def test_a_run_that_is_refused_gives_back_too() -> None:
    model, batches = net(), loader()
    before = state_of(model, batches)
    with pytest.raises(retspec.SpecError):
        run(model, batches, checks={"loss_dorp": 0.5})
    assert state_of(model, batches) == before


def test_a_float64_module_stays_one_when_another_dtype_is_asked_for() -> None:
    model = net().double()
    report = run(model, checks={"max_trainable_params": 9000, "loss_drop": -9}, spec={"run": {"dtype": "float32"}})
    assert {p.dtype for p in model.parameters()} == {torch.float64}
    assert report.result("loss_drop").verdict is retspec.Verdict.MET


@pytest.mark.parametrize(
    ("model", "reason"),
    [
        (nn.Linear(4, 3, device="meta"), "the model has tensors without values, on the meta device: weight, bias"),
        (nn.LazyLinear(3), "the model has lazy modules"),
        (nn.Flatten(), "nothing trains"),
    ],
)
def test_a_module_that_cannot_be_measured_has_no_verdict(model: nn.Module, reason: str) -> None:
    report = run(model, checks={"loss_drop": 0.5}, spec={"run": {"device": "cpu"}})
    assert report.exit_code == 3
    assert reason in report.result("loss_drop").reason


@pytest.mark.parametrize(
    "data",
    [
        (torch.randn(6, 3, 8, 8), torch.arange(6) % 3),
        TensorDataset(torch.randn(12, 3, 8, 8), torch.arange(12) % 3),
        {"train": loader(), "val": loader()},
        {"pixel_values": torch.randn(6, 3, 8, 8), "labels": torch.arange(6) % 3},
    ],
    ids=["pair", "dataset", "loaders", "mapping"],
)
def test_data_comes_in_any_form_that_a_factory_may_return(data: object) -> None:
    sections = {"train": {"steps": 2, "batch_size": 6}}
    report = run(net(), data, spec=sections, checks={"output_shape": [6, 3], "loss_drop": -9})
    assert report.exit_code == 0, [each.reason for each in report.results]


def test_a_loss_in_the_words_of_the_user_is_the_one_that_trains() -> None:
    calls = []

    def flat(logits: Tensor, _targets: Tensor) -> Tensor:
        calls.append(len(logits))
        return logits.mean() * 0 + 1

    report = run(net(), loss=flat, checks={"loss_drop": 0.5})
    assert report.result("loss_drop").verdict is not retspec.Verdict.MET
    assert calls


def test_a_matrix_goes_over_the_same_module_and_fail_fast_ends_it() -> None:
    sections = {"name": "rates", "matrix": {"train.lr": [1e-2, 1e-3]}, "train": {"steps": 2}}
    report = run(net(), spec=sections, checks={"loss_drop": -9})
    assert [part.exit_code for part in report.cells] == [0, 0]
    assert (
        report.of_cell("lr=0.01").result("loss_drop").observed
        != report.of_cell("lr=0.001").result("loss_drop").observed
    )
    ended = run(net(), spec=sections, checks={"loss_drop": 1, "max_loss_rise": 9}, fail_fast=True)
    assert [each.verdict.value for each in ended.every_result] == ["missed", "not run", "not run", "not run"]


def test_one_such_run_is_at_work_at_a_time() -> None:
    reports = []

    def nests(module: Net) -> None:
        with suppress(retspec.UsageError):
            reports.append(run(module))

    assert run(net(nests), checks={"output_shape": [6, 3]}).exit_code == 0
    assert reports == []
    assert not given._given


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"model": nn.Linear}, "model= takes a torch.nn.Module; found the class Linear; give an object of it"),
        ({"model": net}, "model= takes a torch.nn.Module; found function; give what it returns"),
        ({"data": 5}, "data= takes a DataLoader, a Dataset, a batch"),
        ({"loss": "focal"}, "a loss by name is `train: {loss: ...}` in the mapping"),
        ({"loss": nn.CrossEntropyLoss}, "found the class CrossEntropyLoss; give an object of it"),
        ({"loss": cross_entropy, "spec": {"train": {"loss": "focal"}}}, "the loss is given twice"),
        ({"spec": "spec.yaml", "checks": None}, "a spec in a file has its own subject"),
        ({"spec": {"model": {"timm": "vit"}}}, "`model.timm` makes or changes a model"),
        ({"spec": {"model": ["timm"]}}, "the section 'model' is a mapping; found list"),
        ({"spec": {"run": {"timeout": "5m"}}}, "run.timeout needs a worker process"),
        ({"spec": {"run": {"memory": "1GB"}}}, "run.memory needs a worker process"),
        ({"checks": {"loss_drop": {"limit": 0.5, "timeout": "5s"}}}, "the timeout of 'loss_drop' needs a worker"),
        ({"jobs": 2}, "jobs= needs a worker process"),
        ({"checks": {"loss_dorp": 0.5}}, "checks.loss_dorp: unknown check 'loss_dorp'; did you mean 'loss_drop'?"),
        ({"checks": ["loss_drop"]}, "checks= takes a mapping such as {'loss_drop': 0.5}; found list"),
        ({"chekcs": {}}, "there is no argument 'chekcs'; did you mean 'checks'?"),
        ({"select": ["nothing"]}, "nothing selected"),
    ],
)
def test_a_wrong_argument_is_one_clear_error(arguments: dict[str, Any], said: str) -> None:
    with pytest.raises(retspec.RetspecError) as caught:
        run(**{"model": net(), **arguments})
    assert said in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1
    assert caught.value.__cause__ is None
    assert not given._given


def test_a_plugin_and_an_observer_come_along() -> None:
    seen: list[str] = []

    class Watcher:
        @retspec.hookimpl
        def retspec_criterion_finished(self, result: retspec.Result) -> None:
            seen.append(result.criterion.id)

    report = run(net(), checks={"one": 1, "output_shape": [6, 3]}, plugins=[ACTING], observers=[Watcher()])
    assert report.exit_code == 0
    assert seen == ["one", "output_shape"]
