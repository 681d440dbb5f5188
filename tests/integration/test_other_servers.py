"""A release by way of index servers that others wrote: devpi, and the caching proxy proxpi in front of it."""

from __future__ import annotations

import json
import urllib.request
from typing import TYPE_CHECKING
from urllib.parse import urljoin

import pytest

from tests import servers
from tests.integration.conftest import RUNNING
from tests.samples.messages import is_clear

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.integration.conftest import Project
    from tests.servers import Devpi

WHEEL, SDIST = "demo-1.0-py3-none-any.whl", "demo-1.0.tar.gz"
JSON = "application/vnd.pypi.simple.v1+json"
TABLE = '\n[tool.seatrial.indexes.{role}]\nupload = "{upload}"\nsimple = "{simple}"\n'


def settings(devpi: Devpi, name: str, simple: str = "", timeout: int = 30) -> str:
    """Return settings with two new indexes of `devpi`; the first is read at `simple` where that is given."""
    general = f'\n[tool.seatrial]\npythons = ["{RUNNING}"]\nindex-timeout = {timeout}\n'
    tables = {"testpypi": f"{name}-test", "pypi": f"{name}-real"}
    places = {role: (devpi.make_index(index), devpi.simple(index)) for role, index in tables.items()}
    if simple:
        places["testpypi"] = (places["testpypi"][0], simple)
    return general + "".join(TABLE.format(role=role, upload=up, simple=read) for role, (up, read) in places.items())


def ready(project: Project, devpi: Devpi) -> Project:
    project.env |= {"TWINE_USERNAME": devpi.user, "TWINE_PASSWORD": devpi.password}
    return project


def served(simple: str) -> dict[str, bytes]:
    """Return the files of demo that the index at `simple` serves, fetched one by one."""
    request = urllib.request.Request(f"{simple}demo/", headers={"Accept": JSON})  # noqa: S310 (loopback)
    with urllib.request.urlopen(request) as answer:  # noqa: S310
        page = json.load(answer)
    found = {}
    for file in page["files"]:
        with urllib.request.urlopen(urljoin(f"{simple}demo/", file["url"])) as answer:  # noqa: S310
            found[file["filename"]] = answer.read()
    return found


def test_a_release_by_way_of_two_indexes_of_devpi(make_project: Callable[..., Project], devpi: Devpi) -> None:
    project = ready(make_project(settings(devpi, "whole")), devpi)
    rehearsed = project.step("verify")
    assert rehearsed.code == 0, rehearsed.output
    assert served(devpi.simple("whole-test")) == project.files()
    (project.record / "rehearsed.json").unlink()
    again = project.step("testpypi")
    assert again.code == 0, again.output
    assert again.shows(f"{WHEEL}: already on {devpi.url.removeprefix('http://')}, identical")
    done = project.step("pypi", "--yes", "1.0")
    assert done.code == 0, done.output
    assert served(devpi.simple("whole-real")) == project.files()
    later = project.step("status", "--remote")
    assert later.code == 0, later.output
    assert later.output.count("2 of 2 files, identical") == 2


def test_a_release_that_was_half_there_gets_the_other_half(make_project: Callable[..., Project], devpi: Devpi) -> None:
    """Devpi has the wheel; the sdist is what was cut off."""
    project = ready(make_project(settings(devpi, "half")), devpi)
    assert project.step("check", "--offline").code == 0
    devpi.put("half-test", project.dist / WHEEL)
    done = project.step("testpypi")
    assert done.code == 0, done.output
    assert done.shows(f"{WHEEL}: already on ", f"{SDIST}: uploading to ")
    assert served(devpi.simple("half-test")) == project.files()


def test_other_bytes_on_devpi_stop_before_anything_is_sent(
    make_project: Callable[..., Project], devpi: Devpi, tmp_path: Path
) -> None:
    project = ready(make_project(settings(devpi, "other")), devpi)
    assert project.step("check", "--offline").code == 0
    stranger = tmp_path / SDIST
    stranger.write_bytes(b"other bytes")
    devpi.put("other-test", stranger)
    stopped = project.step("testpypi")
    assert is_clear(stopped, "is spent on ", f"{SDIST} expected ", "found ", "The next version: 1.0.1 is free")
    assert served(devpi.simple("other-test")) == {SDIST: b"other bytes"}


def test_a_login_that_devpi_does_not_know(make_project: Callable[..., Project], devpi: Devpi) -> None:
    project = ready(make_project(settings(devpi, "login")), devpi)
    refused = project.step("testpypi", TWINE_PASSWORD="wrong")
    assert is_clear(refused, "rejected the upload", "401 Unauthorized", "the user name or the password is wrong")
    assert not refused.shows("a token of the stand-in")
    assert project.step("testpypi").code == 0


def behind(project: Project, devpi: Devpi, name: str, cache: str) -> None:
    """Let the cache see the project's page, with an older release on it, before anything of this one is there."""
    old = project.root.parent / "demo-0.9.tar.gz"
    old.write_bytes(b"an older release")
    devpi.put(f"{name}-test", old)
    assert set(served(cache)) == {old.name}


@pytest.mark.slow
def test_a_cache_in_front_of_the_index_is_waited_for(
    make_project: Callable[..., Project], devpi: Devpi, programs: Path, tmp_path: Path
) -> None:
    with servers.proxpi(programs, tmp_path / "proxpi", devpi.simple("cached-test"), seconds=5) as cache:
        project = ready(make_project(settings(devpi, "cached", cache)), devpi)
        assert project.step("check").code == 0
        behind(project, devpi, "cached", cache)
        done = project.step("verify")
        assert done.code == 0, done.output
        assert {name: content for name, content in served(cache).items() if "1.0" in name} == project.files()
        assert all(url.startswith(cache) for url in project.stage("rehearsed.json")["urls"])
        assert len(list(project.record.glob("verified-*.json"))) == 2


def test_a_cache_that_never_asks_again_is_an_outcome_of_its_own(
    make_project: Callable[..., Project], devpi: Devpi, programs: Path, tmp_path: Path
) -> None:
    with servers.proxpi(programs, tmp_path / "proxpi", devpi.simple("stale-test"), seconds=3600) as cache:
        project = ready(make_project(settings(devpi, "stale", cache, timeout=2)), devpi)
        assert project.step("check").code == 0
        behind(project, devpi, "stale", cache)
        late = project.step("testpypi")
        assert is_clear(late, "Uploaded, not visible yet", WHEEL, SDIST, "run `nox -s testpypi` again later")
        assert set(served(devpi.simple("stale-test"))) == {"demo-0.9.tar.gz", WHEEL, SDIST}
        servers.forget(cache, "demo")
        done = project.step("testpypi")
        assert done.code == 0, done.output
        assert done.shows(f"{WHEEL}: already on ", f"{SDIST}: already on ")
