"""What is wrong with an entry point."""

from __future__ import annotations

import os
import re
import sysconfig
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .causes import EXCUSED, EXTRAS, Cause, cause_of, host_of
from .files import can_be_run
from .importer import words
from .imports import Attempt, attempts
from .modules import printed, reason
from .names import ASIDE
from .scripts import script_file_problems
from .subject import SCRIPTS, Subject, finding, lies_in, normalised, real_path

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from .subject import Problem

# The object reference of the entry points specification, with the extras that older files have there.
REFERENCE = re.compile(r"(?P<module>[\w.]+)\s*(:\s*(?P<attribute>[\w.]+))?\s*(\[(?P<extras>[^\]]*)\])?\s*")
SCRIPT_VALUE = re.compile(r"[\w.]+:[\w.]+")


@dataclass(frozen=True)
class EntryPoint:
    """A line of ``entry_points.txt``. `reference` is ``module:attribute``, or empty if the value is no such thing."""

    group: str
    name: str
    value: str
    reference: str
    extras: str

    @classmethod
    def from_value(cls, group: str, name: str, value: str) -> EntryPoint:
        """Read `value`; of a script it has to be as pip takes it, without a blank beside the colon."""
        match = REFERENCE.fullmatch(value.strip())
        if not match or (group in SCRIPTS and not SCRIPT_VALUE.match(value.strip())):
            return cls(group, name, value, "", "")
        module, attribute = match["module"], match["attribute"]
        reference = f"{module}:{attribute}" if attribute else module
        return cls(group, name, value, reference, (match["extras"] or "").strip())

    @property
    def module(self) -> str:
        return self.reference.partition(":")[0]

    @property
    def label(self) -> str:
        return f"The {SCRIPTS[self.group]}" if self.group in SCRIPTS else f"The entry point [{self.group}]"


def entry_point_problems(
    subject: Subject, broken: Collection[str], time_limit: float
) -> tuple[list[Problem], dict[str, str]]:
    """Return what is wrong with the entry points, and the graver severity by the module that they lead to.

    Those inside the `broken` modules are not tried again.
    """
    try:
        points = [EntryPoint.from_value(point.group, point.name, point.value) for point in subject.dist.entry_points]
    except Exception as error:  # noqa: BLE001 (Python's reader of that file raises whatever configparser does)
        message = f"entry_points.txt of {subject.name} cannot be read: {type(error).__name__}: {words(error)}"
        return [finding("entry-point", "entry_points.txt", message)], {}
    sound = [point for point in points if not lies_in(point.module, broken)]
    wanted = list(dict.fromkeys(point.reference for point in sound if point.reference))
    tried = {one.name: one for one in attempts(wanted, time_limit)}
    made = {point.name for point in points if point.group in SCRIPTS}
    problems = [*_script_problems(subject, points), *script_file_problems(subject, made, broken, time_limit)]
    told: dict[str, str] = {}
    for point in sound:
        one = tried.get(point.reference)
        while one and one.error_type == "above":  # why its module, which is an entry point too, cannot be imported
            one = tried.get(one.error or "")
        problem = _loading_problem(subject, point, one)
        if problem:
            problems.append(problem)
            told[point.module] = "error" if "error" in {problem["severity"], told.get(point.module)} else "warning"
    return problems, told


def _script_problems(subject: Subject, points: Iterable[EntryPoint]) -> Iterator[Problem]:
    """The installer must have made a program of each script (entry points specification)."""
    folder, suffix = sysconfig.get_path("scripts"), ".exe" if os.name == "nt" else ""
    for point in points:
        path = os.path.join(folder, point.name + suffix)
        if point.group not in SCRIPTS:
            continue
        if not os.path.exists(path):
            yield finding("missing-script", point.name, f"{point.label} `{point.name}` was not installed as {path}.")
        elif not can_be_run(path) and real_path(path) not in subject.own:
            message = f"{point.label} `{point.name}` was installed as {path}, and is not executable."
            yield finding("script-mode", point.name, message)


def _loading_problem(subject: Subject, point: EntryPoint, one: Attempt | None) -> Problem | None:
    """Return why an entry point does not lead to an object, or None if it does."""
    severity = "error" if point.group in SCRIPTS else "warning"
    if one is None:
        why = f"`{point.value}` is not of the form `module:attribute`."
    elif not one.ok:
        cause = cause_of(subject, one)
        severity = "error" if _must_load(subject, point, one, cause) else "warning"
        hint = f" It is for the extra `{point.extras}`; {EXTRAS}." if point.extras else ""
        why = f"`{point.value}` {reason(subject, one, cause)}.{hint}{printed(one)}"
    elif point.group in SCRIPTS and not one.callable:
        why = f"`{point.value}` is not callable."
    elif point.group in SCRIPTS and one.misfit:
        why = f"`{point.reference}` {one.misfit}."
    else:
        return None
    return finding("entry-point", point.name, f"{point.label} `{point.name}` does not work: {why}", severity=severity)


def _must_load(subject: Subject, point: EntryPoint, one: Attempt, cause: Cause) -> bool:
    """Whether it is the project's fault that an entry point does not load.

    A script is run by people, unless it is of an extra. A plugin is loaded by a program that has what it needs, which
    need not be declared. What the project itself lacks is missing there too, if it is not for its own tests; and so is
    what nothing declares where the project requires that program.
    """
    if point.group not in SCRIPTS and ASIDE.intersection(point.module.split(".")):
        return False
    if cause.kind in EXCUSED or (point.extras and one.error_type != "no-attribute" and cause.kind != "own"):
        return False
    hosts = {normalised(name) for name, _ in subject.others}
    fatal = {"own", "elsewhere"} | ({"undeclared"} if host_of(point.group) in hosts else set())
    return point.group in SCRIPTS or cause.kind in fatal
