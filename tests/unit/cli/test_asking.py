"""A token is asked for once, where several packages are uploaded side by side."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from seatrial.cli import chain, main, release
from seatrial.index import credentials, logins
from seatrial.index.credentials import NoCredential
from seatrial.index.indexes import TESTPYPI
from seatrial.index.tokens import make
from seatrial.project.context import DryRun
from seatrial.project.settings import Settings
from seatrial.release.stages import Rehearsed
from tests.projects import write_tree
from tests.samples.contexts import make_context
from tests.samples.stages import BUILT, FILES, REHEARSED
from tests.samples.workspaces import three

if TYPE_CHECKING:
    from pathlib import Path

    from seatrial.index.indexes import Index
    from seatrial.project.context import Context

TOKEN = make("test.pypi.org")
HOUSE = replace(TESTPYPI, name="house", simple="https://house.example/simple/", token_location="")


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Have TOKEN typed; the indexes that it was asked for."""
    asked: list[str] = []

    def ask(index: Index) -> str:
        asked.append(index.name)
        return TOKEN

    monkeypatch.setattr(credentials, "ask_terminal", ask)
    monkeypatch.setattr(logins, "secret", lambda *_: "")
    return asked


@pytest.fixture
def context(tmp_path: Path) -> Context:
    write_tree(tmp_path / "dist", FILES)
    return make_context(tmp_path, asks=True)


def test_what_is_typed_is_handed_on_to_all_with_that_index(context: Context, typed: list[str]) -> None:
    house = context.with_settings(Settings(pythons=("3.13",), testpypi=HOUSE))
    tokens = release.tokens([context, context, house, house])
    assert typed == ["TestPyPI", "house"]
    for one in (context, house):
        told = release.with_token(one, tokens)
        assert (told.variables, told.asks) == ({"TESTPYPI_TOKEN": TOKEN}, False)
    assert release.with_token(context, {}) == replace(context, asks=False)
    assert TOKEN not in repr(release.with_token(context, tokens))


def test_where_nothing_is_needed_nobody_is_asked(context: Context, typed: list[str]) -> None:
    rehearsed = replace(context, root=context.root)
    rehearsed.record.write(BUILT)
    rehearsed.record.write(REHEARSED)
    here = context.with_settings(replace(context.settings, rehearse_on="dryrun"))
    contexts = [
        rehearsed,
        here,
        replace(context, asks=False),
        replace(context, variables={"CI": "true"}),
        replace(context, variables={"TESTPYPI_TOKEN": TOKEN}),
        replace(context, dry=DryRun(context.root)),
    ]
    rehearsed.record.path(Rehearsed).unlink()
    assert release.tokens(contexts[1:]) == {}
    rehearsed.record.write(REHEARSED)
    assert release.tokens(contexts[:1]) == {}
    assert typed == []


def test_an_empty_answer_stops_before_anything_is_built(context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(credentials, "ask_terminal", lambda _: "")
    monkeypatch.setattr(logins, "secret", lambda *_: "")
    with pytest.raises(NoCredential):
        release.tokens([context])


@pytest.mark.parametrize(("step", "asked"), [("testpypi", 1), ("verify", 1), ("check", 0)])
def test_all_packages_are_uploaded_with_one_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, typed: list[str], step: str, asked: int
) -> None:
    contexts: list[Context] = []
    monkeypatch.setattr(chain, "act", lambda _, context: contexts.append(context))
    monkeypatch.setattr("os.isatty", lambda _: True)
    monkeypatch.chdir(three(tmp_path))
    assert main.run((step, "--all"), {}) == 0
    assert typed == ["TestPyPI"] * asked
    assert len({context.root for context in contexts}) == 3
    assert all(context.variables.get("TESTPYPI_TOKEN") == (TOKEN if asked else None) for context in contexts)
