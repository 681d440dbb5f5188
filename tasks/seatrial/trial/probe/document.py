"""The document on one installed distribution: its files, its modules, its entry points."""

from __future__ import annotations

import contextlib
import email
import importlib.metadata
import json
import platform
import sys
from typing import TYPE_CHECKING, Any

from .entry_points import entry_point_problems
from .files import file_problems, source_problems, start_problems
from .imports import attempts
from .modules import borrowed_problems, failure, failure_problems, module_problems, star_problems, tally
from .names import is_import_name
from .subject import Subject, finding, lies_in, metadata_of, normalised, subject_of, text_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .imports import Attempt
    from .subject import Problem, Project


def check(name: str, setting: Sequence[str], time_limit: float, project: Project | None = None) -> dict[str, Any]:
    """Return the document on the installed distribution `name`.

    `setting` are the import names that the project's configuration has, if any; `project` is what is known of its
    checkout.
    """
    wanted = normalised(name)
    there = importlib.metadata.distributions()  # the first of a name is the one that Python imports
    dist = next((dist for dist in there if normalised(metadata_of(dist).get("Name", "")) == wanted), None)
    if dist is None:
        about: dict[str, Any] = {"distribution": None, "why_none": None, "extras": [], "requires_python": ""}
        about.update(supplied=[], imported=[], modules=[], tally={"total": 0, "imported": 0, "others": {}, "aside": 0})
        problems = [finding("not-installed", name, f"{name} is not installed in this environment.")]
    else:
        subject = subject_of(dist, project)
        modules, counted, problems = _look_at(subject, setting, time_limit)
        about = {
            "distribution": {"name": subject.name, "version": subject.version, "files": len(subject.own)},
            "why_none": None if setting or modules else subject.names.why_none,
            "extras": subject.metadata.get_all("Provides-Extra", []),
            "requires_python": subject.metadata.get("Requires-Python", ""),
            "supplied": subject.supplied,
            "imported": [module["name"] for module in modules if module["ok"]],
            "modules": modules,
            "tally": counted,
        }
    return {
        "probe": 1,
        "python": platform.python_version(),
        "implementation": sys.implementation.name,
        "sys_platform": sys.platform,
        "machine": platform.machine(),
        **about,
        "problems": problems,
        "installed": _installed(),
    }


def _look_at(
    subject: Subject, setting: Sequence[str], time_limit: float
) -> tuple[list[dict[str, Any]], dict[str, Any], list[Problem]]:
    """Return what became of each module, how many there are, and the problems of files, modules and entry points."""
    fields = [field.partition(";") for field in subject.metadata.get_all("Import-Name", [])]  # PEP 794
    public = [name.strip() for name, _, mark in fields if name.strip() and mark.strip() != "private"]
    declared, problems = setting or public, list(file_problems(subject))
    top = list(dict.fromkeys(declared or subject.names.modules))
    inner = [] if setting else [name for name in subject.names.inner if name not in top and lies_in(name, top)]
    main = declared or subject.main
    problems += [
        finding("import-name", name, f"`{name}` is given as an import name, and Python cannot import that.")
        for name in top
        if not is_import_name(name)
    ]
    problems += [*start_problems(subject), *borrowed_problems(subject)]
    tried = attempts([name for name in (*top, *inner) if is_import_name(name)], time_limit)
    failures = {
        one.name: failure(subject, one, main=one.name in main, inner=one.name not in top, asked=one.name in setting)
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
        modules.append(_module(subject, one, [problem for problem in met if problem["severity"] == "error"]))
        problems += met
    problems += [*star_problems(tried), *source_problems(subject, tried)]
    counted = {**tally(tried, failures.values()), "aside": 0 if setting else len(subject.names.aside)}
    return modules, counted, [*problems, *pointed]


def _module(subject: Subject, one: Attempt, errors: Sequence[Problem]) -> dict[str, Any]:
    """Return the document's item on one module, which is not in order if there are `errors`."""
    item = {key: getattr(one, key) for key in ("name", "ok", "origin", "error_type", "error", "output")}
    if errors:
        item.update(ok=False, error_type=errors[0]["kind"], error=errors[0]["message"])
    return {**item, "where": subject.where(one)}


def _installed() -> list[dict[str, Any]]:
    """Return all distributions in this environment, with what tells where each came from (PEP 610)."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for dist in importlib.metadata.distributions():
        metadata = metadata_of(dist)
        if name := metadata.get("Name"):
            direct_url: Any = None
            with contextlib.suppress(ValueError):
                direct_url = json.loads(text_of(dist, "direct_url.json") or "null")
            version = metadata.get("Version", "")
            tags = email.message_from_string(text_of(dist, "WHEEL")).get_all("Tag", [])
            item = {"name": name, "version": version, "direct_url": direct_url, "wheel_tags": tags}
            found.setdefault((normalised(name), version), item)
    return [found[key] for key in sorted(found)]
