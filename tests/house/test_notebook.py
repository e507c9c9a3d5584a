"""The notebook of the documentation runs, and what is committed is what it gives."""

from __future__ import annotations

import pytest

from tests.house.notebooks import NOTEBOOK, PAGE, executed, page_of, read, written
from tests.house.pages import REFRESH
from tests.house.refresh import ROOT


def test_the_notebook_and_its_page_show_what_the_code_gives() -> None:
    made = executed(read(ROOT))
    for path, text in ((NOTEBOOK, written(made)), (PAGE, page_of(made))):
        assert (ROOT / path).read_text(encoding="utf-8") == text, f"{path} is stale; refresh it: {REFRESH}"


def test_a_cell_that_fails_is_no_output() -> None:
    cell = {"cell_type": "code", "source": ["assert 1 == 2"], "outputs": [], "execution_count": None}
    with pytest.raises(AssertionError):
        executed({"cells": [cell]})
