"""`dryrun`: the whole release against two throw-away indexes on this machine, with its own dist/ and record.

The real sessions run, in a nox of their own; only the URLs of the two indexes are others. The project's own dist/ and
record stay untouched.
"""

from __future__ import annotations

import contextlib
import functools
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from . import credentials, environment, keyrings, packages, process, relay, report, showing, standins, together
from .errand import Errand
from .errors import BadWorkspace, DryrunFailed, LocalWheel, ReleaseError, listing
from .filenames import project_of, tags_of
from .record import DIGEST_VARIABLE, Record
from .stages import Built, Checked, Dist, Released
from .standins import INDEXES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from .config import Config
    from .packages import Package, Repository
    from .run import Run
    from .stages import Cell
    from .standins import Standin
    from .together import Caller

BEFORE = ("build", "check")  # sessions that `testpypi` runs first

CANNOT_SHOW = """\
what a dry run cannot show: whether the name is free or yours on the real indexes, your accounts, tokens and trusted
publishers, the indexes' own limits and checks beyond those of `check`, and how long their caches lag."""


def dryrun(run: Run, nox: process.Argv) -> None:
    """Release the project to two stand-in indexes, with `nox` as the command that starts nox on this noxfile.

    What it is released together with comes first, to the same two.
    """
    if run.standin and run.standin.is_shared:
        tokens = {name: os.environ[name] for name in standins.TOKENS}
        _release(run, nox, run.standin, _environment(run, tokens))
        return
    *siblings, _ = packages.together(run.root, run.config.release_with).ordered()
    with _workspace(run) as place, _indexes(run, place) as (standin, tokens):
        places = {str(sibling.root): str(place / "with" / sibling.name) for sibling in siblings}
        shared = replace(standin, places=places)
        env = _environment(run, tokens)
        for sibling in siblings:
            _release_sibling(run, sibling, _of_package(run, shared, sibling), env)
        _release(run, nox, shared, env)


def of_all(run: Run, caller: Caller, repository: Repository) -> None:
    """Release all packages of `repository` to the same two stand-in indexes, each after those it needs."""
    with _workspace(run) as place, _indexes(run, place) as (standin, tokens):
        places = {str(package.root): str(place / "packages" / package.name) for package in repository.packages}
        shared = replace(standin, places=places)
        env = _environment(run, tokens)

        def outer(package: Package) -> dict[str, str]:
            return env | _of_package(run, shared, package).to_environment()

        together.side_by_side(caller, repository, outer)
        run.say(f"\ndry run of {together.counted(repository)}: all five sessions passed for each")
        run.say(CANNOT_SHOW)
        if run.options.keep:
            run.say(f"kept in {place}: testpypi, pypi, and in packages dist and release-record of each")


def _of_package(run: Run, shared: Standin, package: Package) -> Standin:
    """Return the `shared` stand-in as `package` has it, whose dependencies come from where its own settings say."""
    config = credentials.with_logins(packages.settings(package.root), os.environ)
    config = keyrings.with_logins(replace(run, config=config))
    return replace(shared.of_package(package.root), dependencies=_relayed(config))


def _relayed(config: Config) -> str:
    """Return where the dependencies' index is relayed on this machine, empty where anybody can read it."""
    index = relay.local(config.dependencies)
    return index.simple if index.stands_for else ""


def _environment(run: Run, tokens: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of the nested runs, but for where the stand-ins are."""
    env = environment.for_dryrun(os.environ) | dict(tokens)
    for name in (DIGEST_VARIABLE, run.config.testpypi.user_variable, run.config.pypi.user_variable):
        env.pop(name, None)
    return env


def _release_sibling(run: Run, sibling: Package, standin: Standin, env: Mapping[str, str]) -> None:
    """Release a package that the one of `run` is released together with, in a dry run of its own."""
    run.say(f"== {sibling.name}, which is released together with this package")
    words = ("--offline",) if run.options.offline else ()
    start = Path(run.session.invoked_from)
    caller = together.Caller("dryrun", run.typed, run.root, start, run.venv.root.parent, words)
    outer = {**env} | standin.to_environment()
    typed = run.typed.for_package(sibling.name) if run.typed.option else run.typed
    together.one(caller, sibling, Errand(typed), outer)


def _release(run: Run, nox: process.Argv, standin: Standin, tokens: Mapping[str, str]) -> None:
    """Take the project through all five sessions; leave the report on it, however that ends."""
    place, env = standin.place, {**tokens, **standin.to_environment()}
    with _reported(run, place):
        local = _rehearse(run, place, nox, env)
        built = Record.of(place).read(Built, session=run.names["build"])
        alone = (*nox, "--no-dependencies")
        _verify(run, built.matrix, alone, env)
        _nested(run, place, alone, env, "pypi", "--yes", built.version)
        _summary(run, standin)
        if local:
            raise LocalWheel(local, run.config.pypi.name, run.command("dryrun", "--from", "FOLDER"))


@contextlib.contextmanager
def _reported(run: Run, place: Path) -> Iterator[None]:
    """Leave the report on what would be released, also where the dry run stops; name the next command last."""
    try:
        yield
    except ReleaseError:
        showing.dry(run, place, "dryrun")
        raise
    showing.dry(run, place, "testpypi")
    run.next("testpypi")


def _rehearse(run: Run, place: Path, nox: process.Argv, env: dict[str, str]) -> tuple[str, ...]:
    """Go as far as `testpypi`; return the wheels that had to be left out, since PyPI takes none that are made so.

    Then it is the sdist alone that is rehearsed: what stops a wheel that is compiled here says nothing against it.
    """
    try:
        _nested(run, place, nox, env, "testpypi", *_handed_on(run))
    except DryrunFailed:
        local = _local_wheels(run, Record.of(place))
        if not local:
            raise
    else:
        return ()
    run.say(f"\nthe wheel stays here, as said above; going on with the sdist alone:{listing(local)}")
    _nested(run, place, nox, env, "testpypi", "--sdist-only")
    return local


def _local_wheels(run: Run, record: Record) -> tuple[str, ...]:
    """Return the wheels of `record` that are for this Linux alone, where they were built here and PyPI is meant."""
    built = record.find(Built)
    wanted = "sdist" in run.config.archives and not run.options.taken_from and run.config.pypi.is_public
    if built is None or not wanted or record.find(Checked) is not None:
        return ()
    platforms = {dist.filename: {tag.platform for tag in tags_of(dist.filename)} for dist in built.dists}
    local = (name for name, tags in platforms.items() if any(tag.startswith("linux_") for tag in tags))
    return tuple(local)


def _handed_on(run: Run) -> tuple[str, ...]:
    """Return the options that concern the nested build and check."""
    taken, since = run.options.taken_from, run.options.since
    given = [*(["--from", str(taken)] if taken else []), *(["--since", since] if since else [])]
    switches = {"--sdist-only": run.options.sdist_only, "--offline": run.options.offline}
    return (*given, *(name for name, on in switches.items() if on))


def _nested(run: Run, place: Path, nox: process.Argv, env: dict[str, str], session: str, *args: str) -> None:
    argv = (*nox, "--session", run.names[session], "--", *args)
    if process.run_shown(argv, env=env, cwd=Path.cwd()) != 0:
        undone = showing.undone(Record.of(place), run)
        raise DryrunFailed(run.names[undone if undone in BEFORE else session])


def _verify(run: Run, cells: Sequence[Cell], nox: process.Argv, env: dict[str, str]) -> None:
    """Verify all `cells`, as many at once as there are processors; what each says is shown in one piece.

    nox's own ``--parallel`` would do it, but leaves its sessions running when it is ended.
    """

    def verify(cell: Cell) -> process.Outcome:
        argv = (*nox, "--session", f"{run.names['verify']}-{cell.python}({cell.kind})")
        return process.run(argv, env=env, cwd=Path.cwd(), on_wait=functools.partial(_still, run, cell))

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        outcomes = [pool.submit(verify, cell) for cell in cells]
        for outcome in outcomes:
            run.say(outcome.result().output.rstrip())
    if any(outcome.result().code for outcome in outcomes):
        raise DryrunFailed(run.names["verify"])


def _still(run: Run, cell: Cell, seconds: float) -> None:
    run.say(f"still verifying the {cell.kind} on Python {cell.python} ({seconds:.0f} s)")


@contextlib.contextmanager
def _workspace(run: Run) -> Iterator[Path]:
    """Yield the folder of this dry run: the one to keep, or a temporary one that is gone afterwards."""
    if run.options.keep:
        yield _to_keep(run.options.keep, run.root)
        return
    with run.scratch() as place:
        yield place


def _to_keep(folder: Path, root: Path) -> Path:
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise BadWorkspace(folder, "it exists and is not an empty folder.")
    if folder.resolve() in {(root / "dist").resolve(), (root / "release-record").resolve(), root.resolve()}:
        raise BadWorkspace(folder, "this is the project's own.")
    folder.mkdir(parents=True, exist_ok=True)
    return folder.resolve()


@contextlib.contextmanager
def _indexes(run: Run, place: Path) -> Iterator[tuple[Standin, dict[str, str]]]:
    """Start the two stand-ins; yield where they are, and the tokens they take. They end with us, however we end."""
    with standins.started(run.tools("standin"), place) as (standin, tokens):
        pairs = ((run.config.testpypi, standin.testpypi), (run.config.pypi, standin.pypi))
        run.say("   ".join(f"stand-in for {index.name}: {url}" for index, url in pairs))
        yield replace(standin, dependencies=_relayed(run.config)), tokens


def _summary(run: Run, standin: Standin) -> None:
    """Say what was proved. The bytes that the stand-in for PyPI holds are read anew from its own folder."""
    record = Record.of(standin.place)
    built = record.recorded(Built, session=run.names["build"])
    released = record.recorded(Released, session=run.names["pypi"])
    checked = record.read(Checked, session=run.names["check"])
    held = {name: _held(standin.folder / name, built.project) for name in INDEXES}
    differing = [name for name in INDEXES if held[name] != built.dists]
    if differing or released.dists != built.dists:
        raise DryrunFailed(f"the comparison of bytes: {' and '.join(differing) or 'the record'} differs from the build")
    run.say()
    run.say(f"dry run of {built.project} {built.version}: all five sessions passed")
    run.say(report.files(built.dists))
    run.say(report.cells(record.verified(), built.matrix))
    if of_files := report.of_files(record):
        run.say(of_files)
    run.say(f"the bytes on both stand-ins are the bytes that were built ({len(built.dists)} files, compared by sha256)")
    if warnings := [problem for problem in checked.problems if problem.severity == "warning"]:
        run.say(f"warnings of `check`, in full above:{listing(sorted({warning.rule for warning in warnings}))}")
    if built.dirty:
        run.say("the tree has changes that are not committed: commit them before `testpypi`")
    if standin.is_shared:
        return
    run.say(CANNOT_SHOW)
    if run.options.keep:
        run.say(f"kept in {standin.place}: dist, release-record, testpypi, pypi")


def _held(folder: Path, project: str) -> tuple[Dist, ...]:
    """Return the files of `project` that a stand-in holds in `folder`."""
    wanted = canonicalize_name(project)
    return tuple(sorted(Dist.from_file(path) for path in folder.iterdir() if project_of(path.name) == wanted))
