"""An index that forwards the names that it does not know to PyPI, as that of GitLab does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from seatrial.index import holdings as module
from seatrial.index.holdings import holdings, read_project
from seatrial.index.indexes import Index
from seatrial.index.simple import NOT_THERE
from seatrial.index.tokens import make
from seatrial.release.stages import Dist
from seatrial.standin.launch import serving
from seatrial.standin.server import StandinIndex
from tests.archives import SDIST, sdist

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from _typeshed.wsgi import StartResponse, WSGIEnvironment


@pytest.fixture
def forwarding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The URL of an index that knows nothing, and forwards to one with another demo 1.0."""
    sdist(tmp_path / "index", {"Summary": "of somebody else"})
    monkeypatch.setattr(module, "PUBLIC", frozenset({"localhost"}))
    with serving(StandinIndex(tmp_path / "index", make("pypi.org"))) as there:
        elsewhere = there.replace("127.0.0.1", "localhost")

        def app(environ: WSGIEnvironment, start: StartResponse) -> list[bytes]:
            start("302 Found", [("Location", f"{elsewhere}{environ['PATH_INFO']}")])
            return []

        with serving(app) as here:
            yield f"{here}/simple/"


def test_what_pypi_has_is_no_earlier_upload(forwarding: str, tmp_path: Path) -> None:
    index = Index("gitlab.example", simple=forwarding, upload="http://127.0.0.1:9/upload")
    ours = Dist.from_file(sdist(tmp_path / "dist"))
    found = holdings(index, "demo", "1.0", (ours,))
    assert (found.absent, found.different, found.extra) == ((ours,), (), ())
    assert read_project(index, "demo") == NOT_THERE


def test_dependencies_may_come_from_there(forwarding: str) -> None:
    (file,) = read_project(Index("a mirror", simple=forwarding), "demo").files
    assert file.filename == SDIST


def test_those_it_may_come_from_are_the_public_indexes() -> None:
    assert {"pypi.org", "test.pypi.org"} == module.PUBLIC
