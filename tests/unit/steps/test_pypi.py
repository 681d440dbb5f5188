"""`pypi`: what is released, what stops it before anything is sent, and the confirmation."""

from __future__ import annotations

import errno
import io
import json
import sys
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from seatrial.index.credentials import BadCredential
from seatrial.index.holdings import OtherBytes, holdings
from seatrial.index.tokens import make
from seatrial.project.context import DryRun
from seatrial.release.failures import cells, trying
from seatrial.release.record import FilesChanged
from seatrial.release.stages import Built, Cell, Installed, Rehearsed, Released
from seatrial.steps import pypi
from seatrial.steps.preflight import TagElsewhere
from seatrial.steps.pypi import (
    CellsFailed,
    FilesNotVerified,
    NotAttested,
    NotConfirmed,
    NothingVerified,
    NotRecorded,
    NotVerified,
    OtherVersion,
    RehearsalMissing,
    RehearsalUnknown,
)
from seatrial.steps.testpypi import RehearsedElsewhere
from seatrial.steps.uploading import Sending
from seatrial.workspace.siblings import SiblingChanged, SiblingNotReleased
from tests.archives import SDIST, WHEEL, wheel
from tests.projects import commit, git, write_tree
from tests.samples.records import built_in
from tests.samples.releases import CELLS, release_in
from tests.samples.stages import AT, BUILT, REHEARSED, RELEASED

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from seatrial.release.stages import Stage
    from tests.samples.releases import Release

NOWHERE = "http://127.0.0.1:9/simple/"


@pytest.fixture
def release(tmp_path: Path) -> Iterator[Release]:
    """A project; PyPI holds its files already, so that nothing has to be sent by what is let through."""
    with release_in(tmp_path) as made:
        made.serve("pypi")
        yield made


@pytest.fixture
def in_git(tmp_path: Path) -> Iterator[Release]:
    """The same in a git repository."""
    with release_in(tmp_path, in_git=True) as made:
        made.serve("pypi")
        yield made


def confirmed(release: Release, *, changes: dict[str, Any] | None = None, **options: Any) -> Released | None:
    """Run the step with ``--yes 1.0``, and return what is recorded then."""
    pypi.run(release.at(changes=changes, **({"yes": "1.0"} | options)))
    return release.record.find(Released)


# What is released.


def test_the_very_same_files_are_uploaded_and_recorded(tmp_path: Path) -> None:
    with release_in(tmp_path) as release:
        release.proved()
        released = confirmed(release)
        assert release.held("pypi") == release.dists
    assert released is not None
    assert released.dists == release.record.recorded(Built).dists == release.dists
    assert (released.index, len(released.urls)) == (release.pypi.simple, 2)
    assert [dist.sha256 for dist in release.dists if dist.sha256 not in release.shown] == []
    page = "https://pypi.org/project/demo/1.0/"
    assert f"2 files on PyPI, the same bytes as rehearsed: {page}" in release.shown
    assert "git tag" not in release.shown
    assert [token for token in release.standins.tokens.values() if token in release.shown] == []


@pytest.mark.parametrize("stage", [Built, Rehearsed])
def test_what_is_not_rehearsed_is_not_released(release: Release, stage: type[Stage]) -> None:
    release.proved()
    release.record.path(stage).unlink()
    for path in release.record.folder.glob("verified-*.json") if stage is Rehearsed else ():
        path.unlink()
    with pytest.raises(NothingVerified) as error:
        confirmed(release)
    message = error.value.text(release.context.commands)
    assert message.startswith("Nothing is verified here, so there is nothing to upload to PyPI.")
    assert "What to do: run `nox -s verify` first" in message


def test_where_the_record_of_the_rehearsal_alone_was_not_brought_here_it_is_named(release: Release) -> None:
    release.proved()
    path = release.record.path(Rehearsed)
    path.unlink()
    with pytest.raises(RehearsalMissing) as error:
        confirmed(release)
    message = error.value.text(release.context.commands)
    assert f"Files are verified here, but the record of their rehearsal is missing: {path}" in message
    assert "or run `nox -s testpypi` again" in message


def test_files_that_changed_since_are_not_released(release: Release) -> None:
    release.proved()
    wheel(release.record.dist, {"Summary": "another"})
    with pytest.raises(FilesChanged):
        confirmed(release)


@pytest.mark.parametrize("name", ["nowhere", "pypi"])
def test_a_rehearsal_on_another_index_does_not_count(release: Release, name: str) -> None:
    release.proved()
    index = release.pypi.simple if name == "pypi" else NOWHERE
    release.write(REHEARSED, index=index)
    with pytest.raises(RehearsedElsewhere) as error:
        confirmed(release)
    expected = f"rehearsed on {index}, but the rehearsal index of this release is {release.testpypi.simple}"
    assert expected in str(error.value)


def test_a_rehearsal_on_this_machine_counts_where_it_is_asked_for(release: Release) -> None:
    release.write(BUILT)
    release.write(REHEARSED, index=NOWHERE, reason="TestPyPI is down")
    release.verified(*CELLS, index="http://127.0.0.1:10/simple/")  # each step has its own stand-in
    with pytest.raises(RehearsedElsewhere) as error:
        confirmed(release)
    command = '`nox -s pypi -- --rehearse-on dryrun "TestPyPI is down"`'
    assert f"To let the rehearsal on this machine count: {command}" in error.value.text(release.context.commands)
    assert confirmed(release, rehearse_on="it is still down")
    assert "note rehearsed on a stand-in on this machine, not TestPyPI (TestPyPI is down)" in release.shown


def test_a_release_on_record_is_not_repeated(release: Release) -> None:
    release.proved()
    release.write(RELEASED)
    pypi.run(release.context)
    assert f"demo 1.0 has been on PyPI since {AT}" in release.shown


def test_a_release_on_record_that_the_index_does_not_serve_is_uploaded_after_a_confirmation(release: Release) -> None:
    release.proved()
    release.write(RELEASED)
    (release.standins.folder / "pypi" / SDIST).unlink()
    with pytest.raises(NotConfirmed):
        pypi.run(release.context)
    assert f"warning recorded as released, but PyPI does not serve: {SDIST}" in release.shown


def test_a_release_elsewhere_does_not_count(release: Release) -> None:
    release.proved()
    release.write(RELEASED, index=NOWHERE)
    released = confirmed(release)
    assert released is not None
    assert released.index == release.pypi.simple


# What is verified.


def test_on_a_laptop_one_cell_of_each_kind_is_enough(release: Release) -> None:
    release.proved()
    for path in release.record.folder.glob("verified-*"):
        path.unlink()
    release.verified(Cell("3.13", "wheel"), Cell("3.14", "sdist"))
    assert confirmed(release)
    assert "note not verified: 3.13 sdist, 3.14 wheel" in release.shown


def test_a_cell_that_was_tried_and_does_not_work_stops_it(release: Release) -> None:
    release.serve("testpypi")
    release.write(BUILT, REHEARSED)
    *working, cell = CELLS
    release.verified(*working)
    error, commands = NothingVerified("PyPI"), release.context.commands
    with pytest.raises(NothingVerified), trying(release.record, cell, commands, NothingVerified):
        raise error
    (failed,) = cells(release.record)
    with pytest.raises(CellsFailed) as stopped:
        confirmed(release)
    assert stopped.value.cells == (f"Python 3.14, sdist, at {failed.at}",)
    assert "These files failed in `verify`, so nothing goes to PyPI:\n  Python 3.14, sdist, at " in str(stopped.value)
    assert "raise the version, commit, and run `nox -s verify`" in stopped.value.text(commands)
    release.verified(cell)
    assert confirmed(release)


@pytest.mark.parametrize("kind", ["wheel", "sdist"])
def test_on_a_laptop_each_kind_must_be_verified(release: Release, kind: str) -> None:
    release.write(BUILT, REHEARSED)
    release.verified(*(cell for cell in CELLS if cell.kind != kind))
    with pytest.raises(NotVerified) as error:
        confirmed(release)
    assert error.value.missing == (f"Python 3.13, {kind}", f"Python 3.14, {kind}")
    message = error.value.text(release.context.commands)
    assert "run `nox -s verify`; at least one cell of each kind must be green" in message


def test_in_ci_every_cell_must_be_verified(release: Release) -> None:
    release.serve("testpypi")
    release.write(BUILT, REHEARSED)
    release.verified(*CELLS[:-1])
    release.context = replace(release.context, variables={**release.context.variables, "CI": "true"})
    with pytest.raises(NotVerified) as error:
        confirmed(release)
    assert error.value.missing == ("Python 3.14, sdist",)
    assert "in CI every cell must be there" in str(error.value)
    release.verified(CELLS[-1])
    assert confirmed(release)


def test_a_cell_verified_on_another_index_does_not_count(release: Release) -> None:
    release.write(BUILT, REHEARSED)
    release.verified(*CELLS, index=NOWHERE)
    with pytest.raises(NotVerified) as error:
        confirmed(release)
    assert len(error.value.missing) == len(CELLS)


def test_a_kind_that_this_release_lacks_is_not_asked_for(release: Release) -> None:
    (release.record.dist / WHEEL).unlink()
    (release.standins.folder / "pypi" / WHEEL).unlink()
    release.serve("testpypi")
    release.write(BUILT, REHEARSED)
    release.verified(Cell("3.13", "sdist"))
    released = confirmed(release)
    assert released is not None
    assert [dist.filename for dist in released.dists] == [SDIST]


def test_a_cell_that_was_not_announced_counts_for_its_kind(release: Release) -> None:
    release.serve("testpypi")
    release.write(BUILT, REHEARSED)
    release.verified(Cell("3.12", "wheel"), Cell("pypy3.11", "sdist"))
    assert confirmed(release)


@pytest.mark.parametrize("required", ["all", ("*.whl",)])
def test_files_that_no_cell_installed_are_named_or_stop_it(release: Release, required: str | tuple[str, ...]) -> None:
    release.serve("testpypi")
    release.write(BUILT, REHEARSED)
    release.verified(*CELLS, filename="another.whl")
    with pytest.raises(FilesNotVerified) as error:
        confirmed(release, changes={"require_verified": required})
    assert (
        f"`require-verified = {json.dumps(required)}` asks for these files to be verified, and they are not:\n  "
        in str(error.value)
    )
    release.lines.clear()
    assert confirmed(release)
    for dist in release.dists:
        assert f"{dist.filename}: not verified here, " in release.shown.partition("not verified here: ")[2]


def test_where_all_files_have_to_be_verified_and_are_it_goes_on(release: Release) -> None:
    release.proved()
    assert confirmed(release, changes={"require_verified": "all"})
    assert "not verified here" not in release.shown


def test_lowest_dependencies_that_were_not_tried_are_noted(release: Release) -> None:
    release.proved()
    note = "note not verified with the lowest direct dependencies"
    assert confirmed(release, changes={"resolution": "lowest-direct"})
    assert note in release.shown
    release.record.path(Released).unlink()
    release.lines.clear()
    release.verified(Cell("3.13", "wheel"), lowest=(Installed("demo", "1.0"),))
    assert confirmed(release, changes={"resolution": "lowest-direct"})
    assert note not in release.shown


# What the rehearsal index says.


def test_files_that_the_rehearsal_index_lost_stop_it_unless_a_reason_is_given(release: Release) -> None:
    release.proved()
    (release.standins.folder / "testpypi" / WHEEL).unlink()
    with pytest.raises(RehearsalUnknown) as error:
        confirmed(release, changes={"index_timeout": 0})
    message = error.value.text(release.context.commands)
    assert message.startswith("TestPyPI does not say whether it still serves the rehearsed files: ")
    assert '`nox -s pypi -- --without-rehearsal-index "REASON"`' in message
    released = confirmed(release, without_rehearsal_index="it was emptied")
    assert released is not None
    assert released.without_rehearsal_index == "it was emptied"


def test_a_rehearsal_index_that_does_not_answer_stops_it(release: Release, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "sleep", lambda _: None)
    release.proved()
    gone = replace(release.testpypi, simple=NOWHERE)
    release.write(REHEARSED, index=NOWHERE)
    release.verified(*CELLS, index=NOWHERE)
    with pytest.raises(RehearsalUnknown):
        confirmed(release, changes={"testpypi": gone, "index_timeout": 0})
    assert release.record.find(Released) is None


def test_other_files_on_the_rehearsal_index_stop_it_whatever_is_asked_for(release: Release, tmp_path: Path) -> None:
    release.proved()
    other = wheel(tmp_path / "other", {"Summary": "another"})
    release.serve("testpypi", other.parent)
    with pytest.raises(OtherBytes):
        confirmed(release)


# The commit and its tag.


@pytest.mark.parametrize("tag", ["v1.0", "1.0"])
def test_a_tag_on_another_commit_stops_it(in_git: Release, tag: str) -> None:
    in_git.proved()
    write_tree(in_git.root, {"src/demo/new.py": ""})
    other = commit(in_git.root, tag)
    with pytest.raises(TagElsewhere) as error:
        confirmed(in_git)
    assert (error.value.tag, error.value.commit, error.value.built) == (tag, other[:12], str(in_git.commit)[:12])
    assert f"if nobody has {tag} yet, move it: `git tag -f {tag} {str(in_git.commit)[:12]}`" in str(error.value)
    assert "`tag` in [tool.seatrial] says how yours are spelt" in str(error.value)


def test_a_tag_on_this_commit_is_fine(in_git: Release) -> None:
    git(in_git.root, "tag", "-a", "-m", "a release", "v1.0")
    in_git.proved()
    assert confirmed(in_git)
    assert "git tag" not in in_git.shown


def test_where_head_moved_on_that_is_noted_and_the_built_commit_is_to_be_tagged(in_git: Release) -> None:
    in_git.proved()
    write_tree(in_git.root, {"src/demo/new.py": ""})
    head, built = commit(in_git.root)[:12], str(in_git.commit)[:12]
    assert confirmed(in_git)
    assert f"note HEAD is now {head}; these files were built from {built}" in in_git.shown
    assert f"next: git tag v1.0 {built} && git push origin v1.0" in in_git.shown


def test_a_repository_that_has_gone_stops_nothing(in_git: Release) -> None:
    in_git.proved()
    (in_git.root / ".git").rename(in_git.root.parent / "gone")
    assert confirmed(in_git)
    assert "note HEAD is now gone" in in_git.shown


def test_a_dry_run_looks_for_no_tag_and_proposes_none(in_git: Release) -> None:
    git(in_git.root, "commit", "--quiet", "--allow-empty", "-m", "another commit")
    git(in_git.root, "tag", "v1.0")
    in_git.proved()
    in_git.context = replace(in_git.context, dry=DryRun(in_git.root))
    assert confirmed(in_git)
    assert "git tag" not in in_git.shown


# The confirmation.


def typing(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"{text}\n"))


def test_without_a_confirmation_nothing_is_released(release: Release) -> None:
    release.proved()
    with pytest.raises(NotConfirmed) as error:
        pypi.run(release.context)
    assert error.value.typed is None
    assert "What to do: nox -s pypi -- --yes 1.0" in str(error.value)
    assert release.record.find(Released) is None


@pytest.mark.parametrize("version", ["1", "1.0.0", "v1.0", "yes", "1.1"])
@pytest.mark.parametrize("released", [True, False])
def test_another_version_than_the_sealed_one_stops_it_in_every_state(
    release: Release, version: str, *, released: bool
) -> None:
    release.proved()
    if released:
        release.write(RELEASED)
    with pytest.raises(OtherVersion) as error:
        confirmed(release, yes=version)
    message = error.value.text(release.context.commands)
    assert f"--yes {version} was given, but the sealed files are demo 1.0. Nothing was uploaded." in message
    assert "`nox -s verify` takes HEAD through the rehearsal; `nox -s status` says" in message


@pytest.mark.parametrize("typed", ["1.0", " 1.0 "])
def test_on_a_terminal_the_version_is_typed(
    release: Release, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], typed: str
) -> None:
    typing(monkeypatch, typed)
    release.proved()
    pypi.run(replace(release.context, asks=True))
    assert release.record.find(Released)
    host = release.pypi.upload.split("/")[2]
    assert f"This cannot be undone: demo 1.0 goes to {host} for good." in release.shown
    assert capsys.readouterr().out.endswith("Type the version to release it: ")


@pytest.mark.parametrize("typed", ["", "y", "yes", "1.1"])
def test_another_answer_is_no_confirmation(release: Release, monkeypatch: pytest.MonkeyPatch, typed: str) -> None:
    typing(monkeypatch, typed)
    release.proved()
    with pytest.raises(NotConfirmed) as error:
        pypi.run(replace(release.context, asks=True))
    assert f"demo 1.0 was not confirmed (the answer was {typed!r})." in str(error.value)
    assert release.record.find(Released) is None


def test_in_ci_nobody_is_asked(release: Release, monkeypatch: pytest.MonkeyPatch) -> None:
    typing(monkeypatch, "1.0")
    release.proved()
    variables = {**release.context.variables, "CI": "true"}
    with pytest.raises(NotConfirmed):
        pypi.run(replace(release.context, asks=True, variables=variables))
    assert sys.stdin.read() == "1.0\n"


def test_nobody_is_asked_about_what_cannot_be_released(release: Release, monkeypatch: pytest.MonkeyPatch) -> None:
    typing(monkeypatch, "1.0")
    release.write(BUILT, REHEARSED)
    with pytest.raises(NotVerified):
        pypi.run(replace(release.context, asks=True))
    assert sys.stdin.read() == "1.0\n"


# Attestations.


def test_files_without_the_attestations_that_were_asked_for_are_named_after_the_record(
    release: Release, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An index on this machine takes none, so the upload itself is not the real one here."""
    send = Sending.send
    monkeypatch.setattr(Sending, "can_attest", lambda _: True)
    monkeypatch.setattr(Sending, "send", lambda sending, **_: (send(sending)[0], (WHEEL,)))
    release.proved()
    with pytest.raises(NotAttested) as error:
        confirmed(release)
    assert error.value.files == (SDIST,)
    released = release.record.find(Released)
    assert released is not None
    assert released.attested == (WHEEL,)


def test_a_full_disk_after_the_upload_is_told_as_such(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with release_in(tmp_path) as release:
        release.proved()
        with monkeypatch.context() as patched:
            patched.setattr("seatrial.release.record.write_whole", full)
            with pytest.raises(NotRecorded) as error:
                confirmed(release)
        assert release.held("pypi") == release.dists
        message = error.value.text(release.context.commands)
        assert "demo 1.0 is on PyPI, but that could not be recorded here: [Errno 28] No space left" in message
        assert "run `nox -s pypi -- --yes 1.0` once more: it uploads nothing twice" in message
        assert confirmed(release)


@pytest.mark.parametrize(("index", "place"), [("TestPyPI", "index.holdings"), ("PyPI", "steps.pypi")])
def test_an_index_that_takes_long_to_answer_is_named_meanwhile(
    release: Release, monkeypatch: pytest.MonkeyPatch, index: str, place: str
) -> None:
    monkeypatch.setattr("seatrial.machine.terminal.NOW_AND_THEN", 0.01)

    def slow(*facts: Any, **more: Any) -> Any:
        end = time.monotonic() + 10
        while f"pypi: asking {index}, 0 s" not in release.shown and time.monotonic() < end:
            time.sleep(0.01)
        return holdings(*facts, **more)

    monkeypatch.setattr(f"seatrial.{place}.holdings", slow)
    release.proved()
    if index == "PyPI":
        release.write(RELEASED)
    assert confirmed(release)
    assert f"pypi: asking {index}, 0 s" in release.shown


# A package that is released together with another.


@pytest.fixture
def core(release: Release) -> Path:
    """The files of `core`, which PyPI serves; the release was verified with the first of them."""
    folder = release.root.parent / "core"
    built = built_in(folder, version="2.0")
    release.serve("pypi", folder / "dist")
    release.serve("testpypi")
    release.write(BUILT, release_with=("../core",))
    release.write(REHEARSED)
    release.verified(*CELLS, installed=(guest(built.dists[0].sha256),))
    return folder / "dist"


def guest(sha256: str) -> Installed:
    return Installed("core", "2.0", "https://files.example/core", sha256)


@pytest.mark.usefixtures("core")
def test_what_was_verified_with_what_is_released_is_released(release: Release) -> None:
    assert confirmed(release)


@pytest.mark.parametrize("left", [0, 1])
def test_a_sibling_that_is_not_there_goes_first(release: Release, core: Path, left: int) -> None:
    missing = tuple(sorted(path.name for path in core.iterdir()))[left:]
    for name in missing:
        (release.standins.folder / "pypi" / name).unlink()
    with pytest.raises(SiblingNotReleased) as error:
        confirmed(release)
    assert (error.value.sibling, error.value.files) == ("core 2.0", missing)
    assert "credential" not in release.shown


@pytest.mark.usefixtures("core")
def test_a_sibling_that_was_built_again_is_verified_first(release: Release) -> None:
    release.verified(CELLS[0], installed=(guest("e" * 64),))
    with pytest.raises(SiblingChanged) as error:
        confirmed(release)
    assert error.value.sibling == "core 2.0"


@pytest.mark.usefixtures("core")
def test_a_cell_that_does_not_count_says_nothing_of_a_sibling(release: Release) -> None:
    release.verified(Cell("3.9", "wheel"), index=NOWHERE, installed=(guest("e" * 64),))
    assert confirmed(release)


def test_what_is_released_already_asks_for_no_sibling(release: Release, core: Path) -> None:
    for path in core.iterdir():
        (release.standins.folder / "pypi" / path.name).unlink()
    release.write(RELEASED)
    assert confirmed(release)
    assert f"demo 1.0 has been on PyPI since {AT}" in release.shown


def test_with_the_token_of_the_other_index_nothing_is_uploaded(tmp_path: Path) -> None:
    with release_in(tmp_path) as release:
        release.proved()
        release.context = replace(release.context, variables={"PYPI_TOKEN": make("testpypi.localhost")})
        with pytest.raises(BadCredential, match=r"is a token for testpypi\.localhost"):
            confirmed(release)
        assert release.held("pypi") == ()
