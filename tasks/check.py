"""`check` and `inspect`: the rules, and the local trial, before a version is spent anywhere."""

from __future__ import annotations

import contextlib
import functools
import json
import os
import re
import sys
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.tags import sys_tags

from . import earlier, environment, inspection, lookups, process, report, showing, siblings, source, terminal, ways
from .archives import Archive
from .errors import NotReady, ReleaseError, ToolFailed
from .fitting import fitting
from .installer import Origin
from .matrix import KNOWN_PYTHONS, is_here
from .record import now
from .rules.registry import for_index
from .stages import KINDS, Built, Changes, Checked, Problem, Trial
from .stranger import Guest, live

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from concurrent.futures import Future

    from .run import Run
    from .stages import Dist

JUDGE = Path(__file__).with_name("judge.py")
NUMBERS = re.compile(r"\d+\.\d+")  # in the name of a Python: `3.14t`, `pypy3.11`
JUDGE_LIMIT = 1800.0  # seconds


def check(run: Run) -> None:
    """Apply the rules to what was built, then install and import it here; record it if nothing stops the release."""
    built = run.record.read(Built, session=run.names["build"])
    done = run.record.find(Checked)
    if done is not None:
        _compare_again(run, built, done)
        return
    for sibling in siblings.of(run, built):
        run.say(f"released together with {sibling.label}{siblings.commit_note(sibling, built)}")
    with _comparing(run, built) as changes:
        rules, found, rendered = _apply_rules(run, built)
        _stop_on_errors(run, found)
        run.say(f"{len(rules)} rules applied; now installing and importing the files from this disk")
        trials, met = _try_all(run, built)
        _stop_on_errors(run, met, trial=True)
        run.say(f"  {report.changes(changes.result())}")
    run.record.write(
        Checked(
            project=built.project,
            version=built.version,
            dists=built.dists,
            at=now(),
            rules=rules,
            problems=(*found, *met),
            trials=trials,
            changes=changes.result(),
            rendered=rendered,
        )
    )
    run.say(f"checked {built.project} {built.version}: nothing stops this release")


def _apply_rules(run: Run, built: Built) -> tuple[tuple[str, ...], tuple[Problem, ...], str]:
    """Return the codes of all rules that ran, what they found, and the description as HTML."""
    rules, found, rendered = _judge_release(run, built)
    applied, listed = _look_up(run, built)
    return tuple(sorted({*rules, *applied})), (*found, *listed), rendered


def _compare_again(run: Run, built: Built, done: Checked) -> None:
    """Say that all is done, but for a comparison that is asked for (``--since``)."""
    run.say(f"{built.project} {built.version} is checked already ({len(done.rules)} rules).")
    if run.options.since:
        again = replace(done, changes=_compare(run, built))
        run.say(f"  {report.changes(again.changes)}")
        run.record.write(again)


@contextlib.contextmanager
def _comparing(run: Run, built: Built) -> Iterator[Future[Changes]]:
    """Compare with the earlier version meanwhile; nobody waits for it in the end who has met an error."""
    pool = ThreadPoolExecutor(1)
    try:
        yield pool.submit(_compare, run, built)
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _compare(run: Run, built: Built) -> Changes:
    if run.options.offline:
        return Changes(None, run.published.name, "--offline")
    if run.standin and not run.published.is_public:
        return Changes(None, run.published.name, "a dry run has no login, so it asks no index but PyPI")
    with run.scratch() as scratch:
        return earlier.compare(built, run.record.dist, run.published, run.options.since, scratch)


def _stop_on_errors(run: Run, found: Sequence[Problem], *, trial: bool = False) -> None:
    if found:
        run.say(report.problems(found))
    if errors := sum(problem.severity == "error" for problem in found):
        showing.stopped(run, found)
        raise NotReady(errors, trial=trial, index=_other_index(run) or "PyPI")


def _judge_release(run: Run, built: Built) -> tuple[tuple[str, ...], tuple[Problem, ...], str]:
    """Return the codes of the rules that ran, what they found, and the description as HTML.

    Ignored warnings are left out and named.
    """
    tree = source.look(run.root)
    request = {
        "files": [str(run.record.dist / dist.filename) for dist in built.dists],
        "root": str(run.root),
        "tags": list(tree.tags),
        "tag_patterns": list(run.config.tag),
        "tracked": list(source.tracked(tree)),
        "committed": list(source.committed(tree)),
        "lacking": list(built.lacking),
        "reached": list(built.reached),
        "clean": not run.config.in_place and built.is_made_here,
    }
    with run.scratch() as scratch:
        asked = scratch / "request.json"
        asked.write_text(json.dumps(request), encoding="utf-8")
        answer = _judge(run, scratch, "release", "--request", str(asked))
    found = for_index([Problem(**problem) for problem in answer["problems"]], _other_index(run))
    return tuple(answer["rules"]), _without_ignored(run, found), answer["rendered"]


def _other_index(run: Run) -> str:
    """Return the name of the index that these files are for, where neither it nor the rehearsal index is PyPI's."""
    concerned = [run.config.pypi] if run.rehearsed_here else [run.config.pypi, run.config.testpypi]
    return "" if any(index.is_public for index in concerned) else run.config.pypi.name


def _look_up(run: Run, built: Built) -> tuple[tuple[str, ...], tuple[Problem, ...]]:
    """Return the codes of the rules on the indexes, and what they found, ignored warnings left out and named."""
    if run.options.offline:
        run.say(f"  not checked: what {run.config.testpypi.name} and {run.config.pypi.name} hold already (--offline)")
        return (), ()
    applied, found = lookups.judge(built, run.config, rehearsed_here=run.rehearsed_here is not None)
    if ways.is_spent(run.config, found):
        run.say(ways.of_version(run, built))
    return applied, _without_ignored(run, found)


def _without_ignored(run: Run, found: Sequence[Problem]) -> tuple[Problem, ...]:
    """Return `found` without the warnings that the settings ignore, which are named."""
    silenced = [problem for problem in found if problem.severity == "warning" and problem.rule in run.config.ignore]
    for problem in silenced:
        run.say(f"  ignored: {problem.file}: {problem.rule} ({run.config.ignore[problem.rule]})")
    return tuple(problem for problem in found if problem not in silenced)


def _judge(run: Run, scratch: Path, *args: str) -> Any:
    """Run the rules program in the session's virtualenv and return its JSON document."""
    python = run.tools("twine")
    out = scratch / "findings.json"
    argv = (str(python), "-I", str(JUDGE), "--out", str(out), *args)
    env = environment.for_install(os.environ)
    with terminal.meter("applying the rules", run.say):
        outcome = process.run(argv, env=env, cwd=scratch, time_limit=JUDGE_LIMIT, log=True)
    if outcome.code != 0:
        raise ToolFailed(
            "The rules program",
            outcome.code,
            outcome.output,
            "a virtualenv that was cut short.",
            "delete the .nox folder and run the session again; if it stays so, please report it.",
        )
    return json.loads(out.read_text(encoding="utf-8"))


def _try_all(run: Run, built: Built) -> tuple[tuple[Trial, ...], tuple[Problem, ...]]:
    """Install one file of each kind, all at once, and return what came of it.

    Each is tried on the Python that runs us. What a newer Python hides shows on the lowest one that is here.
    """
    archives = [Archive.open(run.record.dist / dist.filename) for dist in built.dists]
    chosen = [archive for kind in KINDS if (archive := _fitting(archives, kind))]
    by_name = {dist.filename: dist for dist in built.dists}
    for name in sorted(set(by_name) - {archive.path.name for archive in chosen}):
        run.say(f"  {name}: not tried here (another platform, or one more of its kind)")
    pythons = run.config.pythons
    plan = [(archive, _python_for(archive, pythons)) for archive in chosen]
    plan += _on_the_lowest(chosen, pythons)
    with run.scratch() as scratch, ThreadPoolExecutor(len(plan) or 1) as pool:
        attempt = functools.partial(_try, run, built, scratch)
        started = [pool.submit(attempt, archive, by_name[archive.path.name], python) for archive, python in plan]
        with terminal.meter("installing and importing", run.say, total=len(started), unit="trials") as shown:
            for _ in as_completed(started):
                shown.done += 1
        outcomes = [outcome for one in started if (outcome := one.result())]
    for trial, problems in outcomes:
        if not any(problem.severity == "error" for problem in problems):
            came, imported = report.dependencies(trial.installed), report.imported(trial.imported)
            run.say(f"  {trial.filename}: installed on Python {trial.python} with {came}; {imported}")
    found = [problem for _, problems in outcomes for problem in problems]
    return tuple(trial for trial, _ in outcomes), _without_ignored(run, found)


def _fitting(archives: Sequence[Archive], kind: str) -> Archive | None:
    """Return the archive of `kind` that the Python which runs us would install."""
    if kind == "sdist":
        return next((archive for archive in archives if archive.kind == "sdist"), None)
    wheels = {archive.path.name: archive for archive in archives if archive.kind == "wheel"}
    best = fitting(wheels, tuple(map(str, sys_tags())))
    return wheels[best] if best else None


def _try(  # noqa: PLR0917 (the first three are the same for all)
    run: Run, built: Built, scratch: Path, archive: Archive, dist: Dist, python: str | None
) -> tuple[Trial, tuple[Problem, ...]] | None:
    """Install `archive` with its dependencies into a throw-away environment, and import it.

    Return None where `python` is one more that could be tried, and no environment can be made for it.
    """
    place = scratch / f"{archive.kind}-{python or _running()}"
    place.mkdir()
    installer = run.installer(place)
    origin = Origin(archive.path.as_uri(), dist.sha256)
    guest = Guest(dist.filename, archive.metadata.name or archive.name, str(archive.version), (origin,))
    try:
        venv = installer.create(place / "venv", python)
    except ReleaseError as error:
        if _python_for(archive, run.config.pythons) != python:
            run.say(f"  {dist.filename}: not tried on Python {python}, for which no environment could be made")
            return None
        return _failed(dist, python, error)
    try:
        installer.from_file(venv, archive.path, guest.project)
        installer = replace(installer, beside=siblings.local(run, built, venv, installer))
        life = live(installer, venv, guest, run.config, run.root)
    except ReleaseError as error:
        return _failed(dist, python, error)
    found = tuple(replace(problem, message=f"{_on(python)}{problem.message}") for problem in life.problems)
    return Trial(dist.filename, python or _running(), life.imported, life.installed), found


def _on(python: str | None) -> str:
    """Return the words that a message begins with, if it is not about the Python that runs us."""
    return f"On Python {python}: " if python else ""


def _failed(dist: Dist, python: str | None, error: ReleaseError) -> tuple[Trial, tuple[Problem, ...]]:
    problem = Problem("install-failed", "error", dist.filename, f"{_on(python)}{error}")
    return Trial(dist.filename, python or _running(), (), ()), (problem,)


def _running() -> str:
    return "{}.{}".format(*sys.version_info)


def _python_for(archive: Archive, pythons: Sequence[str]) -> str | None:
    """Return the Python to try `archive` on: the one that runs us, unless only others of the project are supported."""
    supported = _supported(archive)
    if supported is None or supported.contains(f"{_running()}.99"):
        return None
    versions = {python: found[0] for python in pythons if (found := NUMBERS.search(python))}
    able = [python for python, version in versions.items() if supported.contains(f"{version}.99")]
    return able[-1] if able else None


def _on_the_lowest(chosen: Sequence[Archive], pythons: Sequence[str]) -> list[tuple[Archive, str]]:
    """Return what to try on the lowest Python as well: wheel and sdist, whose build may not work there.

    A compiled wheel is for one Python, or says little of the others; a wheel of Python code is for all of them.
    """
    if not any(archive.kind == "wheel" and _is_pure(archive) for archive in chosen):
        return []
    return [(archive, lowest) for archive in chosen if (lowest := _lowest(archive, pythons))]


def _lowest(archive: Archive, pythons: Sequence[str]) -> str | None:
    """Return the lowest Python here that `archive` is for, not below the project's, if it is not tried on it anyway."""
    supported = _supported(archive)
    named = [KNOWN_PYTHONS.index(python) for python in pythons if python in KNOWN_PYTHONS]
    if supported is None or not named:
        return None
    able = [python for python in KNOWN_PYTHONS[min(named) :] if supported.contains(f"{python}.99")]
    lowest = next((python for python in able if python == _running() or is_here(python)), None)
    return None if lowest in {_running(), _python_for(archive, pythons)} else lowest


def _supported(archive: Archive) -> SpecifierSet | None:
    """Return what Requires-Python admits, None where it is no specifier."""
    try:
        return SpecifierSet(archive.metadata.first("requires-python") or "")
    except InvalidSpecifier:
        return None


def _is_pure(archive: Archive) -> bool:
    return any((tag.interpreter, tag.abi, tag.platform) == ("py3", "none", "any") for tag in archive.tags)


def inspect(run: Run) -> None:
    """Apply the rules to each of the given files by itself, anywhere, without a project."""
    start = Path(run.session.invoked_from)
    with run.scratch() as scratch:
        paths = [str(start / path) for path in run.options.files]
        answer = _judge(run, scratch, "files", *paths)
    inspection.show(answer, run.options, run.say)
