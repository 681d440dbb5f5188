"""Whatever is changed between two sessions stops the one that meets it, which names file, expected and found hash."""

from __future__ import annotations

import hashlib
import json
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from tests.integration.conftest import RUNNING
from tests.integration.test_release import SDIST, WHEEL
from tests.samples.messages import is_clear

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.integration.conftest import Ended, Indexes, Project

    Bring = Callable[[str], Project]

OTHER = "demo-1.0-py2-none-any.whl"
NONE = "no such file"
READERS = ("check", "testpypi", "verify", "pypi", "status")


def told(content: bytes) -> str:
    return f"sha256 {hashlib.sha256(content).hexdigest()} ({len(content)} bytes)"


def forget(project: Project, *names: str) -> None:
    """Take what later sessions recorded away, so that these have something to do."""
    for name in names:
        for path in project.record.glob(name):
            path.unlink()


def stopped(project: Project, *sessions: str, **env: str) -> list[Ended]:
    """Run `sessions` each by itself; all but `status` have something left to do."""
    project.env |= env
    ended = project.steps(*sessions, options=("--yes", "1.0"), alone=True)
    return [ended.of(session) for session in sessions]


# Files.


def flipped(dist: Path) -> dict[str, tuple[str, str]]:
    """Flip one byte, and return what is to be named: the files, what is expected and what is found."""
    before = (dist / WHEEL).read_bytes()
    after = bytearray(before)
    after[len(after) // 2] ^= 1
    (dist / WHEEL).write_bytes(after)
    return {WHEEL: (told(before), told(bytes(after)))}


def swapped(dist: Path) -> dict[str, tuple[str, str]]:
    """Let each of the two files have the bytes of the other."""
    wheel, sdist = (dist / WHEEL).read_bytes(), (dist / SDIST).read_bytes()
    (dist / WHEEL).write_bytes(sdist)
    (dist / SDIST).write_bytes(wheel)
    return {WHEEL: (told(wheel), told(sdist)), SDIST: (told(sdist), told(wheel))}


def added(dist: Path) -> dict[str, tuple[str, str]]:
    shutil.copyfile(dist / WHEEL, dist / OTHER)
    return {OTHER: (NONE, told((dist / OTHER).read_bytes()))}


def removed(dist: Path) -> dict[str, tuple[str, str]]:
    before = (dist / SDIST).read_bytes()
    (dist / SDIST).unlink()
    return {SDIST: (told(before), NONE)}


@pytest.mark.parametrize("change", [flipped, swapped, added, removed])
def test_other_files_stop_every_session(
    project: Project, indexes: Indexes, bring: Bring, change: Callable[[Path], dict[str, tuple[str, str]]]
) -> None:
    bring("verify")
    before = {name: indexes.held(name) for name in ("testpypi", "pypi")}
    changes = change(project.dist)
    lines = [f"{name}: expected {expected}, found {found}" for name, (expected, found) in changes.items()]
    for ended in stopped(project, "check", "testpypi", "verify", "pypi"):
        assert is_clear(ended, "does not contain the files that were built", *lines)
    assert {name: indexes.held(name) for name in ("testpypi", "pypi")} == before


# Records.


def edit(path: Path, name: str, sha256: str) -> str:
    """Write another hash for the file `name` into the record at `path`, and return the one that stood there."""
    document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    (entry,) = (dist for dist in document["dists"] if dist["filename"] == name)
    before: str = entry["sha256"]
    path.write_text(json.dumps(document | {"dists": document["dists"]}).replace(before, sha256), encoding="utf-8")
    return before


EDITED = "f" * 64


def test_an_edited_record_of_the_build_stops_every_session(project: Project, indexes: Indexes, bring: Bring) -> None:
    bring("build")
    before = edit(project.record / "built.json", WHEEL, EDITED)
    changed = (f"{WHEEL}: expected sha256 {EDITED}", f"found sha256 {before}")
    for ended in stopped(project, "check", "testpypi", "verify"):
        assert is_clear(ended, *changed)
    bring("verify")
    for path in {*project.record.glob("*.json")} - {project.record / "failed.json"}:
        edit(path, WHEEL, EDITED)
    for ended in stopped(project, "check", "testpypi", "verify", "pypi"):
        assert is_clear(ended, *changed)
    assert indexes.held("pypi") == {}


RECORDS = {
    "checked.json": (("rehearsed.json", "verified-*.json"), ("check", "testpypi", "status")),
    "rehearsed.json": (("verified-*.json",), ("testpypi", "verify", "pypi", "status")),
    f"verified-{RUNNING}-*-wheel.json": ((), ("verify", "pypi", "status")),
}


@pytest.mark.parametrize("pattern", RECORDS)
def test_an_edited_record_stops_every_session_that_reads_it(
    project: Project, indexes: Indexes, bring: Bring, pattern: str
) -> None:
    later, readers = RECORDS[pattern]
    bring("verify")
    forget(project, *later)
    (path,) = project.record.glob(pattern)
    before = edit(path, SDIST, EDITED)
    for ended in stopped(project, *readers):
        assert is_clear(
            ended, f"{path.name} is the record of files (demo 1.0) other than those of built.json (demo 1.0)"
        )
        assert ended.shows(f"{SDIST}: expected sha256 {before}", f"found sha256 {EDITED}")
    assert indexes.held("pypi") == {}


def test_the_records_of_another_commit_stop_every_session(project: Project, indexes: Indexes, bring: Bring) -> None:
    """Same project, same version, built from another commit: with its record, or with all records but that."""
    bring("verify")
    ours = {path.name: path.read_bytes() for path in project.record.glob("*.json")}
    module = project.root / "src" / "demo" / "__init__.py"
    project.change({"src/demo/__init__.py": module.read_text(encoding="utf-8") + "\n# another commit\n"})
    files = project.files()
    assert project.step("build", "--rebuild").code == 0
    theirs = (project.record / "built.json").read_bytes()
    changed = [
        f"{name}: expected {told(content)}, found {told(files[name])}" for name, content in project.files().items()
    ]
    for name, content in ours.items():
        (project.record / name).write_bytes(content)
    (project.record / "built.json").write_bytes(theirs)
    for ended in stopped(project, "verify", "pypi", "status"):
        assert is_clear(
            ended, ".json is the record of files (demo 1.0) other than those of built.json (demo 1.0)", *changed
        )
    (project.record / "built.json").write_bytes(ours["built.json"])
    for ended in stopped(project, "testpypi", "verify", "pypi"):
        assert is_clear(ended, "does not contain the files that were built", f"{WHEEL}: expected {told(files[WHEEL])}")
    assert indexes.held("pypi") == {}


def test_a_digest_that_came_another_way_stops_every_session(project: Project, indexes: Indexes, bring: Bring) -> None:
    """Files and all records are exchanged together, as in an artifact; only the job's output tells."""
    bring("verify")
    found = hashlib.sha256((project.record / "built.json").read_bytes()).hexdigest()
    sessions = ("build", *READERS)
    for ended in stopped(project, *sessions, SEATRIAL_RECORD=EDITED):
        assert is_clear(ended, "built.json is not the file that the build job wrote", f"sha256 {EDITED}, found {found}")
    assert indexes.held("pypi") == {}
    assert project.step("pypi", "--yes", "1.0", SEATRIAL_RECORD=found).code == 0


# Indexes.


def other_bytes(folder: Path) -> tuple[str, str]:
    """Let an index have other bytes of the wheel; return the file, and their hash."""
    (folder / WHEEL).write_bytes(b"other bytes")
    return WHEEL, hashlib.sha256(b"other bytes").hexdigest()


def a_file_too_many(folder: Path) -> tuple[str, str]:
    (folder / OTHER).write_bytes(b"an intruder")
    return OTHER, hashlib.sha256(b"an intruder").hexdigest()


@pytest.mark.parametrize(
    ("session", "before"), [("testpypi", "check"), ("verify", "testpypi"), ("pypi", "verify")], ids=str
)
@pytest.mark.parametrize("change", [other_bytes, a_file_too_many])
def test_an_index_that_serves_something_else_stops_the_session_that_meets_it(
    project: Project,
    indexes: Indexes,
    bring: Bring,
    *,
    change: Callable[[Path], tuple[str, str]],
    session: str,
    before: str,
) -> None:
    bring(before)
    index = "pypi" if session == "pypi" else "testpypi"
    file, found = change(indexes.folder / index)
    wheel = hashlib.sha256((project.dist / WHEEL).read_bytes()).hexdigest()
    expected = wheel if file == WHEEL else "(not part of this build)"
    (ended,) = stopped(project, session)
    assert is_clear(ended, f"{file} expected {expected} found {found}")
    assert indexes.testpypi.uploads == indexes.pypi.uploads == 0
