"""A session for one package of this repository, or for all of them: each in a nox of its own, in its own folder.

``nox -s build -- --package core`` is what ``seatrial build`` is in that folder. With ``--all`` those that do not need
each other run side by side, and what needs another comes after it.
"""

from __future__ import annotations

import functools
import graphlib
import os
import sys
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from seatrial.cli.register import PROJECT_VARIABLE
from seatrial.machine import process
from seatrial.machine.errors import ReleaseError
from seatrial.project.commands import ALL, Errand
from seatrial.project.options import BadOption
from seatrial.release.record import DIGEST_VARIABLE
from seatrial.report import text
from seatrial.steps import publish
from seatrial.steps.publish import NotConfirmed
from seatrial.workspace import packages

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from concurrent.futures import Future

    from seatrial.project.commands import Typed
    from seatrial.project.options import Options
    from seatrial.workspace.packages import Package, Repository

    RunIn = Callable[[Path, Errand], Run]
    Rehearse = Callable[[Run, "Caller", Repository], None]

REGISTER = Path(__file__).with_name("register.py")
START = "import sys; sys.path[:] = [p for p in sys.path if p]; from nox.__main__ import main; main()"
FOLLOWING = {"build": "check", "check": "testpypi", "testpypi": "verify", "verify": "pypi", "dryrun": "testpypi"}
# How it went with the sessions of `verify`, one a cell: the first sees to all cells of all packages.
_SEEN_TO: dict[tuple[str, ...], ReleaseError | None] = {}


@dataclass(eq=False)
class NoPackages(ReleaseError):
    root: Path

    what = "No packages are found in {e.root}."
    cause = "there is no workspace of uv or hatch here, and `packages` of [tool.seatrial] is not set."
    cure = (
        'name their folders in the pyproject.toml (or seatrial.toml) of this folder: `packages = ["packages/*"]` in'
        " [tool.seatrial]; or give one of them with `--package FOLDER`."
    )


@dataclass(eq=False)
class TogetherFailed(ReleaseError):
    session: str
    failed: tuple[str, ...]
    waiting: tuple[str, ...]

    what = "`{e.session}` failed for {e.failed:joined}.{e.kept_back}"
    cause = "see what each said above."
    cure = "mend that and run the session again: what is done already is not done twice."

    @property
    def kept_back(self) -> str:
        return f" Not started, since they come after it: {', '.join(self.waiting)}." if self.waiting else ""


def nox(noxfile: Path, envdir: Path) -> tuple[str, ...]:
    """Return the command that starts nox on `noxfile`, safe from modules in the current folder."""
    verbose = ("--verbose",) if process.is_verbose() else ()
    return (sys.executable, "-c", START, "--noxfile", str(noxfile), "--envdir", str(envdir), *verbose)


@dataclass(frozen=True)
class Caller:
    """The session `name` that was asked to work for packages of the repository in `root`.

    `words` are what was typed after the double dash without the choice of packages, `start` is where that was, and
    `envdir` takes the environments. `interactive` says whether somebody can be asked.
    """

    name: str
    typed: Typed
    root: Path
    start: Path
    envdir: Path
    words: tuple[str, ...]
    interactive: bool = False

    def argv(self, package: Package) -> tuple[str, ...]:
        """Return the command that runs this session for `package`."""
        command = nox(REGISTER, self.envdir / "packages" / package.name)
        return (*command, "--no-dependencies", "--session", self.name, "--", *self.words)

    def one_of_all(self, package: Package) -> Errand:
        """Return what is told to the session for `package`: what it needs of the others is released with it."""
        beside = tuple(packages.relative(folder, package.root) for folder in package.needs)
        return Errand(self.for_all, beside)

    @property
    def for_all(self) -> Typed:
        return replace(self.typed, option=ALL)


def run(caller: Caller, asked: Options, run_in: RunIn, rehearse: Rehearse) -> None:
    """Run the session of `caller` for the package or the packages that are `asked` for.

    `run_in` returns a session at work for the package in a folder; `rehearse` makes a dry run of all.
    Raises BadOption, NoPackages, NoSuchPackage, PackageCycle and TogetherFailed.
    """
    _stop_if_senseless(caller, asked)
    if caller.name != "verify":
        _run(caller, asked, run_in, rehearse)
        return
    key = (*caller.words, "--package", asked.package or "")
    if key in _SEEN_TO:
        text.say("the first session of `verify` has seen to this cell as well.")
    else:
        _SEEN_TO[key] = _trouble(caller, asked, run_in, rehearse)
    if error := _SEEN_TO[key]:
        raise error


def _trouble(caller: Caller, asked: Options, run_in: RunIn, rehearse: Rehearse) -> ReleaseError | None:
    try:
        _run(caller, asked, run_in, rehearse)
    except ReleaseError as error:
        return error
    return None


def _run(caller: Caller, asked: Options, run_in: RunIn, rehearse: Rehearse) -> None:
    repository = packages.find(caller.root)
    if asked.package is not None:
        package = repository.package(asked.package, caller.start)
        one(caller, package, Errand(caller.typed.for_package(package.name)), os.environ)
        return
    _say_which(repository)
    outer = {name: value for name, value in os.environ.items() if name != DIGEST_VARIABLE}  # it is of one package
    if asked.explain:
        side_by_side(caller, repository, lambda _: outer)
        return
    if caller.name == "pypi":
        _release(caller, repository, asked, run_in, outer)
    elif caller.name == "dryrun":
        rehearse(run_in(caller.root, Errand(caller.for_all)), caller, repository)
    else:
        side_by_side(caller, repository, lambda _: outer)
    if caller.name in FOLLOWING:
        text.say(f"next: {caller.for_all.command(FOLLOWING[caller.name], *asked.once)}")


def _stop_if_senseless(caller: Caller, asked: Options) -> None:
    prog = f"{caller.typed.command(caller.name)} --" if not caller.typed.door else caller.typed.command(caller.name)
    if asked.package is not None and asked.all:
        raise BadOption(prog, "--package and --all exclude each other")
    if caller.name == "inspect":
        raise BadOption(prog, "it takes files, and no package")
    if asked.all and caller.name == "rebuild":
        raise BadOption(prog, "a VERSION is of one package: give it with --package NAME")
    if asked.all and asked.taken_from:
        raise BadOption(prog, "--from takes the files of one package: give it with --package NAME")


def _say_which(repository: Repository) -> None:
    ordered = repository.ordered()
    if ordered:
        text.say(f"{counted(repository)}: {', '.join(package.name for package in ordered)}")
    if repository.left_out:
        text.say(f"not for release: {', '.join(repository.left_out)}")
    if not ordered:
        raise NoPackages(repository.root)


def counted(repository: Repository) -> str:
    """Say how many packages there are."""
    return "1 package" if len(repository.packages) == 1 else f"{len(repository.packages)} packages"


def one(caller: Caller, package: Package, errand: Errand, outer: Mapping[str, str]) -> None:
    """Run the session for `package`, its output going where ours goes. Raises TogetherFailed."""
    if _code(caller, package, errand, outer) != 0:
        raise TogetherFailed(caller.name, (package.name,), ())


def _code(caller: Caller, package: Package, errand: Errand, outer: Mapping[str, str]) -> int:
    """Run the session for `package`, on the terminal where ours is, and return its exit code."""
    env = _environment(package, errand, outer)
    return process.run_shown(caller.argv(package), env=env, cwd=caller.start, asking=caller.interactive)


def _environment(package: Package, errand: Errand, outer: Mapping[str, str]) -> dict[str, str]:
    return {**outer, **errand.to_environment(), PROJECT_VARIABLE: str(package.root)}


def side_by_side(caller: Caller, repository: Repository, outer: Callable[[Package], Mapping[str, str]]) -> None:
    """Run the session for all packages, as many at once as there are processors; show what each says in one piece.

    `outer` returns the environment of the one for a package.
    """

    def act(package: Package) -> bool:
        env = _environment(package, caller.one_of_all(package), outer(package))
        wait = functools.partial(_still, caller.name, package)
        done = process.run(caller.argv(package), env=env, cwd=caller.start, on_wait=wait)
        text.say(f"\n== {package.name}\n{done.output.strip()}")
        return done.code == 0

    in_order(caller.name, repository, act)


def _still(session: str, package: Package, seconds: float) -> None:
    text.say(f"still at `{session}` of {package.name} ({seconds:.0f} s)")


def in_order(session: str, repository: Repository, act: Callable[[Package], bool]) -> None:
    """Let `act` work on all packages, each after those it needs, as many at once as there are processors.

    What needs a package for which `act` returned False is not begun. Raises PackageCycle, and TogetherFailed.
    """
    by_root = {package.root: package for package in repository.ordered()}
    graph = graphlib.TopologicalSorter({package.root: package.needs for package in by_root.values()})
    graph.prepare()
    done: list[str] = []
    failed: list[str] = []
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        running: dict[Future[bool], Path] = {}
        while graph.is_active():
            running |= {pool.submit(act, by_root[root]): root for root in graph.get_ready()}
            if not running:
                break  # what is left needs something that failed
            finished, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in finished:
                root = running.pop(future)
                if future.result():
                    graph.done(root)
                    done.append(by_root[root].name)
                else:
                    failed.append(by_root[root].name)
    if failed:
        waiting = (package.name for package in by_root.values() if package.name not in {*done, *failed})
        raise TogetherFailed(session, tuple(failed), tuple(waiting))


def _release(caller: Caller, repository: Repository, asked: Options, run_in: RunIn, outer: Mapping[str, str]) -> None:
    """Upload all packages, one after the other; the first that fails ends it.

    Before the first byte is sent, all of them are proved, and confirmed where a version is given: what is uploaded
    cannot be taken back.
    """
    ordered = repository.ordered()
    for package in ordered:
        text.say(f"\n== {package.name}, before anything is sent")
        here = context_in(package.root, Errand(caller.typed.for_package(package.name)))
        built = publish.proved(here)
        if asked.yes is not None and built.version != asked.yes:
            again = here.command("pypi", "--yes", built.version)
            raise NotConfirmed(built.project, built.version, asked.yes, again)
    for place, package in enumerate(ordered):
        if _code(caller, package, caller.one_of_all(package), outer) != 0:
            left = tuple(later.name for later in ordered[place + 1 :])
            raise TogetherFailed(caller.name, (package.name,), left)
