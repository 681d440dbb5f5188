"""A release is compared with both indexes and the tag, at any later time."""

from __future__ import annotations

import shutil
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NoReturn

import pytest

from seatrial.index.holdings import holdings
from seatrial.index.http import IndexUnreachable
from seatrial.machine import process
from seatrial.machine.process import ToolStuck
from seatrial.project.options import Options
from seatrial.release.record import Record, StageMissing
from seatrial.release.stages import Built, Released
from seatrial.standin import launch
from seatrial.steps import status
from seatrial.steps.status import NotAsRecorded
from tests.index_server import ALWAYS
from tests.projects import commit, git, write_tree
from tests.releases import AT, TAGS, Place, context_of, standing_in, write_rehearsal, write_release

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from _typeshed.wsgi import StartResponse, WSGIEnvironment

    from seatrial.index.indexes import Index


WHEEL, SDIST = f"demo-1.0-{TAGS[0]}.whl", "demo-1.0.tar.gz"
YANK = """\
if something is wrong with it after all, yank it, and release the next version:
  page    https://pypi.org/manage/project/demo/release/1.0/
  reason  demo 1.0 should not be used; please take 1.0.1 or later.
  next    1.0.1 is free on both indexes, as far as they show: a deleted version is spent and cannot be seen
what cannot be undone: whoever has installed it keeps it, `demo==1.0` still installs it, and its version and
file names are spent forever. The yank itself can be taken back on that page."""


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """A released project in a git repository, and both indexes with its files."""
    with standing_in(tmp_path) as made:
        made.root.mkdir()
        built = write_release(made.root, TAGS[:1])
        write_tree(made.root, {".gitignore": "dist/\nrelease-record/\n"})
        built = replace(built, commit=commit(made.root, "v1.0"))
        record = Record.of(made.root)
        record.write(built)
        write_rehearsal(made.root, built, made.simple("testpypi"))
        urls = tuple(made.simple("pypi") + dist.filename for dist in built.dists)
        shared = {"project": "demo", "version": "1.0", "at": AT, "index": made.simple("pypi")}
        record.write(Released(dists=built.dists, urls=urls, attested=(), **shared))
        for name in ("testpypi", "pypi"):
            made.hold(name)
        shutil.rmtree(record.dist)  # long ago
        yield made


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def compare(place: Place, said: list[str]) -> Callable[[], None]:
    context = context_of("status", place.root, place.urls, Options(remote=True), heard=said.append)
    return lambda: status.compare(context)


def test_an_index_that_takes_long_to_answer_is_named_meanwhile(
    compare: Callable[[], None], said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("seatrial.machine.terminal.NOW_AND_THEN", 0.01)

    def slow(index: Index, *facts: Any) -> Any:
        end = time.monotonic() + 10
        while f"status: asking {index.name}, 0 s" not in said and time.monotonic() < end:
            time.sleep(0.01)
        return holdings(index, *facts)

    monkeypatch.setattr(status, "holdings", slow)
    compare()
    assert {f"status: asking {name}, 0 s" for name in ("TestPyPI", "PyPI")} <= {*said}


def commit_of(place: Place) -> str:
    return git(place.root, "rev-parse", "HEAD")


def findings(compare: Callable[[], None]) -> tuple[str, ...]:
    with pytest.raises(NotAsRecorded) as error:
        compare()
    return error.value.findings


def test_a_release_that_is_as_it_was(place: Place, compare: Callable[[], None], said: list[str]) -> None:
    compare()
    head = commit_of(place)[:12]
    assert said == [
        "demo 1.0, compared with the record:",
        "  TestPyPI: 2 of 2 files, identical",
        "  PyPI: 2 of 2 files, identical",
        f"  tag: v1.0 on {head}; built from {head}",
        YANK,
    ]


@pytest.mark.parametrize("index", ["testpypi", "pypi"])
def test_other_bytes_are_named_with_both_hashes(place: Place, compare: Callable[[], None], index: str) -> None:
    (place.folder / index / WHEEL).write_bytes(b"")
    (found,) = findings(compare)
    name = "PyPI" if index == "pypi" else "TestPyPI"
    assert found.startswith(f"{name}: {WHEEL}\n    expected ")
    assert found.endswith("found    e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")


def test_a_file_too_many_and_one_that_is_gone(place: Place, compare: Callable[[], None]) -> None:
    (place.folder / "pypi" / "demo-1.0-py2-none-any.whl").write_bytes(b"an intruder")
    (place.folder / "pypi" / SDIST).unlink()
    extra, gone = findings(compare)
    assert extra.startswith("PyPI: demo-1.0-py2-none-any.whl is not part of this build\n    found    ")
    assert gone == f"PyPI: {SDIST} is gone"


def test_a_tag_that_was_moved(place: Place, compare: Callable[[], None], said: list[str]) -> None:
    built = commit_of(place)
    moved = commit(place.root)
    git(place.root, "tag", "-f", "v1.0")
    assert moved != built or git(place.root, "log", "-1", "--format=%P") != ""
    assert findings(compare) == (f"tag v1.0 is on {moved}",)
    assert f"  tag: v1.0 on {moved[:12]}; built from {built[:12]}" in said


# The tag, where it is pushed to.


@pytest.fixture
def origin(place: Place, tmp_path: Path) -> Path:
    """An empty repository that the project's tags are pushed to."""
    bare = tmp_path / "origin.git"
    git(place.root, "init", "--quiet", "--bare", str(bare))
    git(place.root, "remote", "add", "origin", str(bare))
    return bare


def test_a_tag_that_is_not_pushed_yet_is_told(
    place: Place, origin: Path, compare: Callable[[], None], said: list[str]
) -> None:
    compare()
    assert "  origin: v1.0 is not pushed (git push origin v1.0)" in said
    git(place.root, "push", "--quiet", "origin", "v1.0")
    assert origin.exists()
    compare()
    assert f"  origin: v1.0 on {commit_of(place)[:12]}" in said


def test_a_signed_or_annotated_tag_is_followed_to_its_commit(
    place: Place, origin: Path, compare: Callable[[], None], said: list[str]
) -> None:
    git(place.root, "tag", "-f", "-a", "-m", "a release", "v1.0")
    git(place.root, "push", "--quiet", str(origin), "v1.0")
    compare()
    assert f"  origin: v1.0 on {commit_of(place)[:12]}" in said


def test_a_tag_that_was_moved_where_it_is_pushed_to(place: Place, origin: Path, compare: Callable[[], None]) -> None:
    built = commit_of(place)
    moved = commit(place.root)
    git(place.root, "push", "--quiet", str(origin), f"{moved}:refs/tags/v1.0", f"{moved}:refs/tags/1.0")
    assert moved != built
    assert findings(compare) == (f"tag v1.0 is on {moved} at origin", f"tag 1.0 is on {moved} at origin")


def test_a_tag_that_is_only_where_it_was_pushed_to(
    place: Place, origin: Path, compare: Callable[[], None], said: list[str]
) -> None:
    git(place.root, "push", "--quiet", str(origin), "v1.0")
    git(place.root, "tag", "-d", "v1.0")
    compare()
    head = commit_of(place)[:12]
    assert said[3:5] == [f"  tag: not set in this repository; built from {head}", f"  origin: v1.0 on {head}"]


def test_the_only_remote_is_asked_whatever_it_is_called(
    place: Place, origin: Path, compare: Callable[[], None], said: list[str]
) -> None:
    git(place.root, "remote", "rename", "origin", "upstream")
    git(place.root, "tag", "-d", "v1.0")
    assert origin.exists()
    compare()
    assert "  upstream: no tag of this version" in said
    git(place.root, "remote", "add", "fork", str(origin))
    said.clear()
    compare()
    assert not [line for line in said if "no tag of this version" in line]  # nobody says which of the two it is


def test_a_remote_that_is_not_there_is_no_verdict(
    place: Place, origin: Path, compare: Callable[[], None], said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.rmtree(origin)
    compare()
    (told,) = (line for line in said if line.startswith("  origin: "))
    assert told.startswith("  origin: not known (fatal: ")

    def stuck(*_args: object, **_options: object) -> NoReturn:
        raise ToolStuck("git ls-remote", status.ANSWER_LIMIT, "")

    monkeypatch.setattr(process, "run", stuck)
    compare()
    assert "  origin: not known (no answer within 30 seconds)" in said
    assert place.root.exists()


def test_a_remote_that_wants_a_login_is_given_none_and_asks_nobody(
    place: Place, origin: Path, compare: Callable[[], None], said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def closed(_environ: WSGIEnvironment, start: StartResponse) -> list[bytes]:
        start("401 Unauthorized", [("WWW-Authenticate", 'Basic realm="a repository"')])
        return [b""]

    for name in ("GIT_ASKPASS", "SSH_ASKPASS"):
        monkeypatch.delenv(name, raising=False)
    with launch.serving(closed) as url:
        git(place.root, "remote", "set-url", "origin", f"{url}/demo.git")
        compare()
    (told,) = (line for line in said if line.startswith("  origin: "))
    assert told.startswith("  origin: not known (fatal: ")
    assert origin.exists()


@pytest.mark.usefixtures("origin")
@pytest.mark.parametrize("login", ["ada:a-secret", "ada:a/secret", "a-secret"])
def test_a_remote_whose_address_holds_a_login_is_not_asked(
    place: Place, compare: Callable[[], None], said: list[str], login: str
) -> None:
    asked: list[str] = []

    def app(environ: WSGIEnvironment, start: StartResponse) -> list[bytes]:
        asked.append(environ["PATH_INFO"])
        start("404 Not Found", [])
        return [b""]

    with launch.serving(app) as url:
        git(place.root, "remote", "set-url", "origin", url.replace("//", f"//{login}@") + "/demo.git")
        compare()
    (told,) = (line for line in said if line.startswith("  origin: "))
    assert told == "  origin: not known (its address contains a login, which git would show to other processes here)"
    assert asked == []


def test_a_yank_is_told_and_is_no_fault(place: Place, compare: Callable[[], None], said: list[str]) -> None:
    def yank(page: dict[str, list[dict[str, object]]]) -> None:
        page["files"][0]["yanked"] = "broken"

    place.faults["pypi"].order("page", times=ALWAYS, detail=yank)
    compare()
    assert "  PyPI: 2 of 2 files, identical, 1 yanked" in said


def test_before_the_release_an_empty_index_is_no_fault(
    place: Place, compare: Callable[[], None], said: list[str]
) -> None:
    record = Record.of(place.root)
    record.path(Released).unlink()
    for path in (place.folder / "pypi").iterdir():
        path.unlink()
    git(place.root, "tag", "-d", "v1.0")
    compare()
    assert "  PyPI: no file of this version" in said
    assert said[-1].startswith("  tag: not set in this repository; built from ")
    assert YANK not in said


def test_a_record_of_a_release_that_nothing_is_left_of(place: Place, compare: Callable[[], None]) -> None:
    for path in (place.folder / "pypi").iterdir():
        path.unlink()
    assert findings(compare) == (f"PyPI: {WHEEL} is gone", f"PyPI: {SDIST} is gone")


def test_an_index_that_does_not_answer_is_no_verdict(place: Place, compare: Callable[[], None]) -> None:
    place.faults["pypi"].order("status", times=ALWAYS, detail=("503 Busy", "3600"))
    with pytest.raises(IndexUnreachable):
        compare()


def test_a_project_without_a_record(place: Place, compare: Callable[[], None]) -> None:
    Record.of(place.root).path(Built).unlink()
    with pytest.raises(StageMissing):
        compare()
