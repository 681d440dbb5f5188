"""Two stand-ins in the place of the indexes of a project; what each answers is tried in test_index.py."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from seatrial.index.credentials import BadCredential, choose
from seatrial.index.holdings import read_project
from seatrial.index.indexes import PYPI, TESTPYPI, Index, Indexes, Login
from seatrial.index.tokens import Token, make
from seatrial.standin import launch
from seatrial.standin.indexes import LOCATIONS
from seatrial.standin.launch import StandinFailed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from _typeshed.wsgi import WSGIApplication

    from seatrial.standin.indexes import Standins

HOUSE = Index(
    "house",
    simple="https://house.example/simple/",
    upload="https://house.example/",
    token_variable="PYPI_TOKEN",
    login=Login("ada", "s3cret", "PYPI_TOKEN"),
)
INDEXES = Indexes(TESTPYPI, PYPI, HOUSE)


@pytest.fixture
def standins(tmp_path: Path) -> Iterator[Standins]:
    with launch.serve(tmp_path) as made:
        yield made


def test_both_indexes_of_uploads_are_replaced_and_dependencies_are_not(standins: Standins) -> None:
    found = standins.replacing(INDEXES)
    assert (found.testpypi.simple, found.testpypi.upload) == (
        f"{standins.testpypi}/simple/",
        f"{standins.testpypi}/legacy/",
    )
    assert (found.pypi.simple, found.pypi.upload) == (f"{standins.pypi}/simple/", f"{standins.pypi}/legacy/")
    assert found.dependencies == HOUSE


def test_a_stand_in_is_named_as_one_and_has_no_pages(standins: Standins) -> None:
    found = standins.replacing(INDEXES)
    assert (found.testpypi.name, found.pypi.name) == ("TestPyPI (stand-in)", "PyPI (stand-in)")
    for index in (found.testpypi, found.pypi):
        assert index.is_loopback
        assert index.is_public
        assert index.page("demo", "1.0") == f"{index.simple}demo/"


def test_a_private_index_gives_its_stand_in_the_name_and_no_login(standins: Standins) -> None:
    found = standins.replacing(replace(INDEXES, pypi=HOUSE)).pypi
    assert (found.name, found.login, found.is_public) == ("house (stand-in)", None, False)
    assert choose(found, standins.tokens)


def test_each_takes_its_own_token_alone_and_no_real_one(standins: Standins) -> None:
    found = standins.replacing(INDEXES)
    for index, name in ((found.testpypi, "testpypi"), (found.pypi, "pypi")):
        token = standins.tokens[index.token_variable]
        assert Token.parse(token).location == LOCATIONS[name] == index.token_location
        credential = choose(index, standins.tokens)
        assert credential
        assert credential.secret == token
        with pytest.raises(BadCredential, match=r"is a token for pypi\.org, not for"):
            choose(index, {index.token_variable: make("pypi.org")})


def test_files_that_lie_there_are_served(standins: Standins) -> None:
    (standins.folder / "testpypi" / "demo-1.0.tar.gz").write_bytes(b"any")
    found = standins.replacing(INDEXES)
    assert [file.filename for file in read_project(found.testpypi, "demo").files] == ["demo-1.0.tar.gz"]
    assert not read_project(found.pypi, "demo").exists


def test_nothing_is_served_afterwards(tmp_path: Path) -> None:
    with launch.serve(tmp_path) as standins:
        index = standins.rehearsal(TESTPYPI)
    with pytest.raises(Exception, match="cannot be read"):
        read_project(index, "demo", patient=False)


def test_the_representation_shows_no_token(standins: Standins) -> None:
    assert not [token for token in standins.tokens.values() if token in repr(standins)]


def test_a_machine_that_forbids_servers_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(_app: WSGIApplication) -> None:
        raise PermissionError("[Errno 13] Permission denied")

    monkeypatch.setattr(launch, "serving", forbidden)
    with pytest.raises(StandinFailed, match=r"did not start: .*Permission denied"), launch.serve(tmp_path):
        pass
