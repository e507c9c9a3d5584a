"""A proof on narrow screens: nothing is wider than the screen, and no word is broken."""

from __future__ import annotations

import pytest

from retspec.cli.proof_table import lines
from retspec.records import Answer, Direction, Proof, Proven, Trial, Tried, Verdict
from retspec.text.fitting import visible_length

MET, RED = Answer(verdict=Verdict.MET, value=1.0), Answer(verdict=Verdict.MISSED, value=2.0)


def proof(criteria: int) -> Proof:
    """Return a proof of one fault that the first criterion notices, and one that none does."""
    named = tuple(
        Proven(id=f"criterion_{number}", check="loss_drop", direction=Direction.AT_MOST, limit=1.5, answer=MET)
        for number in range(criteria)
    )
    answers = {each.id: RED if each is named[0] else MET for each in named}
    seen = Trial(
        fault="rate_zero",
        stands_for="The rate is 0.",
        tried=Tried.PLANTED,
        answers=answers,
        noticed_by=("criterion_0",),
    )
    unseen = Trial(
        fault="head_frozen",
        stands_for="The head is frozen.",
        tried=Tried.PLANTED,
        answers=dict.fromkeys(answers, MET),
    )
    return Proof(name="a", file="a.yaml", spec_sha256="", criteria=named, trials=(seen, unseen))


@pytest.mark.parametrize("width", [80, 60, 40])
def test_no_line_of_a_proof_is_wider_than_the_screen(width: int) -> None:
    held = proof(12)
    shown = [line for text in lines(held, width) for line in text.split("\n")]
    assert max(map(visible_length, shown)) <= width
    assert " ".join(" ".join(shown).split()).endswith(held.score)
    assert "blank: cannot be touched" in " ".join(" ".join(shown).split())
