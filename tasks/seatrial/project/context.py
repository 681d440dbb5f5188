"""What a step works with: the project and its settings, the record of the release, and the person in front of it."""

from __future__ import annotations

import threading
from dataclasses import field, replace
from typing import TYPE_CHECKING, Any

from seatrial.index.indexes import Index, is_loopback
from seatrial.machine import variables
from seatrial.machine.screen import SCREEN, Screen
from seatrial.machine.values import Value
from seatrial.project.options import ALL, Commands
from seatrial.release.record import Record

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from seatrial.machine.worker import Worker, Workers
    from seatrial.project.options import Options
    from seatrial.project.settings import Settings
    from seatrial.release.stages import Problem


class Resolution:
    """The pylock.toml of some requirements, empty until uv has made it; whoever needs it waits for its `turn`."""

    def __init__(self) -> None:
        self.turn, self.lock = threading.Lock(), ""


Locks = dict[tuple[str, str, str], Resolution]  # by the interpreter, the requirements and the subject


class DryRun(Value):
    """The two stand-in indexes of a dry run are those of the settings; these are the project's own.

    `place` is the folder of this package in the dry run, `places` that of each package rehearsed with it. The programs
    that upload and build may run already; `meanwhile` is what to do while a build has the time. `locks` are the
    dependencies as they were resolved, `sources` what git said of each package (`building.git.of`): both are found out
    once.
    """

    place: Path
    places: Mapping[Path, Path] = field(default_factory=dict)
    uploader: Worker | None = None
    builders: Workers | None = None
    meanwhile: Callable[[], None] | None = None
    locks: Locks = field(default_factory=dict)
    sources: dict[Path, Any] = field(default_factory=dict)


class Context(Value):
    """What a step works with. `variables` are those of the environment, in which credentials are looked up.

    `published` is the index with the earlier versions of the project, also in a dry run, which only reads it. `uv` is
    its program, None where it is not installed. `last` says whether this is the step that was asked for, rather than
    one that comes before it. `screen` shows what is done; `told` are the findings that this command has shown.
    """

    root: Path
    settings: Settings
    options: Options
    record: Record
    commands: Commands
    variables: Mapping[str, str] = field(repr=False)
    published: Index
    uv: str | None = None
    asks: bool = False
    last: bool = True
    dry: DryRun | None = None
    screen: Screen = field(default_factory=lambda: SCREEN, repr=False)
    told: set[tuple[Path, str, str]] = field(default_factory=set, repr=False)

    @property
    def locks(self) -> Locks:
        """The dependencies that were resolved: in a dry run by all of its steps, else by the one that asks."""
        return self.dry.locks if self.dry else {}

    @property
    def in_ci(self) -> bool:
        """Whether every cell of the matrix must be there. A dry run is never that strict."""
        return is_ci(self.variables) and self.dry is None

    @property
    def interactive(self) -> bool:
        """Whether somebody can be asked; never in CI, not even in a dry run."""
        return self.asks and not is_ci(self.variables)

    @property
    def rehearsed_here(self) -> str | None:
        """Why the stand-in on this machine is the rehearsal of this release; None where an index is."""
        if self.dry:
            return None  # all of it is here
        setting = 'rehearse-on = "dryrun" in [tool.seatrial]'
        return self.options.rehearse_on or (setting if self.settings.rehearse_on == "dryrun" else None)

    def counts(self, index: str) -> bool:
        """Whether a rehearsal on the index with the simple URL `index` is the one that is asked for."""
        ours = index == self.settings.testpypi.simple
        return ours if self.rehearsed_here is None else is_loopback(index) and not ours

    def record_of(self, folder: Path) -> Record:
        """Return the record of the package in `folder`, which is released together with this one."""
        place = self.dry.places.get(folder.resolve(), folder) if self.dry else folder
        return Record.of(place)

    def say(self, text: str, label: str = "") -> None:
        """Show `text` below the line of the running step; `label` is a word such as ``warning``."""
        self.screen.say(text, label)

    def detail(self, text: str) -> None:
        """Show `text` with ``-v`` alone; the log always gets it."""
        self.screen.detail(text)

    def is_told(self, problem: Problem) -> bool:
        """Whether this command has shown the warning `problem`. An error is shown by every step that it stops."""
        return problem.severity == "warning" and (self.root, problem.rule, problem.message) in self.told

    def next(self, step: str, *options: str) -> None:
        """Show the one next command; not inside a dry run, nor for one package of all: nobody types it there."""
        if self.last and not self.dry and self.commands.option != ALL:
            self.screen.line(f"next: {self.commands.command(step, *options)}")

    def say_what_is_withheld(self) -> None:
        """Name the variables that nothing gets that runs here; not in a dry run, whose tokens are its own."""
        if not self.dry and (names := variables.kept_back(self.variables)):
            self.detail(f"withheld from subprocesses: {', '.join(names)}")

    def with_settings(self, settings: Settings) -> Context:
        """Return the same with other `settings`."""
        return replace(self, settings=settings)


def is_ci(outer: Mapping[str, str]) -> bool:
    """Whether the variables `outer` say that this is a CI job."""
    return outer.get("CI", "").lower() in {"1", "true", "yes"}
