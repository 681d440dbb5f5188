"""A step on the project in a folder, or on packages of the repository there: settings, record and context of each.

With ``--all`` packages that do not need each other run side by side, and what needs another comes after it.
"""

from __future__ import annotations

import contextlib
import functools
import importlib.util
import os
import shutil
from dataclasses import replace
from typing import TYPE_CHECKING

from seatrial.cli import chain
from seatrial.cli.options import BadOption
from seatrial.index import credentials, logins
from seatrial.machine.disk import DiskTrouble
from seatrial.machine.errors import ReleaseError
from seatrial.project.context import Context
from seatrial.project.settings import load
from seatrial.release.record import DIGEST_VARIABLE, Record
from seatrial.release.stages import Rehearsed
from seatrial.report import status
from seatrial.workspace import order, packages

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from pathlib import Path

    from seatrial.cli.caller import Caller
    from seatrial.index.indexes import Index
    from seatrial.project.options import Commands, Options

    ContextIn = Callable[[Path, Commands, tuple[str, ...] | None], Context]

READERS = frozenset({"check", "testpypi", "verify", "pypi", "dryrun", "rebuild"})  # of an index, with its login
UPLOADED = frozenset({"testpypi", "verify", "pypi"})  # read an index of one's own with what uploads to it, too
FOLLOWING = {"build": "check", "check": "testpypi", "testpypi": "verify", "verify": "pypi", "dryrun": "testpypi"}


class NoPackages(ReleaseError):
    root: Path

    what = "No packages are found in {e.root}."
    cause = "there is no workspace of uv or hatch here, and `packages` of [tool.seatrial] is not set."
    cure = (
        'name their folders in the pyproject.toml (or seatrial.toml) of this folder: `packages = ["packages/*"]` in'
        " [tool.seatrial]; or give one of them with `--package FOLDER`."
    )


def run(caller: Caller, options: Options, adapt: Callable[[Context], Context]) -> None:
    """Run the step of `caller` on its project, or for the package or the packages that are asked for.

    Raises BadOption, NoPackages, NoSuchPackage, NotOnePackage, PackageCycle, PackagesFailed, and what stops the step.
    """

    def context_for(root: Path, commands: Commands, release_with: tuple[str, ...] | None) -> Context:
        return adapt(context_in(root, caller, options, commands, release_with))

    if options.package is not None or options.all:
        _run_for_packages(caller, options, context_for)
        return
    if caller.step in FOLLOWING or caller.step == "pypi":
        packages.stop_if_above(caller.root, caller.step)
    context = context_for(caller.root, caller.commands, None)
    if not options.explain:
        context.screen.log.path = status.log_of(context, caller.step)
    act(caller, context)


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


def _run_for_packages(caller: Caller, options: Options, context_in: ContextIn) -> None:
    """Run the step of `caller` for the package or the packages that are asked for."""
    for is_senseless, complaint in (
        (options.package is not None and options.all, "--package and --all exclude each other"),
        (caller.step == "inspect", "it takes files, and no package"),
        (options.all and caller.step == "rebuild", "a VERSION belongs to one package: give it with --package NAME"),
        (options.all and options.taken_from, "--from takes the files of one package: give it with --package NAME"),
    ):
        if is_senseless:
            raise BadOption(caller.prog, complaint)
    repository = packages.find(caller.root)
    if options.package is not None:
        package = repository.package(options.package, caller.start)
        act(caller, context_in(package.root, caller.commands.for_package(package.name), None))
        return
    if options.preflight:
        for context in _readable(caller, repository, context_in):
            act(caller, context)
        return
    ordered = repository.ordered()
    if ordered:
        caller.screen.line(f"{order.counted(repository)}: {', '.join(package.name for package in ordered)}")
    if repository.left_out:
        caller.screen.line(f"not for release: {', '.join(repository.left_out)}")
    if not ordered:
        raise NoPackages(repository.root)
    _for_all(caller, repository, options, context_in)


def act(caller: Caller, context: Context) -> None:
    """Explain the step of `caller`, or run it on one package, after what can be refused before a build."""
    if context.options.explain:
        from seatrial.cli import explain  # noqa: PLC0415 (each step imports what it needs, and no more)

        context.screen.line(explain.step(caller.step, context))
        return
    alone = context.options.preflight
    if alone or "build" in caller.steps or caller.step == "dryrun":
        from seatrial.steps import preflight  # noqa: PLC0415

        named = {*caller.nox.withheld} if caller.nox else set[str]()
        withheld = not named <= context.variables.keys()  # only the process of an upload has them
        ahead = preflight.stop_early(context, caller.steps if alone else caller.planned, withheld=withheld)
        if alone and ahead and (withheld or not named):
            caller.screen.line("upload")  # which asks tasks/release.py for the credential
    if not alone:
        chain.run(caller.steps, context)


def _for_all(caller: Caller, repository: packages.Repository, options: Options, context_in: ContextIn) -> None:
    """Run the step for all packages of `repository`, and name the one next command."""
    from seatrial.steps import dryrun  # noqa: PLC0415 (as above)

    commands, uploads = caller.commands, "testpypi" in caller.steps and not options.explain
    typed = tokens(_readable(caller, repository, context_in)) if uploads else {}

    def work(package: packages.Package, act: Callable[[Context], None]) -> bool:
        beside = tuple(packages.relative(folder, package.root) for folder in package.needs)
        with caller.screen.apart() as screen:  # shows in one piece what is said
            screen.line(f"\n== {package.name}")
            try:
                act(with_token(replace(context_in(package.root, commands, beside), screen=screen), typed))
            except (ReleaseError, OSError) as error:
                told = error if isinstance(error, ReleaseError) else DiskTrouble(str(error))
                screen.line(told.text(commands))
                return False
        return True

    if caller.step == "pypi" and not options.explain:
        _release(caller, repository, context_in)
    elif caller.step == "dryrun" and not options.explain:
        dryrun.of_all(context_in(repository.root, commands, None), repository, work)
    else:
        order.side_by_side(caller.step, repository, lambda package: work(package, lambda its: act(caller, its)))
    if caller.step in FOLLOWING and not options.explain:
        caller.screen.line(f"next: {commands.command(FOLLOWING[caller.step], *options.once)}")


def tokens(contexts: Iterable[Context]) -> dict[Index, str]:
    """Return what was typed for each rehearsal index that one of `contexts` uploads to and has no credential for.

    That is once, since packages side by side cannot ask. Raises BadCredential and NoCredential.
    """
    typed: dict[Index, str] = {}
    for context in contexts:
        if (index := context.settings.testpypi) in typed:
            continue
        rehearsed = context.record.find(Rehearsed)
        done = rehearsed is not None and context.counts(rehearsed.index) and not context.options.rebuild
        here = context.rehearsed_here is not None or context.dry is not None
        if context.interactive and index.token_variable and not done and not here:
            keyring = functools.partial(logins.secret, index.upload)
            ask = functools.partial(credentials.ask_terminal, index)
            found = credentials.find(index, context.variables, keyring=keyring, ask=ask)
            if found.source == credentials.TYPED:
                typed[index] = found.secret
    return typed


def with_token(context: Context, typed: Mapping[Index, str]) -> Context:
    """Return `context` with the token that was typed for its rehearsal index, which asks nobody."""
    index = context.settings.testpypi
    more = {index.token_variable: typed[index]} if index in typed else {}
    return replace(context, variables={**context.variables, **more}, asks=False)


def _readable(caller: Caller, repository: packages.Repository, context_in: ContextIn) -> Iterator[Context]:
    """Yield what the step works with for each package; what is wrong with one of them is said in its turn."""
    for package in repository.ordered():
        with contextlib.suppress(ReleaseError):
            yield context_in(package.root, caller.commands, ())


def _release(caller: Caller, repository: packages.Repository, context_in: ContextIn) -> None:
    """Upload all packages, one after the other; the first that fails ends it.

    Before the first byte is sent, all of them are proved, and confirmed where a version is given: what is uploaded
    cannot be taken back.
    """
    from seatrial.steps import pypi  # noqa: PLC0415 (as above)

    ordered = repository.ordered()
    beside = [tuple(packages.relative(folder, package.root) for folder in package.needs) for package in ordered]
    pairs = zip(ordered, beside, strict=True)
    contexts = [
        context_in(package.root, caller.commands.for_package(package.name), needed) for package, needed in pairs
    ]
    by_itself = pypi.apart(contexts)
    for package, context in zip(ordered, contexts, strict=True):
        caller.screen.line(f"\n== {package.name}, before anything is sent")
        pypi.proved(replace(context, options=replace(context.options, yes=None)) if by_itself else context)
    if by_itself and (contexts[0].options.yes is not None or not contexts[0].interactive):
        raise pypi.VersionsDiffer(by_itself)
    for place, package in enumerate(ordered):
        caller.screen.line(f"\n== {package.name}")
        try:
            pypi.run(context_in(package.root, caller.commands, beside[place]))
        except ReleaseError as error:
            caller.screen.line(error.text(caller.commands))
            waiting = tuple(later.name for later in ordered[place + 1 :])
            raise order.PackagesFailed(caller.step, (package.name,), waiting) from None
