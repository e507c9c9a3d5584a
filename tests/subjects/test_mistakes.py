"""The images that a model gets wrong: the most confident first, with label, answer and confidence."""

from __future__ import annotations

import torch

from retspec.subjects.data.thumbnails import Look
from retspec.subjects.mistakes import Mistakes

LOOK = Look(classes={"none": 0, "mild": 1, "severe": 2})


def captions(mistakes: Mistakes) -> list[str]:
    return [picture.caption for picture in mistakes.pictures("Wrong")]


def test_the_most_confident_come_first_and_right_ones_are_left_out() -> None:
    mistakes = Mistakes("classes", LOOK, 24)
    said = torch.tensor([[0.1, 0.8, 0.1], [0.05, 0.02, 0.93], [0.9, 0.05, 0.05], [0.5, 0.2, 0.3]])
    mistakes.see(torch.rand(4, 3, 8, 8), torch.tensor([0, 1, 0, 2]), said)
    assert captions(mistakes) == [
        "label mild, predicted severe (0.93)",
        "label none, predicted mild (0.80)",
        "label severe, predicted none (0.50)",
    ]
    assert {picture.group for picture in mistakes.pictures("Wrong")} == {
        "Wrong: 3 of 4 images are wrong, the most confident first"
    }


def test_of_a_whole_split_as_many_as_asked_for_are_kept_with_their_images() -> None:
    """Each image is of one grey level, which says which one it is."""
    mistakes, few = Mistakes("classes", Look(), 1000), Mistakes("classes", Look(), 3)
    generator = torch.Generator().manual_seed(0)
    for _ in range(10):
        said = torch.rand(7, 4, generator=generator).softmax(1)
        images = said.max(1).values.reshape(-1, 1, 1, 1).expand(-1, 3, 8, 8)
        ramp = torch.linspace(0, 1, 8).expand(7, 3, 8, 8) * images
        for each in (mistakes, few):
            each.see(ramp, torch.zeros(7, dtype=torch.int64), said)
    assert (few.wrong, few.judged) == (mistakes.wrong, 70)
    every = mistakes.pictures("")
    assert [(each.caption, each.image) for each in few.pictures("")] == [(e.caption, e.image) for e in every[:3]]
    confidences = [float(each.caption[-5:-1]) for each in every]
    assert confidences == sorted(confidences, reverse=True)


def test_a_class_without_a_name_is_its_number() -> None:
    mistakes = Mistakes("classes", Look(classes={"none": 0}), 24)
    mistakes.see(torch.rand(1, 3, 8, 8), torch.tensor([1.0]).reshape(1, 1), torch.tensor([[0.7, 0.3]]))
    assert captions(mistakes) == ["label 1, predicted none (0.70)"]


def test_what_has_no_one_class_or_no_finite_answer_is_not_judged() -> None:
    mistakes = Mistakes("classes", LOOK, 24)
    said = torch.tensor([[0.9, 0.1, 0.0]]).repeat(4, 1)
    said[2] = torch.nan
    mistakes.see(torch.rand(4, 3, 8, 8), torch.tensor([-100, -1, 1, 2]), said)
    mixed = torch.tensor([[0.0, 0.6, 0.4], [0.0, 1.0, 0.0]])
    mistakes.see(torch.rand(2, 3, 8, 8), mixed, said[:2])
    assert (mistakes.wrong, mistakes.judged) == (2, 2)
    assert captions(mistakes) == ["label severe, predicted none (0.90)", "label mild, predicted none (0.90)"]


def test_of_several_labels_the_one_that_is_most_wrong_is_said() -> None:
    mistakes = Mistakes("labels", Look(classes={"dr": 0, "amd": 1}), 24)
    said = torch.tensor([[0.9, 0.2], [0.6, 0.03], [0.1, 0.8]])
    mistakes.see(torch.rand(3, 3, 8, 8), torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]]), said)
    assert captions(mistakes) == ["amd: label yes, predicted no (0.97)", "dr: label yes, predicted no (0.90)"]
    assert (mistakes.wrong, mistakes.judged) == (2, 3)
