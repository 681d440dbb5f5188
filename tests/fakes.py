"""Stand-ins for nox in unit tests: a session that only notes what it is asked for, and a run around it."""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, NoReturn, cast

from seatrial.cli.listed import NAMES
from seatrial.project.context import Run
from seatrial.project.options import parse
from seatrial.project.settings import Config
from seatrial.release.record import Record

if TYPE_CHECKING:
    from pathlib import Path

    import nox

    from seatrial.standin.standins import Standin


class SessionError(Exception):
    """What the fake session raises where nox's would end the session with a message."""


@dataclass
class FakeEnvironment:
    """What our code uses of nox's environments. It can be one that nox keeps whatever it is told."""

    root: Path
    stubborn: bool = False
    reuse_existing: bool = True
    created: int = 0

    def create(self) -> bool:
        if self.reuse_existing or self.stubborn:
            return False
        (self.root / "bin").mkdir(parents=True)
        self.created += 1
        return True


@dataclass
class FakeSession:
    """What our code uses of nox.Session."""

    root: Path
    name: str = "build"
    posargs: tuple[str, ...] = ()
    python: str | None = "3.13"
    venv_backend: str = "virtualenv"
    interactive: bool = True
    runs: bool = True
    tells: bool = True
    started: int = 0
    installed: list[tuple[str, ...]] = field(default_factory=list)
    env: dict[str, Any] = field(default_factory=dict)

    @functools.cached_property
    def virtualenv(self) -> FakeEnvironment:
        return FakeEnvironment(self.root / ".nox" / self.name)

    @property
    def bin(self) -> str:
        return str(self.root / ".nox" / self.name / "bin")

    @property
    def invoked_from(self) -> str:
        return str(self.root)

    def install(self, *args: str, env: dict[str, Any]) -> None:
        self.installed.append(args)
        self.env = env

    @property
    def _runner(self) -> SimpleNamespace:
        """Where nox keeps its options, in private."""
        told = {"install_only": not self.runs} if self.tells else {}
        return SimpleNamespace(global_config=SimpleNamespace(**told))

    def run(self, *_args: str, **_settings: Any) -> bool | None:
        self.started += 1
        return True if self.runs else None

    def error(self, message: str) -> NoReturn:
        raise SessionError(message)


def make_run(
    root: Path,
    *words: str,
    name: str = "build",
    config: Config | None = None,
    session: FakeSession | None = None,
    door: bool = False,
    standin: Standin | None = None,
    uv: str | None = None,
    prefix: str = "",
    kept: bool = False,
) -> Run:
    """Return a run of the session `name` on the project in `root`, with `words` after the double dash."""
    fake = session or FakeSession(root, name)
    (root / ".nox" / fake.name / "bin").mkdir(parents=True, exist_ok=True)
    record = Record.of(root)
    record.prepare()  # as a session does when it locks it
    return Run(
        session=cast("nox.Session", fake),
        name=name,
        names={one: prefix + one for one in NAMES},
        root=root,
        door=door,
        config=config or Config(pythons=("3.13",)),
        options=parse(name, words, root),
        record=record,
        standin=standin,
        uv=uv,
        kept=kept,
    )
