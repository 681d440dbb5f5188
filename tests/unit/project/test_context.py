from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from seatrial.index.indexes import PYPI, TESTPYPI
from seatrial.project.commands import ALL, Errand, Typed
from seatrial.project.context import REQUIREMENTS, ReusedEnvironment
from seatrial.project.settings import Config
from seatrial.release.record import Record
from seatrial.standin.standins import Standin
from seatrial.trial.installer import Installer, Venv
from tests.fakes import FakeSession, make_run
from tests.projects import write_tree

STANDIN = Standin(Path("place"), "http://127.0.0.1:1", "http://127.0.0.1:2")


@pytest.fixture(autouse=True)
def no_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)


def test_the_environment_of_a_session_is_the_folder_around_its_programs(tmp_path: Path) -> None:
    assert make_run(tmp_path).venv.root == tmp_path / ".nox" / "build"


@pytest.mark.parametrize(
    ("value", "expected"), [("true", True), ("1", True), ("YES", True), ("false", False), ("", False), ("0", False)]
)
def test_ci_says_that_it_is_ci(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, value: str, *, expected: bool) -> None:
    monkeypatch.setenv("CI", value)
    assert make_run(tmp_path).in_ci is expected
    assert make_run(tmp_path).interactive is not expected


def test_a_dry_run_is_never_as_strict_as_ci(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    assert not make_run(tmp_path, standin=STANDIN).in_ci


@pytest.mark.parametrize("interactive", [True, False])
def test_somebody_can_be_asked_where_nox_has_a_terminal(tmp_path: Path, *, interactive: bool) -> None:
    session = FakeSession(tmp_path, interactive=interactive)
    assert make_run(tmp_path, session=session).interactive is interactive


@pytest.mark.parametrize(
    ("door", "prefix", "args", "expected"),
    [
        (False, "", (), "nox -s check"),
        (False, "release-", ("--yes", "1.0"), "nox -s release-check -- --yes 1.0"),
        (True, "", (), "seatrial check"),
        (True, "", ("--yes", "1.0"), "seatrial check --yes 1.0"),
    ],
)
def test_a_command_is_what_a_person_types(
    tmp_path: Path, args: tuple[str, ...], prefix: str, expected: str, *, door: bool
) -> None:
    assert make_run(tmp_path, door=door, prefix=prefix).command("check", *args) == expected


def test_a_package_is_typed_as_whoever_asked_for_it_did(tmp_path: Path) -> None:
    run = make_run(tmp_path, door=True)
    assert run.command("pypi", "--yes", "1.0") == "seatrial pypi --yes 1.0"
    typed = Typed({"pypi": "release-pypi"}, option=("--package", "core"))
    asked = replace(run, errand=Errand(typed))
    assert asked.typed == typed
    assert asked.command("pypi", "--yes", "1.0") == "nox -s release-pypi -- --package core --yes 1.0"


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        (None, "`nox -s build -- --rebuild` in ../core"),
        (Typed({}, door=True), "`seatrial build --rebuild` in ../core"),
        (Typed({}, option=ALL), "`nox -s build -- --all --rebuild`"),
        (Typed({}, option=("--package", "cli")), "`nox -s build -- --package demo-core --rebuild`"),
        (Typed({}, True, ("--package", "cli")), "`seatrial build --package demo-core --rebuild`"),  # noqa: FBT003
    ],
)
def test_the_command_for_another_package_leads_there(tmp_path: Path, typed: Typed | None, expected: str) -> None:
    write_tree(tmp_path, {"core/pyproject.toml": "[project]\nname = 'Demo.Core'\n", "cli/setup.py": ""})
    run = make_run(tmp_path / "cli")
    asked = replace(run, errand=Errand(typed) if typed else None)
    assert asked.command_in(tmp_path / "core", "build", "--rebuild") == expected


def test_the_record_of_another_package_is_in_its_folder_or_that_of_the_dry_run(tmp_path: Path) -> None:
    core = tmp_path / "core"
    assert make_run(tmp_path / "cli").record_of(core) == Record.of(core)
    standin = replace(STANDIN, places={str(core): str(tmp_path / "place" / "core")})
    assert make_run(tmp_path / "cli", standin=standin).record_of(core) == Record.of(tmp_path / "place" / "core")


LOOPBACK = "http://127.0.0.1:4711/simple/"
REASON = ("--rehearse-on", "dryrun", "TestPyPI is down")


@pytest.mark.parametrize(
    ("words", "index", "counts"),
    [
        ((), TESTPYPI.simple, True),
        ((), LOOPBACK, False),
        ((), PYPI.simple, False),
        (REASON, TESTPYPI.simple, False),
        (REASON, LOOPBACK, True),
        (REASON, PYPI.simple, False),
    ],
)
def test_a_rehearsal_counts_where_it_is_asked_for(
    tmp_path: Path, words: tuple[str, ...], index: str, *, counts: bool
) -> None:
    assert make_run(tmp_path, *words, name="verify").counts(index) is counts


def test_a_rehearsal_index_on_this_machine_is_no_stand_in(tmp_path: Path) -> None:
    config = Config(testpypi=replace(TESTPYPI, simple=LOOPBACK))
    assert make_run(tmp_path, config=config).counts(LOOPBACK)
    assert not make_run(tmp_path, *REASON, config=config).counts(LOOPBACK)


def test_the_next_command_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make_run(tmp_path).next("build", "--rebuild")
    assert capsys.readouterr().out == "next: nox -s build -- --rebuild\n"


@pytest.mark.parametrize(("option", "told"), [((), True), (("--package", "core"), True), (ALL, False)])
def test_for_one_package_of_all_it_is_not(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], option: tuple[str, ...], *, told: bool
) -> None:
    run = replace(make_run(tmp_path), errand=Errand(Typed({}, option=option)))
    run.next("check")
    words = " ".join(["nox -s check", *(["--", *option] if option else [])])
    assert capsys.readouterr().out == (f"next: {words}\n" if told else "")


def test_inside_a_dry_run_it_is_not(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make_run(tmp_path, standin=STANDIN).next("check")
    assert capsys.readouterr().out == ""


def test_scratch_is_outside_the_project_and_gone_afterwards(tmp_path: Path) -> None:
    with make_run(tmp_path).scratch() as scratch:
        assert scratch.is_dir()
        assert scratch.name.startswith("seatrial-build-")
        assert tmp_path not in scratch.parents
    assert not scratch.exists()


@pytest.mark.parametrize("uv", [None, "/bin/uv"])
def test_the_installer_takes_dependencies_from_their_own_index(tmp_path: Path, uv: str | None) -> None:
    installer = make_run(tmp_path, uv=uv).installer(tmp_path)
    assert (installer.uv, installer.index, installer.scratch) == (uv, PYPI.simple, tmp_path)
    assert installer.env["PIP_CONFIG_FILE"] == os.devnull


# The environment of `verify`.


def test_an_environment_is_used_once(tmp_path: Path) -> None:
    make_run(tmp_path).claim()
    with pytest.raises(ReusedEnvironment, match=r"--reuse-venv=no"):
        make_run(tmp_path).claim()


def test_an_environment_that_nox_made_is_not_made_again(tmp_path: Path) -> None:
    session = FakeSession(tmp_path)
    run = make_run(tmp_path, session=session)
    run.claim()
    run.renew()
    assert session.virtualenv.created == 0


def test_an_environment_that_nox_was_let_keep_is_made_anew_before_it_is_worked_in(tmp_path: Path) -> None:
    make_run(tmp_path).claim()
    session = FakeSession(tmp_path)
    run = make_run(tmp_path, session=session, kept=True)
    left = write_tree(run.venv.root, {"left.txt": ""}) / "left.txt"
    run.claim()
    assert left.exists()
    run.renew()
    assert (session.virtualenv.created, left.exists()) == (1, False)
    with pytest.raises(ReusedEnvironment):
        make_run(tmp_path).claim()


def test_an_environment_that_cannot_be_made_anew_is_not_worked_in(tmp_path: Path) -> None:
    session = FakeSession(tmp_path)
    session.virtualenv.stubborn = True
    with pytest.raises(ReusedEnvironment):
        make_run(tmp_path, session=session, kept=True).renew()


def test_earlier_versions_are_read_where_the_project_is_released_also_in_a_dry_run(tmp_path: Path) -> None:
    run = make_run(tmp_path, standin=STANDIN, config=STANDIN.replacing(Config()))
    assert run.published == run.config.pypi
    assert replace(run, own_index=PYPI).published == PYPI


def test_tools_of_a_stand_in_are_in_the_scratch_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[tuple[Path, str | None]] = []
    locked: list[tuple[Venv, Path]] = []

    def create(_installer: Installer, root: Path, python: str | None) -> Venv:
        made.append((root, python))
        return Venv(root)

    monkeypatch.setattr(Installer, "create", create)
    monkeypatch.setattr(Installer, "locked", lambda _installer, *args: locked.append(args))
    venv = Venv(tmp_path / "build-tools")
    assert make_run(tmp_path).tools_in(tmp_path, "build") == venv.python
    assert made == [(venv.root, None)]
    assert locked == [(venv, REQUIREMENTS / "build.txt")]
