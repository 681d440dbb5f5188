"""The `seatrial` command: ``seatrial STEP [OPTIONS]``, and the one place where errors become words and exit codes."""

from __future__ import annotations

import os
import signal
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

from seatrial import __version__
from seatrial.cli import options
from seatrial.cli.caller import Caller
from seatrial.cli.options import NoSuchFolder
from seatrial.machine import process, temporary
from seatrial.machine.disk import DiskTrouble
from seatrial.machine.errors import ReleaseError
from seatrial.machine.screen import SCREEN
from seatrial.project.options import Commands

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from seatrial.project.context import Context
    from seatrial.project.options import Options

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
RESUMED = {"build", "check", "testpypi", "verify", "pypi"}  # steps that go on from the record


def run(
    words: Sequence[str], outer: Mapping[str, str], adapt: Callable[[Context], Context] = lambda context: context
) -> int:
    """Run the step that `words` name with the variables `outer`, and return the exit code.

    `adapt` may exchange what the step works with, as a test does that has indexes of its own.
    """
    step, *rest = words or ["--help"]
    if step in STEPS:
        return _step(step, rest, outer, adapt)
    if step in {"--version", "-V"}:
        print(f"seatrial {__version__}")
        return 0
    print(USAGE.format(steps="\n".join(f"  {name:10} {text}" for name, text in STEPS.items())), end="")
    if step in {"--help", "-h"}:
        return 0
    print(f"seatrial: unknown step: {step}", file=sys.stderr)
    return 2


def _step(step: str, rest: Sequence[str], outer: Mapping[str, str], adapt: Callable[[Context], Context]) -> int:
    commands, screen = Commands(), SCREEN
    try:
        nox, rest = options.nox_of(rest)
        commands = Commands(nox=True, prefix=nox.prefix) if nox else commands
        caller = Caller(step, nox, commands, screen, outer)
        with process.interruptible():
            if step == "adopt":
                from seatrial.steps.adopt import adopt  # noqa: PLC0415 (each step imports what it needs, and no more)

                adopt(rest, caller.start)
            else:
                chosen = options.parse(step, rest, caller.start, prog=caller.prog)
                commands = replace(commands, option=chosen.packages)
                try:
                    act(replace(caller, commands=commands), chosen, adapt)
                finally:
                    if chosen.timing:
                        if not screen.tasks:  # a step that runs no program, as `status`
                            screen.took(step, screen.begun)
                        screen.line(screen.timeline())
    except BrokenPipeError:  # nobody reads our output any more, as behind `| head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 1
    except (ReleaseError, OSError) as error:
        told = error if isinstance(error, ReleaseError) else DiskTrouble(str(error))
        screen.failure(told.text(commands))
        return 1
    except KeyboardInterrupt:
        again = "it goes on where it stopped" if step in RESUMED else "it starts from the beginning"
        screen.failure(f"Interrupted. Run the same command again: {again}.")
        return INTERRUPTED
    return 0


def act(caller: Caller, chosen: Options, adapt: Callable[[Context], Context]) -> None:
    """Run the step of `caller` with the options that were `chosen`. Raises ReleaseError."""
    caller.screen.verbose = chosen.verbose
    if chosen.json and not chosen.json.parent.is_dir():
        raise NoSuchFolder(chosen.json)
    if caller.step == "inspect" and not chosen.packages:
        from seatrial.cli import explain  # noqa: PLC0415 (as above)
        from seatrial.steps.inspect import NoFile, inspect  # noqa: PLC0415

        if chosen.explain:
            caller.screen.line(explain.inspect([str(path) for path in chosen.files]))
            return
        if not chosen.files:
            raise NoFile(caller.prog)
        inspect(chosen.files, chosen.json, caller.screen.line, caller.start)
        return
    from seatrial.cli import release  # noqa: PLC0415

    if caller.exposed and not chosen.explain:
        caller.screen.say(caller.exposed, "note")
    temporary.sweep()
    release.run(caller, chosen, adapt)
