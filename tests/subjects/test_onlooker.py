"""What a model makes of images is shown from a training, from predictions, and from a training of the user's own."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import torch
from torch import nn

from retspec.prepare import prepare
from retspec.records import Recipe
from retspec.running import run
from retspec.subjects.data.batch import Batch, UnlabelledBatch
from retspec.subjects.data.gallery import Gallery
from retspec.subjects.data.thumbnails import Look
from retspec.subjects.onlooker import AfterTraining
from retspec.subjects.seeds import generator_states
from retspec.subjects.subject import Subject
from tests.photos import CLASSES, healthy
from tests.predictions import judging
from tests.tiny import base, convnet, vit

if TYPE_CHECKING:
    from retspec.records import Picture, Report

WRONG, ATTENTION = "Wrong", "Attention"


@pytest.fixture(autouse=True)
def _importable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))


class Seen:
    """What a gallery shows and says of a trained model."""

    def __init__(self, model: nn.Module, batch: Batch, most: int = 24, task: Any = None) -> None:
        self.pictures: tuple[Picture, ...] = ()
        self.notes: list[str] = []
        gallery = Gallery(most, 42, lambda pictures: setattr(self, "pictures", pictures), self.notes.extend)
        self.look = AfterTraining(gallery, lambda: Look(classes={name: i for i, name in enumerate(CLASSES)}), Recipe())
        self.look(model, batch, task, 3)

    def captions(self, kind: str) -> list[str]:
        return [picture.caption for picture in self.pictures if picture.group.startswith(kind)]


def batch(size: int = 6) -> Batch:
    generator = torch.Generator().manual_seed(0)
    return Batch(torch.rand(size, 3, 32, 32, generator=generator), torch.arange(size) % 3)


def answers(model: nn.Module, given: Batch) -> list[tuple[float, str]]:
    """Return the wrong answers of a model in evaluation mode, the most confident first."""
    with torch.no_grad():
        said = model.eval()(given.inputs).double().softmax(1)
    found = []
    for label, row in zip(given.targets.tolist(), said, strict=True):
        if int(row.argmax()) != label:
            words = f"label {CLASSES[label]}, predicted {CLASSES[int(row.argmax())]} ({float(row.max()):.2f})"
            found.append((float(row.max()), words))
    return sorted(found, reverse=True)


def test_the_wrong_answers_are_those_in_evaluation_mode() -> None:
    torch.manual_seed(3)
    model, given = base(drop_rate=0.5, num_classes=3), batch()
    seen = Seen(model.train(), given)
    expected = [words for _, words in answers(model, given)]
    assert expected
    assert seen.captions(WRONG) == expected
    groups = {picture.group.partition(":")[0] for picture in seen.pictures}
    assert "Wrong after 3 steps on this batch alone, which says nothing about a released model" in groups
    assert len(seen.captions(ATTENTION)) == 6
    assert seen.captions(ATTENTION) == [CLASSES[label] for label in given.targets.tolist()]
    assert seen.notes == []


class Counting(nn.Module):
    """A model that counts its passes, moves its buffer in each, and draws random numbers."""

    def __init__(self) -> None:
        super().__init__()
        self.vit = vit()
        self.passes: list[bool] = []
        self.register_buffer("seen", torch.zeros(1))

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        self.passes.append(self.training)
        self.seen += 1
        logits: torch.Tensor = self.vit(inputs) + torch.rand(1)
        return logits


def test_one_pass_is_made_and_everything_is_as_it_was() -> None:
    model = Counting().train()
    model.vit.base_model.model.blocks[0].eval()
    modes = [module.training for module in model.modules()]
    state, drawn = {name: each.clone() for name, each in model.state_dict().items()}, generator_states()
    seen = Seen(model, batch())
    seen.look(model, batch(), None, 3)
    assert model.passes == [False]
    assert [module.training for module in model.modules()] == modes
    assert all(each.equal(state[name]) for name, each in model.state_dict().items())
    assert generator_states() == drawn
    assert not any(module._forward_hooks for module in model.modules())
    assert seen.captions(ATTENTION)


def test_nothing_is_passed_where_no_pictures_are_asked_for() -> None:
    model = Counting()
    assert Seen(model, batch(), most=0).pictures == ()
    assert model.passes == []


def test_a_model_that_is_no_vit_shows_what_is_wrong_and_says_once_why_no_attention() -> None:
    seen = Seen(convnet(), batch())
    assert seen.captions(WRONG)
    assert seen.captions(ATTENTION) == []
    assert seen.notes == ["no attention is shown: Sequential is no Vision Transformer of timm."]


def test_what_is_no_image_or_no_class_is_left_out() -> None:
    rows = nn.Linear(4, 3)
    seen = Seen(rows, Batch(torch.rand(5, 4), torch.arange(5) % 3))
    assert (seen.pictures, seen.notes) == ((), [])
    regression = Seen(base(num_classes=1), Batch(torch.rand(3, 3, 32, 32), torch.tensor([60.5, 71.0, 80.0])))
    assert (regression.captions(WRONG), regression.captions(ATTENTION)) == ([], ["label 60.5", "label 71", "label 80"])
    unlabelled = Seen(base(), UnlabelledBatch(torch.rand(3, 3, 32, 32)))
    assert (unlabelled.captions(WRONG), unlabelled.captions(ATTENTION)) == ([], [""] * 3)


def test_a_pass_that_fails_ends_nothing_and_is_said() -> None:
    model = base()
    seen = Seen(model, Batch(torch.rand(2, 3, 16, 16), torch.tensor([0, 1])))
    assert seen.pictures == ()
    (note,) = seen.notes
    assert note.startswith("some pictures of what the model says are left out: ")
    assert model.training


# Runs ---------------------------------------------------------------------------------------------

PRETRAINING = """\
retspec: 1
model: {{factory: "{model}"}}
data:
  imagefolder: {{root: photos}}
  transform: "tests.photos:small"
  train_transform: "tests.photos:small_and_turned"
train: {{steps: 2, batch_size: 12}}
run: {{gallery: {most}, device: cpu}}
checks: {{max_final_loss: 100, loss_drop: {{limit: 0, with: {{steps: 3}}}}}}
"""
RELEASE = """\
retspec: 1
model: {{factory: "tests.tiny:vit"}}
data: {{imagefolder: {{root: photos}}, transform: "tests.photos:small", batch_size: 2}}
run: {{gallery: {most}, device: cpu}}
predictions: {{make: made.csv, split: val}}
checks: {{accuracy: 0}}
"""
SCRIPT = """\
import torch
from tests.tiny import base
torch.manual_seed(0)
model = base()
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
while True:
    loss = torch.nn.functional.cross_entropy(model(torch.rand(6, 3, 32, 32)), torch.arange(6) % 3)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
"""
OWN = """\
retspec: 1
train: {{script: train.py, steps: 2}}
run: {{gallery: {most}, device: cpu}}
checks: {{loss_drop: -100}}
"""


def reported(folder: Path, spec: str, **parts: Any) -> Report:
    path = folder / "spec.yaml"
    path.write_text(spec.format(**parts))
    return run(path, plugins=[judging.__file__], entry_points=False)


def counts(report: Report) -> dict[str, int]:
    found: dict[str, int] = {}
    for picture in report.pictures:
        kind = picture.group.split()[0]
        found[kind] = found.get(kind, 0) + 1
    return found


def test_a_run_shows_every_group_with_a_fair_share_and_measures_the_same(tmp_path: Path) -> None:
    healthy(tmp_path / "photos")
    model = "tests.tiny:vit"
    shown, plain = (reported(tmp_path, PRETRAINING, model=model, most=most) for most in (12, 0))
    assert [each.verdict for each in shown.results] == [each.verdict for each in plain.results]
    assert [each.observed for each in shown.results] == [each.observed for each in plain.results]
    assert plain.pictures == ()
    assert counts(shown) == {"One": 3, "A": 3, "Wrong": 3, "Attention": 3}
    assert any("after 2 steps on this batch alone" in each.group for each in shown.pictures)


def test_a_release_shows_the_wrong_ones_of_its_split_from_the_passes_that_predict(tmp_path: Path) -> None:
    healthy(tmp_path / "photos")
    made = []
    for most in (24, 0):
        report = reported(tmp_path, RELEASE, most=most)
        made.append(((tmp_path / "made.csv").read_text(), report.results[0].observed))
        if most:
            shown = report
    assert made[0] == made[1]
    wrong = [picture for picture in shown.pictures if picture.group.startswith(WRONG)]
    rows = [line.split(",") for line in made[0][0].splitlines()[1:]]
    scores = [[float(each) for each in row[-3:]] for row in rows]
    expected = sorted(
        (
            (max(row), CLASSES.index(label), row.index(max(row)))
            for (_, label, *_), row in zip(rows, scores, strict=True)
        ),
        reverse=True,
    )
    said = [
        f"label {CLASSES[label]}, predicted {CLASSES[answer]} ({score:.2f})"
        for score, label, answer in expected
        if label != answer
    ]
    assert said
    assert [picture.caption for picture in wrong] == said
    assert wrong[0].group.startswith(f"Wrong predictions of the split val: {len(said)} of 6 images are wrong")
    attended = [picture for picture in shown.pictures if picture.group.startswith(ATTENTION)]
    assert [picture.caption for picture in attended] == [rows[0][1], rows[1][1]]


def test_a_training_of_ones_own_is_shown_as_it_left_its_model(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text(SCRIPT)
    shown, plain = (reported(tmp_path, OWN, most=most) for most in (24, 0))
    assert shown.results[0].observed == plain.results[0].observed
    assert shown.results[0].verdict is plain.results[0].verdict
    assert counts(shown)["Wrong"] >= 1
    assert counts(shown)["Attention"] == 6
    assert plain.pictures == ()


def test_without_a_gallery_no_one_looks_at_a_training(tmp_path: Path) -> None:
    healthy(tmp_path / "photos")
    for most in (0, 12):
        path = tmp_path / "spec.yaml"
        path.write_text(PRETRAINING.format(model="tests.tiny:vit", most=most))
        plan, catalog = prepare(path, entry_points=False)
        sources = {"model_sources": catalog.model_sources, "data_sources": catalog.data_sources}
        ended = Subject(plan.spec, **sources, weights=True).trainer.ended
        assert (ended is None) == (most == 0)


def test_a_run_of_a_model_that_is_no_vit_notes_it_once(tmp_path: Path) -> None:
    healthy(tmp_path / "photos")
    report = reported(tmp_path, PRETRAINING, model="tests.tiny:convnet", most=12)
    assert [note for note in report.notes if "attention" in note] == [
        "no attention is shown: Sequential is no Vision Transformer of timm."
    ]
    assert "Attention" not in counts(report)
