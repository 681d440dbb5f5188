"""``--package`` and ``--all``: a step for one package of this repository, or for all of them.

With ``--all`` those that do not need each other run side by side, and what needs another comes after it.
"""

from __future__ import annotations

import contextlib
from dataclasses import replace
from typing import TYPE_CHECKING

from seatrial.cli import chain
from seatrial.cli.options import BadOption
from seatrial.machine.disk import DiskTrouble
from seatrial.machine.errors import ReleaseError
from seatrial.workspace import order, packages

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from seatrial.cli.caller import Caller
    from seatrial.machine.screen import Screen
    from seatrial.project.context import Context
    from seatrial.project.options import Commands, Options
    from seatrial.workspace.packages import Package, Repository

    ContextIn = Callable[[Path, Commands, tuple[str, ...] | None], Context]

FOLLOWING = {"build": "check", "check": "testpypi", "testpypi": "verify", "verify": "pypi", "dryrun": "testpypi"}


class NoPackages(ReleaseError):
    root: Path

    what = "No packages are found in {e.root}."
    cause = "there is no workspace of uv or hatch here, and `packages` of [tool.seatrial] is not set."
    cure = (
        'name their folders in the pyproject.toml (or seatrial.toml) of this folder: `packages = ["packages/*"]` in'
        " [tool.seatrial]; or give one of them with `--package FOLDER`."
    )


def run(caller: Caller, options: Options, context_in: ContextIn) -> None:
    """Run the step of `caller` for the package or the packages that are asked for.

    `context_in` returns what a step works with for the package in a folder. Raises BadOption, NoPackages,
    NoSuchPackage, PackageCycle and PackagesFailed.
    """
    _stop_if_senseless(caller, options)
    repository = packages.find(caller.root)
    if options.package is not None:
        package = repository.package(options.package, caller.start)
        act(caller, context_in(package.root, caller.commands.for_package(package.name), None))
        return
    if options.preflight:
        for context in _readable(caller, repository, context_in):
            act(caller, context)
        return
    _introduce(caller, repository)
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

        withheld = bool(caller.nox and caller.nox.withheld) and not alone
        preflight.stop_early(context, caller.steps if alone else caller.planned, withheld=withheld)
    if not alone:
        chain.run(caller.steps, context)


def _stop_if_senseless(caller: Caller, options: Options) -> None:
    prog = caller.prog
    if options.package is not None and options.all:
        raise BadOption(prog, "--package and --all exclude each other")
    if caller.step == "inspect":
        raise BadOption(prog, "it takes files, and no package")
    if options.all and caller.step == "rebuild":
        raise BadOption(prog, "a VERSION belongs to one package: give it with --package NAME")
    if options.all and options.taken_from:
        raise BadOption(prog, "--from takes the files of one package: give it with --package NAME")


def _introduce(caller: Caller, repository: Repository) -> None:
    ordered = repository.ordered()
    if ordered:
        caller.screen.line(f"{order.counted(repository)}: {', '.join(package.name for package in ordered)}")
    if repository.left_out:
        caller.screen.line(f"not for release: {', '.join(repository.left_out)}")
    if not ordered:
        raise NoPackages(repository.root)


def _for_all(caller: Caller, repository: Repository, options: Options, context_in: ContextIn) -> None:
    """Run the step for all packages of `repository`, and name the one next command."""
    from seatrial.cli.asking import tokens, with_token  # noqa: PLC0415 (as above)
    from seatrial.steps import dryrun  # noqa: PLC0415

    commands = caller.commands
    asking = "testpypi" in caller.steps and not options.explain
    typed = tokens(_readable(caller, repository, context_in)) if asking else {}

    def work(package: Package, act: Callable[[Context], None]) -> bool:
        beside = tuple(packages.relative(folder, package.root) for folder in package.needs)

        def context(screen: Screen) -> Context:
            return with_token(replace(context_in(package.root, commands, beside), screen=screen), typed)

        return _in_one_piece(caller, package, context, act)

    if caller.step == "pypi" and not options.explain:
        _release(caller, repository, context_in)
    elif caller.step == "dryrun" and not options.explain:
        dryrun.of_all(context_in(repository.root, commands, None), repository, work)
    else:
        order.side_by_side(caller.step, repository, lambda package: work(package, lambda its: act(caller, its)))
    if caller.step in FOLLOWING and not options.explain:
        caller.screen.line(f"next: {commands.command(FOLLOWING[caller.step], *options.once)}")


def _readable(caller: Caller, repository: Repository, context_in: ContextIn) -> Iterator[Context]:
    """Yield what the step works with for each package; what is wrong with one of them is said in its turn."""
    for package in repository.ordered():
        with contextlib.suppress(ReleaseError):
            yield context_in(package.root, caller.commands, ())


def _in_one_piece(
    caller: Caller, package: Package, context: Callable[[Screen], Context], act: Callable[[Context], None]
) -> bool:
    """Let `act` work on `package`, show in one piece what it says, and return whether it passed."""
    with caller.screen.apart() as screen:
        screen.line(f"\n== {package.name}")
        try:
            act(context(screen))
        except ReleaseError as error:
            screen.line(error.text(caller.commands))
            return False
        except OSError as error:
            screen.line(DiskTrouble(str(error)).text(caller.commands))
            return False
    return True


def _release(caller: Caller, repository: Repository, context_in: ContextIn) -> None:
    """Upload all packages, one after the other; the first that fails ends it.

    Before the first byte is sent, all of them are proved, and confirmed where a version is given: what is uploaded
    cannot be taken back.
    """
    from seatrial.steps import pypi  # noqa: PLC0415 (as above)

    ordered = repository.ordered()
    for package in ordered:
        caller.screen.line(f"\n== {package.name}, before anything is sent")
        beside = tuple(packages.relative(folder, package.root) for folder in package.needs)
        pypi.proved(context_in(package.root, caller.commands.for_package(package.name), beside))
    for place, package in enumerate(ordered):
        caller.screen.line(f"\n== {package.name}")
        beside = tuple(packages.relative(folder, package.root) for folder in package.needs)
        try:
            pypi.run(context_in(package.root, caller.commands, beside))
        except ReleaseError as error:
            caller.screen.line(error.text(caller.commands))
            waiting = tuple(later.name for later in ordered[place + 1 :])
            raise order.PackagesFailed(caller.step, (package.name,), waiting) from None
