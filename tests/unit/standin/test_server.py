from __future__ import annotations

import contextlib
import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from seatrial.index.indexes import PYPI, TESTPYPI, Index, Login
from seatrial.project.context import Run
from seatrial.project.settings import Config
from seatrial.standin import standins
from seatrial.standin.standins import VARIABLE, NotLoopback, Standin, from_environment, rehearsal
from tests.fakes import make_run
from tests.projects import write_tree

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Standin(Path("a folder ü"), "http://127.0.0.1:8001", "http://localhost:8002/")
FOUND = {"place": "a folder", "testpypi": "http://127.0.0.1:8001", "pypi": "http://[::1]:8002"}


def test_without_the_variable_there_is_no_stand_in() -> None:
    assert from_environment({"PATH": "/bin"}) is None


def test_a_stand_in_comes_back_from_the_environment() -> None:
    assert from_environment(HERE.to_environment()) == HERE
    assert from_environment({VARIABLE: json.dumps(FOUND)}) == Standin(
        Path("a folder"), "http://127.0.0.1:8001", "http://[::1]:8002"
    )


@pytest.mark.parametrize("index", ["testpypi", "pypi"])
@pytest.mark.parametrize(
    "url",
    [
        "https://pypi.org",
        "http://127.0.0.1.example.org",
        "http://127.0.0.1@example.org",
        "http://example.org/127.0.0.1",
        "//example.org",
        "127.0.0.1",
        "",
    ],
)
def test_an_address_outside_this_machine_is_refused(index: str, url: str) -> None:
    with pytest.raises(NotLoopback) as error:
        from_environment({VARIABLE: json.dumps(FOUND | {index: url})})
    assert str(error.value).startswith(f"{VARIABLE} names an address outside this machine: {url}\n")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no JSON",
        "[]",
        "null",
        "{}",
        json.dumps({name: text for name, text in FOUND.items() if name != "place"}),
        json.dumps({name: text for name, text in FOUND.items() if name != "pypi"}),
        json.dumps(FOUND | {"place": 7}),
        json.dumps(FOUND | {"held": 7}),
        json.dumps(FOUND | {"places": None}),
        json.dumps(FOUND | {"places": 7}),
        json.dumps(FOUND | {"pypi": 7}),
        json.dumps(FOUND | {"pypi": ["http://127.0.0.1"]}),
        json.dumps(FOUND | {"pypi": "http://[::1"}),
    ],
)
def test_a_variable_that_cannot_be_read_is_refused(text: str) -> None:
    with pytest.raises(NotLoopback, match=r"\(not readable\)"):
        from_environment({VARIABLE: text})


def test_both_public_indexes_are_replaced_and_dependencies_are_not() -> None:
    config = Config(extras=("cli",))
    found = HERE.replacing(config)
    assert (found.testpypi.simple, found.testpypi.upload) == (
        "http://127.0.0.1:8001/simple/",
        "http://127.0.0.1:8001/legacy/",
    )
    assert (found.pypi.simple, found.pypi.upload) == ("http://localhost:8002/simple/", "http://localhost:8002/legacy/")
    assert (found.dependencies, found.extras) == (config.dependencies, ("cli",))


def test_a_relay_to_the_dependencies_takes_their_place_and_says_for_what() -> None:
    house = Index("house", simple="https://house.example/simple/")
    relayed = replace(HERE, dependencies="http://127.0.0.1:8003/key/simple/")
    assert from_environment(relayed.to_environment()) == relayed
    found = relayed.replacing(Config(dependencies=house)).dependencies
    assert (found.name, found.simple, found.stands_for) == ("house", relayed.dependencies, house.simple)
    with pytest.raises(NotLoopback):
        from_environment(replace(HERE, dependencies=house.simple).to_environment())


PACKAGES = replace(HERE, places={"/repository/core": "place/core", "/repository/über uns": "place/ü"})


def test_packages_that_are_rehearsed_together_have_a_folder_each() -> None:
    core = PACKAGES.of_package(Path("/repository/core"))
    assert (core.place, core.folder, core.places) == (Path("place/core"), HERE.place, PACKAGES.places)
    assert (core.testpypi, core.pypi) == (HERE.testpypi, HERE.pypi)
    # As seen from one of them, the others are where they were, and so are the files of both servers.
    other = core.of_package(Path("/repository/über uns"))
    assert (other.place, other.folder) == (Path("place/ü"), HERE.place)
    assert core.place_of(Path("/repository/über uns")) == Path("place/ü")
    assert core.place_of(Path("/elsewhere")) == core.place


def test_a_package_that_is_rehearsed_alone_has_the_folder_of_the_dry_run() -> None:
    assert (HERE.folder, HERE.place_of(Path("/repository/core"))) == (HERE.place, HERE.place)


def test_those_folders_come_back_from_the_environment() -> None:
    assert from_environment(PACKAGES.to_environment()) == PACKAGES
    core = PACKAGES.of_package(Path("/repository/core"))
    found = from_environment(core.to_environment())
    assert found == core
    assert found is not None
    assert (found.held, found.place) == (HERE.place, Path("place/core"))


def test_a_private_index_gives_its_stand_in_the_name_and_no_login() -> None:
    house = Index("house", simple="https://house.example/simple/", login=Login("ada", "s3cret", "PYPI_TOKEN"))
    found = HERE.replacing(Config(pypi=house)).pypi
    assert (found.name, found.login, found.is_public) == ("house (stand-in)", None, False)


def test_a_stand_in_is_named_as_one_and_takes_the_variables_of_the_index() -> None:
    found = HERE.replacing(Config())
    assert (found.testpypi.name, found.pypi.name) == ("TestPyPI (stand-in)", "PyPI (stand-in)")
    for there, index in ((found.testpypi, TESTPYPI), (found.pypi, PYPI)):
        assert (there.token_variable, there.token_location) == (index.token_variable, index.token_location)
        assert there.is_loopback
        assert there.page("demo", "1.0") == f"{there.simple}demo/"


# The rehearsal on this machine.


def test_without_a_reason_the_rehearsal_is_the_index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TESTPYPI_TOKEN", "a token")
    with rehearsal(make_run(tmp_path, name="verify"), (tmp_path / "nowhere.whl",)) as (index, env):
        assert (index, env["TESTPYPI_TOKEN"]) == (TESTPYPI, "a token")


def test_on_this_machine_a_stand_in_serves_copies_of_the_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write_tree(tmp_path, {"demo/dist/demo-1.0.tar.gz": "of demo", "core/dist/core-2.0.tar.gz": "of core"})
    seen: list[Path] = []

    @contextlib.contextmanager
    def started(python: Path, place: Path) -> Iterator[tuple[Standin, dict[str, str]]]:
        assert python == Path("python of standin")
        seen.append(place)
        yield replace(HERE, place=place), {"TESTPYPI_TOKEN": "its token"}

    monkeypatch.setattr(standins, "started", started)
    monkeypatch.setattr(Run, "tools_in", lambda _run, _scratch, lock: Path(f"python of {lock}"))
    run = make_run(tmp_path / "demo", "--rehearse-on", "dryrun", "TestPyPI is down", name="verify")
    with rehearsal(run, tuple(sorted(tmp_path.glob("*/dist/*")))) as (index, tokens):
        assert (index.simple, index.name) == ("http://127.0.0.1:8001/simple/", "TestPyPI (stand-in)")
        assert tokens == {"TESTPYPI_TOKEN": "its token"}
        held = {path.name: path.read_text(encoding="utf-8") for path in (seen[0] / "testpypi").iterdir()}
        assert held == {"demo-1.0.tar.gz": "of demo", "core-2.0.tar.gz": "of core"}
    assert not seen[0].exists()
    assert "rehearsal: a stand-in on this machine, not TestPyPI (TestPyPI is down)\n" in capsys.readouterr().out
