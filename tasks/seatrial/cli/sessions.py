"""What every release session does, whichever it is. Its own part is in `bodies/`; `listed` says what there is.

All have one shape: read the stage before, ask, act, write this stage. What they decide is decided here, in nox's own
interpreter; what they run is run in the session's virtualenv or in throw-away ones.
"""

from __future__ import annotations

import contextlib
import functools
import importlib
import os
import re
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nox
import nox.virtualenv

from seatrial.index import credentials, keyring
from seatrial.machine import process, temporary, variables
from seatrial.machine.errors import ReleaseError
from seatrial.project import commands as errands
from seatrial.project import options
from seatrial.project.commands import Errand, Typed
from seatrial.project.context import Run, tools
from seatrial.project.pythons import running
from seatrial.project.settings import Config, load
from seatrial.release.record import DIGEST_VARIABLE, Record
from seatrial.report import text
from seatrial.standin import standins

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from seatrial.cli.listed import Listing

READERS = frozenset({"check", "testpypi", "verify", "pypi", "dryrun", "rebuild"})  # of an index, with its login
# A command in a message, as long as it does not say for which packages.
COMMAND = re.compile(r"nox -s ([\w-]+)(?![\w-])(?! -- --(?:package|all)\b)( --)?")


@dataclass(eq=False)
class FakeSuccess(ReleaseError):
    flag: str

    what = "This session was started with {e.flag}, which would report success for something that did not happen."
    cause = "the flag stands in the command, or in `nox.options` of the noxfile."
    cure = "run the session without it."


@dataclass(eq=False)
class ShadowedTools(ReleaseError):
    root: Path
    names: tuple[str, ...]

    what = "The project's own {e.shown} in {e.root} hide modules that nox needs to make virtual environments."
    cause = "Python 3.10 puts the current folder first on its path when nox starts `python -m virtualenv`."
    cure = "run nox on Python 3.11 or later, or install uv (pip install uv), which makes the environments instead."

    @property
    def shown(self) -> str:
        return ", ".join(f"`{name}`" for name in self.names)


@dataclass(eq=False)
class DiskTrouble(ReleaseError):
    reason: str

    what = "The operating system refused to read or write: {e.reason}"
    cause = "a full disk, missing rights on a folder, or a file that another program holds open."
    cure = "free space or correct the rights, and run the session again: what is recorded is complete."


@dataclass(frozen=True)
class Setup:
    """What a session goes by: the project, its settings, or why there are none."""

    root: Path
    door: bool
    config: Config
    trouble: ReleaseError | None
    names: dict[str, str]
    errand: Errand | None = None
    kept: bool = False


def run(listing: Listing, name: str, session: nox.Session, **cell: Any) -> None:
    """Run the session `name` (as we call it), in a `cell` of the matrix if it has one."""
    _reported(_setup(listing), name, _module(f"bodies.{name}").body, session, **cell)


def adopt(listing: Listing, session: nox.Session) -> None:
    """Put the release sessions into another project."""
    adoption = _module("adoption.session")  # no copy has it
    with _reporting(_setup(listing), session):
        _refuse_fake_success("", session)
        adoption.adopt(session.posargs, Path(session.invoked_from), functools.partial(tools, session), text.say)


def _module(name: str) -> Any:
    """Return our module `name`, which is imported now: not every session needs it."""
    return importlib.import_module(f"{__package__}.{name}")


def _setup(listing: Listing) -> Setup:
    """Read the settings, or what is wrong with them."""
    config = Config(pythons=(running(),))
    trouble: ReleaseError | None = None
    errand = errands.from_environment(os.environ) if listing.door else None
    try:
        config = load(listing.root)
        if errand and errand.release_with is not None:
            config = replace(config, release_with=errand.release_with)
    except ReleaseError as error:
        trouble = error
    except OSError as error:
        trouble = DiskTrouble(str(error))
    if listing.hidden:
        trouble = ShadowedTools(listing.root, listing.hidden)
    return Setup(listing.root, listing.door, config, trouble, listing.names, errand, listing.kept)


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
        temporary.sweep()
        if asked.package is not None or asked.all:
            _for_packages(setup, name, session, asked)
            return
        run = _run(setup, name, session, asked)
        if run.options.explain:
            run.say(_module("explain").session(name, run.config, **cell))
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
    together, rehearsal = _module("together"), _module("dryrun")
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
    if _only_installs(session):
        raise FakeSuccess("--install-only")


def _only_installs(session: nox.Session) -> bool:
    """Whether nox runs no command of a session. It tells that nowhere in public: where it hides it no more, we try."""
    try:
        return bool(session._runner.global_config.install_only)  # noqa: SLF001 (so no interpreter has to be started)
    except AttributeError:
        quiet: dict[str, Any] = {"silent": True, "log": False, "external": True, "include_outer_env": False}
        tried = session.run(sys.executable, "-I", "-c", "", env=variables.for_build(os.environ), **quiet)
    return tried is None


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
        kept=setup.kept,
    )
    return replace(run, config=keyring.with_logins(run)) if _reads(name, asked) and not standin else run


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
