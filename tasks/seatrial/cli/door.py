"""The `seatrial` command: the release sessions on the project in the current folder, nothing copied into it.

``seatrial [NOX OPTIONS] SESSION [ARGS...]`` is ``nox [NOX OPTIONS] -s SESSION -- ARGS...`` with the installed
sessions.
"""

from __future__ import annotations

import os
import runpy
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import platformdirs

from seatrial.cli.register import PROJECT_VARIABLE, VERSION, too_old
from seatrial.steps import inspect

if TYPE_CHECKING:
    from collections.abc import Sequence

SESSIONS = {
    "build": "build the sdist and the wheel from it, out of a clean checkout",
    "check": "find what PyPI would refuse and users would meet",
    "testpypi": "upload to TestPyPI, and compare what it serves",
    "verify": "install from TestPyPI as a stranger would, and use it",
    "pypi": "upload the very same files to PyPI",
    "dryrun": "all of it against two throw-away indexes on this machine",
    "inspect": "apply the rules of `check` to any wheel or sdist",
    "status": "where this release stands, and the next command",
    "rebuild": "build the tag of a version again, and compare it with what PyPI serves",
}
APART = {"adopt": "put these sessions into a project, as files of its own"}  # what a project's own copy does not have
USAGE = """\
usage: seatrial [NOX OPTIONS] SESSION [ARGS...]

Rehearses and releases the Python project in the current folder.

{sessions}

Start with `seatrial dryrun`: no account, no token, nothing leaves this machine.
`seatrial SESSION --help` lists the options of the sessions, `nox --help` those of nox.
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the session that `argv` names (default: the command line's) and return nox's exit code."""
    words = list(sys.argv[1:] if argv is None else argv)
    if words in (["--version"], ["-V"]):
        print(f"seatrial {VERSION}")
        return 0
    place = next((n for n, word in enumerate(words) if is_session(word)), None)
    if place is None:
        print(usage(), end="")
        if words in ([], ["--help"], ["-h"]):
            return 0
        print("seatrial: the command line names none of these sessions", file=sys.stderr)
        return 2
    if problem := too_old():
        print(f"seatrial needs {problem}", file=sys.stderr)
        return 1
    options, session, args = words[:place], words[place], words[place + 1 :]
    if session == "inspect" and not options and inspect.is_equipped():
        return inspect.main(args, Path.cwd())
    os.environ[PROJECT_VARIABLE] = str(Path.cwd())
    return run_nox([*options, *nox_arguments(session, Path.cwd()), "--", *args])


def is_session(word: str) -> bool:
    """Whether `word` names a session, or a cell of `verify` like ``verify-3.13(wheel)``."""
    return word in SESSIONS or word in APART or word.startswith("verify-")


def nox_arguments(session: str, project: Path) -> list[str]:
    """Return what points nox at the installed sessions, with the environments kept in the project (or the cache)."""
    cache = Path(platformdirs.user_cache_dir("seatrial", appauthor=False))
    envdir = cache / "nox" if session in {"inspect", "adopt"} else project / ".nox"
    noxfile = Path(__file__).with_name("register.py")
    return ["--noxfile", str(noxfile), "--envdir", str(envdir), "--session", session]


def run_nox(arguments: Sequence[str]) -> int:
    """Run nox in this process with `arguments` and return its exit code."""
    sys.argv = ["nox", *arguments]
    try:
        runpy.run_module("nox", run_name="__main__", alter_sys=True)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    return 0


def usage() -> str:
    """Return the help text."""
    return USAGE.format(sessions="\n".join(f"  {name:10} {text}" for name, text in (SESSIONS | APART).items()))


if __name__ == "__main__":
    sys.exit(main())
