"""`dryrun`: the whole release against two throw-away indexes on this machine, with its own dist/ and record.

The real sessions run, in a nox of their own; only the URLs of the two indexes are others. The project's own dist/ and
record stay untouched.
"""

from __future__ import annotations

import contextlib
import functools
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from seatrial.index import credentials, keyring
from seatrial.machine import process, variables
from seatrial.machine.errors import ReleaseError, listing
from seatrial.project.commands import Errand
from seatrial.release.filenames import project_of, tags_of
from seatrial.release.record import DIGEST_VARIABLE, Record
from seatrial.release.stages import Built, Checked, Dist, Released
from seatrial.report import status, text
from seatrial.standin import standins
from seatrial.standin.standins import INDEXES
from seatrial.trial import relay
from seatrial.workspace import batch, packages

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from seatrial.project.context import Context
    from seatrial.project.settings import Settings
    from seatrial.release.stages import Cell
    from seatrial.standin.standins import Standin
    from seatrial.workspace.batch import Caller
    from seatrial.workspace.packages import Package, Repository

BEFORE = ("build", "check")  # sessions that `testpypi` runs first

CANNOT_SHOW = """\
what a dry run cannot show: whether the name is free or yours on the real indexes, your accounts, tokens and trusted
publishers, the indexes' own limits and checks beyond those of `check`, and how long their caches lag."""


@dataclass(eq=False)
class BadWorkspace(ReleaseError):
    folder: Path
    reason: str

    what = "--keep {e.folder}: {e.reason}"
    cause = "the folder of an earlier dry run, or of something else."
    cure = "name a folder that does not exist yet or is empty, outside the project's dist/ and release-record/."


@dataclass(eq=False)
class DryrunFailed(ReleaseError):
    session: str

    what = "The dry run stopped in `{e.session}`; the real indexes were not touched."
    cause = "see the message of that session above."
    cure = "mend that and run `{run[dryrun]}` again."


@dataclass(eq=False)
class LocalWheel(ReleaseError):
    files: tuple[str, ...]
    index: str
    again: str

    what = (
        "The sdist was rehearsed to the end; the wheel cannot go up, because {e.index} takes no wheel that only this"
        " machine is sure to run:{e.files:listed}"
    )
    cause = "a wheel that is compiled here is for the libraries here, and says nothing of those of other Linuxes."
    cure = (
        "have cibuildwheel build manylinux wheels, put them and the sdist into one folder, and rehearse those with"
        ' `{e.again}`; or release the sdist alone, with `archives = ["sdist"]` in [tool.seatrial].'
    )


def dryrun(context: Context, nox: process.Argv) -> None:
    """Release the project to two stand-in indexes, with `nox` as the command that starts nox on this noxfile.

    What it is released together with comes first, to the same two.
    """
    if context.standin and context.standin.is_shared:
        tokens = {name: os.environ[name] for name in standins.TOKENS}
        _release(context, nox, context.standin, _environment(context, tokens))
        return
    *siblings, _ = packages.together(context.root, context.settings.release_with).ordered()
    with _workspace(context) as place, _indexes(context, place) as (standin, tokens):
        places = {str(sibling.root): str(place / "with" / sibling.name) for sibling in siblings}
        shared = replace(standin, places=places)
        env = _environment(context, tokens)
        for sibling in siblings:
            _release_sibling(context, sibling, _of_package(context, shared, sibling), env)
        _release(context, nox, shared, env)


def of_all(context: Context, caller: Caller, repository: Repository) -> None:
    """Release all packages of `repository` to the same two stand-in indexes, each after those it needs."""
    with _workspace(context) as place, _indexes(context, place) as (standin, tokens):
        places = {str(package.root): str(place / "packages" / package.name) for package in repository.packages}
        shared = replace(standin, places=places)
        env = _environment(context, tokens)

        def outer(package: Package) -> dict[str, str]:
            return env | _of_package(context, shared, package).to_environment()

        batch.side_by_side(caller, repository, outer)
        context.say(f"\ndry run of {batch.counted(repository)}: all five sessions passed for each")
        context.say(CANNOT_SHOW)
        if context.options.keep:
            context.say(f"kept in {place}: testpypi, pypi, and in packages dist and release-record of each")


def _of_package(context: Context, shared: Standin, package: Package) -> Standin:
    """Return the `shared` stand-in as `package` has it, whose dependencies come from where its own settings say."""
    settings = credentials.with_logins(packages.settings(package.root), os.environ)
    settings = keyring.with_logins(replace(context, settings=settings))
    return replace(shared.of_package(package.root), dependencies=_relayed(settings))


def _relayed(settings: Settings) -> str:
    """Return where the dependencies' index is relayed on this machine, empty where anybody can read it."""
    index = relay.local(settings.dependencies)
    return index.simple if index.stands_for else ""


def _environment(context: Context, tokens: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of the nested runs, but for where the stand-ins are."""
    env = variables.for_dryrun(os.environ) | dict(tokens)
    for name in (DIGEST_VARIABLE, context.settings.testpypi.user_variable, context.settings.pypi.user_variable):
        env.pop(name, None)
    return env


def _release_sibling(context: Context, sibling: Package, standin: Standin, env: Mapping[str, str]) -> None:
    """Release a package that the one of `run` is released together with, in a dry run of its own."""
    context.say(f"== {sibling.name}, which is released together with this package")
    words = ("--offline",) if context.options.offline else ()
    start = Path(context.session.invoked_from)
    caller = batch.Caller("dryrun", context.typed, context.root, start, context.venv.root.parent, words)
    outer = {**env} | standin.to_environment()
    typed = context.typed.for_package(sibling.name) if context.typed.option else context.typed
    batch.one(caller, sibling, Errand(typed), outer)


def _release(context: Context, nox: process.Argv, standin: Standin, tokens: Mapping[str, str]) -> None:
    """Take the project through all five sessions; leave the report on it, however that ends."""
    place, env = standin.place, {**tokens, **standin.to_environment()}
    with _reported(context, place):
        local = _rehearse(context, place, nox, env)
        built = Record.of(place).read(Built, session=context.names["build"])
        alone = (*nox, "--no-dependencies")
        _verify(context, built.matrix, alone, env)
        _nested(context, place, alone, env, "pypi", "--yes", built.version)
        _summary(context, standin)
        if local:
            raise LocalWheel(local, context.settings.pypi.name, context.command("dryrun", "--from", "FOLDER"))


@contextlib.contextmanager
def _reported(context: Context, place: Path) -> Iterator[None]:
    """Leave the report on what would be released, also where the dry run stops; name the next command last."""
    try:
        yield
    except ReleaseError:
        status.dry(context, place, "dryrun")
        raise
    status.dry(context, place, "testpypi")
    context.next("testpypi")


def _rehearse(context: Context, place: Path, nox: process.Argv, env: dict[str, str]) -> tuple[str, ...]:
    """Go as far as `testpypi`; return the wheels that had to be left out, since PyPI takes none that are made so.

    Then it is the sdist alone that is rehearsed: what stops a wheel that is compiled here says nothing against it.
    """
    try:
        _nested(context, place, nox, env, "testpypi", *_handed_on(context))
    except DryrunFailed:
        local = _local_wheels(context, Record.of(place))
        if not local:
            raise
    else:
        return ()
    context.say(f"\nthe wheel stays here, as said above; going on with the sdist alone:{listing(local)}")
    _nested(context, place, nox, env, "testpypi", "--sdist-only")
    return local


def _local_wheels(context: Context, record: Record) -> tuple[str, ...]:
    """Return the wheels of `record` that are for this Linux alone, where they were built here and PyPI is meant."""
    built = record.find(Built)
    wanted = "sdist" in context.settings.archives and not context.options.taken_from and context.settings.pypi.is_public
    if built is None or not wanted or record.find(Checked) is not None:
        return ()
    platforms = {dist.filename: {tag.platform for tag in tags_of(dist.filename)} for dist in built.dists}
    local = (name for name, tags in platforms.items() if any(tag.startswith("linux_") for tag in tags))
    return tuple(local)


def _handed_on(context: Context) -> tuple[str, ...]:
    """Return the options that concern the nested build and check."""
    taken, since = context.options.taken_from, context.options.since
    given = [*(["--from", str(taken)] if taken else []), *(["--since", since] if since else [])]
    switches = {"--sdist-only": context.options.sdist_only, "--offline": context.options.offline}
    return (*given, *(name for name, on in switches.items() if on))


def _nested(context: Context, place: Path, nox: process.Argv, env: dict[str, str], session: str, *args: str) -> None:
    argv = (*nox, "--session", context.names[session], "--", *args)
    if process.run_shown(argv, env=env, cwd=Path.cwd()) != 0:
        undone = status.undone(Record.of(place), context)
        raise DryrunFailed(context.names[undone if undone in BEFORE else session])


def _verify(context: Context, cells: Sequence[Cell], nox: process.Argv, env: dict[str, str]) -> None:
    """Verify all `cells`, as many at once as there are processors; what each says is shown in one piece.

    nox's own ``--parallel`` would do it, but leaves its sessions running when it is ended.
    """

    def verify(cell: Cell) -> process.Outcome:
        argv = (*nox, "--session", f"{context.names['verify']}-{cell.python}({cell.kind})")
        return process.run(argv, env=env, cwd=Path.cwd(), on_wait=functools.partial(_still, context, cell))

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        outcomes = [pool.submit(verify, cell) for cell in cells]
        for outcome in outcomes:
            context.say(outcome.result().output.rstrip())
    if any(outcome.result().code for outcome in outcomes):
        raise DryrunFailed(context.names["verify"])


def _still(context: Context, cell: Cell, seconds: float) -> None:
    context.say(f"still verifying the {cell.kind} on Python {cell.python} ({seconds:.0f} s)")


@contextlib.contextmanager
def _workspace(context: Context) -> Iterator[Path]:
    """Yield the folder of this dry run: the one to keep, or a temporary one that is gone afterwards."""
    if context.options.keep:
        yield _to_keep(context.options.keep, context.root)
        return
    with context.scratch() as place:
        yield place


def _to_keep(folder: Path, root: Path) -> Path:
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise BadWorkspace(folder, "it exists and is not an empty folder.")
    if folder.resolve() in {(root / "dist").resolve(), (root / "release-record").resolve(), root.resolve()}:
        raise BadWorkspace(folder, "this is the project's own.")
    folder.mkdir(parents=True, exist_ok=True)
    return folder.resolve()


@contextlib.contextmanager
def _indexes(context: Context, place: Path) -> Iterator[tuple[Standin, dict[str, str]]]:
    """Start the two stand-ins; yield where they are, and the tokens they take. They end with us, however we end."""
    with standins.started(context.tools("standin"), place) as (standin, tokens):
        pairs = ((context.settings.testpypi, standin.testpypi), (context.settings.pypi, standin.pypi))
        context.say("   ".join(f"stand-in for {index.name}: {url}" for index, url in pairs))
        yield replace(standin, dependencies=_relayed(context.settings)), tokens


def _summary(context: Context, standin: Standin) -> None:
    """Say what was proved. The bytes that the stand-in for PyPI holds are read anew from its own folder."""
    record = Record.of(standin.place)
    built = record.recorded(Built, session=context.names["build"])
    released = record.recorded(Released, session=context.names["pypi"])
    checked = record.read(Checked, session=context.names["check"])
    held = {name: _held(standin.folder / name, built.project) for name in INDEXES}
    differing = [name for name in INDEXES if held[name] != built.dists]
    if differing or released.dists != built.dists:
        raise DryrunFailed(f"the comparison of bytes: {' and '.join(differing) or 'the record'} differs from the build")
    context.say()
    context.say(f"dry run of {built.project} {built.version}: all five sessions passed")
    context.say(text.files(built.dists))
    context.say(text.cells(record.verified(), built.matrix))
    if of_files := text.of_files(record):
        context.say(of_files)
    context.say(f"the bytes on both stand-ins are the bytes that were built ({len(built.dists)} files, compared by sha256)")
    if warnings := [problem for problem in checked.problems if problem.severity == "warning"]:
        context.say(f"warnings of `check`, in full above:{listing(sorted({warning.rule for warning in warnings}))}")
    if built.dirty:
        context.say("the tree has changes that are not committed: commit them before `testpypi`")
    if standin.is_shared:
        return
    context.say(CANNOT_SHOW)
    if context.options.keep:
        context.say(f"kept in {standin.place}: dist, release-record, testpypi, pypi")


def _held(folder: Path, project: str) -> tuple[Dist, ...]:
    """Return the files of `project` that a stand-in holds in `folder`."""
    wanted = canonicalize_name(project)
    return tuple(sorted(Dist.from_file(path) for path in folder.iterdir() if project_of(path.name) == wanted))
