"""What is refused before anything is built, since a build would only put it off."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from seatrial.index.credentials import BadCredential, NoCredential
from seatrial.index.tokens import make, narrow
from seatrial.machine import process
from seatrial.machine.process import Outcome
from seatrial.project.context import DryRun
from seatrial.project.pythons import PythonMissing
from seatrial.steps.preflight import Dirty, NoPythonAdmitted, TagElsewhere, stop_early
from seatrial.trial import interpreters
from seatrial.trial.interpreters import RUNNING
from tests.projects import commit, git, write_tree
from tests.samples.releases import release_in
from tests.samples.stages import BUILT, REHEARSED, RELEASED, VERIFIED

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from seatrial.project.context import Context
    from tests.samples.releases import Release

CHAIN = ("build", "check", "testpypi", "verify")


@pytest.fixture
def release(tmp_path: Path) -> Iterator[Release]:
    """A committed project, with nothing on record and a token for each index."""
    with release_in(tmp_path, in_git=True) as made:
        made.context = made.context.with_settings(replace(made.context.settings, pythons=(RUNNING,)))
        yield made


@pytest.fixture(autouse=True)
def keyring(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """What the keyring of this machine has: nothing unless a test puts it there."""
    secrets: dict[str, str] = {}

    def run(argv: tuple[str, ...], **_: object) -> Outcome:
        assert argv[2:5] == ("-m", "keyring", "get")
        return Outcome(0 if "secret" in secrets else 1, f"{secrets.get('secret', '')}\n")

    monkeypatch.setattr(process, "run", run)
    return secrets


def dirty(release: Release) -> None:
    write_tree(release.root, {"src/demo/new.py": ""})


def test_where_nothing_is_wrong_nothing_is_said(release: Release, keyring: dict[str, str]) -> None:
    stop_early(release.context, CHAIN)
    keyring["secret"] = make("testpypi.localhost")
    stop_early(replace(release.context, variables={}), CHAIN)
    assert release.lines == []


# Uncommitted changes.


def test_uncommitted_changes_stop_an_upload_and_are_named(release: Release) -> None:
    dirty(release)
    with pytest.raises(Dirty) as error:
        stop_early(release.context, CHAIN)
    message = error.value.text(release.context.commands)
    assert "1 uncommitted change would not be in the release, so nothing is uploaded:" in message
    assert "src/demo/new.py" in message
    assert "`nox -s dryrun` works anyway" in message


def test_uncommitted_changes_stop_no_check_no_dry_run_and_no_files_from_elsewhere(release: Release) -> None:
    dirty(release)
    stop_early(release.context, ("build", "check"))
    stop_early(release.context, ("dryrun",))
    stop_early(replace(release.context, dry=DryRun(release.root)), CHAIN)
    stop_early(release.at(rehearse_on="TestPyPI is down"), CHAIN)
    stop_early(release.at(taken_from=release.root / "wheels"), CHAIN)


def test_what_is_rehearsed_already_is_not_uploaded_again(release: Release) -> None:
    release.write(BUILT, REHEARSED)
    dirty(release)
    assert not stop_early(release.context, CHAIN)
    with pytest.raises(Dirty):
        stop_early(release.at(rebuild=True), CHAIN)


def test_what_is_rehearsed_on_another_index_is_uploaded_unless_it_is_released(release: Release) -> None:
    release.write(BUILT, REHEARSED)
    settings = release.context.settings
    other = replace(settings.testpypi, simple="https://index.example/simple/")
    changed = settings.with_indexes(replace(settings.indexes, testpypi=other))
    release.context = release.context.with_settings(changed)
    assert stop_early(release.context, CHAIN, withheld=True)
    release.write(RELEASED)
    assert not stop_early(release.context, CHAIN, withheld=True)


def test_what_is_on_record_does_not_speak_for_the_next_release(release: Release) -> None:
    """HEAD has moved on since the rehearsal, so that `build` archives it and the next files are uploaded."""
    release.write(BUILT, REHEARSED)
    commit(release.root)
    dirty(release)
    with pytest.raises(Dirty):
        stop_early(release.context, CHAIN)
    stop_early(release.at(keep_sealed=True), CHAIN)
    release.write(VERIFIED)
    stop_early(release.context, CHAIN)  # `build` stops, and says more
    release.write(RELEASED)
    with pytest.raises(Dirty):
        stop_early(release.context, CHAIN)


# Tags.


@pytest.mark.parametrize("tag", ["v1.0", "1.0"])
def test_a_tag_of_this_version_on_another_commit_stops_it(release: Release, tag: str) -> None:
    git(release.root, "tag", tag)
    head = commit(release.root)
    with pytest.raises(TagElsewhere) as error:
        stop_early(release.context, CHAIN)
    assert (error.value.tag, error.value.commit) == (tag, str(release.commit)[:12])
    assert error.value.built == head[:12]


@pytest.mark.parametrize("tag", ["v0.9", "other-v1.0"])
def test_tags_of_other_versions_and_other_projects_stop_nothing(release: Release, tag: str) -> None:
    git(release.root, "tag", tag)
    git(release.root, "tag", "v1.0")
    stop_early(release.context, CHAIN)
    git(release.root, "tag", "-d", "v1.0")
    commit(release.root)
    stop_early(release.context, CHAIN)


@pytest.mark.parametrize(
    "pyproject", ["", '[project]\nname = "demo"\ndynamic = ["version"]\n', "[project]\nname = 1\n"]
)
def test_where_the_version_is_not_known_no_tag_stops_it(release: Release, pyproject: str) -> None:
    git(release.root, "tag", "v1.0")
    write_tree(release.root, {"pyproject.toml": pyproject})
    commit(release.root)
    stop_early(release.context, CHAIN)


def test_without_git_there_is_no_tag(tmp_path: Path) -> None:
    with release_in(tmp_path) as release:
        stop_early(release.at(changes={"pythons": (RUNNING,)}), CHAIN)


# Credentials.


def given(release: Release, **variables: str) -> Context:
    return replace(release.context, variables=variables)


def test_a_missing_credential_stops_it_with_where_one_is_made(release: Release) -> None:
    with pytest.raises(NoCredential) as error:
        stop_early(given(release), CHAIN)
    assert "TESTPYPI_TOKEN is not set here" in str(error.value)
    assert "Token: https://test.pypi.org/manage/account/token/" in str(error.value)


def test_on_a_terminal_one_can_be_typed_later(release: Release) -> None:
    stop_early(replace(given(release), asks=True), CHAIN)


def test_what_only_the_upload_gets_to_see_is_not_missed(release: Release) -> None:
    stop_early(given(release), CHAIN, withheld=True)


def test_a_step_without_an_upload_needs_none(release: Release) -> None:
    stop_early(given(release), ("build", "check"))


@pytest.mark.parametrize(
    ("token", "complaint"),
    [
        (make("pypi.localhost"), "TESTPYPI_TOKEN is a token for pypi.localhost, not for testpypi.localhost"),
        ("", "TESTPYPI_TOKEN is set but empty"),
        (narrow(make("testpypi.localhost"), [[1, ["other"]]]), "holds a token for other, not for demo"),
        (narrow(make("testpypi.localhost"), [[0, 2, 1]]), "holds a token that has expired (1970-01-01 00:00 UTC)"),
    ],
)
def test_a_credential_that_the_index_would_reject_stops_it(release: Release, token: str, complaint: str) -> None:
    with pytest.raises(BadCredential) as error:
        stop_early(given(release, TESTPYPI_TOKEN=token), CHAIN)
    assert complaint in str(error.value)


# Pythons.


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    pythons: set[str] = set()
    monkeypatch.setattr(interpreters, "find", lambda python, _uv: python if python in pythons else "")
    return pythons


@pytest.mark.parametrize("step", ["check", "verify", "dryrun"])
def test_where_no_python_of_the_project_is_here_that_is_said(release: Release, here: set[str], step: str) -> None:
    here |= {"3.9", "3.10"}
    with pytest.raises(PythonMissing) as error:
        stop_early(release.at(changes={"pythons": ("3.98", "3.99")}), ("build", step))
    message = str(error.value)
    assert "Not on this machine: Python 3.98, 3.99, on which this release is to be tried. Here: 3.9, 3.10." in message
    assert "install one (`uv python install 3.98`), or set `pythons`" in message


def test_no_setting_helps_where_the_project_admits_none_of_its_pythons(release: Release, here: set[str]) -> None:
    here |= {"3.9", RUNNING}
    project = release.root / "pyproject.toml"
    project.write_text('[project]\nname = "demo"\nversion = "1.0"\nrequires-python = ">=3.50"\n', encoding="utf-8")
    with pytest.raises(NoPythonAdmitted) as error:
        stop_early(release.at(changes={"pythons": (RUNNING,)}), ("build", "check"))
    message = str(error.value)
    assert f"`requires-python` (>=3.50) leaves out each Python that the release is to be tried on: {RUNNING}" in message
    assert 'install one (`uv python install ">=3.50"`), or change `requires-python` or `pythons`.' in message


def test_what_no_python_can_match_is_not_to_be_installed(release: Release, here: set[str]) -> None:
    here.add(RUNNING)
    project = release.root / "pyproject.toml"
    project.write_text('[project]\nname = "demo"\nrequires-python = ">=3.12,<3.12"\n', encoding="utf-8")
    with pytest.raises(NoPythonAdmitted) as error:
        stop_early(release.at(changes={"pythons": (RUNNING,)}), ("build", "check"))
    assert "What to do: correct `requires-python`: no Python 3 can match it." in str(error.value)
    assert "uv python install" not in str(error.value)


def test_where_none_is_here_at_all_that_is_said_too(release: Release, here: set[str]) -> None:
    del here
    with pytest.raises(PythonMissing, match=r"Here: none\."):
        stop_early(release.context, ("check",))


def test_one_python_is_enough_and_a_build_alone_needs_none(release: Release, here: set[str]) -> None:
    stop_early(release.context, ("build",))
    here.add("3.99")
    stop_early(release.at(changes={"pythons": ("3.98", "3.99")}), ("check",))
