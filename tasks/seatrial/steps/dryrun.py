"""`dryrun`: the whole release against two throw-away indexes on this machine, with its own ``dist/`` and record.

The steps are the real ones, in this process; only the two indexes are others. Each step reads the record that the one
before has written, as the jobs of a CI do. The project's own ``dist/`` and record stay untouched.
"""

from __future__ import annotations

import contextlib
import functools
import importlib
from dataclasses import replace
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from seatrial.building import frontend, git, supposed
from seatrial.index import logins
from seatrial.index.uploads import upload
from seatrial.machine import temporary
from seatrial.machine.errors import ReleaseError, listing
from seatrial.project.context import DryRun
from seatrial.project.options import Options
from seatrial.release import failures
from seatrial.release.filenames import project_of, tags_of
from seatrial.release.record import Record
from seatrial.release.stages import Built, Dist, Released
from seatrial.report import status, text
from seatrial.report.text import Failure
from seatrial.standin import launch
from seatrial.workspace import order, packages

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from seatrial.machine.worker import Worker, Workers
    from seatrial.project.context import Context
    from seatrial.standin.indexes import Standins

    Step = Callable[[Context], None]

INDEXES = ("testpypi", "pypi")
CANNOT_SHOW = """\
what a dry run cannot show: whether the name is free or yours on the real indexes, your accounts, tokens and trusted
publishers, the indexes' own limits and checks beyond those of `check`, and how long their caches lag."""


class BadWorkspace(ReleaseError):
    folder: Path
    reason: str

    what = "--keep {e.folder}: {e.reason}"
    cause = "the folder of an earlier dry run, or of something else."
    cure = "name a folder that does not exist yet or is empty, outside the project's dist/ and release-record/."


class DryrunFailed(ReleaseError):
    places: tuple[str, ...]

    what = "The dry run left files other than those that were built in: {e.places:joined}. No real index was touched."
    cause = "another program that writes to the folder of the dry run, or a bug in seatrial."
    cure = "run `{run[dryrun]}` again, with `--keep FOLDER` to see both; report it where it happens again."


class LocalWheel(ReleaseError):
    files: tuple[str, ...]
    index: str

    what = (
        "The sdist was rehearsed to the end; the wheel cannot go up, because {e.index} accepts no wheel that may run"
        " only on this machine:{e.files:listed}"
    )
    cause = "a wheel that is compiled here is for the libraries here, and says nothing about other Linux systems."
    cure = (
        "have cibuildwheel build manylinux wheels, put them and the sdist into one folder, and rehearse those with"
        ' `{run[dryrun --from FOLDER]}`; or release the sdist alone, with `archives = ["sdist"]` in [tool.seatrial].'
    )


def run(context: Context) -> None:
    """Release the project to two stand-in indexes; what it is released together with comes first, to the same two.

    Raises BadWorkspace, DryrunFailed, LocalWheel, and whatever stops one of the steps.
    """
    *siblings, _ = packages.together(context.root, context.settings.release_with).ordered()
    with _prepared(context) as (place, uploader, builders, standins):
        places = {sibling.root: place / "with" / sibling.name for sibling in siblings} | {context.root.resolve(): place}
        dry = DryRun(place, places, uploader, builders, functools.partial(_load, uploader))
        for sibling in siblings:
            context.screen.line(f"\n== {sibling.name}, which is released together with this package")
            settings = packages.settings(sibling.root)
            settings = settings.with_indexes(logins.with_logins(settings.indexes, context.variables))
            own = replace(context, root=sibling.root, settings=settings, published=settings.pypi)
            own = replace(own, options=Options(offline=context.options.offline, verbose=context.options.verbose))
            _release(_in_dry_run(own, standins, replace(dry, place=places[sibling.root])))
        release_dry(context, standins, dry)
        uploader.leave()


def of_all(context: Context, repository: packages.Repository, act: Callable[[packages.Package, Step], bool]) -> None:
    """Release all packages of `repository` to the same two stand-in indexes, each after those it needs.

    `act` runs a step on a package, shows what it says in one piece, and returns whether it passed.
    """
    with _prepared(context) as (place, uploader, builders, standins), builders.kept():
        places = {package.root: place / "packages" / package.name for package in repository.packages}

        def rehearse(package: packages.Package) -> bool:
            dry = DryRun(places[package.root], places, uploader, builders)
            return act(package, lambda its: release_dry(its, standins, dry))

        order.side_by_side("dryrun", repository, rehearse)
        context.screen.line(f"\ndry run of {order.counted(repository)}: all five steps passed for each")
        context.screen.line(CANNOT_SHOW)
        if context.options.keep:
            context.screen.line(f"kept in {place}: testpypi, pypi, and in packages dist and release-record of each")


@contextlib.contextmanager
def _prepared(context: Context) -> Iterator[tuple[Path, Worker, Workers, Standins]]:
    """Yield the folder of this dry run, the programs that upload and build, and the stand-ins, which serve meanwhile.

    The folder is the one to keep, or a temporary one that is gone afterwards. Raises BadWorkspace.
    """
    with contextlib.ExitStack() as stack:
        uploader, builders = stack.enter_context(upload.uploader().kept()), frontend.builders()
        stack.callback(builders.end)
        builders.start()
        if folder := context.options.keep:
            if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
                raise BadWorkspace(folder, "it exists and is not an empty folder.")
            place = folder.resolve()
            if place in {(context.root / own).resolve() for own in ("dist", "release-record", ".")}:
                raise BadWorkspace(folder, "this is the project's own.")
            folder.mkdir(parents=True, exist_ok=True)
        else:
            place = stack.enter_context(temporary.folder("dryrun"))
        standins = stack.enter_context(launch.serve(place))
        pairs = ((context.settings.testpypi, standins.testpypi), (context.settings.pypi, standins.pypi))
        context.detail("   ".join(f"stand-in for {index.name}: {url}" for index, url in pairs))
        yield place, uploader, builders, standins


def release_dry(context: Context, standins: Standins, dry: DryRun) -> None:
    """Take the project of `context` through all steps with `standins`; leave the report on it, however that ends."""
    rehearsal = _in_dry_run(context, standins, dry)
    try:
        local = _release(rehearsal)
        _summarise(context, rehearsal, standins)
    except ReleaseError as error:
        failed = failures.last(rehearsal.record)
        problems = failed.problems if failed else ()
        failure = Failure(status.undone(rehearsal.record), error.text(context.commands), problems)
        context.screen.line(f"The dry run stopped in `{failure.name}`; the real indexes were not touched.")
        status.dry(context, rehearsal.record, "dryrun", failure)
        raise
    status.dry(context, rehearsal.record, "dryrun --from FOLDER" if local else "testpypi")
    # What a release of this commit still needs takes the place of the next command, which is refused without it.
    published = None if context.options.offline else context.published
    built = rehearsal.record.recorded(Built)
    if missing := supposed.outstanding(built, git.of(rehearsal), context.settings.tag, published):
        context.screen.line(missing)
    if local:
        raise LocalWheel(local, context.settings.pypi.name)
    if not missing:
        context.next("testpypi")


def _in_dry_run(context: Context, standins: Standins, dry: DryRun) -> Context:
    """Return what the steps of a dry run work with: the stand-ins, their tokens, and a record of their own."""
    options = context.options
    return replace(
        context,
        settings=context.settings.with_indexes(standins.replacing(context.settings.indexes)),
        options=Options(
            taken_from=options.taken_from,
            since=options.since,
            sdist_only=options.sdist_only,
            offline=options.offline,
            version=options.version,
            verbose=options.verbose,
        ),
        record=Record.of(dry.place),
        variables=standins.tokens,
        dry=dry,
    )


def _release(context: Context) -> tuple[str, ...]:
    """Run all steps; return the wheels that had to be left out, since PyPI takes none that are made so.

    Then it is the sdist alone that is rehearsed: what stops a wheel that is compiled here says nothing against it.
    """
    local: tuple[str, ...] = ()
    _run("build", context)
    from seatrial.steps.work.check import NotReady  # noqa: PLC0415 (`_load` has imported it while that was built)

    try:
        _run("check", context)
    except NotReady:
        built, settings = context.record.find(Built), context.settings
        # Wheels for this Linux alone matter where they were built here and PyPI is meant.
        is_local = "sdist" in settings.archives and not context.options.taken_from and settings.pypi.is_public
        names = [dist.filename for dist in built.dists] if built and is_local else []
        local = tuple(name for name in names if any(tag.platform.startswith("linux_") for tag in tags_of(name)))
        if not local:
            raise
        context.say(f"the wheel stays here, as said above; going on with the sdist alone:{listing(local)}")
        context = _of_sdist_alone(context)
        _run("check", context)
    _run("testpypi", context)
    _run("verify", context)
    version = context.record.recorded(Built).version
    _run("pypi", replace(context, options=replace(context.options, yes=version)))
    return local


def _of_sdist_alone(context: Context) -> Context:
    """Set the wheel aside that was built, record the sdist as all there is, and return what the steps go on with."""
    ignore = {**context.settings.ignore, "release-no-wheel": "the wheel was set aside"}
    context = context.with_settings(replace(context.settings, archives=("sdist",), ignore=ignore))
    built = context.record.recorded(Built)
    context.record.move_aside(tuple(dist.filename for dist in built.dists if dist.kind == "wheel"))
    dists = tuple(dist for dist in built.dists if dist.kind == "sdist")
    context.record.write(replace(built, dists=dists, matrix=context.settings.cells))
    return context


def _run(step: str, context: Context) -> None:
    with failures.noting(context.record, step, context.commands):
        importlib.import_module(f"seatrial.steps.{step}").run(context)


def _load(uploader: Worker) -> None:
    """Import what the later steps and the report need, and start what they ask."""
    for module in ("steps.work.check", "steps.work.verify", "steps.pypi", "report.page.html", "report.markdown"):
        importlib.import_module(f"seatrial.{module}")
    uploader.start()
    from seatrial.rules import judge  # noqa: PLC0415 (as these)

    judge.prepare()


def _summarise(context: Context, rehearsal: Context, standins: Standins) -> None:
    """Say what was proved. The bytes that the stand-in for PyPI holds are read anew from its own folder."""
    record = rehearsal.record
    built, released = record.recorded(Built), record.read(Released)
    held = {name: _held(standins.folder / name, built.project) for name in INDEXES} | {"the record": released.dists}
    if differing := tuple(place for place, dists in held.items() if dists != built.dists):
        raise DryrunFailed(differing)
    count = text.plural(len(built.dists), "file")
    context.detail(f"{text.files(built.dists)}\n{text.cells(record.verified(), built.matrix)}")
    context.screen.line(f"dry run of {built.project} {built.version} passed: {count}, the same bytes on both stand-ins")
    if of_files := text.of_files(record):
        context.screen.line(of_files)
    context.detail(CANNOT_SHOW)
    if context.options.keep and not context.options.all:
        context.screen.line(f"kept in {record.folder.parent}: dist, release-record, testpypi, pypi")


def _held(folder: Path, project: str) -> tuple[Dist, ...]:
    """Return the files of `project` that a stand-in holds in `folder`."""
    name = canonicalize_name(project)
    return tuple(sorted(Dist.from_file(path) for path in folder.iterdir() if project_of(path.name) == name))
