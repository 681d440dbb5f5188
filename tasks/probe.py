"""Look at an installed distribution from inside its environment: what is there, does it import, is it its own.

Run as ``python -I probe.py MODE ... --out FILE`` in a fresh environment, from an empty folder. The standard library
only, Python 3.8 or later, no other module of ours. It answers with one JSON document in FILE, never on standard
output: imported modules print there. It exits 0 when it could look; what it found wrong is in the document.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import importlib.metadata
import io
import json
import os
import platform
import re
import signal
import subprocess
import sys
import sysconfig
import tempfile
import traceback
from keyword import iskeyword
from pathlib import Path
from typing import Any, Callable, Dict, Iterable, List, NamedTuple, Optional, Sequence

IMPORT_LIMIT = 60.0  # seconds for one import
EXTENSIONS = (".so", ".pyd")
NEVER = frozenset({"__main__", "conftest"})  # modules that are not meant to be imported
SHORT = 2000  # characters of an __init__ that does nothing but declare a namespace
Document = Dict[str, Any]


class Names(NamedTuple):
    """What a distribution can be imported as, and why that may be nothing: "stubs", "metapackage" or None."""

    names: List[str]
    why_none: Optional[str]


def import_names(paths: Iterable[str], read: Callable[[str], str]) -> Names:
    """Return the import names in the files of a distribution, found by their paths (POSIX, as in RECORD).

    Top-level modules, bare extension modules and packages; a folder without ``__init__`` that has code below is a
    namespace (PEP 420), as is one whose ``__init__`` only declares it (pkgutil, pkg_resources): there the names one
    level below count. Folders of stubs (PEP 561) are none. `read` returns the text at a path.
    """
    tree: Document = {}
    stubs = False
    for path in paths:
        parts = _library_parts(path)
        if not parts:
            continue
        stubs = stubs or parts[-1].endswith(".pyi")
        node = tree
        for part in parts[:-1]:
            below = node.setdefault(part, {})
            if not isinstance(below, dict):
                break
            node = below
        else:
            node.setdefault(parts[-1], path)
    names = sorted(set(_names_in(tree, "", read)))
    return Names(names, None if names else "stubs" if stubs else "metapackage")


def _library_parts(path: str) -> list[str]:
    """Return the parts of `path` below the library folder; none for what is not installed there."""
    parts = [part for part in path.split("/") if part not in ("", ".")]
    if parts and parts[0].endswith(".data"):
        parts = parts[2:] if parts[1:2] and parts[1] in ("purelib", "platlib") else []
    if not parts or ".." in parts or "__pycache__" in parts or parts[0].endswith((".dist-info", ".egg-info")):
        return []
    return parts


def _names_in(tree: Document, prefix: str, read: Callable[[str], str]) -> list[str]:
    names = []
    for entry, below in tree.items():
        stem = entry.partition(".")[0]
        if isinstance(below, dict):
            names += _names_of_folder(entry, below, prefix, read)
        elif entry.endswith((".py", *EXTENSIONS)) and _can_be_imported(stem) and stem != "__init__":
            names.append(prefix + stem)
    return names


def _names_of_folder(folder: str, tree: Document, prefix: str, read: Callable[[str], str]) -> list[str]:
    if not _can_be_imported(folder):
        return []
    inits = [n for n, b in tree.items() if n.partition(".")[0] == "__init__" and not isinstance(b, dict)]
    code = [name for name in inits if name == "__init__.py" or name.endswith(EXTENSIONS)]
    if code and not _declares_namespace(code[0], tree, read):
        return [prefix + folder]
    if inits and not code:
        return []  # only __init__.pyi: stubs
    return _names_in(tree, prefix + folder + ".", read)


def _can_be_imported(name: str) -> bool:
    return name.isidentifier() and not iskeyword(name) and name not in NEVER


def _declares_namespace(init: str, tree: Document, read: Callable[[str], str]) -> bool:
    if init != "__init__.py":
        return False
    text = read(tree[init])
    return len(text) <= SHORT and ("extend_path(" in text or "declare_namespace(" in text)


def environment() -> Document:
    """Return the marker variables of this interpreter (dependency specifiers, PEP 508), and where it installs."""
    info = sys.implementation.version
    version = f"{info.major}.{info.minor}.{info.micro}" + (
        "" if info.releaselevel == "final" else info.releaselevel[0] + str(info.serial)
    )
    return {
        "implementation_name": sys.implementation.name,
        "implementation_version": version,
        "os_name": os.name,
        "platform_machine": platform.machine(),
        "platform_python_implementation": platform.python_implementation(),
        "platform_release": platform.release(),
        "platform_system": platform.system(),
        "platform_version": platform.version(),
        "python_full_version": platform.python_version(),
        "python_version": ".".join(platform.python_version_tuple()[:2]),
        "sys_platform": sys.platform,
        "purelib": sysconfig.get_path("purelib"),
        "platlib": sysconfig.get_path("platlib"),
    }


def check(name: str, version: str, chosen: Sequence[str] = (), limit: float = IMPORT_LIMIT) -> Document:
    """Return what is found of the distribution `name` in this environment; `chosen` are the project's own names."""
    distributions = list(importlib.metadata.distributions())
    dist = next((one for one in distributions if normalised(_name(one)) == normalised(name)), None)
    document: Document = {
        "probe": 1,
        "python": platform.python_version(),
        "sys_platform": sys.platform,
        "machine": platform.machine(),
        "imported": [],
        "why_none": None,
        "problems": [],
        "installed": [_described(one) for one in distributions],
    }
    if dist is None:
        document["problems"] = [_problem("missing", f"{name} is not installed in the environment.")]
        return document
    names = _names(dist, chosen)
    problems = _version_problems(dist, version) + _file_problems(dist)
    results = [_import_apart(one, limit) for one in names.names]
    problems += [problem for result in results for problem in _import_problems(result, dist, distributions)]
    problems += _entry_point_problems(dist, limit)
    document.update(
        imported=[result["name"] for result in results if result["ok"]],
        why_none=names.why_none,
        problems=problems,
    )
    return document


def normalised(name: str) -> str:
    """Return `name` as the simple repository API spells it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _name(dist: importlib.metadata.Distribution) -> str:
    return dist.metadata["Name"] or ""


def _described(dist: importlib.metadata.Distribution) -> Document:
    wheel = dist.read_text("WHEEL") or ""
    tags = [line.partition(":")[2].strip() for line in wheel.splitlines() if line.lower().startswith("tag:")]
    return {"name": _name(dist), "version": dist.version, "wheel_tags": tags}


def _problem(kind: str, message: str, severity: str = "error") -> Document:
    return {"kind": kind, "severity": severity, "message": message}


def _names(dist: importlib.metadata.Distribution, chosen: Sequence[str]) -> Names:
    """Return what to import: the project's setting, else Import-Name (PEP 794), else what the files say."""
    declared = dist.metadata.get_all("Import-Name") or []
    public = [entry.partition(";")[0].strip() for entry in declared if "private" not in entry.partition(";")[2]]
    if chosen or public:
        return Names([name for name in (chosen or public) if name], None)
    files = dist.files or []
    return import_names(
        [file.as_posix() for file in files],
        lambda path: Path(str(dist.locate_file(path))).read_text(encoding="utf-8", errors="replace"),
    )


def _version_problems(dist: importlib.metadata.Distribution, version: str) -> list[Document]:
    if dist.version == version:
        return []
    return [_problem("version", f"version {version} was to be installed, and {dist.version} is in the environment.")]


def _file_problems(dist: importlib.metadata.Distribution) -> list[Document]:
    """Return a problem for each file of RECORD that is not there (recording installed projects)."""
    missing = [str(file) for file in dist.files or [] if not _optional(str(file)) and not _located(dist, file).exists()]
    return [_problem("file", f"RECORD names {name}, which was not installed.") for name in missing]


def _optional(name: str) -> bool:
    return "__pycache__" in name or name.endswith(".pyc")


def _located(dist: importlib.metadata.Distribution, file: object) -> Path:
    return Path(str(dist.locate_file(str(file))))


def _import_problems(
    result: Document, dist: importlib.metadata.Distribution, others: Sequence[importlib.metadata.Distribution]
) -> list[Document]:
    if not result["ok"]:
        return [_problem("import", f"`import {result['name']}` fails: {result['error']}{_advice(result)}")]
    origin = result["origin"]
    if origin is None or _owns(dist, origin):
        return []
    owner = next((_name(one) for one in others if one is not dist and _owns(one, origin)), None)
    whose = f"the distribution {owner}" if owner else "no installed distribution"
    return [_problem("foreign", f"`import {result['name']}` gives {origin}, a file of {whose}, not of this one.")]


def _advice(result: Document) -> str:
    missing = result.get("missing")
    if not missing or missing.partition(".")[0] == result["name"].partition(".")[0]:
        return ""
    return f". `{missing}` is no part of it and of nothing that it requires: is it declared, or only in an extra?"


def _owns(dist: importlib.metadata.Distribution, origin: str) -> bool:
    wanted = _comparable(origin)
    name = Path(origin).name
    return any(
        _comparable(str(dist.locate_file(file))) == wanted for file in dist.files or [] if Path(str(file)).name == name
    )


def _comparable(path: str) -> str:
    return os.path.normcase(os.path.realpath(path))


def _entry_point_problems(dist: importlib.metadata.Distribution, limit: float) -> list[Document]:
    """Return problems of scripts and other entry points (entry points specification), those of plugins as warnings."""
    problems = []
    scripts = Path(sysconfig.get_path("scripts"))
    for entry in dist.entry_points:
        script = entry.group in ("console_scripts", "gui_scripts")
        if script and not any((scripts / f"{entry.name}{suffix}").exists() for suffix in ("", ".exe", "-script.py")):
            problems.append(_problem("script", f"the script {entry.name} was not installed."))
        target, _, extras = entry.value.partition("[")
        result = _import_apart(target.strip(), limit)
        if not result["ok"]:
            needs = f" (it needs the extra {extras.rstrip('] ')})" if extras else ""
            message = (
                f"the entry point {entry.name} = {entry.value} of {entry.group} does not load: {result['error']}{needs}"
            )
            problems.append(_problem("entry-point", message, "error" if script and not extras else "warning"))
    return problems


def _import_apart(target: str, limit: float) -> Document:
    """Import `target` (``module`` or ``module:attribute``) in a process of its own and return what happened."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "import.json"
        argv = [sys.executable, "-I", os.path.abspath(__file__), "import", target, "--out", str(out)]
        group: Document = {} if os.name == "nt" else {"start_new_session": True}
        pipes: Document = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
        child: Any = subprocess.Popen(argv, **pipes, **group)
        try:
            output, _ = child.communicate(timeout=limit)
        except subprocess.TimeoutExpired:
            _kill(child)
            return {"name": target, "ok": False, "origin": None, "error": f"it did not end within {limit:g} seconds"}
        if out.exists():
            found: Document = json.loads(out.read_text(encoding="utf-8"))
            return found
        last = output.decode("utf-8", "replace").strip().splitlines()[-5:]
        words = f" after printing: {' | '.join(last)}" if last else ""
        error = f"the interpreter ended with exit code {child.returncode}{words}"
        return {"name": target, "ok": False, "origin": None, "error": error}


def _kill(child: Any) -> None:
    with contextlib.suppress(OSError):
        if os.name == "nt":
            subprocess.run(["taskkill", "/F", "/T", "/PID", str(child.pid)], check=False, capture_output=True)
        else:
            os.killpg(child.pid, signal.SIGKILL)
    child.kill()
    child.communicate()


def import_one(target: str) -> Document:
    """Import `target` in this process and return whether it went well, from which file, or what it raised."""
    name, _, attribute = target.partition(":")
    document: Document = {"name": target, "ok": False, "origin": None, "error": None}
    quiet = io.StringIO()
    try:
        with contextlib.redirect_stdout(quiet), contextlib.redirect_stderr(quiet):
            module = importlib.import_module(name)
            value: Any = module
            for part in filter(None, attribute.strip().split(".")):
                value = getattr(value, part)
    except SystemExit as stop:
        document["error"] = f"it calls sys.exit({stop.code!r}) when it is imported"
    except BaseException as error:  # noqa: BLE001 (whatever a module raises is what we are to report)
        document["error"] = traceback.format_exception_only(type(error), error)[-1].strip()
        document["missing"] = getattr(error, "name", None) if isinstance(error, ModuleNotFoundError) else None
    else:
        spec = getattr(module, "__spec__", None)
        origin = getattr(spec, "origin", None) or getattr(module, "__file__", None)
        document.update(ok=True, origin=origin if origin not in ("built-in", "frozen", "namespace") else None)
    return document


def main(argv: Sequence[str] | None = None) -> None:
    """Run one mode and write its document."""
    parser = argparse.ArgumentParser(description="Look at an installed distribution from inside its environment.")
    modes = parser.add_subparsers(dest="mode", required=True)
    looking = {mode: modes.add_parser(mode) for mode in ("environment", "check", "import")}
    for sub in looking.values():
        sub.add_argument("--out", required=True)
    looking["check"].add_argument("--name", required=True)
    looking["check"].add_argument("--version", required=True)
    looking["check"].add_argument("--import-name", action="append", default=[])
    looking["check"].add_argument("--time-limit", type=float, default=IMPORT_LIMIT)
    looking["import"].add_argument("target")
    args = parser.parse_args(argv)
    if args.mode == "environment":
        document = environment()
    elif args.mode == "check":
        document = check(args.name, args.version, args.import_name, args.time_limit)
    else:
        document = import_one(args.target)
    Path(args.out).write_text(json.dumps(document), encoding="utf-8")


if __name__ == "__main__":
    main()
