"""Who asked for a step, and from where: a person at a prompt, or nox."""

from __future__ import annotations

import re
from dataclasses import field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from seatrial.cli import chain
from seatrial.machine.errors import printable
from seatrial.machine.values import Value

if TYPE_CHECKING:
    from collections.abc import Mapping

    from seatrial.cli.options import Nox
    from seatrial.machine.screen import Screen
    from seatrial.project.options import Commands

UPLOADS = re.compile(r"(TEST)?PYPI_(ID_)?TOKEN|TWINE_PASSWORD|ACTIONS_ID_TOKEN_REQUEST_TOKEN", re.IGNORECASE)
FOREIGN = ("build", "dryrun", "rebuild", "check", "verify")  # steps that run what is built, installed and tested


class Caller(Value):
    """Who asked for `step`, how commands are typed there, where to show what is done, and the variables there are."""

    step: str
    nox: Nox | None
    commands: Commands
    screen: Screen
    variables: Mapping[str, str] = field(repr=False)

    @property
    def prog(self) -> str:
        """What is typed before the options of the step."""
        command = replace(self.commands, option=()).command(self.step)
        return f"{command} --" if self.nox else command

    @property
    def root(self) -> Path:
        """The folder of the project, or of the repository of several."""
        return self.nox.root if self.nox else Path.cwd()

    @property
    def start(self) -> Path:
        """The folder that relative paths are meant from."""
        return self.nox.start if self.nox else Path.cwd()

    @property
    def steps(self) -> tuple[str, ...]:
        """The steps to run: nox runs those that are required by itself."""
        return chain.through(self.step) if self.nox is None else (self.step,)

    @property
    def is_last(self) -> bool:
        """Whether the step was asked for, rather than required by another."""
        asked = self.nox.asked if self.nox else ()
        return not any(self.step in chain.through(name)[:-1] for name in asked)

    @property
    def planned(self) -> frozenset[str]:
        """All steps that are going to run, in this process or in those that nox starts after it."""
        asked = self.nox.asked if self.nox else ()
        return frozenset({*self.steps, *(step for name in asked for step in chain.through(name))})

    @property
    def exposed(self) -> str:
        """Which credentials of uploads foreign code can read where this was typed, once for all `planned` steps.

        No process of ours shows them; the shell that exported them does.
        """
        first = next((step for step in FOREIGN if step in self.planned), "")
        names = {*self.variables, *(self.nox.withheld if self.nox else ())}
        if first not in self.steps or not (here := sorted(filter(UPLOADS.fullmatch, names))):
            return ""
        return (
            f"{printable(', '.join(here))}: what is built and tested here can read it from the environment of the"
            " shell; a keyring is safer, and so is setting it for the upload alone"
        )
