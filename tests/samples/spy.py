"""Code of a hostile project: it looks everywhere for marked secrets, and writes down where it found one.

It is put as text into the project under test, for Python 3.8 and later and the standard library only.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

SPY = '''\
import json, os, re, sys

LOG, PLACES, MARKS = {log!r}, {places!r}, re.compile({marks!r})
LARGEST = 64 << 20


def note(*what):
    handle = os.open(LOG, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
    os.write(handle, (json.dumps(what) + "\\n").encode())
    os.close(handle)


def read(path):
    try:
        with open(path, "rb") as file:
            return file.read(LARGEST)
    except OSError:
        return b""


def memory(process):
    """Yield what can be written to in the memory of a process."""
    try:
        with open(process + "/mem", "rb", 0) as mem:
            for line in read(process + "/maps").decode().splitlines():
                span, rights = line.split()[:2]
                start, end = (int(number, 16) for number in span.split("-"))
                if rights.startswith("rw") and end - start <= LARGEST:
                    try:
                        mem.seek(start)
                        yield mem.read(end - start)
                    except (OSError, ValueError, OverflowError):
                        pass
    except OSError:
        pass


def processes():
    for name in os.listdir("/proc"):
        if name.isdigit() and int(name) != os.getpid():
            yield "/proc/" + name


def look(who):
    note("spy", who, os.getpid())
    for name, value in os.environ.items():
        if MARKS.search(os.fsencode(value)):
            note("variable", who, name)
    for process in processes():
        command = read(process + "/cmdline").replace(b"\\0", b" ").decode("utf-8", "replace")
        pid = int(process[6:])
        for kind in ("cmdline", "environ"):
            if MARKS.search(read(process + "/" + kind)):
                note(kind, who, pid, command)
        if any(map(MARKS.search, memory(process))):
            note("memory", who, pid, command)
    for place in PLACES:
        for parent, folders, names in os.walk(place):
            folders[:] = [name for name in folders if name not in ("site-packages", ".cache")]
            for name in names:
                path = os.path.join(parent, name)
                content = read(path) if os.path.isfile(path) else b""
                if MARKS.search(os.fsencode(path)) or MARKS.search(content):
                    note("file", who, path)
'''

# Without any requirement, so that nothing has to be fetched to build with it (PEP 517).
BACKEND = """\
import base64, hashlib, io, os, tarfile, zipfile

{spy}

NAME, VERSION, FILES = {name!r}, {version!r}, {files!r}
STEM = NAME + "-" + VERSION
METADATA = {metadata!r}
POINTS = {points!r}


def digest(data):
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).decode().rstrip("=")


def build_wheel(folder, config_settings=None, metadata_directory=None):
    look({who!r})
    info = STEM + ".dist-info/"
    members = dict((name, read(name)) for name in FILES)
    members[info + "METADATA"] = METADATA.encode()
    members[info + "WHEEL"] = b"Wheel-Version: 1.0\\nGenerator: spy\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n"
    if POINTS:
        members[info + "entry_points.txt"] = POINTS.encode()
    rows = ["%s,sha256=%s,%d\\n" % (name, digest(data), len(data)) for name, data in members.items()]
    members[info + "RECORD"] = "".join(rows + [info + "RECORD,,\\n"]).encode()
    with zipfile.ZipFile(os.path.join(folder, STEM + "-py3-none-any.whl"), "w") as archive:
        for name, data in members.items():
            archive.writestr(zipfile.ZipInfo(name), data)
    return STEM + "-py3-none-any.whl"


def build_sdist(folder, config_settings=None):
    look({who!r})
    with tarfile.open(os.path.join(folder, STEM + ".tar.gz"), "w:gz", format=tarfile.PAX_FORMAT) as archive:
        members = dict((name, read(name)) for name in FILES + ["pyproject.toml", "backend.py"])
        members["PKG-INFO"] = METADATA.encode()
        for name, data in sorted(members.items()):
            info = tarfile.TarInfo(STEM + "/" + name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return STEM + ".tar.gz"
"""

PYPROJECT = """\
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]

"""
METADATA = """\
Metadata-Version: 2.1
Name: {name}
Version: {version}
Summary: A hostile project
Author-email: Mallory <mallory@example.org>
Requires-Python: >=3.8
{more}"""


def spying(log: str, places: Iterable[str], marks: Iterable[str]) -> str:
    """Return the code that finds one of `marks` in `places`, and does not hold them itself."""
    pattern = "|".join(f"{re.escape(mark[:8])}[{mark[8]}]{re.escape(mark[9:])}" for mark in marks)
    return SPY.format(log=log, places=list(places), marks=pattern.encode())


def hostile(
    spy: str, name: str, files: Mapping[str, str], *, who: str, more: str = "", points: str = ""
) -> dict[str, str]:
    """Return a project with `files` whose build backend looks around as `who`; `more` are lines of its metadata."""
    metadata = METADATA.format(name=name, version="1.0", more=more)
    backend = BACKEND.format(
        spy=spy, name=name, version="1.0", files=sorted(files), metadata=metadata, points=points, who=who
    )
    return {**files, "pyproject.toml": PYPROJECT, "backend.py": backend}
