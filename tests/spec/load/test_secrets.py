"""Which values of a spec must not leave."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from retspec.spec.document import Document

Loaded = Callable[..., Document]

HIDDEN = "hunter2-but-longer"


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HF_TOKEN", "pgpassword", "WANDB_API_KEY", "MY_SECRETS", "MAX_TOKENS", "PLAIN", "KEYS"):
        monkeypatch.setenv(name, f"{name}-{HIDDEN}")


@pytest.mark.parametrize("name", ["HF_TOKEN", "pgpassword", "WANDB_API_KEY", "MY_SECRETS"])
@pytest.mark.parametrize("text", ["${env.NAME}", "https://x:${env.NAME}@host", "${env.NAME:-default}", "${vars.x}"])
def test_a_variable_that_is_called_like_a_secret_is_one_where_it_is_named(loaded: Loaded, name: str, text: str) -> None:
    document = loaded(f"retspec: 1\nvars: {{x: '${{env.{name}}}'}}\nname: '{text.replace('NAME', name)}'")
    assert document.secrets == {f"{name}-{HIDDEN}"}


@pytest.mark.parametrize("name", ["MAX_TOKENS", "PLAIN", "KEYS"])
def test_any_other_variable_is_none(loaded: Loaded, name: str) -> None:
    assert loaded(f"retspec: 1\nname: ${{env.{name}}}").secrets == frozenset()


def test_a_variable_that_is_not_named_is_left_alone(loaded: Loaded) -> None:
    assert loaded("retspec: 1\nname: a").secrets == frozenset()


def test_a_default_that_stands_in_the_spec_is_no_secret(loaded: Loaded) -> None:
    assert loaded("retspec: 1\nname: ${env.RETSPEC_UNSET_TOKEN:-public}").secrets == frozenset()


@pytest.mark.parametrize(
    ("entry", "texts"),
    [
        ("PLAIN", {f"PLAIN-{HIDDEN}"}),
        ("MAX_T?KENS", {f"MAX_TOKENS-{HIDDEN}"}),
        ("RETSPEC_UNSET", set()),
        ("model.kwargs.url", {"https://host"}),
        ("model.kwargs", {"https://host", "12345", "one", "two"}),
        ("model.*.words.0", {"one"}),
        ("vars.url", {"https://host"}),
        ("name", {"public"}),
    ],
)
def test_run_mask_names_variables_and_places(loaded: Loaded, entry: str, texts: set[str]) -> None:
    document = loaded(
        f"retspec: 1\nname: public\nvars: {{url: https://host}}\nrun: {{mask: ['{entry}']}}\n"
        "model: {timm: x, kwargs: {url: '${vars.url}', pin: 12345, words: [one, two], none: }}\n"
    )
    assert document.problems == ()
    assert document.secrets == texts


def test_a_place_that_is_not_there_is_told_with_the_near_miss(loaded: Loaded) -> None:
    document = loaded("retspec: 1\nmodel: {kwargs: {token: a}}\nrun: {mask: [model.kwargs.tokn, 'model.*.tokn', 3]}")
    assert [str(problem) for problem in document.problems] == [
        "spec.yaml:3:14: run.mask: there is no 'model.kwargs.tokn' in the spec; did you mean 'model.kwargs.token'?"
    ]


def test_the_hash_neither_gives_a_secret_away_nor_changes_with_it(
    loaded: Loaded, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "retspec: 1\nname: a ${env.HF_TOKEN}"
    before = loaded(text).sha256
    monkeypatch.setenv("HF_TOKEN", "rotated")
    assert loaded(text).sha256 == before
    assert loaded("retspec: 1\nname: b ${env.HF_TOKEN}").sha256 != before
