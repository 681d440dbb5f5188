"""What is wrong with the version and the files of an installed distribution."""

from __future__ import annotations

import base64
import csv
import hashlib
import os
import platform
import re
import struct
import sys
import sysconfig
import warnings
from importlib.util import MAGIC_NUMBER, cache_from_source
from typing import TYPE_CHECKING

from .imports import KEPT, Attempt, run_bounded
from .names import ASIDE, is_import_name, makes_namespace
from .subject import Subject, finding, listed, names_of, normalised, real_path, source_text, text_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .subject import Problem

START_LIMIT = 60.0  # seconds for Python to start
SOURCE = 1 << 22  # bytes of source that are compiled
HASHES = frozenset({"sha256", "sha384", "sha512"})  # what the wheel format allows, and Python is sure to have


def file_problems(subject: Subject) -> Iterator[Problem]:
    """What RECORD lists must be there as it was released, but for the bytecode that is made again at will.

    What other distributions have must not get into its way.
    """
    if not subject.own:
        message = f"{subject.name} has no RECORD, so nothing can be said about its files."
        yield finding("no-record", subject.name, message)
    elif all(".dist-info/" in path for path in subject.own.values()) and "Requires-Dist" not in subject.metadata:
        message = f"{subject.name} installs nothing: no module, no file, no requirement. The build left everything out."
        yield finding("empty", subject.name, message)
    missing = [path for real, path in subject.own.items() if not path.endswith(".pyc") and not os.path.exists(real)]
    if missing:
        message = f"RECORD of {subject.name} lists files that were not installed: {listed(missing)}."
        yield finding("missing-file", missing[0], message)
    scripts = real_path(sysconfig.get_path("scripts"))
    for real, path in subject.own.items():
        if os.path.dirname(real) == scripts and not can_be_run(real):
            yield finding("script-mode", path, f"The script `{path}` was installed, and is not executable.")
    changed = list(_changed_files(subject))
    yield from changed
    if all(one["severity"] != "error" for one in changed):  # which says it already
        yield from _shared_names(subject)
    yield from _shared_scripts(subject)
    yield from _unknown_extras(subject)


def can_be_run(path: str) -> bool:
    return not os.path.exists(path) or os.access(path, os.X_OK)


def _changed_files(subject: Subject) -> Iterator[Problem]:
    """A file that has not the hash of RECORD: the wheel is at odds with itself, or another distribution wrote it too.

    Only the latter may not matter, where the file is none of the code: a licence or a test that got into both.
    """
    code = {name.partition(".")[0] for name in subject.names.modules}
    rows = csv.reader(text_of(subject.dist, "RECORD").splitlines())
    # `sha256=` and base64 for URLs (PEP 376, PEP 427)
    hashes = {row[0]: row[1].rstrip("=") for row in rows if len(row) > 1 and row[0] and "=" in row[1]}
    for path, written in hashes.items():
        real = real_path(str(subject.dist.locate_file(path)))
        if path.endswith(".pyc") or not os.path.isfile(real) or _hash(real, written) in {None, written}:
            continue
        owners = [name for name, files in subject.others if real in files]
        if owners and os.path.basename(real) == "__init__.py" and makes_namespace(source_text(real)):
            continue  # the older kinds of namespaces share this file
        why = f"{' and '.join(owners)} has a file of that name too" if owners else "the wheel is at odds with itself"
        message = f"`{path}` is not what RECORD of {subject.name} says (hash): {why}."
        severe = not owners or re.split(r"[/.]", path, maxsplit=1)[0] in code
        yield finding("changed-file", path, message, severity="error" if severe else "warning")


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


def _shared_names(subject: Subject) -> Iterator[Problem]:
    """A module or package that another distribution has too: what was installed last is imported, if not a mixture."""
    for other, files in subject.others:
        shared = sorted(set(subject.names.modules).intersection(names_of(files).modules))
        if shared:
            message = (
                f"{listed(shared)} belongs to both {subject.name} and {other}, which is installed with it: each"
                " overwrites the other's files, and removes them when it is uninstalled. Rename it, or drop the other."
            )
            yield finding("shared-name", shared[0], message, severity="warning")


def _shared_scripts(subject: Subject) -> Iterator[Problem]:
    """A command that another distribution installs too: it is that of whatever was installed last."""
    scripts = real_path(sysconfig.get_path("scripts"))
    for other, files in subject.others:
        both = sorted(real for real in set(files).intersection(subject.own) if os.path.dirname(real) == scripts)
        if both:
            names = listed([os.path.basename(real) for real in both])
            message = f"{names} is a command of both {subject.name} and {other}: whichever is installed last"
            yield finding("shared-script", os.path.basename(both[0]), f"{message} overwrites it.")


def _unknown_extras(subject: Subject) -> Iterator[Problem]:
    """Extras of dependencies that those do not have: installers warn, and leave out what they were to bring."""
    offered = {
        normalised(metadata.get("Name", "")): {normalised(extra) for extra in metadata.get_all("Provides-Extra", [])}
        for metadata, _ in subject.neighbours
    }
    for line in subject.metadata.get_all("Requires-Dist", []):
        match = re.match(r"\s*([\w.-]+)\s*\[([^\]]+)\]", line)
        known = offered.get(normalised(match[1])) if match else None
        if match and known is not None and normalised(match[1]) != normalised(subject.name):
            absent = [extra.strip() for extra in match[2].split(",") if normalised(extra) not in known]
            if absent:
                message = f"`{line}` asks for an extra that {match[1]} does not have: {', '.join(absent)}."
                yield finding("unknown-extra", match[1], message, severity="warning")


def start_problems(subject: Subject) -> Iterator[Problem]:
    """A line of a ``.pth`` file that fails is reported by Python at each start, and nothing after it counts."""
    if subject.names.pth:
        _, output = run_bounded([sys.executable, "-I", "-c", ""], START_LIMIT)
        broken = [name for name in subject.names.pth if name in output]
        if broken and "Error" in output:
            message = f"`{broken[0]}`, which Python reads whenever it starts, fails. Python says:\n{output}"
            yield finding("pth", broken[0], message)


def source_problems(subject: Subject, tried: Iterable[Attempt]) -> Iterator[Problem]:
    """Modules that nothing imported are compiled at least, though some may be for other versions of Python."""
    told = {real_path(frames[-1][0]) for frames in (one.frames for one in tried) if frames}
    bad, left = [], SOURCE
    for real, path in sorted(subject.own.items(), key=lambda item: item[1]):
        parts = path[:-3].split("/")
        # A file that ends in `.py` can also be a template, or a test's data.
        is_source = path.endswith(".py") and all(map(is_import_name, parts)) and not ASIDE.intersection(parts)
        if real in told or not is_source or not os.path.isfile(real) or _is_compiled(real):
            continue
        left -= os.path.getsize(real)
        if left < 0:
            break
        why = why_not_compiled(real)
        if why:
            bad.append(f"{path}{why}")
    if bad:
        message = f"Python {platform.python_version()} cannot compile files of {subject.name}: {listed(bad)}."
        yield finding("syntax", bad[0], message, severity="warning")


def _is_compiled(path: str) -> bool:
    """Whether Python has compiled the source at `path` and kept that, as it does when it imports it (PEP 552)."""
    try:
        with open(cache_from_source(path), "rb") as file:
            magic, flags, *facts = struct.unpack("<4s3I", file.read(16))
    except (OSError, struct.error, NotImplementedError):
        return False
    found = os.stat(path)
    return (magic, flags, *facts) == (MAGIC_NUMBER, 0, int(found.st_mtime) & 0xFFFFFFFF, found.st_size & 0xFFFFFFFF)


def why_not_compiled(path: str) -> str:
    """Return what to say after the name of the file at `path` if Python cannot compile it, else nothing."""
    try:
        with open(path, "rb") as file, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(file.read(), path, "exec", dont_inherit=True)
    except SyntaxError as error:
        return f", line {error.lineno or 1}"
    except (ValueError, MemoryError, RecursionError) as error:  # such as null bytes, before Python 3.12
        return f" ({type(error).__name__})"
    return ""
