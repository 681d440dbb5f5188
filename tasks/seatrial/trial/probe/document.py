"""The document on one installed distribution: its files, its modules, its entry points."""

from __future__ import annotations

import email
import importlib.metadata
import json
import platform
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from .entry_points import entry_point_problems
from .files import file_problems, shared_names, shared_scripts, source_problems, start_problems, unknown_extras
from .imports import Attempt, attempts
from .modules import borrowed_problems, failure, failure_problems, module_problems, tally
from .names import is_import_name
from .subject import (
    Subject,
    declared_names,
    find_distribution,
    finding,
    lies_in,
    metadata_of,
    normalised,
    subject_of,
    text_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from importlib.metadata import Distribution

    from .subject import Project

    Problem = dict[str, str]


def check(name: str, setting: Sequence[str], time_limit: float, project: Project | None = None) -> dict[str, Any]:
    """Return the document on the installed distribution `name`.

    `setting` are the import names that the project's configuration has, if any; `project` is what is known of its
    checkout.
    """
    about: dict[str, Any] = {"distribution": None, "why_none": None, "extras": [], "requires_python": ""}
    about.update(imported=[], modules=[])
    about["tally"] = {"total": 0, "imported": 0, "others": {}, "aside": 0}
    dist = find_distribution(name)
    if dist is None:
        problems = [finding("not-installed", name, f"{name} is not installed in this environment.")]
    else:
        subject = subject_of(dist, project)
        modules, counted, problems = _look_at(subject, setting, time_limit)
        about = {**_about(subject, modules, asked=bool(setting)), "tally": counted}
    return {**_interpreter(), **about, "problems": problems, "installed": _installed()}


def _interpreter() -> dict[str, Any]:
    return {
        "probe": 1,
        "python": platform.python_version(),
        "implementation": sys.implementation.name,
        "sys_platform": sys.platform,
        "machine": platform.machine(),
    }


def _about(subject: Subject, modules: Sequence[Mapping[str, Any]], *, asked: bool) -> dict[str, Any]:
    return {
        "distribution": {"name": subject.name, "version": subject.version, "files": len(subject.own)},
        "why_none": None if asked or modules else subject.names.why_none,
        "extras": metadata_of(subject.dist).get_all("Provides-Extra", []),
        "requires_python": metadata_of(subject.dist).get("Requires-Python", ""),
        "imported": [module["name"] for module in modules if module["ok"]],
        "modules": modules,
    }


def _look_at(
    subject: Subject, setting: Sequence[str], time_limit: float
) -> tuple[list[dict[str, Any]], dict[str, Any], list[Problem]]:
    """Return what became of each module, how many there are, and the problems of files, modules and entry points."""
    declared = setting or declared_names(subject.dist)
    top = list(dict.fromkeys(declared or subject.names.modules))
    inner = [] if setting else _inner(subject, top)
    main = declared or subject.main
    files = list(file_problems(subject))
    clobbered = any((one["kind"], one["severity"]) == ("changed-file", "error") for one in files)
    shared = [] if clobbered else shared_names(subject)  # the graver one says it already
    problems = [*files, *shared, *shared_scripts(subject), *unknown_extras(subject)]
    problems += [*_name_problems(top), *start_problems(subject), *borrowed_problems(subject)]
    tried = attempts([name for name in (*top, *inner) if is_import_name(name)], time_limit)
    failures = {
        one.name: failure(subject, one, main=one.name in main, inner=one.name not in top)
        for one in tried
        if not one.ok and one.error_type != "above"
    }
    broken = [name for name in top if name in failures]
    pointed, told = entry_point_problems(subject, broken, time_limit)
    problems += failure_problems(
        subject, (one for name, one in failures.items() if told.get(name) not in {"error", one.severity})
    )
    modules = []
    for one in tried:
        met = list(module_problems(subject, one, main=one.name in main)) if one.ok and one.name in top else []
        modules.append(_module(subject, one, met))
        problems += met
    problems += source_problems(subject, tried)
    counted = {**tally(tried, failures.values()), "aside": 0 if setting else len(subject.names.aside)}
    return modules, counted, [*problems, *pointed]


def _inner(subject: Subject, top: Sequence[str]) -> list[str]:
    """Return the public modules inside the packages `top`."""
    return [name for name in subject.names.inner if name not in top and lies_in(name, top)]


def _module(subject: Subject, one: Attempt, problems: Sequence[Problem]) -> dict[str, Any]:
    """Return the document's item on one module; it is in order if none of its `problems` is an error."""
    kept = asdict(one)
    item = {key: kept[key] for key in ("name", "ok", "origin", "error_type", "error", "output")}
    errors = [problem for problem in problems if problem["severity"] == "error"]
    if one.ok and errors:
        item.update(ok=False, error_type=errors[0]["kind"], error=errors[0]["message"])
    return {**item, "where": subject.where(one)}


def _name_problems(names: Iterable[str]) -> Iterator[Problem]:
    """What the settings or the metadata call an import name must be one."""
    for name in names:
        if not is_import_name(name):
            yield finding("import-name", name, f"`{name}` is given as an import name, and Python cannot import that.")


def _installed() -> list[dict[str, Any]]:
    """Return all distributions in this environment, with what tells where each came from (PEP 610)."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for dist in importlib.metadata.distributions():
        metadata = metadata_of(dist)
        if name := metadata.get("Name"):
            version = metadata.get("Version", "")
            tags = email.message_from_string(text_of(dist, "WHEEL")).get_all("Tag", [])
            item = {"name": name, "version": version, "direct_url": _direct_url(dist), "wheel_tags": tags}
            found.setdefault((normalised(name), version), item)
    return [found[key] for key in sorted(found)]


def _direct_url(dist: Distribution) -> Any:
    try:
        return json.loads(text_of(dist, "direct_url.json") or "null")
    except ValueError:
        return None
