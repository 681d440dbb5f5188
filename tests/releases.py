"""A release that is ready to be uploaded, with files and record written here, and its steps run on them."""

from __future__ import annotations

import contextlib
import io
import json
import os
import shutil
import sys
import tarfile
import zipfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seatrial.cli import chain
from seatrial.index import logins
from seatrial.index.indexes import PYPI, TESTPYPI
from seatrial.index.tokens import make
from seatrial.machine.screen import Screen
from seatrial.project.context import Context
from seatrial.project.options import Commands, Options
from seatrial.project.settings import Settings
from seatrial.release.record import Record
from seatrial.release.stages import KINDS, Built, Cell, Checked, Dist, Rehearsed, Verified
from seatrial.standin import launch
from seatrial.standin.indexes import LOCATIONS
from seatrial.standin.server import StandinIndex
from tests.index_server import Faults
from tests.projects import EPOCH, MOMENT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

AT = MOMENT.replace("+00:00", "Z")
RUNNING = "{}.{}".format(*sys.version_info)
TAGS = ("py3-none-any", "cp311-cp311-win_amd64", "cp311-cp311-macosx_11_0_arm64")
METADATA = "Metadata-Version: 2.4\nName: demo\nVersion: 1.0\n"
BACKEND = """\
import os, zipfile
def build_wheel(folder, settings=None, metadata=None):
    name = "demo-1.0-py3-none-any.whl"
    with zipfile.ZipFile(os.path.join(folder, name), "w") as wheel:
        for member in os.listdir("files"):
            wheel.write(os.path.join("files", member), member.replace("@", "/"))
    return name
"""
BUILD_SYSTEM = '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'


def wheel_files(tag: str) -> dict[str, str]:
    """Return the members of a wheel of demo 1.0."""
    info = "demo-1.0.dist-info"
    listed = {
        "demo.py": "__version__ = '1.0'\n",
        f"{info}/METADATA": METADATA,
        f"{info}/WHEEL": f"Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: {tag}\n",
    }
    return listed | {f"{info}/RECORD": "".join(f"{name},,\n" for name in [*listed, f"{info}/RECORD"])}


def write_wheel(folder: Path, tag: str, *, padding: int = 0) -> Path:
    """Write a wheel of demo 1.0 for `tag`, with so many bytes of data in it."""
    path = folder / f"demo-1.0-{tag}.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in wheel_files(tag).items():
            archive.writestr(zipfile.ZipInfo(name), text)
        if padding:
            archive.writestr(zipfile.ZipInfo("demo.bin"), bytes(padding))
    return path


def write_sdist(folder: Path) -> Path:
    """Write an sdist of demo 1.0 that needs nothing to be built, not even an index."""
    path = folder / "demo-1.0.tar.gz"
    members = {"PKG-INFO": METADATA, "pyproject.toml": BUILD_SYSTEM, "backend.py": BACKEND}
    members |= {f"files/{name.replace('/', '@')}": text for name, text in wheel_files(TAGS[0]).items()}
    with tarfile.open(path, "w:gz") as archive:
        for name, text in members.items():
            info = tarfile.TarInfo(f"demo-1.0/{name}")
            info.size, info.mtime = len(text), EPOCH
            archive.addfile(info, io.BytesIO(text.encode()))
    return path


def write_release(root: Path, tags: Iterable[str] = TAGS, *, padding: int = 0) -> Built:
    """Write files and record of a release that is checked into the project folder `root`."""
    dist = root / "dist"
    dist.mkdir(parents=True)
    for tag in tags:
        write_wheel(dist, tag, padding=padding)
    write_sdist(dist)
    dists = tuple(sorted(map(Dist.from_file, dist.iterdir())))
    shared: dict[str, Any] = {"project": "demo", "version": "1.0", "dists": dists, "at": AT}
    matrix = tuple(Cell(RUNNING, kind) for kind in KINDS)
    built = Built(
        **shared, commit=None, tag=None, dirty=False, epoch=0, fingerprint="f", normalised=(), tools=(), matrix=matrix
    )
    record = Record.of(root)
    record.write(built)
    record.write(Checked(**shared, rules=("a-rule",), problems=(), trials=()))
    return built


def write_rehearsal(root: Path, built: Built, index: str) -> None:
    """Record that `built` was rehearsed and verified on the index with the simple URL `index`."""
    shared: dict[str, Any] = {"project": "demo", "version": "1.0", "dists": built.dists, "at": AT, "index": index}
    record = Record.of(root)
    record.write(Rehearsed(**shared, urls=tuple(index + dist.filename for dist in built.dists)))
    platform: dict[str, Any] = {"sys_platform": "linux", "machine": "x86_64", "python_version": f"{RUNNING}.0"}
    for cell in built.matrix:
        proof: dict[str, Any] = {"filename": built.dists[0].filename, "installed": (), "imported": ("demo",), "ran": ()}
        record.write(Verified(**shared, **platform, **proof, python=cell.python, kind=cell.kind))


@dataclass
class Place:
    """A project's folder, and the two stand-in indexes with their tokens, files and faults."""

    root: Path
    folder: Path
    urls: dict[str, str]
    tokens: dict[str, str]
    faults: dict[str, Faults]

    def held(self, name: str) -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in (self.folder / name).iterdir()}

    def hold(self, name: str) -> None:
        """Let the index `name` hold all files of the release."""
        for path in (self.root / "dist").iterdir():
            shutil.copyfile(path, self.folder / name / path.name)

    def files(self) -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in (self.root / "dist").iterdir()}

    @property
    def env(self) -> dict[str, str]:
        """The variables with which a session may upload."""
        return {f"{name.upper()}_TOKEN": token for name, token in self.tokens.items()}

    def simple(self, name: str) -> str:
        return f"{self.urls[name]}/simple/"


@contextlib.contextmanager
def standing_in(place: Path) -> Iterator[Place]:
    """Serve two indexes for a project in `place`."""
    tokens = {name: make(location) for name, location in LOCATIONS.items()}
    faults = {name: Faults(StandinIndex(place / "indexes" / name, token)) for name, token in tokens.items()}
    with contextlib.ExitStack() as stack:
        urls = {name: stack.enter_context(launch.serving(app)) for name, app in faults.items()}
        yield Place(place / "project", place / "indexes", urls, tokens, faults)


def context_of(
    step: str,
    root: Path,
    urls: Mapping[str, str],
    options: Options | None = None,
    *,
    uv: str | None = None,
    heard: Callable[[str], None] = lambda _: None,
    **settings: Any,
) -> Context:
    """Return what `step` works with on the project in `root`, with the indexes at `urls`; `heard` gets all it says.

    The variables are those of this process, as `cli.release` sets them.
    """
    made = replace(Settings(pythons=(RUNNING,), index_timeout=2), **{**_indexes(urls), **settings})
    uploads = step in {"testpypi", "verify", "pypi"}
    return Context(
        root=root,
        settings=made.with_indexes(logins.with_logins(made.indexes, os.environ, uploads=uploads)),
        options=options or Options(yes="1.0" if step == "pypi" else None),
        record=Record.of(root),
        commands=Commands(nox=True),
        variables=dict(os.environ),
        published=made.pypi,
        uv=uv,
        screen=Screen(verbose=True, write=heard),
    )


def _indexes(urls: Mapping[str, str]) -> dict[str, Any]:
    """Return both public indexes, with their names and pages, at `urls`."""
    return {
        name: replace(
            index,
            simple=f"{urls[name]}/simple/",
            upload=f"{urls[name]}/legacy/",
            token_location=LOCATIONS[name],
        )
        for name, index in (("testpypi", TESTPYPI), ("pypi", PYPI))
    }


def main() -> None:
    """Run one step that uploads as a process of its own: what it needs is one JSON document in argv."""
    from seatrial.machine import process  # noqa: PLC0415 (patched below)
    from tests import sender  # noqa: PLC0415

    order = json.loads(sys.argv[1])
    if not order["twine"]:
        process.run = sender.run  # type: ignore[assignment]
    sender.die_at(order["die"])
    context = context_of(order["step"], Path(order["root"]), order["urls"], heard=print)
    sender.reach("start")
    chain.act(order["step"], context)
    sender.reach("end")
    print("peak", *peaks())
    sys.stdout.flush()
    os._exit(0)


def peaks() -> list[int]:
    """Return the most memory that this process and each of its children had, where the system tells (in KiB)."""
    try:
        import resource  # noqa: PLC0415 (not on Windows)
    except ImportError:
        return []
    return [resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]


if __name__ == "__main__":
    main()
