"""Where a release is rehearsed: on the rehearsal index, or on a stand-in on this machine that takes its place."""

from __future__ import annotations

import contextlib
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

from seatrial import standin
from seatrial.machine import temporary
from seatrial.machine.errors import ReleaseError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from seatrial.index.indexes import Index
    from seatrial.project.context import Context
    from seatrial.project.settings import Settings
    from seatrial.release.stages import Rehearsed
    from seatrial.standin import Standins


@dataclass(eq=False)
class RehearsedElsewhere(ReleaseError):
    index: str
    expected: str
    again: str = ""  # the command that lets the rehearsal on this machine count, where it was one

    what = "These files were rehearsed on {e.index}, and the rehearsal index of this release is {e.expected}."
    cause = "the record was made against another index (a stand-in of `dryrun` proves nothing about {e.expected})."
    cure = "`{run[verify]}` rehearses there.{e.otherwise}"

    @property
    def otherwise(self) -> str:
        return f" To let the rehearsal on this machine count: `{self.again}`." if self.again else ""


def at_standins(settings: Settings, standins: Standins) -> Settings:
    """Return `settings` with both indexes replaced by `standins`; dependencies come from where they always do."""
    return settings.with_indexes(standins.replacing(settings.indexes))


@contextlib.contextmanager
def rehearsal(context: Context, held: tuple[Path, ...] = ()) -> Iterator[tuple[Index, Mapping[str, str]]]:
    """Yield the index on which `context` rehearses, and the variables to look up its credential in.

    Where that is this machine, a stand-in serves as long as this context manager lasts; it holds copies of the files
    `held`.
    """
    index = context.settings.testpypi
    if context.rehearsed_here is None:
        yield index, context.variables
        return
    context.say(f"rehearsal: a stand-in on this machine, not {index.name} ({context.rehearsed_here})")
    with temporary.folder("rehearsal") as folder, standin.serve(folder) as standins:
        for path in held:
            shutil.copyfile(path, folder / "testpypi" / path.name)
        yield standins.rehearsal(index), standins.tokens


def describe(context: Context, rehearsed: Rehearsed) -> str:
    """Say where the files were rehearsed."""
    name = context.settings.testpypi.name
    return name if rehearsed.reason is None else f"a stand-in on this machine, not {name} ({rehearsed.reason})"


def elsewhere(context: Context, step: str, rehearsed: Rehearsed) -> RehearsedElsewhere:
    """Return the error for a rehearsal that is not the one `step` asks for."""
    again = ""
    if rehearsed.reason is not None:
        again = context.commands.command(step, "--rehearse-on", "dryrun", f'"{rehearsed.reason}"')
    expected = "a stand-in on this machine" if context.rehearsed_here else context.settings.testpypi.simple
    return RehearsedElsewhere(rehearsed.index, expected, again)
