"""The `seatrial` command: ``seatrial STEP [OPTIONS]``, and the one place where errors become words and exit codes."""

from __future__ import annotations

import os
import signal
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from seatrial import __version__
from seatrial.cli import options
from seatrial.cli import secrets as hiding
from seatrial.cli.caller import Caller
from seatrial.cli.options import BadOption
from seatrial.machine import process, temporary
from seatrial.machine.errors import ReleaseError
from seatrial.machine.screen import SCREEN
from seatrial.project.commands import Commands

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from seatrial.project.context import Context

STEPS = {
    "build": "build the sdist, and the wheel from it, out of a clean checkout of HEAD",
    "check": "find what PyPI would refuse and what is broken once installed",
    "testpypi": "upload to TestPyPI, and compare what it serves",
    "verify": "install from TestPyPI as a stranger would, and use it",
    "pypi": "upload the very same files to PyPI",
    "dryrun": "all of it against two throw-away indexes on this machine",
    "inspect": "apply the rules of `check` to any wheel or sdist",
    "status": "where this release stands, and the next command",
    "rebuild": "build the tag of a version again, and compare it with what PyPI serves",
    "adopt": "copy the release sessions into a project",
}
USAGE = """\
usage: seatrial STEP [OPTIONS]

Rehearses and releases the Python project in the current folder.

{steps}

Start with `seatrial dryrun`: no account, no token, nothing leaves this machine.
`seatrial STEP --help` lists the options.
"""
INTERRUPTED = 128 + signal.SIGINT


@dataclass(eq=False)
class DiskTrouble(ReleaseError):
    reason: str

    what = "The operating system refused to read or write: {e.reason}"
    cause = "a full disk, missing rights on a folder, or a file that another program holds open."
    cure = "free space or correct the rights, and run the step again: what is recorded is complete."


def main() -> int:
    """Run what the command line says, with secrets out of reach of whatever runs below, and return the exit code."""
    secrets, words = hiding.received(sys.argv[1:])
    if not secrets:
        hiding.shed(words)
    hiding.lock_memory()
    return run(words, os.environ | secrets)


def run(
    words: Sequence[str], outer: Mapping[str, str], adapt: Callable[[Context], Context] = lambda context: context
) -> int:
    """Run the step that `words` name with the variables `outer`, and return the exit code.

    `adapt` may exchange what the step works with, as a test does that has indexes of its own.
    """
    step, *rest = words or ["--help"]
    if step in {"--version", "-V"}:
        print(f"seatrial {__version__}")
        return 0
    if step not in STEPS:
        print(usage(), end="")
        if step in {"--help", "-h"}:
            return 0
        print(f"seatrial: unknown step: {step}", file=sys.stderr)
        return 2
    commands, screen = Commands(), SCREEN
    try:
        nox, rest = options.nox_of(rest)
        commands = Commands(nox=True, prefix=nox.prefix) if nox else commands
        with process.interruptible():
            act(Caller(step, nox, commands, screen, outer), rest, adapt)
    except ReleaseError as error:
        screen.failure(error.text(commands))
        return 1
    except OSError as error:
        screen.failure(str(DiskTrouble(str(error))))
        return 1
    except KeyboardInterrupt:
        screen.failure("Interrupted. Run the same command again: it goes on where it stopped.")
        return INTERRUPTED
    return 0


def act(caller: Caller, words: Sequence[str], adapt: Callable[[Context], Context]) -> None:
    """Run the step of `caller` with the options in `words`. Raises ReleaseError."""
    if caller.step == "adopt":
        from seatrial.steps.adopt import adopt  # noqa: PLC0415 (each step imports what it needs, and no more)

        adopt(words, caller.start)
        return
    chosen = options.parse(caller.step, words, caller.start, prog=caller.commands.command(caller.step))
    caller.screen.verbose = chosen.verbose
    if caller.step == "inspect":
        from seatrial.steps.inspect import inspect  # noqa: PLC0415

        if not chosen.files:
            raise BadOption(caller.commands.command("inspect"), "no FILE was given")
        inspect(chosen.files, chosen.json, caller.screen.line, caller.start)
        return
    from seatrial.cli import release  # noqa: PLC0415

    temporary.sweep()
    release.run(caller, chosen, adapt)


def usage() -> str:
    """Return the help text."""
    return USAGE.format(steps="\n".join(f"  {name:10} {text}" for name, text in STEPS.items()))
