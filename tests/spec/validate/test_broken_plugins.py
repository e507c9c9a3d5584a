"""A plugin that does not load is reported where the spec names it, beside all else that is wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from retspec.errors import SpecError
from retspec.prepare import prepare

if TYPE_CHECKING:
    from pathlib import Path


def problems(folder: Path, plugins: str) -> list[str]:
    (folder / "sound.py").write_text("raise OSError('no disk')")
    spec = folder / "spec.yaml"
    spec.write_text(f"retspec: 1\nplugins: {plugins}\nmodel: {{timm: x}}\nchecks:\n  los_drop: 0.5\n  merge_atol: no\n")
    with pytest.raises(SpecError) as error:
        prepare(spec, entry_points=False)
    return str(error.value).replace(f"{folder}/", "").splitlines()


def test_what_else_is_wrong_is_reported_too(tmp_path: Path) -> None:
    plugin, unknown, limit = problems(tmp_path, "[sound.py]")
    assert plugin == "spec.yaml:2:11: plugin 'sound.py' does not load: OSError: no disk (sound.py:1)"
    assert unknown == (
        "spec.yaml:5:3: unknown check 'los_drop'; did you mean 'loss_drop'?; plugin 'sound.py' failed to load "
        "and may offer it"
    )
    assert limit.startswith("spec.yaml:6:15: checks.merge_atol: expected a number")


@pytest.mark.parametrize(
    ("name", "reason"),
    [("soud.py", "there is no file soud.py; did you mean 'sound.py'?"), ("nowhere.at.all", "ModuleNotFoundError")],
)
def test_one_that_is_not_there_has_its_own_place(name: str, reason: str, tmp_path: Path) -> None:
    first, second, *_ = problems(tmp_path, f"[sound.py, {name}]")
    assert first.startswith("spec.yaml:2:11: plugin 'sound.py'")
    assert second.startswith(f"spec.yaml:2:21: plugin '{name}' does not load: {reason}")
