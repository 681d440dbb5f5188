"""What is wrong with the scripts that a distribution has as files, rather than by entry points."""

from __future__ import annotations

import ast
import os
import platform
import re
import sysconfig
from typing import TYPE_CHECKING

from .causes import cause_of
from .files import SOURCE, why_not_compiled
from .imports import attempts
from .modules import reason
from .names import module_of
from .source import Place, imports, parsed, read_bytes
from .subject import Subject, finding, lies_in, real_path

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from .subject import Problem

# The first line, as it was released or as an installer writes it; the second form is for folders with a blank in them.
OF_PYTHON = re.compile(rb"#!([^\n]*[/\\ ])?pythonw?[\d.]*(\.exe)?\"?\s|#!/bin/sh\n'''exec' ")
OF_WINDOWS = (".exe", ".bat", ".cmd", ".ps1", ".dll")
DOING = (ast.Import, ast.ImportFrom, ast.Call, ast.FunctionDef)  # what is Python, if it can be parsed, and no shell's


def script_file_problems(
    subject: Subject, made: Collection[str], broken: Collection[str], time_limit: float
) -> Iterator[Problem]:
    """Yield what is wrong with the scripts, but for those that were `made` of entry points.

    What they import of the distribution has to be there, if it is not in the `broken` modules, which are told already.
    """
    folder = real_path(sysconfig.get_path("scripts"))
    for real, path in sorted(subject.own.items(), key=lambda item: item[1]):
        name = os.path.basename(path)
        if (
            os.path.dirname(real) != folder
            or name in made
            or not os.path.isfile(real)
            or os.path.getsize(real) > SOURCE
        ):
            continue
        source = read_bytes(real)
        if not OF_PYTHON.match(source):
            if not source.startswith(b"#!") and not name.lower().endswith(OF_WINDOWS) and _is_python(source):
                message = (
                    f"The script `{name}` has no first line `#!python`, so a shell takes it for commands of its own."
                )
                yield finding("script", name, message, severity="warning")
        elif why := why_not_compiled(real):
            message = f"The script `{name}` does not work: Python {platform.python_version()} cannot compile it{why}."
            yield finding("script", name, message)
        else:
            wanted = [one for one in _references(subject, source) if not lies_in(one.partition(":")[0], broken)]
            for one in attempts(list(dict.fromkeys(wanted)), time_limit):
                module = one.name.partition(":")[0]
                if one.error_type == "no-attribute" or (one.missing and lies_in(module, [one.missing])):
                    why = reason(subject, one, cause_of(subject, one))
                    yield finding("script", name, f"The script `{name}` does not work: `{one.name}` {why}.")


def _is_python(source: bytes) -> bool:
    try:
        return any(isinstance(node, DOING) for node in ast.walk(parsed(source)))
    except SyntaxError:
        return False


def _references(subject: Subject, source: bytes) -> Iterator[str]:
    """Yield what a script imports of the distribution for certain, as ``module`` or ``module:attribute``."""
    modules = set(map(module_of, subject.own.values()))
    for one in imports(parsed(source), "", package=False):
        if one.place == Place() and lies_in(one.module, subject.names.modules):
            inside = next((name for name in one.candidates if name in modules), one.module)
            yield inside if inside != one.module or one.name in {"", "*"} else f"{one.module}:{one.name}"
