from __future__ import annotations

import functools
import json
import sys
import time
import traceback
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from seatrial.index import indexes
from seatrial.index.credentials import BadCredential, NoCredential
from seatrial.index.indexes import PYPI, TESTPYPI, Holdings, Index, Served, read_project
from seatrial.index.tokens import Token, narrow
from seatrial.index.uploads.upload import Job, UploadRefused, upload
from seatrial.machine import process
from seatrial.machine.process import Outcome, ToolFailed, ToolStuck
from seatrial.project.context import Run
from seatrial.project.options import parse
from seatrial.project.settings import Config
from seatrial.release.record import FilesChanged, Record, StageMissing
from seatrial.release.stages import Built, Cell, Checked, Dist, Installed, Rehearsed, Released, Verified
from seatrial.standin.server import added_caveats, make_index, make_token, serving
from seatrial.standin.standins import RehearsedElsewhere, Standin
from seatrial.steps import publish, uploading
from seatrial.steps.publish import Dirty, FilesNotVerified, NotAttested, NotConfirmed, NotVerified, TagElsewhere
from seatrial.steps.uploading import PublisherRefused
from seatrial.workspace.siblings import SiblingChanged, SiblingNotReleased
from tests.oidc_server import REQUEST_TOKEN, Issuer, jwt, write_twine
from tests.projects import commit, git, sample, write_tree
from tests.samples.records import built_in
from tests.unit.test_standin import METADATA, SDIST, WHEEL, sdist, wheel

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from seatrial.release.stages import Stage

NOW = 1_800_000_000.5
AT = "2024-05-06T07:08:09Z"
NAMES = {name: name for name in ("build", "check", "testpypi", "verify", "pypi")}
CELLS = (Cell("3.13", "wheel"), Cell("3.13", "sdist"), Cell("3.14", "wheel"), Cell("3.14", "sdist"))
TOKENS = {"TESTPYPI_TOKEN": make_token("test.pypi.org"), "PYPI_TOKEN": make_token("pypi.org")}


@dataclass
class Project:
    """A project whose release is recorded as far as a test wants, and the uploads that were asked for."""

    root: Path
    record: Record
    commit: str | None = None
    jobs: list[Job] = field(default_factory=list)
    known: tuple[Served, ...] = ()
    testpypi: Index = TESTPYPI

    def run(self, *args: str, standin: Standin | None = None, interactive: bool = False, **changes: Any) -> Run:
        config = Config(pythons=("3.13", "3.14"))
        return Run(
            session=SimpleNamespace(interactive=interactive),  # type: ignore[arg-type]
            name="pypi",
            names=NAMES,
            root=self.root,
            door=False,
            config=replace(standin.replacing(config) if standin else config, **changes),
            options=parse("pypi", args, self.root),
            record=self.record,
            standin=standin,
            uv=None,
        )

    @property
    def dists(self) -> tuple[Dist, ...]:
        return tuple(sorted(Dist.from_file(path) for path in self.record.dist.iterdir()))

    def write(self, stage: type[Stage], **facts: Any) -> None:
        common = {"project": "demo", "version": "1.0", "dists": self.dists, "at": AT}
        self.record.write(stage(**(common | DEFAULTS[stage] | facts)))

    def built(self, **facts: Any) -> None:
        self.write(Built, **({"commit": self.commit} | facts))

    def verified(self, *cells: Cell, **facts: Any) -> None:
        for cell in cells:
            self.write(Verified, python=cell.python, kind=cell.kind, **facts)

    def proved(self) -> None:
        """Record all that `pypi` asks for."""
        self.built()
        self.write(Rehearsed)
        self.verified(*CELLS)


DEFAULTS: dict[type[Stage], dict[str, Any]] = {
    Built: {
        "tag": None,
        "dirty": False,
        "epoch": 1714979289,
        "fingerprint": "tree:c0ffee",
        "normalised": (),
        "tools": (),
        "matrix": CELLS,
    },
    Checked: {"rules": (), "problems": (), "trials": ()},
    Rehearsed: {"index": TESTPYPI.simple, "urls": ()},
    Verified: {
        "index": TESTPYPI.simple,
        "python_version": "3.14.0",
        "sys_platform": "linux",
        "machine": "x86_64",
        "filename": WHEEL,
        "installed": (),
        "imported": ("demo",),
        "ran": (),
    },
    Released: {"index": PYPI.simple, "urls": ()},
}


@pytest.fixture(autouse=True)
def outer_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a laptop, with a token for each index."""
    for name in ("CI", "GITHUB_ACTIONS", "GITLAB_CI", "TWINE_USERNAME", "TWINE_PASSWORD"):
        monkeypatch.delenv(name, raising=False)
    for name, token in TOKENS.items():
        monkeypatch.setenv(name, token)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    root = tmp_path / "ein Übungsstück"
    (root / "dist").mkdir(parents=True)
    (root / "dist" / WHEEL).write_bytes(wheel())
    (root / "dist" / SDIST).write_bytes(sdist())
    made = Project(root, Record.of(root))

    def upload_noted(job: Job) -> Holdings:
        made.jobs.append(job)
        served = tuple(
            Served(dist.filename, dist.sha256, f"https://files.example/{dist.filename}", yanked=False)
            for dist in job.dists
        )
        return Holdings(job.dists, (), (), (), (), served)

    monkeypatch.setattr(uploading, "upload", upload_noted)
    monkeypatch.setattr(uploading, "read_project", lambda _index, _project: made.known)
    monkeypatch.setattr(time, "time", lambda: NOW)
    monkeypatch.setattr(Run, "tools", lambda _run, lock: Path(sys.prefix) / lock)
    return made


@pytest.fixture
def in_git(project: Project) -> Project:
    """The same project in a git repository."""
    sample(project.root)
    project.commit = commit(project.root)
    return project


# The rehearsal.


def test_checked_files_are_rehearsed_and_recorded(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    project.built()
    project.write(Checked)
    publish.rehearse(project.run())
    (job,) = project.jobs
    assert (job.index, job.project, job.version, job.dists) == (TESTPYPI, "demo", "1.0", project.dists)
    assert (job.folder, job.limit) == (project.root / "dist", 900)
    assert Token.parse(job.env()["TWINE_PASSWORD"]).scope.projects == frozenset({"demo"})
    found = project.record.read(Rehearsed, session="testpypi")
    assert (found.index, found.dists) == (TESTPYPI.simple, project.dists)
    assert found.urls == tuple(f"https://files.example/{dist.filename}" for dist in project.dists)
    said = capsys.readouterr().out
    assert f"index: {TESTPYPI.upload}  credential: TESTPYPI_TOKEN" in said
    assert "TestPyPI serves exactly the files that were built: https://test.pypi.org/project/demo/1.0/" in said


def test_no_secret_is_said(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    project.built()
    project.write(Checked)
    publish.rehearse(project.run())
    project.verified(*CELLS)
    publish.release(project.run("--yes", "1.0"))
    assert len(project.jobs) == 2
    text = capsys.readouterr().out + repr(project.jobs)
    assert not [token for token in TOKENS.values() if token in text]


@pytest.mark.parametrize(("recorded", "missing"), [((), "built"), ((Built,), "checked")])
def test_what_is_not_checked_is_not_rehearsed(
    project: Project, recorded: tuple[type[Stage], ...], missing: str
) -> None:
    for kind in recorded:
        project.write(kind, **({"commit": None} if kind is Built else {}))
    with pytest.raises(StageMissing) as error:
        publish.rehearse(project.run())
    assert error.value.stage == missing
    assert project.jobs == []


def test_a_rehearsal_that_is_recorded_is_not_repeated(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    project.built()
    project.write(Checked)
    project.write(Rehearsed)
    publish.rehearse(project.run())
    assert project.jobs == []
    assert f"demo 1.0 is on TestPyPI already, since {AT}." in capsys.readouterr().out


def test_a_rehearsal_elsewhere_is_none(project: Project) -> None:
    project.built()
    project.write(Checked)
    project.write(Rehearsed, index="http://127.0.0.1:8000/simple/")
    publish.rehearse(project.run())
    assert project.record.read(Rehearsed, session="testpypi").index == TESTPYPI.simple


def test_a_dirty_tree_is_not_rehearsed(in_git: Project) -> None:
    write_tree(in_git.root, {"src/demo/new.py": ""})
    in_git.built(dirty=True)
    in_git.write(Checked)
    with pytest.raises(Dirty) as error:
        publish.rehearse(in_git.run())
    assert error.value.files == ("src/demo/new.py",)
    assert in_git.jobs == []


def test_a_tree_that_was_dirty_stays_refused(in_git: Project) -> None:
    in_git.built(dirty=True)
    in_git.write(Checked)
    with pytest.raises(Dirty) as error:
        publish.rehearse(in_git.run())
    assert error.value.files == ("(the tree was dirty when `build` ran)",)


def test_a_dirty_tree_may_be_rehearsed_on_this_machine(project: Project, tmp_path: Path) -> None:
    project.built(dirty=True)
    project.write(Checked)
    publish.rehearse(project.run(standin=Standin(tmp_path, "http://127.0.0.1:1", "http://127.0.0.1:2")))
    assert project.jobs[0].index.upload == "http://127.0.0.1:1/legacy/"


def test_without_a_fitting_credential_nothing_is_uploaded(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    project.built()
    project.write(Checked)
    monkeypatch.setenv("TESTPYPI_TOKEN", TOKENS["PYPI_TOKEN"])
    with pytest.raises(BadCredential):
        publish.rehearse(project.run())
    assert project.jobs == []
    assert project.record.find(Rehearsed) is None


# The gate.


def test_what_is_proved_is_released(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    project.proved()
    publish.release(project.run("--yes", "1.0"))
    (job,) = project.jobs
    assert (job.index, job.dists) == (PYPI, project.dists)
    assert added_caveats(TOKENS["PYPI_TOKEN"], job.env()["TWINE_PASSWORD"])
    found = project.record.read(Released, session="pypi")
    built = project.record.read(Built, session="build")
    assert found.dists == built.dists == project.dists
    assert (found.index, len(found.urls)) == (PYPI.simple, 2)
    said = capsys.readouterr().out
    assert [dist.sha256 for dist in project.dists if dist.sha256 not in said] == []
    assert "PyPI serves exactly the files that were rehearsed: https://pypi.org/project/demo/1.0/" in said
    assert "git tag" not in said


@pytest.mark.parametrize("kind", [Built, Rehearsed])
def test_what_is_not_recorded_is_not_released(project: Project, kind: type[Stage]) -> None:
    project.proved()
    project.record.path(kind).unlink()
    with pytest.raises(StageMissing):
        publish.release(project.run("--yes", "1.0"))
    assert project.jobs == []


def test_files_that_changed_since_are_not_released(project: Project) -> None:
    project.proved()
    (project.record.dist / WHEEL).write_bytes(wheel(METADATA + "Summary: another\n"))
    with pytest.raises(FilesChanged):
        publish.release(project.run("--yes", "1.0"))
    assert project.jobs == []


@pytest.mark.parametrize("index", ["http://127.0.0.1:8000/simple/", PYPI.simple])
def test_a_rehearsal_on_another_index_does_not_count(project: Project, index: str) -> None:
    project.proved()
    project.write(Rehearsed, index=index)
    with pytest.raises(RehearsedElsewhere) as error:
        publish.release(project.run("--yes", "1.0"))
    assert f"rehearsed on {index}, and the rehearsal index of this release is {TESTPYPI.simple}" in str(error.value)
    assert project.jobs == []


def test_on_a_laptop_one_cell_of_each_kind_is_enough(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    project.built()
    project.write(Rehearsed)
    project.verified(Cell("3.13", "wheel"), Cell("3.14", "sdist"))
    publish.release(project.run("--yes", "1.0"))
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[1:3] for line in lines if "not verified (" in line] == [["3.13", "sdist"], ["3.14", "wheel"]]


def test_files_that_no_cell_installed_are_named(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    project.built()
    project.write(Rehearsed)
    project.verified(*CELLS, filename="another.whl")
    publish.release(project.run("--yes", "1.0"))
    said = capsys.readouterr().out
    missed = [dist.filename for dist in project.record.find(Built).dists]  # type: ignore[union-attr]
    assert all(f"  {name}: not verified here, " in said.partition("not verified here:\n")[2] for name in missed)


@pytest.mark.parametrize("required", ["all", ("*.whl",)])
def test_files_that_the_settings_ask_for_have_to_be_verified(
    project: Project, required: str | tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    project.built()
    project.write(Rehearsed)
    project.verified(*CELLS, filename="another.whl")
    with pytest.raises(FilesNotVerified) as error:
        publish.release(project.run("--yes", "1.0", require_verified=required))
    assert f"by `require-verified = {json.dumps(required)}`, and are not:\n  " in str(error.value)
    assert not project.jobs
    for dist in project.record.find(Built).dists:  # type: ignore[union-attr]
        project.verified(Cell("3.13", dist.kind), filename=dist.filename)
    capsys.readouterr()
    publish.release(project.run("--yes", "1.0", require_verified=required))
    assert "not verified here" not in capsys.readouterr().out


def test_lowest_dependencies_that_were_not_tried_are_noted(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    project.proved()
    note = "note: not verified with the lowest direct dependencies"
    publish.release(project.run("--yes", "1.0", resolution="lowest-direct"))
    assert note in capsys.readouterr().out
    (project.record.folder / "released.json").unlink(missing_ok=True)
    project.verified(Cell("3.13", "wheel"), lowest=(Installed("demo", "1.0"),))
    publish.release(project.run("--yes", "1.0", resolution="lowest-direct"))
    assert note not in capsys.readouterr().out


@pytest.mark.parametrize("kind", ["wheel", "sdist"])
def test_on_a_laptop_each_kind_must_be_verified(project: Project, kind: str) -> None:
    project.built()
    project.write(Rehearsed)
    project.verified(*(cell for cell in CELLS if cell.kind != kind))
    with pytest.raises(NotVerified) as error:
        publish.release(project.run("--yes", "1.0"))
    assert error.value.missing == (f"Python 3.13, {kind}", f"Python 3.14, {kind}")
    assert not error.value.in_ci
    assert project.jobs == []


def test_in_ci_every_cell_must_be_verified(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    project.built()
    project.write(Rehearsed)
    project.verified(*CELLS[:-1])
    with pytest.raises(NotVerified) as error:
        publish.release(project.run("--yes", "1.0"))
    assert (error.value.missing, error.value.in_ci) == (("Python 3.14, sdist",), True)
    assert project.jobs == []
    project.verified(CELLS[-1])
    publish.release(project.run("--yes", "1.0"))
    assert len(project.jobs) == 1


def test_a_rehearsal_on_this_machine_counts_where_it_is_asked_for(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    here = "http://127.0.0.1:8000/simple/"
    project.built()
    project.write(Rehearsed, index=here, reason="TestPyPI is down")
    project.verified(*CELLS, index="http://127.0.0.1:8001/simple/")  # each session has its own stand-in
    with pytest.raises(RehearsedElsewhere, match="To let the rehearsal on this machine count"):
        publish.release(project.run("--yes", "1.0"))
    publish.release(project.run("--yes", "1.0", "--rehearse-on", "dryrun", "it is still down"))
    assert len(project.jobs) == 1
    said = capsys.readouterr().out
    assert "note: rehearsed on a stand-in on this machine, not TestPyPI (TestPyPI is down)\n" in said


# A package that is released together with another.


@pytest.fixture
def family(project: Project, monkeypatch: pytest.MonkeyPatch) -> dict[str, list[Served]]:
    """What PyPI serves of other projects; the release of `core` is recorded, and this one was verified with it."""
    served: dict[str, list[Served]] = {}
    monkeypatch.setattr(indexes, "read_project", lambda _index, name, **_settings: served.get(name, []))
    core = built_in(project.root.parent / "core", version="2.0")
    project.built(release_with=("../core",))
    project.write(Rehearsed)
    project.verified(*CELLS, installed=(Installed("core", "2.0", "https://f.example/", core.dists[0].sha256),))
    served["core"] = [Served(dist.filename, dist.sha256, "https://f.example/", yanked=False) for dist in core.dists]
    return served


@pytest.mark.usefixtures("family")
def test_what_was_verified_with_what_is_released_is_released(project: Project) -> None:
    publish.release(project.run("--yes", "1.0"))
    assert [job.project for job in project.jobs] == ["demo"]


@pytest.mark.parametrize("left", [0, 1])
def test_a_sibling_that_is_not_there_goes_first(
    project: Project, family: dict[str, list[Served]], left: int, capsys: pytest.CaptureFixture[str]
) -> None:
    missing = tuple(file.filename for file in family["core"][left:])
    del family["core"][left:]
    with pytest.raises(SiblingNotReleased) as error:
        publish.release(project.run("--yes", "1.0"))
    assert (error.value.sibling, error.value.files) == ("core 2.0", missing)
    assert project.jobs == []
    assert "credential" not in capsys.readouterr().out


@pytest.mark.usefixtures("family")
def test_a_sibling_that_was_built_again_is_verified_first(project: Project) -> None:
    project.verified(CELLS[0], installed=(Installed("core", "2.0", "https://f.example/", "e" * 64),))
    with pytest.raises(SiblingChanged) as error:
        publish.release(project.run("--yes", "1.0"))
    assert error.value.sibling == "core 2.0"
    assert project.jobs == []


@pytest.mark.usefixtures("family")
def test_a_cell_that_does_not_count_says_nothing_of_a_sibling(project: Project) -> None:
    old = (Installed("core", "2.0", "https://f.example/", "e" * 64),)
    project.verified(Cell("3.9", "wheel"), index="http://127.0.0.1:8000/simple/", installed=old)
    publish.release(project.run("--yes", "1.0"))
    assert len(project.jobs) == 1


def test_what_is_released_already_asks_for_no_sibling(
    project: Project, family: dict[str, list[Served]], capsys: pytest.CaptureFixture[str]
) -> None:
    family.clear()
    project.write(Released)
    publish.release(project.run("--yes", "1.0"))
    assert f"demo 1.0 is on PyPI already, since {AT}." in capsys.readouterr().out


def test_nothing_verified_is_not_released(project: Project) -> None:
    project.built()
    project.write(Rehearsed)
    with pytest.raises(NotVerified):
        publish.release(project.run("--yes", "1.0"))


def test_what_was_verified_on_another_index_does_not_count(project: Project) -> None:
    project.built()
    project.write(Rehearsed)
    project.verified(*CELLS, index="http://127.0.0.1:8000/simple/")
    with pytest.raises(NotVerified):
        publish.release(project.run("--yes", "1.0"))


def test_a_kind_that_this_release_does_not_have_is_not_asked_for(project: Project) -> None:
    (project.record.dist / WHEEL).unlink()
    project.built()
    project.write(Rehearsed)
    project.verified(Cell("3.13", "sdist"))
    publish.release(project.run("--yes", "1.0"))
    assert [dist.filename for dist in project.jobs[0].dists] == [SDIST]


def test_a_cell_that_was_not_announced_counts_for_its_kind(project: Project) -> None:
    project.built()
    project.write(Rehearsed)
    project.verified(Cell("3.12", "wheel"), Cell("pypy3.11", "sdist"))
    publish.release(project.run("--yes", "1.0"))
    assert len(project.jobs) == 1


@pytest.mark.parametrize("tag", ["v1.0", "1.0"])
def test_a_tag_on_another_commit_stops_it(in_git: Project, tag: str) -> None:
    in_git.proved()
    write_tree(in_git.root, {"src/demo/new.py": ""})
    other = commit(in_git.root, tag)
    assert in_git.commit is not None
    with pytest.raises(TagElsewhere) as error:
        publish.release(in_git.run("--yes", "1.0"))
    assert (error.value.tag, error.value.commit, error.value.built) == (tag, other[:12], in_git.commit[:12])
    assert in_git.jobs == []


def test_a_tag_on_this_commit_is_fine(in_git: Project, capsys: pytest.CaptureFixture[str]) -> None:
    git(in_git.root, "tag", "-a", "-m", "a release", "v1.0")
    in_git.proved()
    publish.release(in_git.run("--yes", "1.0"))
    assert "git tag" not in capsys.readouterr().out


def test_another_head_is_said_and_does_not_stop(in_git: Project, capsys: pytest.CaptureFixture[str]) -> None:
    in_git.proved()
    write_tree(in_git.root, {"src/demo/new.py": ""})
    head = commit(in_git.root)
    publish.release(in_git.run("--yes", "1.0"))
    said = capsys.readouterr().out
    assert in_git.commit is not None
    assert f"note: HEAD is now {head[:12]}; these files were built from {in_git.commit[:12]}" in said
    assert f"next: git tag v1.0 {in_git.commit[:12]} && git push origin v1.0" in said


def test_a_dry_run_proposes_no_tag(in_git: Project, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    standin = Standin(tmp_path, "http://127.0.0.1:1", "http://127.0.0.1:2")
    in_git.built()
    in_git.write(Rehearsed, index="http://127.0.0.1:1/simple/")
    in_git.verified(*CELLS, index="http://127.0.0.1:1/simple/")
    publish.release(in_git.run("--yes", "1.0", standin=standin))
    assert in_git.jobs[0].index.upload == "http://127.0.0.1:2/legacy/"
    assert "git tag" not in capsys.readouterr().out


def test_a_repository_that_has_gone_does_not_stop(in_git: Project, capsys: pytest.CaptureFixture[str]) -> None:
    in_git.proved()
    (in_git.root / ".git").rename(in_git.root.parent / "gone")
    publish.release(in_git.run("--yes", "1.0"))
    assert "note: HEAD is now gone" in capsys.readouterr().out


# The confirmation.


@pytest.mark.parametrize("args", [(), ("--yes", "1"), ("--yes", "1.0.0"), ("--yes", "v1.0"), ("--yes", "yes")])
def test_without_the_version_nothing_is_released(project: Project, args: tuple[str, ...]) -> None:
    project.proved()
    with pytest.raises(NotConfirmed) as error:
        publish.release(project.run(*args))
    assert error.value.typed == (args[1] if args else None)
    assert "What to do: nox -s pypi -- --yes 1.0" in str(error.value)
    assert project.jobs == []
    assert project.record.find(Released) is None


@pytest.mark.parametrize("typed", ["1.0", " 1.0 "])
def test_on_a_terminal_the_version_is_typed(
    project: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], typed: str
) -> None:
    monkeypatch.setattr("builtins.input", lambda _prompt: typed)
    project.proved()
    publish.release(project.run(interactive=True))
    assert len(project.jobs) == 1
    assert "This cannot be undone: 1.0 of demo can never be uploaded again." in capsys.readouterr().out


@pytest.mark.parametrize("typed", ["", "y", "yes", "1.1"])
def test_another_answer_is_no_confirmation(project: Project, monkeypatch: pytest.MonkeyPatch, typed: str) -> None:
    monkeypatch.setattr("builtins.input", lambda _prompt: typed)
    project.proved()
    with pytest.raises(NotConfirmed) as error:
        publish.release(project.run(interactive=True))
    assert error.value.typed == typed


def test_in_ci_nobody_is_asked(project: Project, monkeypatch: pytest.MonkeyPatch, refuse: Callable[..., None]) -> None:
    monkeypatch.setenv("CI", "true")
    monkeypatch.setattr("builtins.input", refuse)
    project.proved()
    with pytest.raises(NotConfirmed):
        publish.release(project.run(interactive=True))


@pytest.fixture
def refuse() -> Callable[..., None]:
    def called(*_args: object) -> None:
        pytest.fail("somebody was asked")

    return called


def test_the_confirmation_comes_after_the_gate(
    project: Project, monkeypatch: pytest.MonkeyPatch, refuse: Callable[..., None]
) -> None:
    monkeypatch.setattr("builtins.input", refuse)
    project.built()
    project.write(Rehearsed)
    with pytest.raises(NotVerified):
        publish.release(project.run(interactive=True))


def test_a_release_that_is_recorded_is_not_repeated(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    project.proved()
    project.write(Released)
    publish.release(project.run())
    assert project.jobs == []
    assert f"demo 1.0 is on PyPI already, since {AT}." in capsys.readouterr().out


def test_a_release_elsewhere_is_none(project: Project) -> None:
    project.proved()
    project.write(Released, index="http://127.0.0.1:8000/simple/")
    publish.release(project.run("--yes", "1.0"))
    assert project.record.read(Released, session="pypi").index == PYPI.simple


# All of it, with a real twine and real indexes.


def test_the_same_files_go_to_both_indexes(project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploading, "upload", upload)
    monkeypatch.setattr(time, "time", lambda: datetime.now(timezone.utc).timestamp())  # what the stand-in reads
    monkeypatch.setattr(Run, "tools", lambda *_: Path(sys.executable))
    apps = [make_index(tmp_path / name, TOKENS[f"{name.upper()}_TOKEN"]) for name in ("testpypi", "pypi")]
    with serving(apps[0]) as testpypi, serving(apps[1]) as pypi:
        run = project.run("--yes", "1.0", standin=Standin(project.root, testpypi, pypi))
        project.built()
        project.write(Checked)
        publish.rehearse(run)
        assert list((tmp_path / "pypi").iterdir()) == []
        project.verified(*CELLS, index=run.config.testpypi.simple)
        publish.release(run)
    for name in ("testpypi", "pypi"):
        assert tuple(sorted(Dist.from_file(path) for path in (tmp_path / name).iterdir())) == project.dists
