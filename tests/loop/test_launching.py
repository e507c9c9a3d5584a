"""A training is started as Python would start it, whichever way the spec names it."""

from __future__ import annotations

import sys
from itertools import count
from pathlib import Path

import pytest

from retspec.errors import SpecError
from retspec.records import Verdict
from retspec.subjects.training.watching.launching import exit_code_of
from retspec.subjects.training.watching.rerun import Rerun, trace_of
from tests.here import run_here

NUMBERS = count()
LOOP = """\
import sys
from pathlib import Path
import torch
from torch import nn
from torch.nn import functional
{imports}

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body, self.head = nn.Linear(12, 8), nn.Linear(8, 3)

    def forward(self, images):
        return self.head(self.body(images.flatten(1)).relu())

def make():
    torch.manual_seed(0)
    model = Net()
    batches = [(torch.randn(6, 3, 2, 2), torch.arange(6) % 3) for _ in range(4)]
    return model, torch.optim.SGD(model.parameters(), lr={lr}), batches, functional.cross_entropy

def main():
    Path("seen.txt").write_text(repr((__name__, sys.argv[1:], sys.path[0])))
    model, optimizer, batches, criterion = make()
    while True:
        for images, labels in batches:
            optimizer.zero_grad()
            criterion(model(images), labels).backward()
            optimizer.step()

if __name__ == "__main__":
    main()
"""
SPECS = {
    "script": "train: {script: job/train.py, args: [--fast, '3'], steps: 4}",
    "module": "train: {module: job.train, args: [--fast, '3'], steps: 4}",
    "callable": "train: {callable: 'job.train:main', args: [--fast, '3'], steps: 4}",
    "trainer": "train: {trainer: 'job.train:make', steps: 4}",
}
CHECKS = """
checks:
  max_trainable_params: 131
  nonfinite_steps: 0
  unowned_params: 0
  batch_leak: 0
  determinism_atol: 0
"""


@pytest.fixture
def job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / f"job{next(NUMBERS)}"  # each test has a package of its own: one that is imported stays
    folder.mkdir()
    (folder / "__init__.py").touch()
    (folder / "rates.py").write_text("LR = 0.1\n")
    return folder


def write_spec(job: Path, kind: str) -> Path:
    spec = job.parent / "spec.yaml"
    spec.write_text(f"retspec: 1\n{SPECS[kind].replace('job', job.name)}\n{CHECKS}")
    return spec


@pytest.mark.parametrize("kind", SPECS)
def test_each_kind_runs_the_same_training(kind: str, job: Path, tmp_path: Path) -> None:
    relative = kind in {"module", "callable", "trainer"}
    imports = "from .rates import LR" if relative else "from rates import LR"
    (job / "train.py").write_text(LOOP.format(imports=imports, lr="LR"))
    spec = write_spec(job, kind)
    before = sys.argv, sys.path.copy(), Path.cwd()
    results = run_here(spec)
    assert {name: (result.verdict, result.reason) for name, result in results.items()} == {
        name: (Verdict.MET, results[name].reason) for name in results
    }
    assert (sys.argv, Path.cwd()) == (before[0], before[2])
    assert sys.path[: len(before[1])] == before[1]
    if kind != "trainer":
        name = f"{job.name}.train" if kind == "callable" else "__main__"
        first = job if kind == "script" else tmp_path
        assert (tmp_path / "seen.txt").read_text() == repr((name, ["--fast", "3"], str(first)))


def test_a_script_that_is_not_there_is_reported_with_its_place(job: Path) -> None:
    spec = write_spec(job, "script")
    for result in run_here(spec).values():
        assert result.verdict is Verdict.ERROR
        assert result.reason.startswith(f"{spec}:2:17: there is no file {job / 'train.py'}")


def test_what_a_trainer_cannot_be_is_refused_with_what_it_can(job: Path) -> None:
    (job / "train.py").write_text("def make():\n    return 3\n")
    spec = write_spec(job, "trainer")
    for result in run_here(spec).values():
        assert result.verdict is Verdict.ERROR
        assert "it returned int; return a transformers Trainer" in result.reason


@pytest.mark.parametrize(
    ("code", "said"), [(None, "0"), (0, "0"), (False, "0"), (3, "3"), ("out of\nspace", "1: out of space")]
)
def test_an_exit_with_a_message_is_one_with_code_1_as_python_has_it(code: object, said: str) -> None:
    assert exit_code_of(SystemExit(code)) == said


def test_a_check_of_a_loop_wants_one(tmp_path: Path) -> None:
    spec = tmp_path / "spec.yaml"
    spec.write_text("retspec: 1\nchecks:\n  unowned_params: 0\n")
    with pytest.raises(SpecError, match=r"names none; add `train: \{script: train.py\}`") as caught:
        run_here(spec)
    assert len(caught.value.problems) == 1
    spec.write_text("retspec: 1\ntrain: {optimizer: 'a:b'}\nchecks:\n  unowned_params: 0\n")
    with pytest.raises(SpecError, match="the spec has none; add the section `model:`"):
        run_here(spec)


def test_a_training_that_calls_autograd_itself_is_watched_all_the_same(job: Path) -> None:
    text = LOOP.format(imports="", lr="0.1")
    unseen = text.replace(
        "criterion(model(images), labels).backward()", "torch.autograd.backward(criterion(model(images), labels))"
    )
    assert unseen != text
    (job / "train.py").write_text(unseen)
    results = run_here(write_spec(job, "script"))
    assert {result.verdict for result in results.values()} == {Verdict.MET}


def test_an_answer_of_any_length_comes_back_from_another_process(job: Path) -> None:
    text = LOOP.format(imports="", lr="0.1").replace("body, self.head =", "more, self.body, self.head =")
    many = "nn.ParameterList(torch.zeros(1) for _ in range(5000)), "
    (job / "train.py").write_text(text.replace("self.head = nn.Linear(12", f"self.head = {many}nn.Linear(12"))
    trace = trace_of(Rerun(source="script", value="train.py", folder=str(job), steps=2, threads=1))
    assert len(trace.parameters) == 5004
    assert len(trace.losses) == 2


def test_a_loss_that_is_not_seen_makes_nothing_green(job: Path) -> None:
    text = LOOP.format(imports="", lr="0.1")
    bare = text.replace(
        "criterion(model(images), labels).backward()",
        "logits = model(images); logits.backward(logits.detach().softmax(-1) / 6)",
    )
    assert bare != text
    (job / "train.py").write_text(bare)
    results = run_here(write_spec(job, "script"))
    assert results["nonfinite_steps"].verdict is Verdict.INCONCLUSIVE
    assert "no loss was seen" in results["nonfinite_steps"].reason
    assert results["unowned_params"].verdict is Verdict.MET
