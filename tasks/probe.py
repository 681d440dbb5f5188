"""Look at an installed distribution from the inside: ``python -I probe.py MODE ... --out FILE``.

The interpreter of a throw-away environment runs this file (Python 3.8 or later), so it needs the standard library and
nothing else, none of our modules either. It answers with one JSON document in FILE, because what it imports may print.

    environment   the variables of environment markers (PEP 508), and where this environment keeps its files
    check         is the distribution there, whole, and can all that it offers be imported and loaded?
    import        import some names and say how it went: what `check` starts, for a module can end its interpreter

Exit code 0 says that the document was written, whatever is in it. `import_names` is pure, and used on wheels as well.
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import csv
import email
import functools
import hashlib
import importlib
import importlib.machinery
import importlib.metadata
import importlib.util
import json
import keyword
import os
import platform
import re
import shutil
import signal
import subprocess
import sys
import sysconfig
import tempfile
import threading
import traceback
import warnings
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
    from email.message import Message
    from importlib.metadata import Distribution

    Parts = tuple[str, ...]
    ReadText = Callable[[str], str | None]
    Problem = dict[str, str]

TIME_LIMIT = 60.0  # seconds for one import
FEW = 8  # names, each of which is imported in an interpreter of its own; more share one
PATIENCE = 3  # imports that may hang before the rest is left untried
KEPT = 1 << 16  # bytes of what a child prints
LINES = 20  # of those, in a message
SHOWN = 10  # files of a long list
SHORT = 12  # lines of code in the __init__.py of a namespace
SOURCE = 1 << 22  # bytes of source that are compiled

# `x.py`, `x.pyc`, `x.so`, `x.cpython-313-darwin.so`, `x.pyd`; a bare `libx.so` is a library that an extension links to.
MODULE_FILE = re.compile(r"(?!lib[^.]*\.so$)(?P<name>[^.]+)(\.pyc?|(\..+)?\.(so|pyd))")

# The object reference of the entry points specification, with the extras that older files have there.
REFERENCE = re.compile(r"(?P<module>[\w.]+)\s*(:\s*(?P<attribute>[\w.]+))?\s*(\[(?P<extras>[^\]]*)\])?\s*")

SCRIPT_VALUE = re.compile(r"[\w.]+:[\w.]+")
EXTRA = re.compile(r"""\bextra\s*==\s*["']([^"']+)["']""")  # in a marker (PEP 508)
NO_NAME = re.compile(r"cannot import name '(\w+)'")  # what Python says where a module lacks something

HASHES = frozenset({"sha256", "sha384", "sha512"})  # what the wheel format allows, and Python is sure to have

SCRIPTS = {"console_scripts": "console script", "gui_scripts": "GUI script"}

# Top-level folders and files that are for the project's own people, and get into wheels by mistake.
ASIDE = frozenset("test tests conftest setup doc docs example examples benchmark benchmarks".split())

# Ends of the names of modules for one platform, and how `sys.platform` begins there.
PLATFORMS = {
    **dict.fromkeys(("win", "win32", "windows", "nt"), "win32"),
    **dict.fromkeys(("darwin", "mac", "macos", "osx"), "darwin"),
    **dict.fromkeys(("linux", "linux2"), "linux"),
}

# Modules of Python's that some of the versions which are in use do not have.
SINCE = {"graphlib": "3.9", "zoneinfo": "3.9", "tomllib": "3.11", "annotationlib": "3.14", "compression": "3.14"}
UNTIL = {
    **dict.fromkeys("formatter parser symbol".split(), "3.9"),
    **dict.fromkeys("asynchat asyncore binhex distutils imp smtpd".split(), "3.11"),
    **dict.fromkeys(
        "aifc audioop cgi cgitb chunk crypt imghdr lib2to3 mailcap msilib nis nntplib ossaudiodev pipes sndhdr spwd"
        " sunau telnetlib uu xdrlib".split(),
        "3.12",
    ),
}
FOREIGN = frozenset(  # of those that are of some systems only; `sys.stdlib_module_names` came in Python 3.10
    "_winapi crypt curses fcntl grp msvcrt nt ossaudiodev posix pty pwd readline resource spwd syslog termios tkinter"
    " tty winreg winsound _curses _scproxy _tkinter".split()
)

# Other words for the parts of a version (PEP 440).
SPELLINGS = {"alpha": "a", "beta": "b", "c": "rc", "pre": "rc", "preview": "rc", "rev": "post", "r": "post"}

# Distributions whose modules have another name; `python-`, `py` and the like are seen through (see `_supplies`).
SUPPLIERS = {
    "attr": "attrs",
    "bs4": "beautifulsoup4",
    "cv2": "opencv",
    "crypto": "pycryptodome",
    "fitz": "pymupdf",
    "gi": "pygobject",
    "google-protobuf": "protobuf",
    "mysqldb": "mysqlclient",
    "pil": "pillow",
    "pkg-resources": "setuptools",
    "pythoncom": "pywin32",
    "sklearn": "scikit-learn",
    "skimage": "scikit-image",
    "win32api": "pywin32",
    "win32com": "pywin32",
    "win32con": "pywin32",
    "zmq": "pyzmq",
}


# Which names does a distribution offer for import? Paths in, names out.


@dataclass(frozen=True)
class Names:
    """What the files of a distribution offer to Python.

    `modules` are the names to import, `stubs` the top-level folders and files that hold types only (PEP 561), `pth`
    the files that the module `site` reads when Python starts.
    """

    modules: tuple[str, ...]
    stubs: tuple[str, ...]
    pth: tuple[str, ...]

    @property
    def why_none(self) -> str | None:
        """Why there is nothing to import, or None if there is."""
        if self.modules:
            return None
        return "stubs" if self.stubs else "metapackage"


def import_names(paths: Iterable[str], read_text: ReadText) -> Names:
    """Return what the files at `paths` offer for import; private names, and tests, only if there are no others.

    `paths` are relative to site-packages, or the members of a wheel. `read_text` is called with a path as it was given
    and returns the text of that file, or None. A namespace (PEP 420, or the two older kinds) has no code of its own and
    is shared with other distributions, so the packages and modules inside it are named.
    """
    files = _library_files(paths)
    names = set(_walk(files, read_text))
    names = {name for name in names if name.partition(".")[0] not in ASIDE} or names
    public = {name for name in names if not any(part.startswith("_") for part in name.split("."))}
    covered = {name.partition(".")[0] for name in names}
    stubs = {parts[0].partition(".")[0] for parts in files if parts[-1].endswith(".pyi")} - covered
    pth = (parts[0] for parts in files if len(parts) == 1 and parts[0].endswith(".pth"))
    return Names(tuple(sorted(public or names)), tuple(sorted(stubs)), tuple(sorted(pth)))


def _library_files(paths: Iterable[str]) -> dict[Parts, str]:
    """Return the files that are, or will be, in site-packages: their place there, and the path they were given by."""
    files = {}
    for path in sorted(set(paths)):
        parts = _unwrapped(tuple(part for part in path.split("/") if part != "."))
        if parts and not {"", "..", "__pycache__"}.intersection(parts):
            files[parts] = path
    return files


def _unwrapped(parts: Parts) -> Parts:
    """Return where an installer puts a member of a wheel in site-packages; nothing if it goes elsewhere (PEP 427)."""
    if parts and parts[0].endswith(".data"):
        return parts[2:] if parts[1:2] in {("purelib",), ("platlib",)} else ()
    return parts


def _walk(files: Mapping[Parts, str], read_text: ReadText) -> Iterator[str]:
    """Yield the names of the modules and packages in `files`: a package as one name, a namespace by what it holds."""
    content = _content(files)
    waiting: list[Parts] = [()]
    while waiting:
        folder = waiting.pop()
        modules = {_module_name(entry) for entry in content[folder]}
        for entry in content[folder]:
            name = entry[:-1] if entry.endswith("/") else _module_name(entry)
            if not _can_be_imported(name, folder):
                continue
            inside = (*folder, name)
            if not entry.endswith("/") or _is_package(inside, content, files, read_text):
                yield ".".join(inside)
            elif name not in modules:  # a module hides a namespace of the same name
                waiting.append(inside)


def _content(files: Iterable[Parts]) -> dict[Parts, set[str]]:
    """Return what each folder holds; a folder in a folder has a slash at its end."""
    content: dict[Parts, set[str]] = {(): set()}
    for parts in files:
        content.setdefault(parts[:-1], set()).add(parts[-1])
        for depth in range(len(parts) - 1):
            content.setdefault(parts[:depth], set()).add(parts[depth] + "/")
    return content


def _module_name(filename: str) -> str:
    """Return the last part of the name that a file is imported under, or an empty string."""
    match = MODULE_FILE.fullmatch(filename)
    return match["name"] if match else ""


def _can_be_imported(name: str, folder: Parts) -> bool:
    """Whether `name` in `folder` is a name of Python's, and of a file that is written to be imported."""
    if not name.isidentifier() or keyword.iskeyword(name) or name in {"__init__", "__main__"}:
        return False
    return not (folder and name in {"conftest", "setup", "test", "tests"})


def _is_package(
    folder: Parts, content: Mapping[Parts, set[str]], files: Mapping[Parts, str], read_text: ReadText
) -> bool:
    """Whether `folder` has an ``__init__`` with something in it, rather than the code that makes a namespace of it."""
    init = (*folder, "__init__.py")
    if init in files:
        return not _makes_namespace(read_text(files[init]) or "")
    return any(_module_name(entry) == "__init__" for entry in content[folder])


def _makes_namespace(text: str) -> bool:
    """Whether the ``__init__.py`` with this `text` does nothing but declare a namespace, as before PEP 420."""
    code = [line for line in map(str.strip, text.splitlines()) if line and not line.startswith("#")]
    return len(code) <= SHORT and any("extend_path(" in line or "declare_namespace(" in line for line in code)


def _is_import_name(text: str) -> bool:
    return all(part.isidentifier() and not keyword.iskeyword(part) for part in text.split("."))


# `import`: the child. It says how an import went, unless that ended it.


@dataclass(frozen=True)
class Attempt:
    """How the import of `name` went: ``module``, or ``module:attribute`` as in entry points.

    `origin` is the file that Python found for the module, or the folders of a namespace; `version` its
    ``__version__``. `error_type` is the exception's class, or ``hang``, ``crash``, ``untried``, ``no-attribute``;
    `missing` the module that was not found, `lacking` the module that has not what is imported from it, or the
    distribution that has no metadata; `frames` the places of the traceback (file, line, code); `output` what was
    printed on the way to a failure.
    """

    name: str
    ok: bool
    origin: str | list[str] | None = None
    callable: bool = False
    version: str | None = None
    error_type: str | None = None
    error: str | None = None
    missing: str | None = None
    lacking: str | None = None
    frames: Sequence[Sequence[Any]] = ()
    output: str = ""


class AttributeAbsentError(Exception):
    """A module was imported, and what was asked of it is not in it."""


def attempt(name: str) -> Attempt:
    """Import `name` in this interpreter, and return how it went."""
    try:
        origin, module, thing = _load(name)
    except AttributeAbsentError as error:
        return Attempt(name, ok=False, error_type="no-attribute", error=_words(error))
    except BaseException as error:  # noqa: BLE001 (SystemExit is one of the answers)
        words = repr(error.code) if isinstance(error, SystemExit) else _words(error)
        failure = Attempt(name, ok=False, error_type=type(error).__name__, error=words, frames=_frames(error))
        if not isinstance(error, ImportError) or not error.name:
            return failure
        about = str(error.name)
        return replace(failure, missing=about) if _is_about_a_module(error) else replace(failure, lacking=about)
    return Attempt(name, ok=True, origin=origin, callable=callable(thing), version=_version(module))


def _is_about_a_module(error: ImportError) -> bool:
    """Whether a module was not found, rather than the metadata of a distribution, or something in a module."""
    no_distribution = importlib.metadata.PackageNotFoundError
    return isinstance(error, ModuleNotFoundError) and not isinstance(error, no_distribution)


def _load(name: str) -> tuple[str | list[str] | None, object, object]:
    """Return where the module of `name` comes from, that module, and what `name` stands for.

    The finders are asked before the import: a module may put something else into its place in ``sys.modules``.
    """
    module, _, attribute = name.partition(":")
    found = None if module in sys.modules else importlib.util.find_spec(module)
    loaded: object = importlib.import_module(module)
    origin = _origin(found or getattr(loaded, "__spec__", None))
    try:
        thing = functools.reduce(getattr, filter(None, attribute.split(".")), loaded)
    except AttributeError as error:
        raise AttributeAbsentError(_words(error)) from None
    return origin, loaded, thing


def _version(module: object) -> str | None:
    """Return the ``__version__`` of `module` if it has one that is a text; some warn, or work, when asked for it."""
    with contextlib.suppress(Exception), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        version = getattr(module, "__version__", None)
        return str(version) if isinstance(version, str) else None
    return None


def _origin(spec: importlib.machinery.ModuleSpec | None) -> str | list[str] | None:
    """Return the file of a module, or the folders of a namespace (PEP 420), which has no file."""
    if spec is None:
        return None
    folders = spec.submodule_search_locations
    return [str(folder) for folder in folders] if spec.origin is None and folders is not None else spec.origin


def _words(error: BaseException) -> str:
    """Return what an exception says of itself, in characters that every file can take."""
    try:
        text = str(error)
    except Exception:  # noqa: BLE001 (its __str__ is anybody's code)
        text = "(it cannot say what it is about)"
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _frames(error: BaseException) -> list[tuple[str, int, str]]:
    """Return file, line and code of each place in the traceback; a SyntaxError's own place is the last."""
    frames = [
        (frame.filename, frame.lineno or 0, frame.line or "") for frame in traceback.extract_tb(error.__traceback__)
    ]
    if isinstance(error, SyntaxError) and error.filename:
        frames.append((error.filename, error.lineno or 0, (error.text or "").strip()))
    return frames


# The parent of that child.


def attempts(names: Sequence[str], time_limit: float) -> list[Attempt]:
    """Import `names`, each in an interpreter of its own; many share one, as long as that goes well."""
    if len(names) > FEW:
        _, _, answers = _in_child(names, time_limit)
        if answers:
            return answers
    tried: list[Attempt] = []
    for name in names:
        patient = sum(one.error_type == "hang" for one in tried) < PATIENCE
        tried.append(_alone(name, time_limit) if patient else _untried(name))
    return tried


def _alone(name: str, time_limit: float) -> Attempt:
    """Import `name` in an interpreter of its own; one that does not answer hung or ended itself."""
    code, output, answers = _in_child([name], time_limit)
    if answers:
        return answers[0] if answers[0].ok else replace(answers[0], output=output)
    if code is None:
        words = f"was still being imported after {time_limit:g} seconds, and was ended"
        return Attempt(name, ok=False, error_type="hang", error=words, output=output)
    return Attempt(name, ok=False, error_type="crash", error=_how_it_ended(code), output=output)


def _untried(name: str) -> Attempt:
    words = f"was not imported, because {PATIENCE} imports before it did not come to an end"
    return Attempt(name, ok=False, error_type="untried", error=words)


def _how_it_ended(code: int) -> str:
    """Say what an exit code means that came without an answer; a negative one is a signal."""
    if code >= 0:
        return f"ends the interpreter when it is imported (exit code {code}), as os._exit does"
    names = {number.value: number.name for number in signal.Signals}
    return f"crashes the interpreter when it is imported ({names.get(-code, f'signal {-code}')})"


def _in_child(names: Sequence[str], time_limit: float) -> tuple[int | None, str, list[Attempt]]:
    """Import `names` in a fresh interpreter; return its exit code (None: it hung), its last output and its answers."""
    folder = tempfile.mkdtemp(prefix="seatrial-probe-")
    answer = os.path.join(folder, "answer.json")
    # -u: what was printed before a crash is not lost; faulthandler: a crash in C says which line of Python led to it.
    flags = ("-I", "-u", "-X", "faulthandler")
    argv = [sys.executable, *flags, os.path.abspath(__file__), "import", "--out", answer, *names]
    try:
        code, output = _run(argv, time_limit)
        return code, output, _answers(answer)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _answers(path: str) -> list[Attempt]:
    """Return what a child wrote, or nothing if it did not get that far."""
    try:
        with open(path, encoding="utf-8") as file:
            return [Attempt(**item) for item in json.load(file)["attempts"]]
    except (OSError, ValueError):
        return []


def _run(argv: Sequence[str], time_limit: float) -> tuple[int | None, str]:
    """Run `argv` without input; return its exit code (None: it had to be ended) and the last of its output."""
    tail = _Tail()
    own_group: dict[str, Any] = {"start_new_session": True}
    if os.name == "nt":  # pragma: no cover
        own_group = {"creationflags": getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)}
    child = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=tail.end, stderr=tail.end, **own_group)
    tail.start()
    code = None
    try:
        with contextlib.suppress(subprocess.TimeoutExpired):
            code = child.wait(time_limit)
    finally:
        end = _end_tree if os.name == "nt" else _end_group
        end(child)
        child.wait()
    return code, tail.text()


def _end_group(child: subprocess.Popen[bytes]) -> None:
    """Kill what is left of the process group of `child`: itself if it hung, and what a module started."""
    with contextlib.suppress(ProcessLookupError, PermissionError):  # macOS says the latter of a group of zombies
        os.killpg(child.pid, signal.SIGKILL)


def _end_tree(child: subprocess.Popen[bytes]) -> None:
    """Kill `child` and its children on Windows, where the python.exe of an environment starts another one."""
    if child.poll() is None:
        with contextlib.suppress(OSError):
            subprocess.run(["taskkill", "/T", "/F", "/PID", str(child.pid)], capture_output=True, check=False)
        child.kill()


class _Tail(threading.Thread):
    """The last of what is written to `end`, read as it comes: a module may print without end."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self._start, self.end = os.pipe()
        self._kept = b""

    def start(self) -> None:
        """Begin to read; `end` must have been handed on."""
        os.close(self.end)
        super().start()

    def run(self) -> None:
        while chunk := os.read(self._start, KEPT):
            self._kept = (self._kept + chunk)[-KEPT:]
        os.close(self._start)

    def text(self) -> str:
        """Return the last lines."""
        self.join(timeout=1)
        lines = self._kept.decode("utf-8", "backslashreplace").strip().splitlines()
        return "\n".join(lines[-LINES:])


# `check`: the distribution, its files, its modules, its entry points.


@dataclass(frozen=True)
class Subject:
    """The distribution that is looked at; `own` has its files by their real path, each as RECORD spells it."""

    dist: Distribution
    name: str
    version: str
    own: Mapping[str, str]
    names: Names
    unmet: tuple[Needed, ...]

    @property
    def main(self) -> tuple[str, ...]:
        """The import names that the distribution is there for: that of its own name, or all if none is like it.

        Beside types there are at most plugins for the tools that read them.
        """
        named = [name for name in self.names.modules if _normalised(name) == _normalised(self.name)]
        return tuple(named) or (() if self.names.stubs else self.names.modules)

    @functools.cached_property
    def neighbours(self) -> list[tuple[Message, Mapping[str, str]]]:
        """All distributions of this environment, this one included: metadata and files."""
        return [(_metadata(dist), _own_files(dist)) for dist in importlib.metadata.distributions()]

    def where(self, one: Attempt) -> str | None:
        """Return the last place of a traceback that lies in the distribution, or None."""
        for file, line, code in reversed(one.frames):
            if _real(file) in self.own:
                return f"{self.own[_real(file)]}, line {line}" + (f": {code}" if code else "")
        return None


@dataclass(frozen=True)
class Needed:
    """A requirement of the distribution that nothing installed meets by name: one of `extras`, or of a `marker`."""

    name: str
    extras: tuple[str, ...]
    marker: str

    @classmethod
    def from_line(cls, line: str) -> Needed:
        specified, _, marker = line.partition(";")
        name = re.split(r"[^\w.-]", specified.strip(), maxsplit=1)[0]
        return cls(_normalised(name), tuple(EXTRA.findall(marker)), marker.strip())


def check(name: str, version: str, setting: Sequence[str], time_limit: float) -> dict[str, Any]:
    """Return the document on the installed distribution `name`, which should be of `version`.

    `setting` are the import names that the project's configuration has, if any.
    """
    about: dict[str, Any] = {"distribution": None, "why_none": None, "extras": [], "imported": [], "modules": []}
    dist = _find(name)
    if dist is None:
        problems = [_problem("not-installed", name, f"{name} is not installed in this environment.")]
    else:
        subject = _subject(dist)
        modules, problems = _look_at(subject, setting, time_limit)
        problems[:0] = _version_problems(subject, version)
        about = _about(subject, modules, asked=bool(setting))
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
        "extras": _metadata(subject.dist).get_all("Provides-Extra", []),
        "imported": [module["name"] for module in modules if module["ok"]],
        "modules": modules,
    }


def _look_at(subject: Subject, setting: Sequence[str], time_limit: float) -> tuple[list[dict[str, Any]], list[Problem]]:
    """Return what became of each module, and the problems of files, modules and entry points."""
    declared = setting or _declared(subject.dist)
    wanted = list(dict.fromkeys(declared or subject.names.modules))
    main = declared or subject.main
    problems = [*_file_problems(subject), *_name_problems(wanted), *_start_problems(subject)]
    tried = attempts([name for name in wanted if _is_import_name(name)], time_limit)
    modules = []
    for one in tried:
        found = list(_module_problems(subject, one, main=one.name in main))
        modules.append(_module(subject, one, found))
        problems += found
    broken = [one.name for one in tried if not one.ok]
    problems += _source_problems(subject, tried)
    return modules, [*problems, *_entry_point_problems(subject, broken, time_limit)]


def _module(subject: Subject, one: Attempt, problems: Sequence[Problem]) -> dict[str, Any]:
    """Return the document's item on one module; it is in order if none of its `problems` is an error."""
    kept = asdict(one)
    item = {key: kept[key] for key in ("name", "ok", "origin", "error_type", "error", "output")}
    errors = [problem for problem in problems if problem["severity"] == "error"]
    if one.ok and errors:
        item.update(ok=False, error_type=errors[0]["kind"], error=errors[0]["message"])
    return {**item, "where": subject.where(one)}


def _problem(kind: str, name: str, message: str, *, severity: str = "error") -> Problem:
    return {"kind": kind, "severity": severity, "name": name, "message": message}


# The distribution and its metadata. Python's own readers of RECORD and METADATA differ too much from 3.8 to 3.14: since
# 3.12 `Distribution.files` leaves out files that do not exist, which are what we are after.


def _find(name: str) -> Distribution | None:
    """Return the installed distribution `name`, however that is spelt; the first, which is the one Python imports."""
    for dist in importlib.metadata.distributions():
        if _normalised(_metadata(dist).get("Name", "")) == _normalised(name):
            return dist
    return None


def _subject(dist: Distribution) -> Subject:
    metadata = _metadata(dist)
    own = _own_files(dist)

    def read_text(path: str) -> str | None:
        with contextlib.suppress(OSError), open(_located(dist, path), encoding="utf-8", errors="replace") as file:
            return file.read()
        return None

    names = import_names(own.values(), read_text)
    return Subject(dist, metadata["Name"], metadata.get("Version", ""), own, names, _unmet(metadata))


def _unmet(metadata: Message) -> tuple[Needed, ...]:
    """Return the requirements that are not installed, since they are of an extra or of another environment."""
    present = {_normalised(_metadata(dist).get("Name", "")) for dist in importlib.metadata.distributions()}
    needed = map(Needed.from_line, metadata.get_all("Requires-Dist", []))
    return tuple(one for one in needed if one.name not in present)


def _normalised(name: str) -> str:
    """Return a distribution's name as it is compared (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).strip().lower()


def _text(dist: Distribution, filename: str) -> str:
    """Return the text of a file in the ``.dist-info`` folder; an empty one if it is absent or not UTF-8."""
    try:
        return dist.read_text(filename) or ""
    except UnicodeDecodeError:
        return ""


def _metadata(dist: Distribution) -> Message:
    return email.message_from_string(_text(dist, "METADATA"))


def _own_files(dist: Distribution) -> dict[str, str]:
    """Return the files that RECORD lists (PEP 376, PEP 427): real path, and the path in RECORD."""
    rows = csv.reader(_text(dist, "RECORD").splitlines())
    return {_real(_located(dist, row[0])): row[0] for row in rows if row and row[0]}


def _located(dist: Distribution, path: str) -> str:
    return str(dist.locate_file(path))


def _real(path: str) -> str:
    """Return `path` in the one spelling that can be compared."""
    return os.path.normcase(os.path.realpath(path))


def _declared(dist: Distribution) -> list[str]:
    """Return the public import names that the metadata declares (Import-Name, PEP 794)."""
    fields = [field.partition(";") for field in _metadata(dist).get_all("Import-Name", [])]
    names = [name.strip() for name, _, mark in fields if mark.strip() != "private"]
    return [name for name in names if name]


def _version_problems(subject: Subject, version: str) -> Iterator[Problem]:
    """The version that is installed must be the one that was released."""
    if _plain_version(subject.version) != _plain_version(version):
        message = f"{subject.name} {subject.version or '(no version)'} is installed instead of {version}."
        yield _problem("version", subject.name, message)


def _plain_version(version: str) -> str:
    """Return `version` without what file names change in it; the rest has to be the same, letter by letter."""
    without_zeros = re.sub(r"\b0+(?=\d)", "", version.strip().lower())
    return re.sub(r"[-_.]+", ".", without_zeros)


def _file_problems(subject: Subject) -> Iterator[Problem]:
    """What RECORD lists must be there as it was released, but for the bytecode that is made anew at will."""
    if not subject.own:
        message = f"{subject.name} has no RECORD, so nothing can be said about its files."
        yield _problem("no-record", subject.name, message)
    elif _is_empty(subject):
        message = f"{subject.name} installs nothing: no module, no file, no requirement. The build left everything out."
        yield _problem("empty", subject.name, message)
    missing = [path for real, path in subject.own.items() if not path.endswith(".pyc") and not os.path.exists(real)]
    if missing:
        message = f"RECORD of {subject.name} lists files that were not installed: {_listed(missing)}."
        yield _problem("missing-file", missing[0], message)
    scripts = _real(sysconfig.get_path("scripts"))
    for real, path in subject.own.items():
        if os.path.dirname(real) == scripts and not _can_be_run(real):
            yield _problem("script-mode", path, f"The script `{path}` was installed, and is not executable.")
    yield from _changed_files(subject)


def _listed(paths: Sequence[str]) -> str:
    more = f" and {len(paths) - SHOWN} more" if len(paths) > SHOWN else ""
    return ", ".join(f"`{path}`" for path in paths[:SHOWN]) + more


def _is_empty(subject: Subject) -> bool:
    """Whether the distribution has nothing but metadata, and not even a requirement that would make it of use."""
    files = [path for path in subject.own.values() if ".dist-info/" not in path]
    return not files and not _metadata(subject.dist).get_all("Requires-Dist", [])


def _can_be_run(path: str) -> bool:
    return not os.path.exists(path) or os.access(path, os.X_OK)


def _changed_files(subject: Subject) -> Iterator[Problem]:
    """A file that has not the hash of RECORD: the wheel is at odds with itself, or another distribution wrote it too.

    Only the latter may not matter, where the file is none of the code: a licence or a test that got into both.
    """
    code = {name.partition(".")[0] for name in subject.names.modules}
    for path, written in _hashes(subject.dist).items():
        real = _real(_located(subject.dist, path))
        if path.endswith(".pyc") or not os.path.isfile(real) or _hash(real, written) in {None, written}:
            continue
        named = ((str(metadata.get("Name", "")), files) for metadata, files in subject.neighbours)
        owners = [name for name, files in named if real in files and _normalised(name) != _normalised(subject.name)]
        if owners and os.path.basename(real) == "__init__.py" and _makes_namespace(_source_text(real)):
            continue  # the older kinds of namespaces share this file
        why = f"{' and '.join(owners)} has a file of that name too" if owners else "the wheel is at odds with itself"
        message = f"`{path}` is not what RECORD of {subject.name} says (hash): {why}."
        severe = not owners or re.split(r"[/.]", path, maxsplit=1)[0] in code
        yield _problem("changed-file", path, message, severity="error" if severe else "warning")


def _hashes(dist: Distribution) -> dict[str, str]:
    """Return the files of RECORD that have a hash there: ``sha256=`` and base64 for URLs (PEP 376, PEP 427)."""
    rows = csv.reader(_text(dist, "RECORD").splitlines())
    return {row[0]: row[1].rstrip("=") for row in rows if len(row) > 1 and row[0] and "=" in row[1]}


def _hash(path: str, like: str) -> str | None:
    """Return the hash of the file at `path`, by the algorithm of `like` and spelt as that is; None if we lack that."""
    algorithm = like.partition("=")[0]
    if algorithm not in HASHES:
        return None
    digest = hashlib.new(algorithm)
    with open(path, "rb") as file:
        while chunk := file.read(KEPT):
            digest.update(chunk)
    return f"{algorithm}={base64.urlsafe_b64encode(digest.digest()).decode().rstrip('=')}"


def _source_text(path: str) -> str:
    with open(path, encoding="utf-8", errors="replace") as file:
        return file.read()


def _start_problems(subject: Subject) -> Iterator[Problem]:
    """A line of a ``.pth`` file that fails is told by Python at each start, and nothing after it counts."""
    if subject.names.pth:
        _, output = _run([sys.executable, "-I", "-c", ""], TIME_LIMIT)
        broken = [name for name in subject.names.pth if name in output]
        if broken and "Error" in output:
            message = f"`{broken[0]}`, which Python reads whenever it starts, fails. Python says:\n{output}"
            yield _problem("pth", broken[0], message)


def _source_problems(subject: Subject, tried: Iterable[Attempt]) -> Iterator[Problem]:
    """Modules that nothing imported are compiled at least, though some may be for other versions of Python."""
    told = {_real(frames[-1][0]) for frames in (one.frames for one in tried) if frames}
    bad, left = [], SOURCE
    for real, path in sorted(subject.own.items(), key=lambda item: item[1]):
        if real in told or not _is_source(path) or not os.path.isfile(real):
            continue
        left -= os.path.getsize(real)
        if left < 0:
            break
        why = _why_not_compiled(real)
        if why:
            bad.append(f"{path}{why}")
    if bad:
        message = f"Python {platform.python_version()} cannot compile files of {subject.name}: {_listed(bad)}."
        yield _problem("syntax", bad[0], message, severity="warning")


def _is_source(path: str) -> bool:
    """Whether `path` is of a module, rather than of a template or a test's data that ends in ``.py`` too."""
    *folders, filename = path.split("/")
    parts = [*folders, filename[:-3]]
    return filename.endswith(".py") and all(map(_is_import_name, parts)) and not ASIDE.intersection(parts)


def _why_not_compiled(path: str) -> str | None:
    try:
        with open(path, "rb") as file, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(file.read(), path, "exec", dont_inherit=True)
    except SyntaxError as error:
        return f", line {error.lineno or 1}"
    except (ValueError, MemoryError, RecursionError):
        return ""
    return None


def _name_problems(names: Iterable[str]) -> Iterator[Problem]:
    """What the settings or the metadata call an import name must be one."""
    for name in names:
        if not _is_import_name(name):
            yield _problem("import-name", name, f"`{name}` is given as an import name, and Python cannot import that.")


def _installed() -> list[dict[str, Any]]:
    """Return all distributions in this environment, with what tells where each came from (PEP 610)."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for dist in importlib.metadata.distributions():
        metadata = _metadata(dist)
        if name := metadata.get("Name"):
            version = metadata.get("Version", "")
            tags = email.message_from_string(_text(dist, "WHEEL")).get_all("Tag", [])
            item = {"name": name, "version": version, "direct_url": _direct_url(dist), "wheel_tags": tags}
            found.setdefault((_normalised(name), version), item)
    return [found[key] for key in sorted(found)]


def _direct_url(dist: Distribution) -> Any:
    try:
        return json.loads(_text(dist, "direct_url.json") or "null")
    except ValueError:
        return None


# What is wrong with a module.


def _module_problems(subject: Subject, one: Attempt, *, main: bool) -> Iterator[Problem]:
    """A module must be importable, from a file of this distribution, and agree with the metadata on the version."""
    if not one.ok:
        cause = _cause(subject, one)
        message = f"`{one.name}` {_why(subject, one, cause)}. {_ways_out(subject)}{_printed(one)}"
        severity = "warning" if _may_fail(subject, cause, main=main) else "error"
        yield _problem(_kind(one), one.name, message, severity=severity)
    elif isinstance(one.origin, list):
        yield _namespace_problem(subject, one.name, one.origin)
    elif one.origin is None or _real(one.origin) not in subject.own:
        message = f"`{one.name}` is imported, but not from {subject.name}: it comes from {_source(one.origin)}."
        yield _problem("foreign", one.name, message)
    elif main and one.version is not None and _release(one.version) != _release(subject.version):
        message = f"`{one.name}.__version__` is {one.version!r}, and the metadata says {subject.version}."
        yield _problem("module-version", one.name, message, severity="warning")


def _may_fail(subject: Subject, cause: Cause, *, main: bool) -> bool:
    """Whether a module may be one that cannot be imported here: one of several, or of another system."""
    if main:
        return cause.kind == "platform" and _is_for_other_systems(_metadata(subject.dist).get_all("Classifier", []))
    return cause.kind in EXCUSED


def _is_for_other_systems(classifiers: Iterable[str]) -> bool:
    """Whether the classifiers name operating systems, and this is none of them."""
    systems = [words[1] for words in (line.split(" :: ") for line in classifiers) if words[0] == "Operating System"]
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


def _ways_out(subject: Subject) -> str:
    """Name the settings with which an import that fails on purpose does not stop a release."""
    narrower = "`import-names` in [tool.seatrial] narrows what is imported"
    if extras := _metadata(subject.dist).get_all("Provides-Extra"):
        return f"{narrower}; `extras` names those to install: {', '.join(extras)}."
    return f"{narrower}."


def _namespace_problem(subject: Subject, name: str, folders: Iterable[str]) -> Problem:
    """A namespace is imported from wherever a folder of that name is, so it has to be named by what it holds."""
    roots = tuple(os.path.join(_real(folder), "") for folder in folders)
    if any(real.startswith(roots) for real in subject.own):
        message = f"`{name}` is a namespace, so importing it proves nothing: name a module inside it as import name."
        return _problem("namespace", name, message, severity="warning")
    message = f"`{name}` is imported, but not from {subject.name}: it is a namespace that other distributions fill."
    return _problem("foreign", name, message)


def _source(origin: str | None) -> str:
    """Say whose file a module came from."""
    if origin is None:
        return "no file at all"
    if not os.path.isabs(origin) or _real(origin).startswith(_standard_library()):
        return f"Python's standard library ({origin})"
    for dist in importlib.metadata.distributions():
        if _real(origin) in _own_files(dist):
            return f"{origin}, which belongs to {_metadata(dist).get('Name')}"
    return f"{origin}, which belongs to no distribution"


def _standard_library() -> str:
    return os.path.join(_real(os.path.dirname(os.__file__)), "")


def _kind(one: Attempt) -> str:
    kinds = {"SystemExit": "exits", "hang": "hangs", "crash": "crashes"}
    return "missing-module" if one.missing else kinds.get(one.error_type or "", "import")


def _why(subject: Subject, one: Attempt, cause: Cause) -> str:
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


# Why it went wrong, as far as files and metadata tell.


EXCUSED = frozenset({"extra", "platform"})


@dataclass(frozen=True)
class Cause:
    """Why something cannot be imported: a sentence without its full stop, or nothing.

    The `kind` is ``own`` for what the project itself lacks, ``extra`` for what an extra would bring, ``platform`` for
    what is of another system.
    """

    kind: str = ""
    text: str = ""


def _cause(subject: Subject, one: Attempt) -> Cause:
    """Return why `one` failed."""
    if one.error_type == "no-attribute":
        return Cause("own")
    if one.missing:
        cause = _absence(subject, one.missing)
    elif one.error_type == "PackageNotFoundError":
        name = f"this one is called `{subject.name}`"
        cause = Cause("own", f"It asks for the metadata of `{one.lacking}`, which is not installed; {name}")
    else:
        cause = _named_extra(subject, one) or _lack(subject, one)
    system = _system_of(one.name.partition(":")[0])
    if system and cause.kind not in EXCUSED:
        return Cause("platform", f"By its name it is for {system}, and this is {sys.platform}")
    return cause


def _absence(subject: Subject, missing: str) -> Cause:
    """Say how a module can be absent: one of the distribution's own, of Python's, or of a dependency."""
    return (
        _hidden(subject, missing)
        or _left_out(subject, missing)
        or _of_python(missing)
        or _of_a_requirement(subject, missing)
        or _undeclared(subject, missing)
    )


def _hidden(subject: Subject, missing: str) -> Cause | None:
    """A module that is there: another one stands before its namespace, or it is an extension for another Python."""
    for metadata, own in subject.neighbours:
        for real in (real for real, path in own.items() if _is_at(path, missing) and os.path.exists(real)):
            text = _unread(own[real], missing) or _covered(own, missing)
            if text:
                return Cause("own", f"`{missing}` is among the files of {metadata.get('Name')}, {text}")
    return None


def _unread(path: str, module: str) -> str | None:
    """Say that the file of a module is of no kind that this Python reads, if so."""
    filename, name = path.rpartition("/")[2], module.rpartition(".")[2]
    if filename in {stem + suffix for stem in (name, "__init__") for suffix in importlib.machinery.all_suffixes()}:
        return None
    return f"but `{path}` is nothing that Python {platform.python_version()} reads on {sys.platform}"


def _covered(own: Mapping[str, str], module: str) -> str | None:
    """Say which package or module takes the place of the namespace that `module` is in, if any does."""
    top = module.partition(".")[0]
    spec = importlib.machinery.PathFinder.find_spec(top) if top != module else None
    if spec is None or spec.origin is None:
        return None
    if _real(spec.origin) in own:
        return f"and `{top}` does not lead to it"
    return f"but hidden, because `{top}` is {_source(spec.origin)}"


def _is_at(path: str, module: str) -> bool:
    """Whether the file at `path` is that of `module`, or of the package of that name."""
    *folders, filename = path.split("/")
    name = _module_name(filename)
    inside = ".".join(folders if name == "__init__" else [*folders, name])
    return bool(name) and inside == module


def _left_out(subject: Subject, missing: str) -> Cause | None:
    if _lies_in(missing, subject.names.modules):
        text = f"The module `{missing}` is not among the files of {subject.name}: the build left it out"
        return Cause("own", text)
    return None


def _of_python(missing: str) -> Cause | None:
    """A module of the standard library that this Python has no longer, has not yet, or never had on this system."""
    top = missing.partition(".")[0]
    running = "Python {}.{}".format(*sys.version_info)
    if top in SINCE or top in UNTIL:
        when = f"since {SINCE[top]}" if top in SINCE else f"until {UNTIL[top]}"
        return Cause("python", f"`{top}` is a module of Python's own {when}, and this is {running}")
    if top in getattr(sys, "stdlib_module_names", FOREIGN):
        return Cause("platform", f"`{top}` is a module of Python's own that {running} does not have on {sys.platform}")
    return None


def _of_a_requirement(subject: Subject, missing: str) -> Cause | None:
    """A requirement that was not installed, because it is of an extra, or its marker does not hold here."""
    for needed in subject.unmet:
        if not _supplies(needed.name, missing):
            continue
        if needed.extras:
            extras = " and ".join(f"`{extra}`" for extra in needed.extras)
            text = f"`{needed.name}` is declared only in the extra {extras}, so that {subject.name} alone lacks it"
            return Cause("extra", f"{text} (`extras` in [tool.seatrial] has the extras to install)")
        return Cause("platform", f"`{needed.name}` is declared only where `{needed.marker}`, which is not so here")
    return None


def _supplies(requirement: str, missing: str) -> bool:
    """Whether a distribution of that name is likely to have that module."""
    module = _normalised(missing)
    if SUPPLIERS.get(module, SUPPLIERS.get(module.partition("-")[0])) == requirement:
        return True
    bare = re.sub(r"^(python-|py-?)|(-?python|-py)$", "", requirement)
    return any(name == module or name.startswith(f"{module}-") for name in (requirement, bare))


def _undeclared(subject: Subject, missing: str) -> Cause:
    extras = sorted({extra for needed in subject.unmet for extra in needed.extras})
    where = f" ({', '.join(extras)}; `extras` in [tool.seatrial] has those to install)" if extras else ""
    text = f"The module `{missing}` is of no dependency that was installed: not declared, or declared only in an extra"
    return Cause("undeclared", f"{text}{where}; or a part of the project that the build left out")


def _named_extra(subject: Subject, one: Attempt) -> Cause | None:
    """An error whose words say which extra to install."""
    for needed in subject.unmet:
        for extra in needed.extras:
            if re.search(rf"\[[^]]*\b{re.escape(extra)}\b[^]]*\]", one.error or ""):
                return Cause(
                    "extra", f"It wants the extra `{extra}` (`extras` in [tool.seatrial] has those to install)"
                )
    return None


def _lack(subject: Subject, one: Attempt) -> Cause:
    """A module was found, and has not the name that is imported from it."""
    match = NO_NAME.search(one.error or "")
    if not one.lacking or not match:
        return Cause()
    wanted = f"{one.lacking}.{match[1]}"
    if _lies_in(one.lacking, subject.names.modules):
        text = f"The module `{wanted}` is not among the files of {subject.name}: the build left it out"
        return _hidden(subject, wanted) or Cause("own", f"{text}, or it is a name that is imported in a circle")
    for metadata, files in subject.neighbours:
        if any(_is_at(path, one.lacking) for path in files.values()):
            return Cause("dependency", f"`{one.lacking}` is of {metadata.get('Name')} {metadata.get('Version')}")
    return Cause()


def _system_of(module: str) -> str | None:
    """Return the system that `module` is for by its name, if that is another one than ours."""
    for part in module.split("."):
        system = PLATFORMS.get(part.rpartition("_")[2].lower())
        if system and not sys.platform.startswith(system):
            return system
    return None


def _lies_in(name: str, modules: Iterable[str]) -> bool:
    """Whether `name` is one of `modules`, or inside one."""
    return any(name == module or name.startswith(f"{module}.") for module in modules)


def _printed(one: Attempt) -> str:
    return f" It printed:\n{one.output}" if one.output else ""


# What is wrong with an entry point.


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
    def label(self) -> str:
        return f"The {SCRIPTS[self.group]}" if self.group in SCRIPTS else f"The entry point [{self.group}]"


def _entry_point_problems(subject: Subject, broken: Collection[str], time_limit: float) -> list[Problem]:
    """Return what is wrong with the entry points; those inside the `broken` modules are not tried again."""
    try:
        points = [EntryPoint.from_value(point.group, point.name, point.value) for point in subject.dist.entry_points]
    except Exception as error:  # noqa: BLE001 (Python's reader of that file raises whatever configparser does)
        message = f"entry_points.txt of {subject.name} cannot be read: {type(error).__name__}: {_words(error)}"
        return [_problem("entry-point", "entry_points.txt", message)]
    sound = [point for point in points if not _lies_in(point.reference.partition(":")[0], broken)]
    wanted = list(dict.fromkeys(point.reference for point in sound if point.reference))
    tried = {one.name: one for one in attempts(wanted, time_limit)}
    loading = [_loading_problem(subject, point, tried.get(point.reference)) for point in sound]
    return [*_script_problems(subject, points), *filter(None, loading)]


def _script_problems(subject: Subject, points: Iterable[EntryPoint]) -> Iterator[Problem]:
    """The installer must have made a program of each script (entry points specification)."""
    folder, suffix = sysconfig.get_path("scripts"), ".exe" if os.name == "nt" else ""
    for point in points:
        path = os.path.join(folder, point.name + suffix)
        if point.group not in SCRIPTS:
            continue
        if not os.path.exists(path):
            yield _problem("missing-script", point.name, f"{point.label} `{point.name}` was not installed as {path}.")
        elif not _can_be_run(path) and _real(path) not in subject.own:
            message = f"{point.label} `{point.name}` was installed as {path}, and is not executable."
            yield _problem("script-mode", point.name, message)


def _loading_problem(subject: Subject, point: EntryPoint, one: Attempt | None) -> Problem | None:
    """Return why an entry point does not lead to an object, or None if it does."""
    severity = "error" if point.group in SCRIPTS else "warning"
    if one is None:
        why = f"`{point.value}` is not of the form `module:attribute`."
    elif not one.ok:
        cause = _cause(subject, one)
        severity = "error" if _must_load(point, one, cause) else "warning"
        why = f"`{point.value}` {_why(subject, one, cause)}.{_extra_hint(point)}{_printed(one)}"
    elif point.group in SCRIPTS and not one.callable:
        why = f"`{point.value}` is nothing that can be called."
    else:
        return None
    return _problem("entry-point", point.name, f"{point.label} `{point.name}` does not work: {why}", severity=severity)


def _must_load(point: EntryPoint, one: Attempt, cause: Cause) -> bool:
    """Whether it is the project's fault that an entry point does not load.

    A script is run by people, unless it is of an extra. A plugin is loaded by a program that has what it needs, which
    need not be declared; only what the project itself lacks is missing there too.
    """
    if cause.kind in EXCUSED or (point.extras and one.error_type != "no-attribute" and cause.kind != "own"):
        return False
    return point.group in SCRIPTS or cause.kind == "own"


def _extra_hint(point: EntryPoint) -> str:
    if not point.extras:
        return ""
    return f" It is for the extra `{point.extras}`; `extras` in [tool.seatrial] has the extras to install."


# `environment`, and the command line.


def environment() -> dict[str, str]:
    """Return the variables of environment markers (PEP 508) and the folders of this environment."""
    return {
        "os_name": os.name,
        "sys_platform": sys.platform,
        "platform_machine": platform.machine(),
        "platform_python_implementation": platform.python_implementation(),
        "platform_release": platform.release(),
        "platform_system": platform.system(),
        "platform_version": platform.version(),
        "python_full_version": platform.python_version(),
        "python_version": ".".join(platform.python_version_tuple()[:2]),
        "implementation_name": sys.implementation.name,
        "implementation_version": _implementation_version(sys.implementation.version),
        "executable": sys.executable,
        "prefix": sys.prefix,
        "purelib": sysconfig.get_path("purelib"),
        "platlib": sysconfig.get_path("platlib"),
    }


def _implementation_version(version: Any) -> str:
    """Return ``sys.implementation.version`` as PEP 508 writes it."""
    numbers = f"{version.major}.{version.minor}.{version.micro}"
    return numbers if version.releaselevel == "final" else f"{numbers}{version.releaselevel[0]}{version.serial}"


def main(argv: Sequence[str]) -> int:
    """Do what `argv` says and write the answer."""
    args = _parser().parse_args(argv)
    out = os.path.abspath(args.out)  # a module may change the folder while it is imported
    if args.mode == "environment":
        document: dict[str, Any] = dict(environment())
    elif args.mode == "check":
        document = check(args.name, args.version, args.import_name, args.time_limit)
    else:
        document = {"attempts": [asdict(attempt(name)) for name in args.names]}
    with open(out, "w", encoding="utf-8") as file:
        json.dump(document, file, indent=1)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="probe.py", description="Look at an installed distribution from the inside.")
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--out", required=True, metavar="FILE", help="where the JSON document goes")
    modes = parser.add_subparsers(dest="mode", required=True)
    modes.add_parser("environment", parents=[common], help="the marker variables of this interpreter")
    checking = modes.add_parser("check", parents=[common], help="look at one distribution")
    checking.add_argument("--name", required=True)
    checking.add_argument("--version", required=True)
    checking.add_argument("--import-name", action="append", default=[], metavar="NAME", help="import these only")
    checking.add_argument("--time-limit", type=float, default=TIME_LIMIT, metavar="SECONDS", help="for each import")
    importing = modes.add_parser("import", parents=[common], help="import names in this interpreter")
    importing.add_argument("names", nargs="+", metavar="NAME", help="module, or module:attribute")
    return parser


if __name__ == "__main__":
    # A module that reads sys.argv when it is imported must not find our options there.
    sys.argv, arguments = sys.argv[:1], sys.argv[1:]
    # The child of an import has its own process group: if we are ended, it has to be ended by us.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    status = main(arguments)
    # A thread that an imported module left behind would keep the interpreter from ending.
    os._exit(status)
