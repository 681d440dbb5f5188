from __future__ import annotations

import importlib.metadata
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from packaging.utils import canonicalize_name
from packaging.version import Version

from seatrial.index import owners
from seatrial.index.http import IndexUnreachable
from seatrial.index.indexes import PYPI, TESTPYPI, Index
from seatrial.index.simple import NOT_THERE, Served
from seatrial.index.simple import Listing as Project
from seatrial.release.archives import Metadata
from seatrial.release.stages import Built, Dist
from seatrial.rules import index as module
from seatrial.rules import limits
from seatrial.rules import listing as asking
from seatrial.rules.listing import Listing, looks, similar_names
from seatrial.rules.rule import of

NOW = datetime(2024, 5, 20, tzinfo=timezone.utc)
WHEEL = Dist("demo-1.0-py3-none-any.whl", "a" * 64, 1)
SDIST = Dist("demo-1.0.tar.gz", "b" * 64, 2)
BUILT = Built(
    project="demo",
    version="1.0",
    dists=(WHEEL, SDIST),
    at="",
    commit=None,
    tag=None,
    dirty=False,
    normalised=(),
    epoch=0,
    fingerprint="",
    tools=(),
    matrix=(),
)


def served(name: str = "demo-0.9.tar.gz", sha256: str = "c" * 64, days: int | None = 1) -> Served:
    moment = "" if days is None else (NOW - timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    return Served(name, sha256, "", yanked=False, uploaded=moment)


def found(code: str, *files: Served, **changes: Any) -> list[str]:
    facts: dict[str, Any] = {
        "name": "PyPI",
        "takes_names": True,
        "project": "demo",
        "version": Version("1.0"),
        "now": NOW,
    }
    facts |= {"dists": (WHEEL, SDIST), "served": files, "exists": bool(files)}
    listing = Listing(**{**facts, **changes})
    return [message for rule in of("index") if rule.code == code for message in rule.find(listing)]


MINE = (served(WHEEL.filename, WHEEL.sha256, 20), served(SDIST.filename, SDIST.sha256, 20))


def test_other_bytes_under_our_name_are_named() -> None:
    (message,) = found("index-other-bytes", served(WHEEL.filename))
    assert WHEEL.filename in message
    assert found("index-other-bytes", *MINE, served(), served(WHEEL.filename, "")) == []


def test_our_bytes_under_another_name_are_named() -> None:
    (message,) = found("index-other-name", served("demo-0.9.tar.gz", SDIST.sha256))
    assert "demo-1.0.tar.gz as demo-0.9.tar.gz" in message
    assert found("index-other-name", *MINE, served("demo-0.9.tar.gz")) == []


def test_the_files_of_a_project_are_limited_together() -> None:
    full = Served("demo-0.9.tar.gz", "", "", yanked=False, size=(10 << 30) - 2)
    (message,) = found("index-project-size", full)
    assert "10,737,418,241 bytes" in message
    assert found("index-project-size", replace(full, size=(10 << 30) - 3)) == []
    assert found("index-project-size", full, *MINE) == []


def test_another_sdist_of_this_version_is_named() -> None:
    (message,) = found("index-other-files", served("demo-1.0.0.tar.gz"))
    assert "demo-1.0.0.tar.gz" in message
    assert found("index-other-files", *MINE, served("demo-1.1.tar.gz"), served("demo-1.0-cp39-abi3-any.whl")) == []
    assert found("index-other-files", served("demo-1.0.0.tar.gz"), dists=(WHEEL,)) == []


def test_a_release_that_is_closed_is_named() -> None:
    (message,) = found("index-old-release", served("demo-1.0.zip", days=15))
    assert "2024-05-05" in message
    for file in (served("demo-1.0.zip", days=14), served(days=99), served("demo-1.0.zip", days=None)):
        assert found("index-old-release", file) == []
    assert found("index-old-release", *MINE) == []
    assert found("index-old-release", served("demo-1.0.zip", days=15), is_public=False) == []


def test_a_new_name_is_said_once_on_pypi_alone() -> None:
    (message,) = found("index-new-name")
    assert "pending publisher" in message
    assert found("index-new-name", takes_names=False) == []
    assert found("index-new-name", served()) == []
    assert found("index-new-name", served=None) == []


@pytest.mark.parametrize("name", ["abc", "Asyncio", "graphlib", "asynchat", "Xml.etree", "anydbm", "future"])
def test_a_new_project_is_not_called_as_a_module_of_the_standard_library_of_any_python(name: str) -> None:
    assert len(found("index-name-stdlib", project=name)) == 1
    assert found("index-name-stdlib", served(), project=name) == []
    for other in (f"{name}-demo", "demo", "stdlib-list"):
        assert found("index-name-stdlib", project=other) == []


def test_the_names_of_modules_are_written_as_names_are_compared() -> None:
    names = limits.stdlib_names()
    assert names == {canonicalize_name(name) for name in names}


def test_a_similar_name_is_named_for_new_projects_alone() -> None:
    assert found("index-name-similar", similar=("dem0",))
    assert found("index-name-similar") == []
    assert found("index-name-similar", served(), similar=("dem0",)) == []


def test_an_index_that_does_not_answer_is_not_checked() -> None:
    (message,) = found("index-not-checked", served=None, trouble="PyPI cannot be reached.")
    assert message == "what PyPI would accept is unknown: PyPI cannot be reached."
    assert found("index-not-checked") == []


def test_a_file_that_grew_a_lot_is_named() -> None:
    there = Served("demo-0.9.tar.gz", "", "", yanked=False, size=1 << 20)
    grown, usual = (Dist("demo-1.0.tar.gz", "b" * 64, size) for size in (3_200_000, 3_100_000))
    (message,) = found("index-size", there, dists=(grown,))
    assert "3,200,000" in message
    assert found("index-size", there, dists=(usual, Dist("demo-1.0-py3-none-any.whl", "", 1 << 30))) == []
    assert found("index-size", Served("demo-0.9.tar.gz", "", "", yanked=False, size=9), dists=(SDIST,)) == []


def test_names_look_the_same() -> None:
    assert looks("My-Lib.io") == looks("mylibi0") == "my11b10"
    assert similar_names("my-lib") == ("mylib", "my11b", "my1ib")
    assert "demo" not in similar_names("demo")


# Asking.


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> dict[str, Project]:
    """What PyPI shows, by name; the names that were asked for are added."""
    holds: dict[str, Project] = {}

    def read_project(index: Index, project: str, *, patient: bool) -> Project:
        assert not patient
        if index is TESTPYPI:
            raise IndexUnreachable(index.name, index.simple, "timed out")
        return holds.setdefault(project, NOT_THERE)

    monkeypatch.setattr(asking, "read_project", read_project)
    return holds


def test_both_indexes_are_asked_and_one_may_not_answer(asked: dict[str, Project]) -> None:
    asked["dem0"] = Project((served(),))
    applied, problems = module.judge(BUILT, None, (TESTPYPI, PYPI), PYPI, NOW)
    assert applied == tuple(sorted(rule.code for rule in of("index")))
    assert [(problem.rule, problem.file) for problem in problems] == [
        ("index-not-checked", "release"),
        ("index-new-name", "release"),
        ("index-name-similar", "release"),
    ]
    assert "what TestPyPI would accept is unknown: " in problems[0].message
    assert set(asked) == {"demo", *similar_names("demo")}


def test_a_project_that_is_there_is_not_compared_with_others(asked: dict[str, Project]) -> None:
    asked["demo"] = Project((served(),))
    _, problems = module.judge(BUILT, None, (TESTPYPI, PYPI), PYPI)
    assert [problem.rule for problem in problems] == ["index-not-checked"]
    assert set(asked) == {"demo"}


def test_indexes_on_this_machine_are_not_asked(asked: dict[str, Project]) -> None:
    local = Index("here", simple="http://127.0.0.1:9/simple/")
    assert module.judge(BUILT, None, (local,), local) == ((), ())
    assert asked == {}


def test_a_project_without_files_is_no_new_name(asked: dict[str, Project]) -> None:
    asked["demo"] = Project()
    assert module.judge(BUILT, None, (PYPI,), PYPI)[1] == ()


@pytest.mark.parametrize(("status", "cure"), [("archived", "unarchive it"), ("quarantined", "index's support")])
def test_a_project_that_is_closed_is_named(asked: dict[str, Project], status: str, cure: str) -> None:
    asked["demo"] = Project(status=status, reason="found to be harmful")
    (problem,) = module.judge(BUILT, None, (PYPI,), PYPI)[1]
    assert (problem.rule, problem.severity, problem.index) == ("index-closed", "error", "PyPI")
    assert f"demo is {status} on PyPI (found to be harmful): " in problem.message
    assert cure in problem.message
    local = Index("here", simple="http://127.0.0.1:9/simple/")
    assert module.judge(BUILT, None, (local,), PYPI)[1] == ()
    assert found("index-closed", status="active") == found("index-closed", status="deprecated") == []


def test_a_deprecated_project_is_told() -> None:
    (message,) = found("index-deprecated", status="deprecated", reason="")
    assert message == "demo is deprecated on PyPI."
    assert found("index-deprecated", status="archived") == []


def test_a_private_index_is_no_pypi(asked: dict[str, Project]) -> None:
    house = Index("house", simple="https://house.example/simple/")
    _, problems = module.judge(BUILT, None, (house, house), house)
    assert problems == ()
    assert set(asked) == {"demo"}


@pytest.mark.parametrize(("given", "expected"), [("2024-05-06T07:08:09.123456Z", True), ("yesterday", False)])
def test_the_time_of_an_upload_is_read(given: str, expected: bool) -> None:  # noqa: FBT001 (a case)
    file = Served("demo-1.0.zip", "", "", yanked=False, uploaded=given)
    late = NOW + timedelta(days=20)
    assert bool(found("index-old-release", file, now=late)) == expected


def test_in_a_dry_run_pypi_is_asked_for_the_name_alone(asked: dict[str, Project]) -> None:
    local = Index("here", simple="http://127.0.0.1:9/simple/")
    built = replace(BUILT, project="graphlib")
    _, problems = module.judge(built, None, (local, local), PYPI, NOW)
    assert [(problem.rule, problem.severity) for problem in problems] == [("index-name-stdlib", "error")]
    asked["graphlib"] = Project((served(WHEEL.filename),))
    assert module.judge(built, None, (local,), PYPI, NOW)[1] == ()


NEW = "Framework :: Brand New :: 1"
TROVE = importlib.metadata.version("trove-classifiers")


@pytest.mark.parametrize(("newest", "rules"), [(TROVE, ["index-classifier"]), ("2999.1.1.1", []), (None, [])])
def test_an_unknown_classifier_is_an_error_where_the_list_here_is_the_newest(
    asked: dict[str, Project], newest: str | None, rules: list[str]
) -> None:
    asked["demo"] = Project((served(),))
    asked["trove-classifiers"] = Project((served(f"trove_classifiers-{newest}.tar.gz"),)) if newest else NOT_THERE
    metadata = Metadata.parse(f"Name: demo\nClassifier: {NEW}\n\n".encode())
    _, problems = module.judge(BUILT, metadata, (PYPI,), PYPI, NOW)
    assert [problem.rule for problem in problems] == rules
    assert all(NEW in problem.message for problem in problems)


# Whose it is.


def of_authors(author: str = "Ada Example", url: str = "https://example.org/demo") -> Metadata:
    return Metadata.parse(f"Name: demo\nAuthor: {author}\nProject-URL: Source, {url}\n\n".encode())


@pytest.fixture
def theirs(monkeypatch: pytest.MonkeyPatch) -> list[Metadata | Exception]:
    """The one item is the metadata of the latest version on PyPI, or what asking for it raises."""
    holds: list[Metadata | Exception] = [of_authors("Bea Other", "https://github.com/bea/demo")]

    def latest(_index: Index, _files: object) -> Metadata:
        (item,) = holds
        if isinstance(item, Exception):
            raise item
        return item

    monkeypatch.setattr(owners, "latest", latest)
    return holds


def test_a_project_of_somebody_else_is_asked_about(asked: dict[str, Project], theirs: list[Metadata]) -> None:
    assert theirs
    asked["demo"] = Project((served(),))
    local = Index("here", simple="http://127.0.0.1:9/simple/")
    for uploads in ((PYPI,), (local,)):  # the latter is a dry run
        (problem,) = module.judge(BUILT, of_authors(), uploads, PYPI, NOW)[1]
        assert (problem.rule, problem.severity, problem.index) == ("index-name-taken", "warning", "PyPI")
        assert problem.message == (
            "PyPI has a project `demo`: is it yours? Its latest version names Bea Other, https://github.com/bea/demo,"
            " and these files do not. If not, choose another name: PyPI will refuse this."
        )


@pytest.mark.parametrize(
    "other", [of_authors(url="https://old.example"), of_authors("Bea"), IndexUnreachable("PyPI", "https://x", "down")]
)
def test_a_project_that_is_ours_or_not_known_to_be_anybodys_is_not_asked_about(
    asked: dict[str, Project], theirs: list[Metadata | Exception], other: Metadata | Exception
) -> None:
    asked["demo"] = Project((served(),))
    theirs[:] = [other]
    assert module.judge(BUILT, of_authors(), (PYPI,), PYPI, NOW)[1] == ()


def test_files_that_are_there_already_say_whose_the_project_is(
    asked: dict[str, Project], theirs: list[Metadata]
) -> None:
    assert theirs
    asked["demo"] = Project((served(WHEEL.filename, WHEEL.sha256),))
    assert module.judge(BUILT, of_authors(), (PYPI,), PYPI, NOW)[1] == ()


def test_a_project_that_is_there_without_files_is_asked_about(asked: dict[str, Project]) -> None:
    asked["demo"] = Project()
    (problem,) = module.judge(BUILT, of_authors(), (PYPI,), PYPI, NOW)[1]
    assert problem.message == (
        "PyPI has a project `demo`: is it yours? It has no files to tell."
        " If not, choose another name: PyPI will refuse this."
    )
    house = Index("house", simple="https://house.example/simple/")
    assert module.judge(BUILT, of_authors(), (house,), house, NOW)[1] == ()
