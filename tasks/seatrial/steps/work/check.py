"""What `check` does: the rules on the files, on the indexes, and a trial of one file of each kind."""

from __future__ import annotations

import contextlib
import difflib
import functools
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import replace
from typing import TYPE_CHECKING

from seatrial.building import git
from seatrial.index import changes as earlier
from seatrial.index import conflicts
from seatrial.machine import temporary
from seatrial.machine.errors import ReleaseError
from seatrial.release.archives import Archive
from seatrial.release.record import now
from seatrial.release.stages import Built, Changes, Checked, Problem, Trial
from seatrial.report import status, text
from seatrial.report.text import Failure
from seatrial.rules import index as index_rules
from seatrial.rules.distribution import Release
from seatrial.rules.judge import NOT_APPLIED, RULES, for_index, judge_release
from seatrial.trial import interpreters, lost, static
from seatrial.trial.checkout import Checkout
from seatrial.trial.installer import Installer, Origin
from seatrial.trial.interpreters import RUNNING
from seatrial.trial.trial import Subject, use
from seatrial.trial.wheel import FOUND
from seatrial.workspace import siblings

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from seatrial.project.context import Context, Locks
    from seatrial.release.stages import Dist


class NotReady(ReleaseError):
    problems: tuple[Problem, ...]
    trial: bool = False
    index: str = "PyPI"
    step: str = "check"

    what = "{e.shown}"
    cure = (
        "fix each error above, commit, and run `{e.step:command}` again. Nothing was uploaded, so no version was spent."
    )

    @property
    def count(self) -> int:
        return sum(is_error(problem) for problem, _ in text.together(self.problems))

    @property
    def shown(self) -> str:
        errors = text.plural(self.count, "error")
        if self.trial:
            return f"The files do not work once installed: {errors}."
        return f"{self.index} would refuse these files, or they would fail their users: {errors}."


def checked(context: Context, built: Built) -> Checked:
    """Return what came of the rules and of the trials. Raises NotReady, and what keeps siblings from being used."""
    for sibling in siblings.of(context, built):
        context.detail(f"released together with {sibling.label}{siblings.commit_note(sibling, built)}")
    _warn_of_unknown(context)
    source = git.of(context)
    committed = git.committed(source)
    with contextlib.ExitStack() as stack, ThreadPoolExecutor(1) as beside:
        comparing = ThreadPoolExecutor(1)
        stack.callback(comparing.shutdown, wait=False, cancel_futures=True)  # after an error nobody waits for it
        changes = comparing.submit(_compare, context, built)
        rules, problems, rendered = _judge_release(context, built, source, committed)
        looked_up, listed = _look_up(context, built)
        _stop_on_errors(context, (*problems, *listed))
        context.screen.doing("installing and importing the files from this disk")
        reading = beside.submit(_read_all, context, built, Checkout.of(context.root, committed))
        trials, met, supplied = _try_all(context, built)
        met = (*met, *_without_ignored(context, static.untold(reading.result(), met, supplied)))
        _stop_on_errors(context, met, trial=True)
        context.detail(text.changes(changes.result()))
    return Checked(
        project=built.project,
        version=built.version,
        dists=built.dists,
        at=now(),
        rules=tuple(sorted({*rules, *looked_up})),
        problems=(*problems, *listed, *met),
        trials=trials,
        changes=changes.result(),
        rendered=rendered,
        offline=context.options.offline,
    )


def completed(context: Context, built: Built, done: Checked) -> Checked:
    """Return `done` with what it lacks: look-ups that were left out (``--offline``), a comparison (``--since``)."""
    whole = done
    if catches_up := done.offline and not context.options.offline:
        rules, problems = _look_up(context, built)
        _stop_on_errors(context, problems)
        whole = replace(done, rules=tuple(sorted({*done.rules, *rules})), problems=(*done.problems, *problems))
        whole = replace(whole, offline=False)
    if catches_up or context.options.since:
        whole = replace(whole, changes=_compare(context, built))
    context.say(text.changes(whole.changes))
    return whole


def _warn_of_unknown(context: Context) -> None:
    """Name what `ignore` has and nothing is called: a misspelt code silences nothing."""
    known = sorted({rule.code for rule in RULES} | {NOT_APPLIED} | {f"install-{code}" for code in FOUND})
    for code in sorted({*context.settings.ignore} - {*known}):
        likely = "".join(f" Did you mean `{name}`?" for name in difflib.get_close_matches(code, known, 1))
        context.say(f"`ignore` in [tool.seatrial]: there is no rule or finding `{code}`.{likely}", "warning")


def _compare(context: Context, built: Built) -> Changes:
    if context.options.offline:
        return Changes(None, context.published.name, "--offline")
    if context.dry and not context.published.is_public:
        return Changes(None, context.published.name, "a dry run has no login, so it asks no index but PyPI")
    with temporary.folder("check") as scratch:
        return earlier.compare(built, context.record.dist, context.published, context.options.since, scratch)


def _stop_on_errors(context: Context, problems: Sequence[Problem], *, trial: bool = False) -> None:
    """Show those of `problems` that this command has not shown. Raises NotReady where one is an error."""
    for problem, files in text.together(problems):
        if not context.is_told(problem):
            context.say(text.problem(problem, files), problem.severity)
            context.told.add((context.root, problem.rule, problem.message))
    if any(map(is_error, problems)):
        status.failed(context, Failure("check", problems=tuple(problems)))
        step = "dryrun" if context.dry else "check"
        raise NotReady(tuple(problems), trial=trial, index=_other_index(context) or "PyPI", step=step)


def is_error(problem: Problem) -> bool:
    """Whether `problem` stops a release."""
    return problem.severity == "error"


def _judge_release(
    context: Context, built: Built, source: git.Source, committed: tuple[str, ...]
) -> tuple[tuple[str, ...], tuple[Problem, ...], str]:
    """Return the codes of the rules that ran, what they found that is not ignored, and the description as HTML."""
    release = Release(
        tags=source.tags,
        tag_patterns=context.settings.tag,
        root=context.root,
        tracked=git.tracked(source),
        committed=committed,
        lacking=built.lacking,
        reached=built.reached,
        clean=not context.settings.in_place and built.is_made_here,
        is_due=context.dry is None,
        workflows=git.workflows(source),
    )
    paths = [context.record.dist / dist.filename for dist in built.dists]
    with context.screen.progress("check: applying the rules"):
        codes, problems, rendered = judge_release(paths, release)
    return codes, _without_ignored(context, for_index(problems, _other_index(context))), rendered


def _other_index(context: Context) -> str:
    """Return the name of the index that these files are for, where neither it nor the rehearsal index is PyPI's."""
    pypi, testpypi = context.settings.pypi, context.settings.testpypi
    is_known = pypi.is_public or (testpypi.is_public and not context.rehearsed_here)
    return "" if is_known else pypi.name


def _look_up(context: Context, built: Built) -> tuple[tuple[str, ...], tuple[Problem, ...]]:
    """Return the codes of the rules on the indexes, and what they found, ignored warnings left out and named."""
    indexes = context.settings.indexes
    if context.options.offline:
        names = f"{indexes.testpypi.name} and {indexes.pypi.name}"
        context.say(f"what {names} have was not checked (--offline)", "note")
        return (), ()
    uploads = [indexes.pypi] if context.rehearsed_here else [indexes.testpypi, indexes.pypi]
    first = min(built.dists, key=lambda dist: (dist.kind != "wheel", dist.filename))
    metadata = Archive.open(context.record.dist / first.filename).metadata
    applied, problems = index_rules.judge(built, metadata, uploads, context.published)
    if conflicts.is_spent(indexes, problems):
        context.say(conflicts.of_version(built, indexes, context.commands))
    return applied, _without_ignored(context, problems)


def _without_ignored(context: Context, problems: Sequence[Problem]) -> tuple[Problem, ...]:
    """Return `problems` without those that the settings ignore, which are named: no error that PyPI refuses for."""
    reasons = context.settings.ignore
    ignored = [problem for problem in problems if context.settings.ignores(problem)]
    for problem in ignored:
        context.detail(f"ignored: {problem.file}: {problem.rule} ({reasons[problem.rule]})")
    return tuple(problem for problem in problems if problem not in ignored)


def _try_all(context: Context, built: Built) -> tuple[tuple[Trial, ...], tuple[Problem, ...], tuple[str, ...]]:
    """Install one file of each kind, all at once, and return what came of it, and the modules that others supplied.

    Each is tried on the Python that runs us. What a newer Python hides shows on the lowest one that is here.
    """
    archives = [Archive.open(context.record.dist / dist.filename) for dist in built.dists]
    by_name = {dist.filename: dist for dist in built.dists}
    plan = list(interpreters.trials(archives, context.settings.pythons, context.uv))
    for name in sorted(set(by_name) - {archive.path.name for archive, _ in plan}):
        context.detail(f"{name}: not tried here (another platform, or one more of its kind)")
    with temporary.folder("check") as scratch, ThreadPoolExecutor(len(plan) or 1) as pool:
        proxies = _proxies(built, plan)
        attempt = functools.partial(_try, context, built, scratch, context.locks)
        tried = [(archive, python) for archive, python in plan if python or archive.path.name not in proxies]
        started = [pool.submit(attempt, archive, by_name[archive.path.name], python) for archive, python in tried]
        with context.screen.progress("check: installing and importing", total=len(started), unit="trials") as shown:
            for _ in as_completed(started):
                shown.done += 1
        outcomes = [outcome for one in started if (outcome := one.result())]
    for trial, problems, _ in outcomes:
        if not any(map(is_error, problems)):
            came = text.dependencies(trial.installed)
            context.detail(f"{trial.filename}: installed on Python {trial.python} with {came}; {trial.summary}")
    for sdist, wheel in proxies.items():
        context.detail(f"{sdist}: not compiled again on Python {RUNNING}: `build` made {wheel} of it, which is tried")
    pythons: dict[Problem, list[str]] = {}
    for trial, problems, _ in outcomes:
        for problem in problems:
            pythons.setdefault(problem, []).append(trial.python)
    # A Python is named where the one that runs us, which comes first, does not show the same.
    found = [one if RUNNING in where else text.on_pythons(one, where) for one, where in pythons.items()]
    supplied = tuple(module for _, _, modules in outcomes for module in modules)
    through = (Trial(sdist, RUNNING, (), (), f"made into {wheel}", wheel) for sdist, wheel in proxies.items())
    return (*(trial for trial, _, _ in outcomes), *through), _without_ignored(context, found), supplied


def _proxies(built: Built, plan: Sequence[tuple[Archive, str | None]]) -> Mapping[str, str]:
    """Return which sdist of `plan` need not be compiled again, and the wheel that is tried in its place.

    Only where `build` compiled that wheel of these very bytes, here and for the Python that runs us.
    """
    version = next((tool.version for tool in built.tools if tool.name == "python"), "")
    if not built.is_made_here or version.rpartition(".")[0] != RUNNING:
        return {}
    files = {archive.kind: archive for archive, python in plan if python is None}
    wheel, sdist = files.get("wheel"), files.get("sdist")
    if wheel is None or sdist is None or any(tag.platform == "any" for tag in wheel.tags):
        return {}
    return {sdist.path.name: wheel.path.name}


def _read_all(context: Context, built: Built, checkout: Checkout) -> list[Problem]:
    """Return what the wheels say of Pythons that are not here, and what they lack that the checkout has."""
    paths = [context.record.dist / dist.filename for dist in built.dists]
    wheels = [path for path in paths if path.suffix == ".whl"]
    packed = lost.packed(paths)
    read = [one for path in wheels for one in static.problems(path, context.settings.pythons, checkout, packed)]
    return [*read, *lost.problems(paths, checkout)]


def _try(  # noqa: PLR0917 (the first four are the same for all)
    context: Context, built: Built, scratch: Path, resolved: Locks, archive: Archive, dist: Dist, python: str | None
) -> tuple[Trial, tuple[Problem, ...], tuple[str, ...]] | None:
    """Install `archive` with its dependencies into a throw-away environment, and import it.

    Return None where `python` is one more that could be tried, and no environment can be made for it.
    """
    place = scratch / f"{archive.kind}-{python or RUNNING}"
    place.mkdir()
    installer = Installer.of(context.uv, place, context.settings.dependencies, resolved)
    origin = Origin(archive.path.as_uri(), dist.sha256)
    subject = Subject(dist.filename, archive.metadata.name or archive.name, str(archive.version), (origin,))
    try:
        try:
            venv = installer.create(place / "venv", python, interpreters.find(python or RUNNING, context.uv))
        except ReleaseError:
            if interpreters.python_for(archive, context.settings.pythons, context.uv) == python:
                raise
            context.detail(f"{dist.filename}: not tried on Python {python}, for which no environment could be made")
            return None
        with siblings.hinted(context):
            installer.from_file(venv, archive.path, subject.project)
            installer = replace(installer, beside=siblings.local(context, built, venv, installer))
            used = use(installer, venv, subject, context.settings, context.root)
    except ReleaseError as error:
        problem = Problem("install-failed", "error", dist.filename, str(error), silenceable=True)
        return Trial(dist.filename, python or RUNNING, (), ()), (problem,), ()
    trial = Trial(dist.filename, python or RUNNING, used.imported, used.installed, used.summary)
    return trial, used.problems, used.supplied
