"""The dry run: what it shows, what it leaves, and what it leaves alone."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from seatrial.building.isolation import NAME
from seatrial.machine.disk import locked_file
from seatrial.machine.temporary import ALIVE, PREFIX
from seatrial.release.record import Record, load
from seatrial.release.stages import Built, Checked, Dist, Rehearsed, Released, Verified
from tests.integration.conftest import PROGRAM, RUNNING, copy_state, project_in
from tests.projects import write_tree

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.integration.conftest import Ended, Project, Rehearsal

posix = pytest.mark.skipif(os.name == "nt", reason="POSIX signals")


@dataclass(frozen=True)
class Shown:
    """What came of one dry run of a project that is checked, with the tokens of somebody and another record at hand."""

    ended: Ended
    kept: Path
    before: dict[Path, bytes]
    after: dict[Path, bytes]


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory, rehearsal: Rehearsal) -> Shown:
    folder = tmp_path_factory.mktemp("shown")
    project = project_in(folder)
    copy_state(rehearsal.after("check"), project, folder / "indexes")
    project.env = {"PYPI_TOKEN": "pypi-of-somebody", "TWINE_PASSWORD": "of-somebody", "SEATRIAL_RECORD": "0" * 64}

    def own() -> dict[Path, bytes]:
        return {path: path.read_bytes() for path in [*project.dist.iterdir(), *project.record.glob("*.json")]}

    before = own()
    return Shown(project.step("dryrun", "--keep", str(folder / "kept")), folder / "kept", before, own())


def test_it_shows_what_was_proved_and_what_it_cannot_show(shown: Shown) -> None:
    done = shown.ended
    assert done.code == 0, done.output
    assert done.shows(*(f"ok {step}" for step in ("build", "check", "testpypi", "verify", "pypi")))
    assert done.shows("dry run of demo 1.0 passed: 2 files, the same bytes on both stand-ins")
    assert done.shows(f"Python {RUNNING} wheel imported demo", f"Python {RUNNING} sdist imported demo")
    assert done.shows("what a dry run cannot show:")


def test_the_projects_own_files_and_record_stay_untouched(shown: Shown) -> None:
    assert len(shown.before) == 4
    assert shown.after == shown.before


def test_real_tokens_and_a_real_record_do_not_reach_it(shown: Shown) -> None:
    assert shown.ended.code == 0
    assert "of-somebody" not in shown.ended.output


def test_keep_leaves_the_files_the_record_and_both_indexes(shown: Shown) -> None:
    built = load(shown.kept / "release-record" / "built.json", Built)
    for place in ("dist", "testpypi", "pypi"):
        assert tuple(sorted(map(Dist.from_file, (shown.kept / place).iterdir()))) == built.dists
    record = Record.of(shown.kept)
    stages = [record.find(kind) for kind in (Built, Checked, Rehearsed, Released)]
    assert all(stage is not None and stage.dists == built.dists for stage in stages)
    assert {type(stage) for stage in record.verified()} == {Verified}


def test_keep_refuses_a_folder_in_use(project: Project, tmp_path: Path) -> None:
    write_tree(tmp_path / "kept", {"mine.txt": "mine"})
    refused = project.step("dryrun", "--keep", str(tmp_path / "kept"))
    assert refused.code == 1
    assert refused.shows("it exists and is not an empty folder")
    assert (tmp_path / "kept" / "mine.txt").exists()


def test_keep_leaves_what_there_is_also_when_it_fails(make_project: Callable[..., Project], tmp_path: Path) -> None:
    project = make_project(files={"src/demo/__init__.py": '"""A module."""\n__version__ = "1.0"\nimport nowhere\n'})
    stopped = project.step("dryrun", "--keep", str(tmp_path / "kept"))
    assert stopped.code == 1
    assert stopped.shows(
        "`demo` cannot be imported", "No module named 'nowhere'", "FAILED check", "no version was spent"
    )
    assert (tmp_path / "kept" / "dist" / "demo-1.0.tar.gz").exists()


@pytest.mark.slow
@pytest.mark.parametrize("uv", [True, False], ids=["uv", "pip"])
def test_it_works_with_uv_and_without(make_project: Callable[..., Project], tmp_path: Path, *, uv: bool) -> None:
    project = make_project(dependencies=["six"])
    done = project.step("dryrun", "--keep", str(tmp_path / "kept"), uv=uv)
    assert done.code == 0, done.output
    assert done.output.count(" pip compile ") == (1 if uv else 0)  # the dependencies are resolved once
    (wheel,) = (tmp_path / "kept" / "release-record").glob("verified-*-wheel.json")
    installed = {package.name: package for package in load(wheel, Verified).installed}
    assert set(installed) - {"pip"} == {"demo", "six"}
    assert installed["six"].origin is not None
    assert installed["six"].origin.startswith("https://")
    assert len(installed["six"].sha256 or "") == 64
    assert (installed["demo"].origin or "").startswith("http://127.0.0.1:")


def test_a_project_without_git_and_with_modules_named_as_ours(make_project: Callable[..., Project]) -> None:
    """It is rehearsed from a copy, and what it has beside its package hides nothing that we import."""
    modules = ("packaging", "build", "email", "tasks", "rich", "virtualenv", "seatrial")
    traps = {name: f"raise RuntimeError('the {name} of the project was imported')\n" for name in modules}
    folders = {f"{name}/__init__.py": trap for name, trap in traps.items()}
    project = make_project(files={**folders, "tasks.py": traps["tasks"]}, commit_it=False)
    done = project.run([sys.executable, "-I", str(PROGRAM), "dryrun", "--", "-v"])  # which has imported nothing yet
    assert done.code == 0, done.output
    assert done.shows("a copy of the working tree (no git here)")


def test_the_sdist_alone_of_a_dirty_tree(project: Project) -> None:
    write_tree(project.root, {"src/demo/more.py": "x = 1\n"})
    done = project.step("dryrun", "--sdist-only")
    assert done.code == 0, done.output
    assert done.shows("1 uncommitted change is not in this build: src/demo/more.py", "there is no wheel")
    assert done.shows("1 file, the same bytes on both stand-ins", "to release this commit: commit 1 change")


def test_ready_made_files_are_taken_as_they_are(
    project: Project, bring: Callable[[str], Project], tmp_path: Path
) -> None:
    bring("build")
    (tmp_path / "wheelhouse").mkdir()
    for path in project.dist.iterdir():
        (tmp_path / "wheelhouse" / path.name).write_bytes(path.read_bytes())
    done = project.step("dryrun", "--from", str(tmp_path / "wheelhouse"), "--keep", str(tmp_path / "kept"))
    assert done.code == 0, done.output
    assert {path.name: path.read_bytes() for path in (tmp_path / "kept" / "pypi").iterdir()} == project.files()


def descendants(marker: str) -> list[str]:
    """Return the command lines of living processes that mention `marker`."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
        except OSError:
            continue
        if marker in words:
            found.append(words)
    return found


@posix
@pytest.mark.skipif(not Path("/proc").is_dir(), reason="processes are looked up in /proc")
@pytest.mark.parametrize(
    ("number", "until"),
    [
        (signal.SIGINT, "Building sdist"),
        (signal.SIGTERM, "Building sdist"),
        (signal.SIGINT, "seatrial-check.* check --name"),
        (signal.SIGTERM, "seatrial-verify.* check --name"),
    ],
    ids=str,
)
def test_an_end_from_outside_leaves_no_process_and_no_folder(
    make_project: Callable[..., Project], tmp_path: Path, number: int, until: str
) -> None:
    slow = '"""A module."""\n__version__ = "1.0"\nimport time\ntime.sleep(1)\n'
    project = make_project(files={"src/demo/__init__.py": slow})
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    environment = os.environ | {"TMPDIR": str(temporary), "PYTHONUNBUFFERED": "1"}
    argv = [sys.executable, "-I", "-m", "seatrial", "dryrun", "-v"]
    with subprocess.Popen(
        argv, cwd=project.root, env=environment, stdout=subprocess.PIPE, start_new_session=True, text=True
    ) as running:
        assert running.stdout is not None
        for line in running.stdout:
            if re.search(until, line):
                break
        running.send_signal(number)
        running.stdout.read()
        assert running.wait(60) != 0
    left = {path.name for path in temporary.glob("seatrial-*")}
    assert left <= {NAME}  # kept for the next build, and empty
    assert {path.name for path in (temporary / NAME).glob("*")} <= {".lock"}
    assert descendants(str(temporary)) == []


@pytest.mark.parametrize("session", ["dryrun", "status"])
def test_what_a_killed_run_left_is_swept_by_the_next_however_that_ends(
    project: Project, tmp_path: Path, session: str
) -> None:
    project.change({"pyproject.toml": '[build-system]\nrequires = []\nbuild-backend = "nowhere"\n'})
    killed, alive = tmp_path / f"{PREFIX}killed", tmp_path / f"{PREFIX}alive"
    write_tree(tmp_path, {f"{folder.name}/{ALIVE}": "" for folder in (killed, alive)})
    with locked_file(alive / ALIVE):
        project.env |= dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(tmp_path))
        assert project.step(session).code == (session == "dryrun")
        assert not killed.exists()
        assert alive.exists()
