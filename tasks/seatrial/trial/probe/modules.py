"""What is wrong with a module."""

from __future__ import annotations

import importlib.machinery
import os
import re
import sys
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .causes import EXCUSED, Cause, cause_of
from .subject import Subject, finding, lies_in, listed, normalised, real_path, whose

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from .imports import Attempt
    from .subject import Problem

# Other words for the parts of a version (PEP 440).
SPELLINGS = {"alpha": "a", "beta": "b", "c": "rc", "pre": "rc", "preview": "rc", "rev": "post", "r": "post"}


@dataclass(frozen=True)
class Failure:
    """A module that could not be imported, why, and whether that stops a release."""

    attempt: Attempt
    cause: Cause
    severity: str


def failure(subject: Subject, one: Attempt, *, main: bool, inner: bool, asked: bool = False) -> Failure:
    """Judge the failed import `one` of a main module, of one `inner` of a package, or of another at the top.

    It is `asked` for where the settings name it.
    """
    cause = cause_of(subject, one)
    is_unknown = cause.kind == "undeclared" or lies_in(one.name, subject.names.modules)
    if asked and one.missing and lies_in(one.name, [one.missing]) and is_unknown:
        text = f"`import-names` in [tool.seatrial] names it, and {subject.name} has no such module"
        cause = Cause("setting", f"{text}: correct the setting, or the build that left it out")
    if inner:
        may_fail = _inner_may_fail(subject, one, cause)
    elif main:
        may_fail = cause.kind == "host" or (cause.kind == "platform" and _is_for_other_systems(subject))
    else:
        may_fail = cause.kind in EXCUSED
    return Failure(one, cause, "warning" if may_fail else "error")


def _inner_may_fail(subject: Subject, one: Attempt, cause: Cause) -> bool:
    """Whether it is somebody's choice that a module inside a package cannot be imported here.

    It is where the cause is one, where all that import it can do without, and where nothing imports it and what it
    wants is of nobody whom the project names.
    """
    if cause.kind in EXCUSED or cause.kind == "choice":
        return True
    if one.error_type == "crash":
        return False
    if cause.kind == "undeclared" or one.error_type in {"hang", "untried"}:
        return one.name not in subject.reached
    if cause.kind == "python" and one.missing == "distutils" and subject.code.wants(one.name, "setuptools"):
        return True  # which has a copy of it
    return one.name in subject.names.loose or subject.code.is_optional(one.name) or is_for_another_python(one.name)


def is_for_another_python(module: str) -> bool:
    """Whether the name of `module` says that it is for versions of Python, as ``_py39`` or ``compat_py2`` do."""
    return bool(re.search(r"(^|[._])(py|python)[23]\d*(_?plus|_?only)?($|[._])", module))


def failure_problems(subject: Subject, failures: Iterable[Failure]) -> Iterator[Problem]:
    """Yield what is to be said of `failures`, once of those that have one cause."""
    groups: dict[object, list[Failure]] = {}
    for met in failures:
        key = (met.severity, met.cause, _kind(met.attempt), met.attempt.missing or met.attempt.symptom)
        groups.setdefault(key, []).append(met)
    for first, *others in groups.values():
        one = first.attempt
        message = f"`{one.name}` {reason(subject, one, first.cause)}."
        if others:
            message += f" So do {listed([other.attempt.name for other in others])}."
        if first.severity == "warning" and first.cause.kind == "undeclared":
            message += " No main module and no script imports it for certain, so this counts as intended."
        if first.severity == "error" and first.cause.kind != "setting":
            message += " `import-names` in [tool.seatrial] narrows what is imported"
            extras = subject.metadata.get_all("Provides-Extra", [])
            message += f"; `extras` names those to install: {', '.join(extras)}." if extras else "."
        yield finding(_kind(one), one.name, f"{message}{printed(one)}", severity=first.severity)


def module_problems(subject: Subject, one: Attempt, *, main: bool) -> Iterator[Problem]:
    """A module at the top must come from a file of this distribution, and agree with the metadata on the version.

    A namespace is imported from wherever a folder of that name is, so it has to be named by what it holds.
    """
    name = one.name
    roots = tuple(os.path.join(real_path(folder), "") for folder in one.origin) if isinstance(one.origin, list) else ()
    if any(real.startswith(roots) for real in subject.own):
        message = f"`{name}` is a namespace, so importing it proves nothing: name a module inside it as import name."
        yield finding("namespace", name, message, severity="warning")
    elif isinstance(one.origin, list):
        message = f"`{name}` is imported, but not from {subject.name}: it is a namespace that other distributions fill."
        yield finding("foreign", name, message)
    elif one.origin is None or real_path(one.origin) not in subject.own:
        message = f"`{name}` is imported, but not from {subject.name}: it comes from {whose(one.origin)}."
        yield finding("foreign", name, message)
    elif main and one.version is not None and _release(one.version) != _release(subject.version):
        message = f"`{name}.__version__` is {one.version!r}, and the metadata says {subject.version}."
        yield finding("module-version", name, message, severity="warning")


def star_problems(tried: Iterable[Attempt]) -> Iterator[Problem]:
    """``__all__`` has to name what is there."""
    for one in tried:
        if one.absent:
            why = next(iter(one.absent.values())).rstrip(".")
            message = f"`from {one.name} import *` fails, as `__all__` names what is not there: {listed([*one.absent])}"
            yield finding("star-import", one.name, f"{message} ({why}).", severity="warning")


def borrowed_problems(subject: Subject) -> Iterator[Problem]:
    """A distribution without a file whose name can be imported all the same: the build left all out, or it is meant."""
    name = normalised(subject.name).replace("-", "_")
    if not subject.own or subject.names.why_none != "metapackage" or not name.isidentifier():
        return
    spec = importlib.machinery.PathFinder.find_spec(name)
    if spec is not None and spec.origin is not None and real_path(spec.origin) not in subject.own:
        message = f"{subject.name} has no module, and `{name}` can be imported: it comes from {whose(spec.origin)}."
        yield finding("foreign", name, message, severity="warning")


def tally(tried: Sequence[Attempt], failures: Iterable[Failure]) -> dict[str, Any]:
    """Return how many modules there are, how many were imported, and what the others need, by how many."""
    labels = {one.attempt.name: one.cause.label or "cannot be imported" for one in failures}
    failed = [one for one in tried if not one.ok]
    others = Counter(labels.get(one.name) or labels.get(one.error or "", "cannot be imported") for one in failed)
    return {"total": len(tried), "imported": len(tried) - len(failed), "others": dict(others)}


def _is_for_other_systems(subject: Subject) -> bool:
    """Whether the classifiers name operating systems, and this is none of them."""
    classifiers = (line.split(" :: ") for line in subject.metadata.get_all("Classifier", []))
    systems = [words[1] for words in classifiers if words[0] == "Operating System"]
    ours = {"win32": "Microsoft", "darwin": "MacOS"}.get(sys.platform, "POSIX")
    fitting = {"OS Independent", ours} | ({"POSIX", "Unix"} if os.name == "posix" else set())
    return bool(systems) and not fitting.intersection(systems)


def _release(version: str) -> tuple[list[Any], str]:
    """Return `version` in a form to compare, however it is spelt (PEP 440); the epoch is for installers only."""
    public, _, local = version.strip().lower().partition("+")
    parts: list[Any] = []
    for word in re.findall(r"[0-9]+|[a-z]+", public.rpartition("!")[2]):
        if word.isdigit():
            parts.append(int(word))
        elif parts:  # not the `v` of v1.0
            while parts and parts[-1] == 0:
                parts.pop()
            parts.append(SPELLINGS.get(word, word))
    while parts and parts[-1] == 0:
        parts.pop()
    return parts, re.sub(r"[-_.]", ".", local)


def _kind(one: Attempt) -> str:
    kinds = {"SystemExit": "exits", "hang": "hangs", "crash": "crashes"}
    return "missing-module" if one.missing else kinds.get(one.error_type or "", "import")


def reason(subject: Subject, one: Attempt, cause: Cause) -> str:
    """Return the rest of a sentence that begins with the name of what could not be imported."""
    where = subject.where(one)
    place = f" ({where})" if where else ""
    if one.error_type in {"hang", "crash", "untried"}:
        said = f"{one.error}"
    elif one.error_type == "SystemExit":
        said = f"calls sys.exit({one.error}) when it is imported{place}"
    elif one.error_type == "no-attribute":
        said = f"leads to nothing: {one.error}"
    else:
        last = ((one.error or "").strip().splitlines() or [""])[-1]
        said = f"cannot be imported: {one.error_type}: {last}{place}"
    return f"{said}. {cause.text}" if cause.text else said


def printed(one: Attempt) -> str:
    return f" It printed:\n{one.output}" if one.output else ""
