from __future__ import annotations

import contextlib
import json
import shutil
import sys
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from seatrial.cli.listed import NAMES
from seatrial.cli.register import PROJECT_VARIABLE
from seatrial.index.indexes import Index
from seatrial.machine import process
from seatrial.machine.process import Outcome
from seatrial.project import commands
from seatrial.project.commands import Errand, Typed
from seatrial.project.context import Run
from seatrial.project.settings import Config
from seatrial.release.record import DIGEST_VARIABLE, Record
from seatrial.release.stages import Dist
from seatrial.standin import standins
from seatrial.standin.standins import Standin, StandinFailed, from_environment
from seatrial.steps.dryrun import BadWorkspace, DryrunFailed, LocalWheel, _held, dryrun, of_all
from seatrial.workspace import batch
from seatrial.workspace.batch import Caller, TogetherFailed
from seatrial.workspace.packages import PackageCycle, find
from tests.fakes import make_run
from tests.projects import write_tree
from tests.samples.stages import BUILT, CHECKED, FILES, REHEARSED, RELEASED, VERIFIED
from tests.samples.workspaces import project

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from seatrial.machine.process import OnWait
    from seatrial.release.stages import Stage
    from seatrial.workspace.packages import Repository

NOX = ("python", "-c", "nox")
ANNOUNCED = json.dumps(
    {
        "testpypi": {"url": "http://127.0.0.1:1", "token": "a testpypi token"},
        "pypi": {"url": "http://127.0.0.1:2", "token": "a pypi token"},
    }
)


class FakeNox:
    """The nested runs of nox: `testpypi` leaves a rehearsed release, `verify` a cell of it, `pypi` a released one."""

    def __init__(self) -> None:
        self.line = ANNOUNCED
        self.codes = {"testpypi": 0, "verify": 0, "pypi": 0}
        self.built = BUILT
        self.checked = CHECKED
        self.released = RELEASED
        self.held = FILES
        self.ran: list[tuple[str, ...]] = []
        self.envs: list[Mapping[str, str]] = []

    def run(self, argv: Sequence[str], *, env: Mapping[str, str], cwd: Path, on_wait: OnWait) -> Outcome:
        on_wait(15.0)
        return Outcome(self.run_shown(argv, env=env, cwd=cwd), f"all that {argv[-1]} says\n")

    def run_shown(self, argv: Sequence[str], *, env: Mapping[str, str], cwd: Path) -> int:
        assert cwd == Path.cwd()
        self.ran.append(tuple(argv))
        self.envs.append(env)
        session, _, cell = argv[argv.index("--session") + 1].partition("-")
        standin = from_environment(env)
        assert standin is not None
        record = Record.of(standin.place)
        if session == "verify":
            record.write(replace(VERIFIED, kind="wheel" if "wheel" in cell else "sdist"))
        else:
            getattr(self, f"_{session}")(standin.place, record)
        return self.codes[session]

    def _testpypi(self, place: Path, record: Record) -> None:
        write_tree(place / "dist", FILES)
        for stage in (self.built, self.checked, REHEARSED):
            record.write(stage)

    def _pypi(self, place: Path, record: Record) -> None:
        record.write(self.released)
        for index in ("testpypi", "pypi"):
            write_tree(place / index, self.held)

    @contextlib.contextmanager
    def serving(self, argv: Sequence[str], *, env: Mapping[str, str], cwd: Path) -> Iterator[str]:
        assert argv[-2:] == ("--root", str(cwd))
        assert "PYPI_TOKEN" not in env
        yield self.line + "\n"


@pytest.fixture
def nox(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> FakeNox:
    """Put a fake in place of the nested runs, the servers and the machine's temporary folder."""
    fake = FakeNox()
    monkeypatch.setattr(process, "run_shown", fake.run_shown)
    monkeypatch.setattr(process, "run", fake.run)
    monkeypatch.setattr(process, "serving", fake.serving)
    monkeypatch.setattr(Run, "tools", lambda *_: Path(sys.executable))
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    return fake


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "demo").mkdir()
    return tmp_path / "demo"


def rehearsed(root: Path, *words: str) -> None:
    dryrun(make_run(root, *words, name="dryrun"), NOX)


def test_the_whole_release_is_run_and_the_next_step_told(
    root: Path, nox: FakeNox, capsys: pytest.CaptureFixture[str]
) -> None:
    rehearsed(root)
    alone = (*NOX, "--no-dependencies", "--session")
    first, *cells, last = nox.ran
    assert first == (*NOX, "--session", "testpypi", "--")
    assert sorted(cells) == sorted((*alone, f"verify-{cell.python}({cell.kind})") for cell in BUILT.matrix)
    assert last == (*alone, "pypi", "--", "--yes", "1.0")
    told = capsys.readouterr().out
    assert "dry run of demo 1.0: all five sessions passed" in told
    assert "the bytes on both stand-ins are the bytes that were built (2 files, compared by sha256)" in told
    assert "warnings of `check`, in full above:\n  metadata-summary\n" in told
    assert "what a dry run cannot show" in told
    assert told.endswith("next: nox -s testpypi\n")


def test_the_nested_runs_get_the_stand_ins_tokens_and_no_other_secret(
    root: Path, nox: FakeNox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYPI_TOKEN", "the real one")
    monkeypatch.setenv("TWINE_PASSWORD", "the real one")
    monkeypatch.setenv(DIGEST_VARIABLE, "0" * 64)
    rehearsed(root)
    for env in nox.envs:
        assert (env["PYPI_TOKEN"], env["TESTPYPI_TOKEN"]) == ("a pypi token", "a testpypi token")
        assert not {"TWINE_PASSWORD", DIGEST_VARIABLE} & set(env)


def test_options_of_build_and_check_are_handed_on(root: Path, nox: FakeNox) -> None:
    rehearsed(root, "--from", "wheels", "--sdist-only", "--since", "0.9", "--offline")
    given = ("--from", str(root / "wheels"), "--since", "0.9", "--sdist-only", "--offline")
    assert nox.ran[0][-len(given) - 1 :] == ("--", *given)


@pytest.mark.usefixtures("nox")
def test_the_project_itself_stays_as_it_was(root: Path, tmp_path: Path) -> None:
    rehearsed(root)
    assert not (root / "dist").exists()
    assert {path.name for path in (root / "release-record").iterdir()} == {".gitignore"}
    assert list((tmp_path / "tmp").iterdir()) == []


def test_without_warnings_none_are_told(root: Path, nox: FakeNox, capsys: pytest.CaptureFixture[str]) -> None:
    nox.checked = replace(CHECKED, problems=())
    rehearsed(root)
    assert "warnings of" not in capsys.readouterr().out


def test_a_tree_that_is_not_clean_is_named(root: Path, nox: FakeNox, capsys: pytest.CaptureFixture[str]) -> None:
    nox.built = replace(BUILT, dirty=True)
    rehearsed(root)
    assert "commit them before `testpypi`" in capsys.readouterr().out


# What goes wrong.


def test_what_cells_say_that_are_verified_side_by_side_comes_in_one_piece(
    root: Path, nox: FakeNox, capsys: pytest.CaptureFixture[str]
) -> None:
    rehearsed(root)
    told = [line for line in capsys.readouterr().out.splitlines() if line.startswith(("all that", "still"))]
    cells = [f"{cell.kind} on Python {cell.python}" for cell in nox.built.matrix]
    assert sorted(line for line in told if line.startswith("still")) == sorted(
        f"still verifying the {cell} (15 s)" for cell in cells
    )
    said = [f"all that verify-{cell.python}({cell.kind}) says" for cell in nox.built.matrix]
    assert [line for line in told if line.startswith("all that")] == said


@pytest.mark.parametrize("session", ["testpypi", "verify", "pypi"])
def test_a_session_that_fails_stops_the_dry_run(root: Path, nox: FakeNox, session: str) -> None:
    nox.codes[session] = 1
    with pytest.raises(DryrunFailed, match=f"stopped in `{session}`; the real indexes were not touched"):
        rehearsed(root)
    last = nox.ran[-1]
    assert last[last.index("--session") + 1].startswith(session)


@pytest.mark.parametrize("held", [{"demo-1.0.tar.gz": "other"}, {**FILES, "demo-1.0.zip": ""}])
def test_other_bytes_on_the_indexes_are_no_success(root: Path, nox: FakeNox, held: Mapping[str, str]) -> None:
    nox.held = {**FILES, **held}
    with pytest.raises(DryrunFailed, match="testpypi and pypi differs from the build"):
        rehearsed(root)


@pytest.mark.parametrize("line", ["", "no port is free", "{}", "[]", '{"testpypi": {"url": "http://127.0.0.1:1"}}'])
def test_a_server_that_does_not_say_where_it_is_has_failed(root: Path, nox: FakeNox, line: str) -> None:
    nox.line = line
    with pytest.raises(StandinFailed, match="The stand-in indexes did not start"):
        rehearsed(root)
    assert nox.ran == []


@pytest.mark.parametrize(("stages", "name"), [((), "build"), ((BUILT,), "check"), ((BUILT, CHECKED), "testpypi")])
def test_the_session_that_stopped_is_named(
    root: Path, nox: FakeNox, monkeypatch: pytest.MonkeyPatch, stages: tuple[Stage, ...], name: str
) -> None:
    """The nested `testpypi` runs the sessions before it."""

    def run_shown(_argv: object, *, env: Mapping[str, str], cwd: Path) -> int:
        del cwd
        standin = from_environment(env)
        assert standin is not None
        write_tree(standin.place / "dist", FILES)
        for stage in stages:
            Record.of(standin.place).write(stage)
        return 1

    monkeypatch.setattr(process, "run_shown", run_shown)
    with pytest.raises(DryrunFailed, match=f"stopped in `{name}`"):
        rehearsed(root)
    assert nox.ran == []


# The folder of a dry run.


@pytest.mark.usefixtures("nox")
def test_what_is_to_be_kept_is_kept(root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rehearsed(root, "--keep", str(tmp_path / "a" / "kept"))
    kept = tmp_path / "a" / "kept"
    assert {path.name for path in kept.iterdir()} == {"dist", "release-record", "testpypi", "pypi"}
    assert f"kept in {kept}: dist, release-record, testpypi, pypi" in capsys.readouterr().out


def test_it_is_kept_also_when_the_dry_run_fails(root: Path, tmp_path: Path, nox: FakeNox) -> None:
    nox.codes["pypi"] = 1
    with pytest.raises(DryrunFailed):
        rehearsed(root, "--keep", str(tmp_path / "kept"))
    assert (tmp_path / "kept" / "dist").is_dir()


@pytest.mark.usefixtures("nox")
@pytest.mark.parametrize("name", ["dist", "release-record"])
def test_the_projects_own_folders_are_not_taken(tmp_path: Path, name: str) -> None:
    run = make_run(tmp_path, "--keep", name, name="dryrun")
    (tmp_path / "release-record" / ".gitignore").unlink()
    with pytest.raises(BadWorkspace, match="this is the project's own"):
        dryrun(run, NOX)


@pytest.mark.usefixtures("nox")
def test_a_folder_that_holds_something_is_not_taken(root: Path, tmp_path: Path) -> None:
    write_tree(tmp_path, {"kept/a": "", "file": ""})
    for name in ("kept", "file"):
        with pytest.raises(BadWorkspace, match="it exists and is not an empty folder"):
            rehearsed(root, "--keep", str(tmp_path / name))
    (tmp_path / "empty").mkdir()
    rehearsed(root, "--keep", str(tmp_path / "empty"))


# A wheel that is for this machine alone.

LOCAL = "demo-1.0-cp313-cp313-linux_x86_64.whl"


class LocalNox(FakeNox):
    """The first nested run builds a wheel for this Linux, and stops in `check`; with the sdist alone all goes well."""

    def __init__(self, wheel: str, then: int = 0) -> None:
        super().__init__()
        self.wheel, self.then = wheel, then

    def run_shown(self, argv: Sequence[str], *, env: Mapping[str, str], cwd: Path) -> int:
        if len(self.ran) == 0:
            self.ran.append(tuple(argv))
            standin = from_environment(env)
            assert standin is not None
            write_tree(standin.place / "dist", {self.wheel: "a wheel"})
            dists = (Dist.from_file(standin.place / "dist" / self.wheel),)
            Record.of(standin.place).write(replace(BUILT, dists=dists))
            return 1
        if len(self.ran) == 1:
            place = from_environment(env)
            assert place is not None
            shutil.rmtree(place.place / "dist")
        code = super().run_shown(argv, env=env, cwd=cwd)
        return code or self.then


def local(monkeypatch: pytest.MonkeyPatch, wheel: str, then: int = 0) -> LocalNox:
    fake = LocalNox(wheel, then)
    monkeypatch.setattr(process, "run_shown", fake.run_shown)
    monkeypatch.setattr(process, "run", fake.run)
    return fake


@pytest.mark.usefixtures("nox")
def test_a_wheel_for_this_machine_alone_is_left_out_and_the_sdist_rehearsed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fake = local(monkeypatch, LOCAL)
    with pytest.raises(LocalWheel) as error:
        dryrun(make_run(tmp_path, name="dryrun"), NOX)
    first, again, *_, last = fake.ran
    assert first[len(NOX) + 1 :] == ("testpypi", "--")
    assert again[len(NOX) + 1 :] == ("testpypi", "--", "--sdist-only")
    assert last[-4:] == ("pypi", "--", "--yes", "1.0")
    assert (
        f"the wheel cannot go up, because PyPI takes no wheel that only this machine is sure to run:\n  {LOCAL}"
        in str(error.value)
    )
    assert "`nox -s dryrun -- --from FOLDER`" in str(error.value)
    said = capsys.readouterr().out
    assert f"going on with the sdist alone:\n  {LOCAL}" in said
    assert "next: " not in said


@pytest.mark.usefixtures("nox")
def test_an_sdist_that_stops_too_stops_the_dry_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    local(monkeypatch, LOCAL, then=1)
    with pytest.raises(DryrunFailed):
        dryrun(make_run(tmp_path, name="dryrun"), NOX)


@pytest.mark.usefixtures("nox")
@pytest.mark.parametrize(
    ("wheel", "words", "settings"),
    [
        ("demo-1.0-py3-none-any.whl", (), {}),
        ("demo-1.0-cp313-cp313-manylinux_2_17_x86_64.whl", (), {}),
        (LOCAL, ("--from", "wheels"), {}),
        (LOCAL, (), {"archives": ("wheel",)}),
        (LOCAL, (), {"pypi": Index("house", simple="https://house.example/simple/")}),
    ],
)
def test_any_other_wheel_that_check_stops_is_no_matter_of_the_platform(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wheel: str, words: tuple[str, ...], settings: dict[str, Any]
) -> None:
    fake = local(monkeypatch, wheel)
    config = replace(Config(pythons=("3.13",)), **settings)
    with pytest.raises(DryrunFailed, match="stopped in `check`"):
        dryrun(make_run(tmp_path, *words, name="dryrun", config=config), NOX)
    assert len(fake.ran) == 1


# What is released together with it.


@dataclass
class Nested:
    """A dry run of another package: what it was told."""

    name: str
    words: tuple[str, ...]
    env: Mapping[str, str]
    cwd: Path

    @property
    def standin(self) -> Standin:
        found = from_environment(self.env)
        assert found is not None
        return found


class Family(FakeNox):
    """The nested runs of the package itself, and the dry runs of others, whose files the stand-ins hold too."""

    def __init__(self) -> None:
        super().__init__()
        self.held = FILES | {"demo_core-1.0.tar.gz": "of core", "demo_extra-1.0.tar.gz": "of another"}
        self.others: list[Nested] = []
        self.failing: set[str] = set()
        self.order: list[str] = []

    def run(self, argv: Sequence[str], *, env: Mapping[str, str], cwd: Path, on_wait: OnWait | None = None) -> Outcome:
        if argv[argv.index("--session") + 1] == "dryrun":
            return Outcome(self._other(argv, env, cwd), f"all that {Path(_after(argv, '--envdir')).name} says\n")
        assert on_wait is not None
        return super().run(argv, env=env, cwd=cwd, on_wait=on_wait)

    def run_shown(self, argv: Sequence[str], *, env: Mapping[str, str], cwd: Path, asking: bool = False) -> int:
        assert not asking
        session = _after(argv, "--session")
        self.order.append(session.partition("-")[0])
        return self._other(argv, env, cwd) if session == "dryrun" else super().run_shown(argv, env=env, cwd=cwd)

    def _other(self, argv: Sequence[str], env: Mapping[str, str], cwd: Path) -> int:
        assert _after(argv, "--noxfile") == str(batch.REGISTER)
        name = Path(_after(argv, "--envdir")).name
        self.others.append(Nested(name, tuple(argv[argv.index("--") + 1 :]), env, cwd))
        return int(name in self.failing)


def _after(argv: Sequence[str], option: str) -> str:
    return argv[argv.index(option) + 1]


@pytest.fixture
def family(nox: FakeNox, monkeypatch: pytest.MonkeyPatch) -> Family:
    fake = Family()
    del nox
    for name in ("run", "run_shown", "serving"):
        monkeypatch.setattr(process, name, getattr(fake, name))
    return fake


def packages_in(root: Path) -> Path:
    """Write `demo`, which is released with `core`, which is released with `base`; return the folder of demo."""
    write_tree(
        root,
        {
            "demo/pyproject.toml": project("demo"),
            "core/pyproject.toml": project("Demo.Core", settings='release-with = ["../base"]'),
            "base/pyproject.toml": project("demo-base"),
        },
    )
    return (root / "demo").resolve()


def with_core(folder: Path, *words: str, **settings: Any) -> Run:
    config = Config(pythons=("3.13",), release_with=("../core",))
    return make_run(folder, *words, name="dryrun", config=config, **settings)


def test_what_it_is_released_together_with_is_rehearsed_first_on_the_same_stand_ins(
    tmp_path: Path, family: Family, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYPI_TOKEN", "the real one")
    monkeypatch.setenv(DIGEST_VARIABLE, "0" * 64)
    demo = packages_in(tmp_path)
    dryrun(with_core(demo, "--offline", "--sdist-only"), NOX)
    assert [(one.name, one.words, one.cwd) for one in family.others] == [
        ("demo-base", ("--offline",), demo),
        ("demo-core", ("--offline",), demo),
    ]
    assert family.order[:3] == ["dryrun", "dryrun", "testpypi"]
    own = from_environment(family.envs[0])
    assert own is not None
    assert own.places == {
        str(tmp_path / "base"): str(own.place / "with" / "demo-base"),
        str(tmp_path / "core"): str(own.place / "with" / "demo-core"),
    }
    for one in family.others:
        assert (one.standin.testpypi, one.standin.pypi) == (own.testpypi, own.pypi)
        assert one.standin.folder == own.place == own.folder
        assert one.standin.place == own.place / "with" / one.name
        assert one.standin.places == own.places
        assert (one.env["PYPI_TOKEN"], one.env["TESTPYPI_TOKEN"]) == ("a pypi token", "a testpypi token")
        assert DIGEST_VARIABLE not in one.env
        assert commands.from_environment(one.env) == Errand(Typed({name: name for name in NAMES}))
    assert [one.env[PROJECT_VARIABLE] for one in family.others] == [str(tmp_path / "base"), str(tmp_path / "core")]
    told = capsys.readouterr().out
    assert "== demo-base, which is released together with this package\n" in told
    assert "dry run of demo 1.0: all five sessions passed" in told
    assert "compared by sha256" in told


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        (Typed({}, True), [Typed({}, True)] * 2),  # noqa: FBT003
        (
            Typed({}, option=("--package", "demo")),
            [Typed({}, option=("--package", name)) for name in ("demo-base", "demo-core")],
        ),
    ],
)
def test_the_others_are_typed_as_what_they_are(
    tmp_path: Path, family: Family, typed: Typed, expected: list[Typed]
) -> None:
    dryrun(replace(with_core(packages_in(tmp_path)), errand=Errand(typed)), NOX)
    assert [commands.from_environment(one.env) for one in family.others] == [Errand(one) for one in expected]


def test_without_offline_the_others_go_online(tmp_path: Path, family: Family) -> None:
    dryrun(with_core(packages_in(tmp_path), "--rebuild"), NOX)
    assert {one.words for one in family.others} == {()}


def test_a_sibling_that_fails_stops_the_dry_run(tmp_path: Path, family: Family) -> None:
    family.failing.add("demo-core")
    with pytest.raises(TogetherFailed) as error:
        dryrun(with_core(packages_in(tmp_path)), NOX)
    assert (error.value.session, error.value.failed) == ("dryrun", ("demo-core",))
    assert family.ran == []


def test_siblings_that_need_each_other_are_not_rehearsed(tmp_path: Path, family: Family) -> None:
    demo = packages_in(tmp_path)
    write_tree(tmp_path, {"base/pyproject.toml": project("demo-base", settings='release-with = ["../demo"]')})
    with pytest.raises(PackageCycle):
        dryrun(with_core(demo), NOX)
    assert family.others == []


@pytest.mark.parametrize("name", ["demo-1.0.zip", "Demo-1.0-cp313-cp313-win_amd64.whl", "demo-1.1.tar.gz"])
def test_a_file_of_the_project_that_was_not_built_is_found_among_those_of_others(
    tmp_path: Path, family: Family, name: str
) -> None:
    family.held |= {name: "of nobody"}
    with pytest.raises(DryrunFailed, match="testpypi and pypi differs from the build"):
        dryrun(with_core(packages_in(tmp_path)), NOX)


@pytest.mark.parametrize("name", ["demo-core", "Demo.Core", "demo_core"])
def test_the_files_of_a_project_are_its_own_however_it_is_spelt(tmp_path: Path, name: str) -> None:
    ours = ("Demo_Core-1.0-py3-none-any.whl", "demo_core-1.0.tar.gz")
    write_tree(tmp_path, dict.fromkeys((*ours, "demo-1.0.tar.gz", "demo_core_x-1.0.tar.gz", "notes.txt"), ""))
    assert tuple(dist.filename for dist in _held(tmp_path, name)) == ours


def test_one_of_several_is_rehearsed_on_the_stand_ins_that_are_there(
    tmp_path: Path, family: Family, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in standins.TOKENS:
        monkeypatch.setenv(name, f"a token in {name}")
    monkeypatch.setenv(DIGEST_VARIABLE, "0" * 64)
    place = tmp_path / "place" / "demo"
    place.mkdir(parents=True)
    shared = tmp_path / "shared"
    standin = Standin(place, "http://127.0.0.1:1", "http://127.0.0.1:2", held=shared)
    monkeypatch.setattr(process, "serving", None)  # no other servers
    family.held = {"demo-1.0.tar.gz": "not what the stand-ins hold"}  # in the folder of this package
    for index in standins.INDEXES:
        write_tree(shared / index, FILES | {"demo_core-1.0.tar.gz": "of core"})
    dryrun(with_core(packages_in(tmp_path), "--keep", str(tmp_path / "kept"), standin=standin), NOX)
    assert family.others == []
    assert {env["PYPI_TOKEN"] for env in family.envs} == {"a token in PYPI_TOKEN"}
    assert not [env for env in family.envs if DIGEST_VARIABLE in env]
    assert [from_environment(env) for env in family.envs] == [standin] * len(family.envs)
    told = capsys.readouterr().out
    assert "dry run of demo 1.0: all five sessions passed" in told
    assert "what a dry run cannot show" not in told
    assert "next:" not in told
    assert "kept in" not in told
    assert not (tmp_path / "kept").exists()


# All packages.


def all_of(root: Path, *words: str) -> tuple[Run, Caller, Repository]:
    packages_in(root)
    write_tree(root, {"pyproject.toml": '[tool.seatrial]\npackages = ["demo", "core", "base"]\n'})
    write_tree(root, {"demo/pyproject.toml": project("pypi", dependencies='"demo-core"')})  # as an index is called
    run = replace(make_run(root, *words, name="dryrun"), errand=Errand(Typed({}, option=commands.ALL)))
    caller = Caller("dryrun", Typed({}), run.root, run.root, root / ".nox", words)
    return run, caller, find(root)


def test_all_packages_are_rehearsed_on_the_same_stand_ins(
    tmp_path: Path, family: Family, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TWINE_PASSWORD", "the real one")
    monkeypatch.setenv(DIGEST_VARIABLE, "0" * 64)
    of_all(*all_of(tmp_path, "--offline"))
    assert [one.name for one in family.others] == ["demo-base", "demo-core", "pypi"]
    assert {one.words for one in family.others} == {("--offline",)}
    first = family.others[0].standin
    for one in family.others:
        assert one.standin.folder == first.folder
        assert one.standin.place == one.standin.place_of(Path(one.env[PROJECT_VARIABLE]))
        assert one.standin.place == first.folder / "packages" / one.name
        assert (one.env["PYPI_TOKEN"], one.env["TESTPYPI_TOKEN"]) == ("a pypi token", "a testpypi token")
        assert not {"TWINE_PASSWORD", DIGEST_VARIABLE} & set(one.env)
    told = capsys.readouterr().out
    assert "stand-in for TestPyPI: http://127.0.0.1:1   stand-in for PyPI: http://127.0.0.1:2" in told
    assert "== demo-core\nall that demo-core says\n" in told
    assert "\ndry run of 3 packages: all five sessions passed for each\nwhat a dry run cannot show" in told
    assert "kept in" not in told


def test_a_dry_run_of_all_may_be_kept(tmp_path: Path, family: Family, capsys: pytest.CaptureFixture[str]) -> None:
    of_all(*all_of(tmp_path, "--keep", "kept"))
    kept = tmp_path / "kept"
    assert f"kept in {kept}: testpypi, pypi, and in packages dist and release-record of each" in capsys.readouterr().out
    assert {one.standin.folder for one in family.others} == {kept}


def test_a_package_that_fails_is_no_dry_run_of_all(
    tmp_path: Path, family: Family, capsys: pytest.CaptureFixture[str]
) -> None:
    family.failing.add("demo-base")
    with pytest.raises(TogetherFailed) as error:
        of_all(*all_of(tmp_path))
    assert (error.value.failed, error.value.waiting) == (("demo-base",), ("demo-core", "pypi"))
    assert "all five sessions passed" not in capsys.readouterr().out
