from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from retspec.spec.document import Document
from retspec.spec.load import load

Loaded = Callable[..., Document]


@pytest.fixture
def loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Loaded:
    """Load a text as `spec.yaml`, named relatively, with overrides."""
    monkeypatch.chdir(tmp_path)

    def make(content: str | bytes, *overrides: str) -> Document:
        path = Path("spec.yaml")
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return load(path, overrides)

    return make
