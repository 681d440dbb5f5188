"""One session at work: what it may read, and the few things it asks of nox and of the terminal."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import environment, packages, report, scratch
from .errand import ALL, Typed
from .errors import ReusedEnvironment
from .indexes import is_loopback
from .installer import Installer, Venv
from .record import Record
from .standins import TOKENS

if TYPE_CHECKING:
    import contextlib
    from collections.abc import Mapping

    import nox

    from .config import Config
    from .errand import Errand
    from .indexes import Index
    from .options import Options
    from .standins import Standin

REQUIREMENTS = Path(__file__).with_name("requirements")
STAMP = ".seatrial-tools"  # in an environment: the hash of the lock that was installed, written last


@dataclass(frozen=True)
class Run:
    """What a session has at hand. `names` maps our session names to those of this project; `uv` is its program."""

    session: nox.Session
    name: str
    names: Mapping[str, str]
    root: Path
    door: bool
    config: Config
    options: Options
    record: Record
    standin: Standin | None
    uv: str | None
    own_index: Index | None = None  # of the settings, also where a stand-in takes its place
    errand: Errand | None = None  # where this is a nox for one package of a repository
    kept: bool = False  # whether nox may have kept an environment of `verify`, since nothing seemed left to do

    @property
    def published(self) -> Index:
        """The index with the earlier versions of this project, also in a dry run. It is only read there."""
        return self.own_index or self.config.pypi

    @property
    def venv(self) -> Venv:
        """The session's own virtualenv."""
        return Venv(Path(self.session.bin).parent)

    def claim(self) -> None:
        """Mark the environment as used. Raises ReusedEnvironment where it was before, and nox was not let keep it."""
        if self._used.exists() and not self.kept:
            raise ReusedEnvironment(self.venv.root)
        self._used.touch()

    def renew(self) -> None:
        """Make the environment anew, before anything is put into it, where nox may have kept an old one."""
        if not self.kept:
            return
        shutil.rmtree(self.venv.root, ignore_errors=True)  # older noxes do not tell uv to replace what is there
        venv: Any = self.session.virtualenv
        venv.reuse_existing = False
        if not venv.create() or self._used.exists():
            raise ReusedEnvironment(self.venv.root)
        self._used.touch()

    @property
    def _used(self) -> Path:
        return self.venv.root / ".seatrial-used"

    @property
    def in_ci(self) -> bool:
        """Whether every cell of the matrix must be there. A dry run is never that strict."""
        return _is_ci() and not self.standin

    @property
    def interactive(self) -> bool:
        """Whether somebody can be asked; never in CI, not even in a dry run."""
        return self.session.interactive and not _is_ci()

    @property
    def rehearsed_here(self) -> str | None:
        """Why the stand-in on this machine is the rehearsal of this release; None where an index is."""
        if self.standin:
            return None  # a dry run: all of it is here
        setting = 'rehearse-on = "dryrun" in [tool.seatrial]'
        return self.options.rehearse_on or (setting if self.config.rehearse_on == "dryrun" else None)

    @property
    def once(self) -> tuple[str, ...]:
        """The options that the next session needs again."""
        return self.options.once

    def say(self, text: str = "") -> None:
        report.say(text)

    def command(self, session: str, *args: str) -> str:
        """Return what a person types to run `session` of this project."""
        return self.typed.command(session, *args)

    @property
    def typed(self) -> Typed:
        """How the sessions are typed here."""
        return self.errand.typed if self.errand else Typed(self.names, self.door)

    def command_in(self, folder: Path, session: str, *args: str) -> str:
        """Return what a person does to run `session` for the package in `folder`, which is released with this one."""
        if self.typed.option in {(), ALL}:
            where = "" if self.typed.option else f" in {packages.relative(folder, self.root)}"
            return f"`{self.command(session, *args)}`{where}"
        return f"`{self.typed.for_package(packages.name_of(folder)).command(session, *args)}`"

    def record_of(self, folder: Path) -> Record:
        """Return the record of the package in `folder`, which is released together with this one."""
        return Record.of(self.standin.place_of(folder) if self.standin else folder)

    def counts(self, index: str) -> bool:
        """Whether a rehearsal on the index with the simple URL `index` is the one that is asked for."""
        ours = index == self.config.testpypi.simple
        return ours if self.rehearsed_here is None else is_loopback(index) and not ours

    def next(self, session: str, *args: str) -> None:
        """Print the one next command; not inside a dry run, nor for one package of all: nobody types it there."""
        if not self.standin and self.typed.option != ALL:
            self.say(f"next: {self.command(session, *args)}")

    def say_what_is_kept_back(self) -> None:
        """Name the variables that nothing gets that is run here; not again in a dry run, which has its own tokens."""
        names = environment.kept_back(os.environ)
        if not (self.standin and set(names) <= TOKENS):
            _say_once(names)

    def scratch(self) -> contextlib.AbstractContextManager[Path]:
        """Return a temporary folder outside the project, as a context at the end of which it is gone."""
        return scratch.folder(self.name)

    def installer(self, scratch: Path) -> Installer:
        """Return what installs released files in throw-away environments, with lists and reports in `scratch`."""
        from . import relay  # noqa: PLC0415 (a server, which a session that installs nothing does not need)

        index = relay.local(self.config.dependencies)
        env = environment.for_install(os.environ, relayed=bool(index.stands_for))
        return Installer(self.uv, env, scratch, index.simple, functools.partial(relay.told, index=index))

    def tools_in(self, scratch: Path, lock: str) -> Path:
        """Install the hash-locked tools of requirements/`lock`.txt beside the session's own; return the interpreter."""
        installer = Installer(self.uv, environment.for_tools(os.environ), scratch, self.config.dependencies.simple)
        venv = installer.create(scratch / f"{lock}-tools", None)
        installer.locked(venv, REQUIREMENTS / f"{lock}.txt")
        return venv.python

    def tools(self, lock: str) -> Path:
        """Return an interpreter with the hash-locked tools of requirements/`lock`.txt; install what is nowhere yet.

        Sessions with the same lock share the installation of whichever came first. Nothing else is ever put into it.
        """
        return tools(self.session, REQUIREMENTS / f"{lock}.txt")


def tools(session: nox.Session, requirements: Path) -> Path:
    """Return an interpreter with the hash-locked `requirements`; install what is nowhere yet."""
    own = Venv(Path(session.bin).parent)
    digest = hashlib.sha256(requirements.read_bytes()).hexdigest()
    beside = sorted(path.parent for path in own.root.parent.glob(f"*/{STAMP}"))
    for venv in (own, *map(Venv, beside)):
        if _has_tools(venv, digest):
            return venv.python
    settings = environment.for_tools(os.environ)
    hidden = dict.fromkeys(name for name in os.environ if name not in settings)
    # Bytecode is made when a module is first used: most of what the locks name never is.
    argv = ("--require-hashes", "--no-compile", "-r", str(requirements))
    # uv would else take whatever environment is active where we were started.
    where = ("--python", str(own.python)) if session.venv_backend == "uv" else ()
    session.install(*where, *argv, env={**hidden, **settings})
    (own.root / STAMP).write_text(digest, encoding="utf-8")
    return own.python


@functools.cache
def _say_once(names: tuple[str, ...]) -> None:
    """Say it once for all sessions of one nox."""
    if names:
        report.say(f"not handed to anything that runs here: {', '.join(names)}")


def _is_ci() -> bool:
    return os.environ.get("CI", "").lower() in {"1", "true", "yes"}


def _has_tools(venv: Venv, digest: str) -> bool:
    """Whether the tools with this lock were installed in `venv`, to the end, and its interpreter is still there."""
    stamp = venv.root / STAMP
    return stamp.exists() and stamp.read_text(encoding="utf-8") == digest and venv.python.exists()
