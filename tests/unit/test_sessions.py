from __future__ import annotations

import importlib
import inspect
import os
import signal
import sys
import threading
from dataclasses import dataclass, replace
from types import ModuleType
from typing import TYPE_CHECKING, Any, cast

import nox
import nox.registry
import nox.virtualenv
import pytest

from seatrial.bodies import build  # XXX
from seatrial.cli import listed, sessions
from seatrial.cli.listed import CHAIN, NAMES
from seatrial.cli.register import PROJECT_VARIABLE
from seatrial.cli.sessions import Setup, ShadowedTools
from seatrial.machine import variables
from seatrial.machine.errors import ReleaseError
from seatrial.project import context as run_module
from seatrial.project.commands import ALL, Errand, Typed
from seatrial.project.commands import VARIABLE as ERRAND
from seatrial.project.context import ReusedEnvironment
from seatrial.project.options import BadOption
from seatrial.project.settings import Config, NoProject
from seatrial.release.record import DIGEST_VARIABLE
from seatrial.release.stages import Cell
from seatrial.standin import standins
from seatrial.steps import build, check, dryrun, publish, verify
from seatrial.steps import rebuild as rebuilding
from seatrial.workspace import batch
from tests.fakes import FakeSession, SessionError, make_run
from tests.projects import sample, write_tree
from tests.samples.stages import FILES, SAMPLES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from seatrial.project.context import Run

RUNNING = "{}.{}".format(*sys.version_info)
SAFE_PATH = "PYTHONSAFEPATH"


@pytest.fixture(autouse=True)
def registry(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Give nox an empty registry, and take away what would change a session on this machine."""
    monkeypatch.setattr(nox.registry, "_REGISTRY", type(nox.registry._REGISTRY)())
    for name in (SAFE_PATH, PROJECT_VARIABLE, DIGEST_VARIABLE, standins.VARIABLE, ERRAND):
        monkeypatch.delenv(name, raising=False)
    yield
    os.environ.pop(SAFE_PATH, None)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project, which is the current folder."""
    root = sample(tmp_path / "demo")
    monkeypatch.chdir(root)
    return root


def registered() -> dict[str, Any]:
    return dict(nox.registry.get())


def setup_of(root: Path, config: Config | None = None, trouble: ReleaseError | None = None) -> Setup:
    names = {name: name for name in NAMES}
    return Setup(root, door=False, config=config or Config(pythons=(RUNNING,)), trouble=trouble, names=names)


def report(
    root: Path,
    body: Callable[..., None],
    *words: str,
    session: FakeSession | None = None,
    trouble: ReleaseError | None = None,
    **cell: Any,
) -> None:
    """Run `body` as the session `build` does, up to the boundary."""
    fake = session or FakeSession(root)
    fake.posargs = words
    sessions._reported(setup_of(root, trouble=trouble), "build", body, cast("nox.Session", fake), **cell)


def error_of(root: Path, body: Callable[..., None], *words: str, **settings: Any) -> str:
    with pytest.raises(SessionError) as error:
        report(root, body, *words, **settings)
    return str(error.value)


def part(name: str) -> Callable[..., None]:
    """Return what the session `name` does that no other does."""
    body: Callable[..., None] = importlib.import_module(f"tasks.bodies.{name}").body
    return body


def nothing(_run: Run, **_cell: Any) -> None:
    """Do what a session has to do where there is nothing to do."""


# What is registered.


@pytest.mark.usefixtures("project")
def test_every_session_is_there_and_none_runs_by_itself() -> None:
    listed.register(door=False)
    found = registered()
    assert set(found) == set(NAMES)
    assert not any(function.default for function in found.values())
    assert {function.download_python for function in found.values()} == {"never"}
    assert {name: function._requires for name, function in found.items() if function._requires} == {
        name: [needed] for name, needed in CHAIN.items()
    }
    assert all(function.__doc__ for function in found.values())


def test_verify_alone_has_pythons_and_kinds_and_is_never_reused(project: Path) -> None:
    write_tree(project, {"pyproject.toml": '[tool.seatrial]\npythons = ["3.10", "3.14"]\n'})
    listed.register(door=False)
    found = registered()
    assert found["verify"].python == ["3.10", "3.14"]
    assert [str(call) for call in found["verify"].parametrize] == ["wheel", "sdist"]
    assert [name for name, function in found.items() if not function.reuse_venv] == ["verify"]
    assert {name for name, function in found.items() if function.python} == {"verify"}
    assert [name for name, function in found.items() if function.venv_backend == "none"] == ["status"]


@pytest.mark.parametrize("in_a_dry_run", [True, False])
def test_nox_makes_no_environment_anew_where_cells_are_verified(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, in_a_dry_run: bool
) -> None:
    place = (tmp_path / "place") if in_a_dry_run else project
    if in_a_dry_run:
        standin = standins.Standin(place, "http://127.0.0.1:1", "http://127.0.0.1:2")
        monkeypatch.setenv(standins.VARIABLE, standin.to_environment()[standins.VARIABLE])
        write_tree(project, {"release-record/verified-3.13-linux-x86_64-wheel.json": ""})
    write_tree(place, {"release-record/rehearsed.json": ""})
    listed.register(door=False)
    assert not registered()["verify"].reuse_venv
    write_tree(place, {"release-record/verified-3.13-linux-x86_64-wheel.json": ""})
    nox.registry._REGISTRY.clear()
    listed.register(door=False)
    assert registered()["verify"].reuse_venv
    assert registered()["verify"].venv_backend == listed.BACKENDS


@pytest.mark.parametrize("told", ["", "[]", "{}", '{"place": 1}'])
def test_what_a_dry_run_should_tell_and_does_not_is_no_reason_to_list_nothing(
    project: Path, monkeypatch: pytest.MonkeyPatch, told: str
) -> None:
    monkeypatch.setenv(standins.VARIABLE, told)
    assert not listed._is_verified(project)


@pytest.mark.parametrize(
    ("settings", "taken", "expected"),
    [("", "lint", "check"), ("", "check", "release-check"), ('session-prefix = "s-"', "check", "s-check")],
)
def test_a_session_name_that_is_taken_gives_a_prefix(project: Path, settings: str, taken: str, expected: str) -> None:
    write_tree(project, {"pyproject.toml": f"[tool.seatrial]\n{settings}\n"})

    @nox.session(name=taken)
    def own(session: nox.Session) -> None:
        """Do the project's own thing."""

    listed.register(door=False)
    found = registered()
    assert expected in found
    assert found[taken].__doc__ == "Do the project's own thing."
    assert len(found) == len(NAMES) + 1
    prefix = expected.removesuffix("check")
    assert found[f"{prefix}verify"]._requires == [f"{prefix}testpypi"]


def test_the_door_takes_the_project_that_is_named_and_no_prefix(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = write_tree(tmp_path / "other", {"pyproject.toml": '[tool.seatrial]\nsession-prefix = "s-"\n'})
    monkeypatch.setenv(PROJECT_VARIABLE, str(root))
    monkeypatch.chdir(tmp_path)
    listed.register(door=True)
    assert set(registered()) == {*NAMES, "adopt"}


def test_a_project_that_is_set_up_wrongly_gets_sessions_that_say_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    listed.register(door=False)
    fake = FakeSession(tmp_path)
    with pytest.raises(SessionError, match="There is no Python project in"):
        registered()["build"].func(cast("nox.Session", fake))


# The boundary.


def test_what_a_user_can_cause_becomes_a_message(project: Path) -> None:
    def body(_run: Run) -> None:
        raise NoProject(project)

    said = error_of(project, body)
    assert said == str(NoProject(project)).removesuffix(".")
    assert not said.endswith(".")


@pytest.mark.parametrize(
    ("door", "prefix", "typed"),
    [
        (False, "", "nox -s build -- --rebuild"),
        (False, "r-", "nox -s r-build -- --rebuild"),
        (True, "", "seatrial build --rebuild"),
    ],
)
def test_a_message_names_commands_as_they_are_typed_here(project: Path, prefix: str, typed: str, *, door: bool) -> None:
    setup = Setup(project, door, Config(), None, {name: prefix + name for name in NAMES})
    said = sessions._as_typed(setup, "Run `nox -s build -- --rebuild`, or nox -s lint.")
    assert said == f"Run `{typed}`, or {'seatrial' if door else 'nox -s'} lint"


FOR_CORE = Errand(Typed({"build": "release-build", "pypi": "release-pypi"}, option=("--package", "core")))


@pytest.mark.parametrize(
    ("typed", "message", "expected"),
    [
        (FOR_CORE.typed, "nox -s build", "nox -s release-build -- --package core"),
        (FOR_CORE.typed, "nox -s build -- --rebuild", "nox -s release-build -- --package core --rebuild"),
        # What is typed already stays as it is.
        (FOR_CORE.typed, FOR_CORE.typed.command("pypi", "--yes", "1"), "nox -s release-pypi -- --package core --yes 1"),
        (FOR_CORE.typed, "nox -s pypi -- --package base", "nox -s pypi -- --package base"),
        (FOR_CORE.typed, "nox -s build -- --packages", "nox -s release-build -- --package core --packages"),
        (Typed({}, option=ALL), "nox -s build -- --rebuild", "nox -s build -- --all --rebuild"),
        (Typed({}, option=ALL), "nox -s pypi -- --all", "nox -s pypi -- --all"),
        (Typed({}, True, ALL), "nox -s build -- --rebuild", "seatrial build --all --rebuild"),  # noqa: FBT003
        # In the folder of a package that is released together with another: the door, and typed with nox.
        (Typed({"build": "r-build"}), "nox -s build -- --rebuild", "nox -s r-build -- --rebuild"),
        (Typed({}, door=True), "nox -s build -- --rebuild", "seatrial build --rebuild"),
    ],
)
def test_a_message_for_one_package_names_commands_as_they_are_typed_for_it(
    project: Path, typed: Typed, message: str, expected: str
) -> None:
    names = {name: name for name in NAMES}
    setup = Setup(project, door=True, config=Config(), trouble=None, names=names, errand=Errand(typed))
    assert sessions._as_typed(setup, f"Run `{message}`.") == f"Run `{expected}`"


def test_an_unknown_option_of_a_package_is_told_with_the_package(project: Path) -> None:
    names = {name: name for name in NAMES}
    setup = Setup(project, door=True, config=Config(), trouble=None, names=names, errand=FOR_CORE)
    fake = FakeSession(project, posargs=("--unknown",))
    with pytest.raises(SessionError) as error:
        sessions._reported(setup, "build", nothing, cast("nox.Session", fake))
    assert str(error.value).startswith("nox -s release-build -- --package core: unrecognized arguments: --unknown\n")
    assert "`nox -s release-build -- --package core --help` lists them" in str(error.value)


# Several packages.


@pytest.fixture
def handed_on(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """What was handed on to work for other packages, in place of doing it."""
    seen: list[tuple[Any, ...]] = []
    monkeypatch.setattr(batch, "run", lambda *args: seen.append(args))
    return seen


@dataclass
class Virtualenv:
    location: str


@dataclass
class SessionInOne(FakeSession):
    """A session with a virtualenv, as nox has it."""

    virtualenv: Any = None

    def __post_init__(self) -> None:
        self.virtualenv = self.virtualenv or Virtualenv(str(self.root / "envs" / self.name))


@pytest.mark.parametrize("words", [("--package", "core"), ("--package=core",), ("--all",)])
def test_a_session_for_other_packages_does_nothing_here(
    project: Path, handed_on: list[tuple[Any, ...]], words: tuple[str, ...]
) -> None:
    def body(_run: Run) -> None:
        raise ZeroDivisionError

    session = SessionInOne(project)
    report(project, body, "--rebuild", *words, session=session)
    ((caller, asked, _, rehearse),) = handed_on
    assert caller == batch.Caller(
        name="build",
        typed=Typed({name: name for name in NAMES}),
        root=project,
        start=project,
        envdir=(project / "envs").resolve(),
        words=("--rebuild",),
        interactive=True,
    )
    assert (asked.package, asked.all) == (("core", False) if words != ("--all",) else (None, True))
    assert rehearse is dryrun.of_all


def test_without_an_environment_those_of_packages_are_beside_the_others(
    project: Path, handed_on: list[tuple[Any, ...]]
) -> None:
    session = SessionInOne(project, name="status", venv_backend="none", virtualenv=object(), interactive=False)
    report(project, nothing, "--all", session=session)
    caller = handed_on[0][0]
    assert (caller.envdir, caller.interactive) == (project / ".nox", False)


def test_what_is_wrong_here_does_not_matter_for_other_packages(project: Path, handed_on: list[tuple[Any, ...]]) -> None:
    trouble = NoProject(project)
    report(project, nothing, "--all", session=SessionInOne(project), trouble=trouble)
    report(project, nothing, "--package", "core", session=SessionInOne(project), trouble=trouble)
    assert len(handed_on) == 2
    assert error_of(project, nothing, session=SessionInOne(project), trouble=trouble).startswith("There is no Python")
    shadowed = ShadowedTools(project, ("email",))
    assert "`email`" in error_of(project, nothing, "--all", session=SessionInOne(project), trouble=shadowed)
    assert len(handed_on) == 2


def test_a_session_at_work_for_another_package_has_its_settings_and_record(
    project: Path, handed_on: list[tuple[Any, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(DIGEST_VARIABLE, "0" * 64)
    core = write_tree(project / "core", {"pyproject.toml": '[tool.seatrial]\ntag = "core-{version}"\n'})
    report(project, nothing, "--all", "--yes", "1.0", session=SessionInOne(project))
    run = handed_on[0][2](core, FOR_CORE)
    assert (run.root, run.config.tag, run.errand) == (core, ("core-{version}",), FOR_CORE)
    assert (run.record.dist, run.record.expected) == (core / "dist", None)
    assert run.options.yes == "1.0"
    assert run.command("build") == "nox -s release-build -- --package core"


def test_a_nox_for_one_package_is_told_what_it_is_released_with_and_how_it_is_typed(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_tree(project, {"pyproject.toml": '[tool.seatrial]\nrelease-with = ["../of-its-own"]\n'})
    seen: list[Run] = []
    monkeypatch.setattr(bodies_build, "body", seen.append)
    monkeypatch.setenv(PROJECT_VARIABLE, str(project))

    def at_work(errand: Errand | None, *, door: bool = True) -> Run:
        monkeypatch.setattr(nox.registry, "_REGISTRY", type(nox.registry._REGISTRY)())
        for name, value in (errand.to_environment() if errand else {}).items():
            monkeypatch.setenv(name, value)
        listed.register(door=door)
        registered()["build"].func(cast("nox.Session", FakeSession(project)))
        return seen.pop()

    assert at_work(None).config.release_with == ("../of-its-own",)
    found = at_work(replace(FOR_CORE, release_with=("../core",)))
    assert (found.config.release_with, found.typed) == (("../core",), FOR_CORE.typed)
    assert at_work(replace(FOR_CORE, release_with=())).config.release_with == ()
    assert at_work(FOR_CORE).config.release_with == ("../of-its-own",)
    # A noxfile of a project is nobody's errand.
    assert at_work(replace(FOR_CORE, release_with=("../core",)), door=False).errand is None


def test_what_the_disk_refuses_becomes_a_message(project: Path) -> None:
    def body(_run: Run) -> None:
        raise PermissionError(13, "Permission denied", "dist")

    assert error_of(project, body).startswith("The operating system refused to read or write: [Errno 13]")


def test_a_fault_of_ours_is_not_hidden(project: Path) -> None:
    def body(_run: Run) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        report(project, body)


def test_trouble_at_the_start_comes_first(project: Path) -> None:
    assert error_of(project, nothing, "--unknown", trouble=NoProject(project)).startswith("There is no Python project")


@pytest.mark.parametrize("backend", ["none", "conda", "passthrough"])
def test_a_session_without_its_own_environment_is_refused(project: Path, backend: str) -> None:
    session = FakeSession(project, venv_backend=backend)
    assert "--no-venv or another venv backend" in error_of(project, nothing, session=session)


@pytest.mark.parametrize("backend", ["uv", "virtualenv", "venv"])
def test_each_backend_of_virtual_environments_is_fine(project: Path, backend: str) -> None:
    report(project, nothing, session=FakeSession(project, venv_backend=backend))


def test_status_needs_no_environment(project: Path) -> None:
    report(project, nothing, session=FakeSession(project, name="status", venv_backend="none"))


@pytest.mark.parametrize("tells", [True, False], ids=["a nox that tells", "a nox that does not"])
def test_a_session_that_runs_nothing_is_refused(project: Path, *, tells: bool) -> None:
    assert "--install-only" in error_of(project, nothing, session=FakeSession(project, runs=False, tells=tells))
    report(project, nothing, session=FakeSession(project, tells=tells))


def test_nothing_is_started_to_learn_what_nox_tells(project: Path) -> None:
    tells, does_not = FakeSession(project), FakeSession(project, tells=False)
    report(project, nothing, session=tells)
    report(project, nothing, session=does_not)
    assert (tells.started, does_not.started) == (0, 1)


def test_nox_tells_it_where_we_look() -> None:
    assert "self._runner.global_config.install_only" in inspect.getsource(nox.Session.run)


def test_explained_a_session_does_nothing(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def body(_run: Run) -> None:
        raise ZeroDivisionError

    report(project, body, "--explain")
    assert "python -m build" in capsys.readouterr().out


def test_the_body_gets_its_options_and_its_cell(project: Path) -> None:
    seen: list[Any] = []
    report(project, lambda run, kind: seen.extend([run, kind]), "--sdist-only", "--yes", "1.0", kind="wheel")
    run, kind = seen
    assert (run.options.yes, run.config.archives, kind) == ("1.0", ("sdist",), "wheel")
    assert (run.root, run.record.dist, run.standin) == (project, project / "dist", None)


@pytest.mark.parametrize("uv", [True, False])
def test_uv_is_used_where_it_is(project: Path, monkeypatch: pytest.MonkeyPatch, *, uv: bool) -> None:
    monkeypatch.setattr(nox.virtualenv, "HAS_UV", uv)
    monkeypatch.setattr(nox.virtualenv, "UV", "/bin/uv")
    seen: list[Run] = []
    report(project, seen.append)
    assert seen[0].uv == ("/bin/uv" if uv else None)


def test_inside_a_dry_run_indexes_and_record_are_its_own(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    standin = standins.Standin(tmp_path / "place", "http://127.0.0.1:1", "http://127.0.0.1:2")
    monkeypatch.setenv(standins.VARIABLE, standin.to_environment()[standins.VARIABLE])
    monkeypatch.setenv(DIGEST_VARIABLE, "0" * 64)
    seen: list[Run] = []
    report(project, seen.append)
    assert seen[0].config.pypi.simple == "http://127.0.0.1:2/simple/"
    assert (seen[0].record.dist, seen[0].record.expected) == (tmp_path / "place" / "dist", "0" * 64)


@pytest.mark.skipif(os.name == "nt", reason="signals are POSIX")
def test_termination_ends_a_session_as_an_interruption_does(project: Path) -> None:
    before = signal.getsignal(signal.SIGTERM)

    def body(_run: Run) -> None:
        signal.raise_signal(signal.SIGTERM)

    with pytest.raises(KeyboardInterrupt):
        report(project, body)
    assert signal.getsignal(signal.SIGTERM) == before


def test_in_another_thread_signals_are_left_alone(project: Path) -> None:
    seen: list[Run] = []
    thread = threading.Thread(target=report, args=(project, seen.append))
    thread.start()
    thread.join()
    assert len(seen) == 1


# Modules that hide those of nox.


@pytest.mark.parametrize("name", ["packaging/__init__.py", "email/__init__.py", "random.py"])
def test_a_module_that_hides_nox_own_is_worked_around(
    project: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(nox.virtualenv, "HAS_UV", False)
    monkeypatch.setattr(sys, "version_info", (3, 11, 0))
    assert listed._hidden(write_tree(project, {name: ""})) == ()
    assert os.environ[SAFE_PATH] == "1"


@pytest.mark.parametrize("name", ["packaging/readme.txt", "emails/__init__.py", "src/email/__init__.py", "demo.py"])
def test_other_modules_change_nothing(project: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr(nox.virtualenv, "HAS_UV", False)
    assert listed._hidden(write_tree(project, {name: ""})) == ()
    assert SAFE_PATH not in os.environ


def test_with_uv_nothing_is_hidden(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nox.virtualenv, "HAS_UV", True)
    assert listed._hidden(write_tree(project, {"email/__init__.py": ""})) == ()
    assert SAFE_PATH not in os.environ


def test_where_there_is_no_way_around_every_session_says_so(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nox.virtualenv, "HAS_UV", False)
    monkeypatch.setattr(sys, "version_info", (3, 10, 0))
    write_tree(project, {"email/__init__.py": "", "platform.py": ""})
    assert listed._hidden(project) == ("email", "platform")
    listed.register(door=False)
    assert {function.venv_backend for function in registered().values()} == {"none"}
    with pytest.raises(SessionError, match="`email`, `platform`"):
        registered()["build"].func(cast("nox.Session", FakeSession(project)))


# The bodies.


BODIES: list[tuple[str, ModuleType, str, str]] = [
    ("build", build, "build", "next: nox -s check"),
    ("check", check, "check", "next: nox -s testpypi"),
    ("testpypi", publish, "rehearse", "next: nox -s verify"),
    ("verify", verify, "verify", "next: nox -s pypi"),
    ("pypi", publish, "release", ""),
    ("dryrun", dryrun, "dryrun", ""),
    ("inspect", check, "inspect", ""),
    ("rebuild", rebuilding, "rebuild", ""),
]


@pytest.fixture
def called(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """What the parts of the sessions were called with, in place of doing them."""
    seen: list[tuple[Any, ...]] = []
    for _, module, function, _ in BODIES:
        monkeypatch.setattr(module, function, lambda *args: seen.append(args))
    noxfile = ModuleType("user_nox_module")
    noxfile.__file__ = "noxfile.py"
    monkeypatch.setitem(sys.modules, "user_nox_module", noxfile)
    return seen


@pytest.mark.parametrize(("name", "following"), [(name, following) for name, _, _, following in BODIES])
def test_a_session_does_its_part_and_names_the_next(
    project: Path, called: list[tuple[Any, ...]], capsys: pytest.CaptureFixture[str], name: str, following: str
) -> None:
    run = make_run(project, *(["1.0"] if name in {"inspect", "rebuild"} else []), name=name)
    part(name)(run, *(["wheel"] if name == "verify" else []))
    assert len(called) == 1
    assert called[0][0] is run
    assert capsys.readouterr().out.strip() == following


@pytest.fixture
def forgetful() -> Iterator[None]:
    """Let what was said once be said once more."""
    run_module._say_once.cache_clear()
    yield
    run_module._say_once.cache_clear()


@pytest.mark.usefixtures("called", "forgetful")
def test_the_variables_that_nothing_gets_are_named_once(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(variables, "kept_back", lambda _outer: ("PYPI_TOKEN",))
    standin = standins.Standin(project, "http://127.0.0.1:1", "http://127.0.0.1:2")
    part("build")(make_run(project, standin=standin))  # it has tokens of its own
    assert "not handed" not in capsys.readouterr().out
    part("build")(make_run(project))
    part("check")(make_run(project, name="check"))
    assert capsys.readouterr().out.count("not handed to anything that runs here: PYPI_TOKEN\n") == 1


def test_verify_is_told_its_cell(project: Path, called: list[tuple[Any, ...]]) -> None:
    part("verify")(make_run(project, name="verify"), "sdist")
    assert called[0][1] == Cell("3.13", "sdist")


def test_dryrun_starts_nox_on_the_same_noxfile_and_environments(project: Path, called: list[tuple[Any, ...]]) -> None:
    part("dryrun")(make_run(project, name="dryrun"))
    command = called[0][1]
    assert command[0] == sys.executable
    assert command[3:7] == ("--noxfile", "noxfile.py", "--envdir", str(project / ".nox"))


def test_verify_refuses_an_environment_that_was_used(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verify, "verify", lambda *_: None)
    run = make_run(project, name="verify")
    part("verify")(run, "wheel")
    with pytest.raises(ReusedEnvironment, match=r"--reuse-venv=no"):
        part("verify")(run, "wheel")


def test_inspect_asks_for_a_file(project: Path) -> None:
    with pytest.raises(BadOption, match="no FILE was given"):
        part("inspect")(make_run(project, name="inspect"))


def test_rebuild_asks_for_a_version(project: Path, called: list[tuple[Any, ...]]) -> None:
    with pytest.raises(BadOption, match="no VERSION was given"):
        part("rebuild")(make_run(project, name="rebuild"))
    part("rebuild")(make_run(project, "1.0", name="rebuild"))
    assert called[0][1] == "1.0"


def test_status_shows_the_release_and_the_next_command(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    part("status")(make_run(project, name="status"))
    assert capsys.readouterr().out == (
        f"demo: {project / 'release-record'}\n  nothing is built yet\nnext: nox -s build\n"
    )


def test_status_of_a_release_that_is_done_names_no_command(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = make_run(project, name="status")
    write_tree(run.record.dist, FILES)
    for stage in SAMPLES:
        run.record.write(stage)
    part("status")(run)
    told = capsys.readouterr().out
    assert "  done  pypi      2024-05-06 07:08  https://pypi.org/simple/" in told
    assert f"report: {project / 'release-record' / 'report.html'}" in told
    assert "next:" not in told
