"""Installing and using a released file the way a stranger does, in a fresh environment.

`check` does it with the files of this disk before anything is uploaded, `verify` with what the index serves. Both
end here: dependencies, ``pip check``, the probe, the project's own smoke commands.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import shlex
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from packaging.utils import canonicalize_name

from seatrial.machine import process, temporary
from seatrial.machine.errors import ReleaseError
from seatrial.machine.process import ToolFailed
from seatrial.machine.values import Value
from seatrial.machine.variables import without_logins
from seatrial.release.filenames import parsed_requirement, parsed_version
from seatrial.release.stages import Installed
from seatrial.trial.checkout import Checkout
from seatrial.trial.installer import origin_of
from seatrial.trial.interpreters import admitted
from seatrial.trial.requirements import holding
from seatrial.trial.wheel import history, problem

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from seatrial.project.settings import Settings
    from seatrial.release.stages import Problem
    from seatrial.trial.installer import Beside, Installer, Origin, Origins, Venv

    Narrowed = Callable[[Sequence[str]], Sequence[str]]

PROBE = Path(__file__).with_name("probe") / "command.py"
PROBE_LIMIT = 900.0  # seconds for all imports together; the probe bounds each of them
SMOKE_LIMIT = 900.0
_SURROUNDINGS: dict[str, Any] = {}  # what the probe said of an interpreter


class SiblingExcluded(ReleaseError):
    project: str
    requirement: str
    sibling: str

    what = "{e.project} requires `{e.requirement}`, and is released together with {e.sibling}."
    cause = "the version of one was raised and the bound in the other was not; or its record is of an earlier release."
    cure = "make both fit, commit, and build again what you changed (`{run[build]}` there)."


class Use(Value):
    """What happened to a file after it was installed."""

    python_version: str
    sys_platform: str
    machine: str
    subject: Installed
    installed: tuple[Installed, ...]
    imported: tuple[str, ...]
    ran: tuple[str, ...]
    problems: tuple[Problem, ...]
    summary: str = ""  # "imported 12 of 14 modules (2 need the extra `yaml`)"
    supplied: tuple[str, ...] = ()  # modules of others in packages of its own, or in place of Python's own


class Subject(Value):
    """The distribution that moved in; `origins` are the files it can have come from (an installer picks a wheel)."""

    label: str
    project: str
    version: str
    origins: tuple[Origin, ...]


def use(
    installer: Installer,
    venv: Venv,
    subject: Subject,
    settings: Settings,
    checkout: Path,
    *,
    narrowed: Narrowed = tuple,
) -> Use:
    """Give `subject`, installed in `venv` without dependencies, what it asks for, and see whether it works.

    `narrowed` says what to install for its requirements (default: those). Raises InstallFailed where its dependencies
    cannot be had.
    """
    wanted = needed(installer, venv, subject, settings)
    stop_if_excluded(subject, wanted, installer.beside)
    requirements = narrowed(wanted)
    origins = installer.dependencies(venv, [*requirements, *settings.smoke_requires], subject.project, subject.version)
    with ThreadPoolExecutor(1) as beside:  # pip takes longer to start than both need
        whole = beside.submit(installer.check, venv)
        report = probe(installer, venv, subject, settings, checkout)
    whole.result()
    failed = smoke(installer, venv, subject, settings, checkout)
    found = other_version(subject, report["distribution"])
    inside = f"{venv.root}{os.sep}"
    for told in report["problems"]:  # with relative paths, so that one fault of both files is one
        message = told["message"].replace(repr(inside)[1:-1], "").replace(inside, "")  # exceptions quote a path
        found.append(problem(subject.label, told["kind"], told["severity"], message))
    installed = _installed(report, origins | {canonicalize_name(subject.project): subject.origins})
    return Use(
        python_version=report["python"],
        sys_platform=report["sys_platform"],
        machine=report["machine"],
        subject=next(one for one in installed if one.name == canonicalize_name(subject.project)),
        installed=installed,
        imported=tuple(report["imported"]),
        ran=settings.smoke,
        problems=(*found, *_at_odds(subject, settings, report), *failed),
        summary=summary(report["tally"]),
        supplied=tuple(report["supplied"]),
    )


def summary(tally: Mapping[str, Any]) -> str:
    """Return how many of the public modules were imported, and what the others need, for people to read."""
    total, done = tally["total"], tally["imported"]
    if not total:
        return "nothing to import"
    noun = "module" if total == 1 else "modules"
    others = [f"{count} {label}" for label, count in tally["others"].items()]
    if tally["aside"]:
        others.append(f"tests and programs inside it left out: {tally['aside']}")
    first = f"imported {done} {noun}" if done == total else f"imported {done} of {total} {noun}"
    return first + (f" ({'; '.join(others)})" if others else "")


def stop_if_excluded(subject: Subject, requirements: Iterable[str], beside: Iterable[Beside]) -> None:
    """Raise SiblingExcluded where `subject` requires another version of a project than the one that is `beside` it."""
    there = {canonicalize_name(one.project): one for one in beside}
    for line in requirements:
        requirement = parsed_requirement(line)
        one = there.get(canonicalize_name(requirement.name)) if requirement else None
        if requirement and one and not requirement.specifier.contains(one.version, prereleases=True):
            raise SiblingExcluded(f"{subject.project} {subject.version}", line, f"{one.project} {one.version}")


def other_version(subject: Subject, distribution: Mapping[str, Any] | None) -> list[Problem]:
    """Return a problem where the installed `distribution` is of another version than `subject` (PEP 440)."""
    there = (distribution or {"version": subject.version})["version"]
    version = parsed_version(there)
    if version is not None and version == parsed_version(subject.version):
        return []
    message = f"{subject.project} {there or '(no version)'} is installed instead of {subject.version}."
    return [problem(subject.label, "version", "error", message)]


def _at_odds(subject: Subject, settings: Settings, report: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield what is at odds with the metadata: the very Python that runs here, and extras of the settings.

    uv installs what says ``==3.11`` on 3.11.7; pip refuses. An invalid Requires-Python installers take for none, and
    the rules have said it.
    """
    python, required = report["python"], admitted(report["requires_python"])
    if required is not None and not required.contains(python, prereleases=True):
        message = f"Requires-Python of {subject.project} is `{report['requires_python']}`, which leaves out {python}"
        yield problem(subject.label, "requires-python", "error", f"{message}: pip refuses it.")
    known = {canonicalize_name(extra): extra for extra in report["extras"]}
    has = f"it has {', '.join(sorted(known.values()))}" if known else "it defines none"
    for extra in settings.extras:
        if canonicalize_name(extra) not in known:
            message = f"{subject.project} has no extra `{extra}` ({has}): see `extras`."
            yield problem(subject.label, "extra", "error", message)


def needed(installer: Installer, venv: Venv, subject: Subject, settings: Settings) -> list[str]:
    """Return the requirements of the installed `subject` that hold in `venv`, as PEP 508 lines without markers."""
    markers, paths = surroundings(installer, venv)
    for found in importlib.metadata.distributions(path=paths):
        if canonicalize_name(found.metadata["Name"] or "") == canonicalize_name(subject.project):
            return holding(found.requires or (), subject.project, settings.extras, markers)
    return []


def surroundings(installer: Installer, venv: Venv) -> tuple[Mapping[str, str], list[str]]:
    """Return the variables of environment markers (PEP 508) in `venv`, and the folders of its distributions.

    An interpreter is asked once: between the environments that are made with it, only the folder differs.
    """
    if venv.interpreter not in _SURROUNDINGS:
        _SURROUNDINGS[venv.interpreter] = _ask_probe(installer, venv, "environment")
    answer = _SURROUNDINGS[venv.interpreter]
    folders = [os.path.relpath(answer[name], answer["prefix"]) for name in ("purelib", "platlib")]
    markers = {name: str(value) for name, value in answer.items()}
    return markers, [str(venv.root / folder) for folder in dict.fromkeys(folders)]


def probe(installer: Installer, venv: Venv, subject: Subject, settings: Settings, checkout: Path) -> Any:
    """Return what the probe found in `venv`; it is told what the `checkout` has that the wheel may lack."""
    there = Checkout.of(checkout)
    known = {"modules": there.modules(), "data": there.data(), "elsewhere": there.elsewhere(), "stdlib": history()}
    project = installer.scratch / "project.json"
    project.write_text(json.dumps(known), encoding="utf-8")
    names = [word for name in settings.import_names for word in ("--import-name", name)]
    return _ask_probe(installer, venv, "check", "--name", subject.project, "--project", str(project), *names)


def _ask_probe(installer: Installer, venv: Venv, mode: str, *args: str) -> Any:
    """Run the probe in `venv`, away from the checkout, and return its JSON document."""
    answer = installer.scratch / f"probe-{mode}.json"
    away = installer.scratch / "empty"
    away.mkdir(exist_ok=True)
    argv = (str(venv.python), "-I", str(PROBE), mode, *args, "--out", str(answer))
    env = {**installer.env, **temporary.inside(installer.scratch)}
    outcome = process.run(argv, env=env, cwd=away, time_limit=PROBE_LIMIT, log=True)
    if outcome.code != 0:
        raise ToolFailed(
            "The probe in the fresh environment",
            outcome.code,
            outcome.output,
            "an interpreter older than Python 3.8, or one that is damaged.",
            "set `pythons` in [tool.seatrial] to Python 3.8 or later.",
        )
    return json.loads(answer.read_text(encoding="utf-8"))


def smoke(installer: Installer, venv: Venv, subject: Subject, settings: Settings, checkout: Path) -> list[Problem]:
    """Run the project's smoke commands in `venv`, and return what failed."""
    env = {**installer.env, "PATH": os.pathsep.join([str(venv.scripts), installer.env.get("PATH", os.defpath)])}
    env["VIRTUAL_ENV"] = str(venv.root)
    problems = []
    for command in settings.smoke:
        argv = _resolved(command, venv, checkout)
        outcome = process.run(argv, env=env, cwd=installer.scratch, time_limit=SMOKE_LIMIT, log=True)
        if outcome.code != 0:
            said = "\n".join(outcome.output.strip().splitlines()[-20:])
            message = f"The smoke command `{command}` failed (exit code {outcome.code}):\n{said}"
            problems.append(problem(subject.label, "smoke", "error", message))
    return problems


def _resolved(command: str, venv: Venv, checkout: Path, *, backslash: bool = os.name != "nt") -> list[str]:
    """Return `command` as words, its program taken from `venv` where it is there; no shell is involved.

    It is split at its blanks but for those in quotes, as a POSIX shell does; a `backslash` can be no escape.
    """
    lexer = shlex.shlex(command, posix=True)
    lexer.whitespace_split, lexer.commenters = True, ""
    if not backslash:
        lexer.escape = ""
    words = [word.replace("{project}", str(checkout)) for word in lexer]
    for name in (words[0], f"{words[0]}.exe"):
        if (venv.scripts / name).is_file():
            return [str(venv.scripts / name), *words[1:]]
    return words


def _installed(report: Any, origins: Origins) -> tuple[Installed, ...]:
    """Return what the probe found in the environment, each with the origin of its file where that is known."""
    found = []
    for item in report["installed"]:
        name = canonicalize_name(item["name"])
        origin = origin_of(origins, name, item["wheel_tags"])
        url = without_logins(origin.url) if origin else None
        sha256 = origin.sha256 if origin else None
        found.append(Installed(name, item["version"], url, sha256 or None))  # what comes from git has no hash
    return tuple(sorted(found, key=lambda one: one.name))
