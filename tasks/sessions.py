"""The release sessions. The only module that imports nox.

All have one shape: read the stage before, ask, act, write this stage. What they decide is decided here, in nox's own
interpreter; what they run is run in the session's virtualenv or in throw-away ones.
"""

from __future__ import annotations

import contextlib
import functools
import importlib
import inspect as inspection
import os
import re
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nox
import nox.registry
import nox.virtualenv

from . import build as building
from . import check as checking
from . import (
    ci,
    credentials,
    environment,
    explain,
    keyrings,
    options,
    process,
    publish,
    remote,
    report,
    scratch,
    showing,
    standins,
    together,
)
from . import dryrun as rehearsal
from . import errand as errands
from . import rebuild as rebuilding
from . import verify as verifying
from .config import Config, load
from .errand import Errand, Typed
from .errors import BadOption, DiskTrouble, FakeSuccess, ReleaseError, ReusedEnvironment, ShadowedTools
from .installer import BARE
from .record import DIGEST_VARIABLE, Record
from .register import PROJECT_VARIABLE
from .run import Run, tools
from .stages import KINDS, Cell, Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


CHAIN = {"check": "build", "testpypi": "check", "verify": "testpypi"}
NAMES = ("build", "check", "testpypi", "verify", "pypi", "dryrun", "inspect", "status", "rebuild")
READERS = frozenset({"check", "testpypi", "verify", "pypi", "dryrun", "rebuild"})  # of an index, with its login
BACKENDS = "uv|virtualenv"
HERE = Path(__file__).resolve().parent
# A command in a message, as long as it does not say for which packages.
COMMAND = re.compile(r"nox -s ([\w-]+)(?![\w-])(?! -- --(?:package|all)\b)( --)?")
# Cells of `verify` may run side by side (`nox -j`, where nox has it), everything else only alone: it shares the record.
PARALLEL = "allow_parallel" in inspection.signature(nox.session).parameters
NEEDED_BY_VIRTUALENV = {"virtualenv", "packaging", "platformdirs", "filelock", "distlib", "python_discovery"}


@dataclass(frozen=True)
class Setup:
    """What is known when the noxfile is read: the project, its settings, or why there are none."""

    root: Path
    door: bool
    config: Config
    trouble: ReleaseError | None
    names: dict[str, str]
    errand: Errand | None = None


def register(*, door: bool) -> None:
    """Register all sessions with nox. A project that is set up wrongly still gets them: each says what is wrong."""
    root = Path(os.environ[PROJECT_VARIABLE]) if door else Path.cwd()
    config = Config(pythons=(_running(),))
    trouble: ReleaseError | None = _shadowing(root)
    errand = errands.from_environment(os.environ) if door else None
    try:
        config = load(root)
        if errand and errand.release_with is not None:
            config = replace(config, release_with=errand.release_with)
    except ReleaseError as error:
        trouble = trouble or error
    prefix = "" if door else config.session_prefix or ("release-" if set(NAMES) & set(nox.registry.get()) else "")
    setup = Setup(root, door, config, trouble, {name: prefix + name for name in NAMES}, errand)
    # A machine whose tools are shadowed could not even make the environments of sessions that only say so.
    backend = "none" if isinstance(trouble, ShadowedTools) else BACKENDS
    for name, body in BODIES.items():
        _register_one(setup, name, body, "none" if name == "status" else backend)
    if door or ((root / "copier.yml").is_file() and root == HERE.parent):
        _register_adopt(setup)


def _register_one(setup: Setup, name: str, body: Callable[..., None], backend: str) -> None:
    pythons = list(setup.config.pythons) if name == "verify" and backend != "none" else None

    @functools.wraps(body)
    def session(session: nox.Session, **cell: Any) -> None:
        _reported(setup, name, body, session, **cell)

    parallel: dict[str, Any] = {"allow_parallel": name == "verify"} if PARALLEL else {}
    function = nox.parametrize("kind", KINDS, ids=KINDS)(session) if name == "verify" else session
    nox.session(
        name=setup.names[name],
        venv_backend=backend,
        reuse_venv=name != "verify",
        venv_params=BARE if name == "verify" else (),
        default=False,
        requires=[setup.names[CHAIN[name]]] if name in CHAIN else None,
        download_python="never",
        python=pythons,
        **parallel,
    )(function)


def _register_adopt(setup: Setup) -> None:
    """Register `adopt` where its template lies beside these sessions: in the package and the repository, in no copy."""
    adoption: Any = importlib.import_module(f"{__package__}.adoption.session")

    def adopt(session: nox.Session) -> None:
        """Put the release sessions into another project: adopt -- [--dry-run] [--check] [PATH]."""
        with _reporting(setup, session):
            _refuse_fake_success("", session)
            adoption.adopt(session.posargs, Path(session.invoked_from), functools.partial(tools, session), report.say)

    nox.session(venv_backend=BACKENDS, reuse_venv=True, default=False, download_python="never")(adopt)


def _running() -> str:
    return "{}.{}".format(*sys.version_info)


def _shadowing(root: Path) -> ShadowedTools | None:
    """Keep the project's own modules from hiding those that nox's ``python -m virtualenv`` needs.

    nox runs it in the project's folder. Where it would be fooled there is a switch, on Python 3.11 and later; it is
    left alone in every other project, since the project's own sessions would feel it too.
    """
    there = {path.stem for path in root.iterdir() if path.suffix == ".py" or (path / "__init__.py").is_file()}
    hidden = sorted(there & (NEEDED_BY_VIRTUALENV | sys.stdlib_module_names))
    if not hidden or nox.virtualenv.HAS_UV:
        return None
    if sys.version_info >= (3, 11):
        os.environ["PYTHONSAFEPATH"] = "1"
        return None
    return ShadowedTools(root, tuple(hidden))


def _reported(setup: Setup, name: str, body: Callable[..., None], session: nox.Session, **cell: Any) -> None:
    """Run `body` with what the session has at hand."""
    with _reporting(setup, session):
        # The files to inspect have nothing to do with the folder, and neither have other packages: what is wrong there
        # does not matter.
        elsewhere = name == "inspect" or options.without_package(session.posargs) != list(session.posargs)
        if setup.trouble and (not elsewhere or isinstance(setup.trouble, ShadowedTools)):
            raise setup.trouble
        _refuse_fake_success(setup.names["status"], session)
        asked = _asked(setup, name, session)
        scratch.sweep()
        if asked.package is not None or asked.all:
            _for_packages(setup, name, session, asked)
            return
        run = _run(setup, name, session, asked)
        if run.options.explain:
            run.say(explain.session(name, run.config, **cell))
        else:
            body(run, **cell)


@contextlib.contextmanager
def _reporting(setup: Setup, session: nox.Session) -> Iterator[None]:
    """The one boundary: turn whatever a user can cause into nox's words and exit 1."""
    try:
        with process.interruptible():
            yield
    except ReleaseError as error:
        session.error(_as_typed(setup, str(error)))
    except OSError as error:
        session.error(str(DiskTrouble(str(error))).removesuffix("."))


def _as_typed(setup: Setup, message: str) -> str:
    """Return `message` with its commands as they are typed here, without its last full stop: nox adds its own."""
    how = _typed(setup)

    def typed(command: re.Match[str]) -> str:
        name, dashes = command.groups("")
        words = how.command(name)
        return words if how.door or how.option else words + dashes

    return COMMAND.sub(typed, message).removesuffix(".")


def _typed(setup: Setup) -> Typed:
    return setup.errand.typed if setup.errand else Typed(setup.names, setup.door)


def _for_packages(setup: Setup, name: str, session: nox.Session, asked: options.Options) -> None:
    """Run the session `name` for other packages of this repository than the one in this folder, if there is one."""
    envdir = Path(session.virtualenv.location).resolve().parent if hasattr(session.virtualenv, "location") else None
    caller = together.Caller(
        name=name,
        typed=_typed(setup),
        root=setup.root,
        start=Path(session.invoked_from),
        envdir=envdir or setup.root / ".nox",
        words=tuple(options.without_package(session.posargs)),
        interactive=session.interactive,
    )

    def run_in(root: Path, errand: Errand) -> Run:
        there = _run(replace(setup, root=root, config=load(root), errand=errand), name, session, asked)
        return replace(there, record=replace(there.record, expected=None))  # what is told outside is of one package

    together.run(caller, asked, run_in, rehearsal.of_all)


def _refuse_fake_success(status: str, session: nox.Session) -> None:
    """Raise FakeSuccess under nox's flags that skip what a session is for."""
    if session.venv_backend not in {"uv", "virtualenv", "venv"} and session.name != status:
        raise FakeSuccess(f"--no-venv or another venv backend ({session.venv_backend})")
    quiet: dict[str, Any] = {"silent": True, "log": False, "external": True, "include_outer_env": False}
    if session.run(sys.executable, "-I", "-c", "", env=environment.for_build(os.environ), **quiet) is None:
        raise FakeSuccess("--install-only")


def build(run: Run) -> None:
    """Build the sdist, and the wheel from that sdist, out of a clean checkout of HEAD."""
    _say_what_is_kept_back(run)
    with run.record.locked("release"):
        building.build(run)
        ci.built(run)
    _close(run, "check")


def check(run: Run) -> None:
    """Find what PyPI would refuse and users would meet: rules, then an installation from this disk."""
    _say_what_is_kept_back(run)
    with run.record.locked("release"):
        checking.check(run)
    _close(run, "testpypi")


def testpypi(run: Run) -> None:
    """Upload the checked files to TestPyPI, and read back that it serves exactly these bytes."""
    with run.record.locked("release"):
        publish.rehearse(run)
        if run.rehearsed_here is None:
            ci.uploaded(run, run.config.testpypi)
    _close(run, "verify")


def verify(run: Run, kind: Kind) -> None:
    """Install the files from TestPyPI into a fresh environment, dependencies from PyPI, and use them."""
    used = run.venv.root / ".seatrial-used"
    if used.exists():
        raise ReusedEnvironment(run.venv.root)
    used.touch()
    _say_what_is_kept_back(run)
    cell = Cell(str(run.session.python), kind)
    with run.record.locked(f"verify-{cell.python}-{cell.kind}"):
        verifying.verify(run, cell)
    _close(run, "pypi")


def pypi(run: Run) -> None:
    """Upload the rehearsed and verified files, the very same bytes, to PyPI."""
    with run.record.locked("release"):
        publish.release(run)
        ci.uploaded(run, run.config.pypi)
    _close(run)
    ci.stands(run)


def _close(run: Run, following: str = "") -> None:
    """End a session of the chain: show and write down where the release stands, and name what is next."""
    showing.close(run)
    if following:
        run.next(following, *run.once)


def dryrun(run: Run) -> None:
    """Rehearse all of it against two throw-away indexes on this machine: no account, nothing leaves."""
    _say_what_is_kept_back(run)
    rehearsal.dryrun(run, _nox_command(run))


def inspect(run: Run) -> None:
    """Apply the rules of `check` to any wheel or sdist: nox -s inspect -- [--json OUT] FILE..."""
    if not run.options.files:
        raise BadOption(f"nox -s {run.names['inspect']} --", "no FILE was given")
    checking.inspect(run)


def status(run: Run) -> None:
    """Say where this release stands, and the one next command."""
    run.say(f"{run.root.name}: {run.record.folder}")
    showing.status(run)
    if of_files := report.of_files(run.record):
        run.say(of_files)
    ci.stands(run)
    if run.options.remote:
        remote.compare(run)
    if following := showing.following(run):
        run.say(f"next: {following}")


def rebuild(run: Run) -> None:
    """Build a released tag again, and compare it with what PyPI serves: nox -s rebuild -- VERSION."""
    if run.options.version is None:
        raise BadOption(f"nox -s {run.names['rebuild']} --", "no VERSION was given")
    rebuilding.rebuild(run, run.options.version)


BODIES: dict[str, Callable[..., None]] = {
    "build": build,
    "check": check,
    "testpypi": testpypi,
    "verify": verify,
    "pypi": pypi,
    "dryrun": dryrun,
    "inspect": inspect,
    "status": status,
    "rebuild": rebuild,
}


def _say_what_is_kept_back(run: Run) -> None:
    """Name the variables that nothing gets that is run here; not again inside a dry run, which has its own tokens."""
    names = environment.kept_back(os.environ)
    if not (run.standin and set(names) <= standins.TOKENS):
        _say_once(names)


@functools.cache
def _say_once(names: tuple[str, ...]) -> None:
    """Say it once for all sessions of one nox."""
    if names:
        report.say(f"not handed to anything that runs here: {', '.join(names)}")


def _nox_command(run: Run) -> tuple[str, ...]:
    """Return the command that starts nox again on the same noxfile."""
    noxfile = Path(str(sys.modules["user_nox_module"].__file__))
    return (*together.nox(noxfile, run.venv.root.parent), "--no-error-on-missing-interpreters")


def _asked(setup: Setup, name: str, session: nox.Session) -> options.Options:
    """Return the options of the session `name`. Raises BadOption and SecretInArguments."""
    typed = _as_typed(setup, f"nox -s {name} --")
    return options.parse(name, session.posargs, Path(session.invoked_from), prog=typed)


def _run(setup: Setup, name: str, session: nox.Session, asked: options.Options) -> Run:
    """Return what the session `name` has at hand, for the project itself or inside a dry run."""
    standin = standins.from_environment(os.environ)
    config = _settings(setup.config, name, asked, standin)
    place = standin.place_of(setup.root.resolve()) if standin else setup.root
    record = Record.of(place, os.environ.get(DIGEST_VARIABLE))
    run = Run(
        session=session,
        name=name,
        names=setup.names,
        root=setup.root,
        door=setup.door,
        config=config,
        options=asked,
        record=record,
        standin=standin,
        uv=nox.virtualenv.UV if nox.virtualenv.HAS_UV else None,
        own_index=setup.config.pypi,
        errand=setup.errand,
    )
    return replace(run, config=keyrings.with_logins(run)) if _reads(name, asked) and not standin else run


def _reads(name: str, asked: options.Options) -> bool:
    """Whether the session `name` reads an index, with its login."""
    return (name in READERS or (name == "status" and asked.remote)) and not asked.explain


def _settings(config: Config, name: str, asked: options.Options, standin: standins.Standin | None) -> Config:
    """Return the settings that hold for this run of the session `name`. Raises BadCredential."""
    if asked.sdist_only:
        config = replace(config, archives=("sdist",))
    if standin:
        return standin.replacing(config)
    return credentials.with_logins(config, os.environ) if _reads(name, asked) else config
