"""An index that the project's settings name: its host and the source of a credential are shown before any is sent."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from seatrial.cli import chain, main
from seatrial.index.indexes import Index, Indexes, Login
from seatrial.index.tokens import make
from seatrial.machine.screen import Screen
from seatrial.project.options import Options
from seatrial.project.settings import Settings
from seatrial.release.stages import Dist
from seatrial.standin.launch import serving
from seatrial.standin.server import StandinIndex
from seatrial.steps import pypi
from seatrial.steps.pypi import NotConfirmed, Proof
from tests.archives import sdist, wheel
from tests.projects import sample, write_tree
from tests.samples.contexts import make_context
from tests.samples.stages import BUILT, REHEARSED, VERIFIED

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from _typeshed.wsgi import StartResponse, WSGIEnvironment

    from seatrial.project.context import Context

TOKEN = make("house.example")


class House:
    """An index of one's own, which notes what the screen held when a login arrived for the first time."""

    def __init__(self, folder: Path) -> None:
        self.app = StandinIndex(folder, TOKEN)
        self.lines: list[str] = []
        self.before: list[str] = []

    def __call__(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        if "HTTP_AUTHORIZATION" in environ and not self.before:
            self.before = [*self.lines]
        return self.app(environ, start)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[tuple[House, Index]]:
    made = House(tmp_path / "index")
    with serving(made) as url:
        yield made, Index("house", f"{url}/simple/", f"{url}/legacy/", token_variable="PYPI_TOKEN")


def release(house: House, index: Index, root: Path, **changes: object) -> None:
    """Release two files to `index`, in a step as `pypi` does it."""
    dists = tuple(sorted(Dist.from_file(make_it(root / "dist")) for make_it in (wheel, sdist)))
    settings = Settings(pythons=("3.13",), index_timeout=5).with_indexes(Indexes(index, index, index))
    context = make_context(
        root,
        settings=settings,
        variables={"PYPI_TOKEN": TOKEN},
        screen=Screen(write=house.lines.append),
        **{"options": Options(yes="1.0", without_rehearsal_index="none in this test"), **changes},
    )
    built = replace(BUILT, dists=dists, commit=None)
    with context.screen.step("pypi"):
        pypi.release(context, Proof(built, replace(REHEARSED, dists=dists), (replace(VERIFIED, dists=dists),)))


def test_the_host_and_the_source_are_shown_before_anything_is_sent(house: tuple[House, Index], tmp_path: Path) -> None:
    server, index = house
    release(server, index, tmp_path)
    assert (
        f"index: {index.upload}  credential: PYPI_TOKEN, a token of house.example, for the whole account"
        in server.before
    )
    assert len(list((tmp_path / "index").glob("demo*"))) == 2


def test_the_confirmation_names_the_host(
    house: tuple[House, Index], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server, index = house
    monkeypatch.setattr("builtins.input", lambda _: "no")
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(NotConfirmed):
        release(server, index, tmp_path, asks=True, options=Options(without_rehearsal_index="none in this test"))
    place = index.upload.split("/")[2]
    assert f"This cannot be undone: demo 1.0 goes to {place} for good." in server.lines
    assert server.before == []


OWN = """
[tool.seatrial.indexes]
testpypi = { simple = "https://house.example/simple", upload = "https://house.example/upload" }
"""
READING = "index: https://house.example/simple/  read with TESTPYPI_TOKEN"


@pytest.mark.parametrize(
    ("words", "lent"),
    [
        (["testpypi"], True),
        (["verify"], True),
        (["pypi"], True),
        (["status", "--remote"], True),
        (["check"], False),
        (["dryrun"], False),
        (["rebuild", "1.0"], False),
        (["status"], False),
    ],
)
def test_a_credential_of_uploads_that_reads_an_index_is_shown_with_its_host_and_lent_to_no_other_step(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    *,
    lent: bool,
) -> None:
    root = sample(tmp_path / "demo")
    write_tree(root, {"pyproject.toml": (root / "pyproject.toml").read_text(encoding="utf-8") + OWN})
    monkeypatch.chdir(root)
    contexts: list[Context] = []
    monkeypatch.setattr(chain, "act", lambda _, context: contexts.append(context))
    monkeypatch.setattr("seatrial.steps.preflight.stop_early", lambda *_, **__: None)
    assert main.run(words, {"TESTPYPI_TOKEN": TOKEN}) == 0
    login = contexts[-1].settings.testpypi.login
    assert login == (Login("__token__", TOKEN, "TESTPYPI_TOKEN") if lent else None)
    assert (READING in capsys.readouterr().out.splitlines()) == lent
    assert {context.settings.dependencies.login for context in contexts} == {None}
