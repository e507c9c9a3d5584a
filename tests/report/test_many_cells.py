"""Reports of very many cells: what all of them share is looked up once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retspec.prepare import prepare_cells
from retspec.report.live import live_cells

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

SPEC = """\
retspec: 1
matrix: {model.kwargs.num_classes: [2, 3, 4, 5]}
model: {timm: vit_tiny_patch16_224}
checks: {embed_dim: 192}
"""


def test_git_is_asked_once_for_all_cells_of_a_spec(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    git = tmp_path / "git"
    git.write_text(f"#!/bin/sh\necho asked >> {tmp_path}/asked\necho c0ffee\n")
    git.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    spec = tmp_path / "spec.yaml"
    spec.write_text(SPEC)
    plans, catalog = prepare_cells(spec, entry_points=False)
    cells = live_cells([(plans, catalog)], [{}], strict=False)
    found = [part.provenance for part in cells[0].live.report.cells]
    assert [each.git_commit for each in found] == ["c0ffee"] * 4
    assert len({each.spec_sha256 for each in found}) == 4
    assert (tmp_path / "asked").read_text() == "asked\n"
