"""A step on the project in a folder, or on packages of the repository there: its settings, its record, its context."""

from __future__ import annotations

import importlib.util
import os
import shutil
from dataclasses import replace
from typing import TYPE_CHECKING

from seatrial.cli import packages
from seatrial.index import logins
from seatrial.project.context import Context
from seatrial.project.settings import load
from seatrial.release.record import DIGEST_VARIABLE, Record
from seatrial.report import status

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from seatrial.cli.caller import Caller
    from seatrial.project.options import Commands, Options

READERS = frozenset({"check", "testpypi", "verify", "pypi", "dryrun", "rebuild"})  # of an index, with its login
UPLOADERS = frozenset({"testpypi", "pypi"})
UPLOADED = UPLOADERS | {"verify"}  # read an index of one's own with the credential of its uploads, too


def run(caller: Caller, options: Options, adapt: Callable[[Context], Context]) -> None:
    """Run the step of `caller`. Raises ReleaseError."""

    def context_for(root: Path, commands: Commands, release_with: tuple[str, ...] | None) -> Context:
        return adapt(context_in(root, caller, options, commands, release_with))

    if options.package is not None or options.all:
        packages.run(caller, options, context_for)
        return
    context = context_for(caller.root, caller.commands, None)
    if not options.explain:
        context.screen.log.path = status.log_of(context, caller.step)
    packages.act(caller, context)


def context_in(
    root: Path, caller: Caller, options: Options, commands: Commands, release_with: tuple[str, ...] | None
) -> Context:
    """Return what the step works with on the project in `root`; `release_with` takes the place of that setting."""
    settings = load(root)
    if release_with is not None:
        settings = replace(settings, release_with=release_with)
    if options.sdist_only:
        settings = replace(settings, archives=("sdist",))
    if (caller.step in READERS or options.remote) and not options.explain:
        uploads = caller.step in UPLOADED or options.remote
        settings = settings.with_indexes(logins.with_logins(settings.indexes, caller.variables, uploads=uploads))
        for index in settings.indexes if uploads else ():
            if index.login:  # shown before it is sent, since the project chose the host
                caller.screen.line(f"index: {index.simple}  read with {index.login.source}")
    expected = None if options.all else caller.variables.get(DIGEST_VARIABLE)  # it is of one package
    return Context(
        root=root,
        settings=settings,
        options=options,
        record=Record.of(root, expected),
        commands=commands,
        variables=caller.variables,
        published=settings.pypi,
        uv=caller.nox.uv if caller.nox else find_uv(),
        asks=caller.nox.interactive if caller.nox else os.isatty(0),
        last=caller.is_last,
        screen=caller.screen,
    )


def find_uv() -> str | None:
    """Return the program uv, None where it is not installed: that of the package `uv` beside us, or on PATH."""
    if importlib.util.find_spec("uv"):
        import uv  # noqa: PLC0415 (used where it is installed, and never required)

        return str(uv.find_uv_bin())
    return shutil.which("uv")
