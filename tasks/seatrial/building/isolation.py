"""The surroundings of a build: what makes it repeatable, and where packagers build, without git and network.

Nothing is forced on anybody: a `git` that only says no stands first on PATH, and the variables that programs take their
proxy from name one that refuses. Both note what was asked of them. A build that goes around them is not seen: one that
opens its own connections without a proxy, or starts git by its full path; on Windows every call of git.exe.

Compilers write the path of their sources into what they make. So there is one folder that wheels are built in, with the
same path for every build on a machine, and for most machines: seatrial-build in the folder for temporary files.
"""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import stat
import tarfile
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from seatrial.building.normalise import unpacked
from seatrial.machine.disk import locked_file
from seatrial.machine.errors import ReleaseError
from seatrial.machine.values import Value

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from _typeshed.wsgi import StartResponse, WSGIEnvironment

NO_GIT = """\
#!/bin/sh
printf '%s\\n' "$*" | head -n 1 >> {calls}
echo "git: not found (an sdist is built without it)" >&2
exit 127
"""
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
# What would keep a program waiting for a network that is not there.
AT_ONCE = {"PIP_RETRIES": "0", "UV_HTTP_RETRIES": "0", "CARGO_NET_RETRY": "0"}
HERE = "localhost,127.0.0.1,::1"
NAME = "seatrial-build"
FILTERED: Any = getattr(tarfile, "FilterError", ())  # what the filter refuses, where this Python has one


class LeadsOut(ReleaseError):
    """A member of an sdist that leads out of it; `target` is empty for one that is no link."""

    sdist: Path
    name: str
    target: str

    what = "{e.sdist.name} cannot be unpacked, by pip and uv either: {e.member} leads out of it."
    cause = "a symbolic link to a file above the project, often the licence of a repository with several packages."
    cure = "replace the link with a copy of the file, or exclude it from the sdist; then commit, and build again."

    @property
    def member(self) -> str:
        return f"the link {self.name} -> {self.target}" if self.target else self.name


def fixed_environment(epoch: int | None) -> dict[str, str]:
    """Return what makes a build repeatable: SOURCE_DATE_EPOCH (reproducible-builds.org), time zone, hash seed."""
    moment = {} if epoch is None else {"SOURCE_DATE_EPOCH": str(epoch)}
    return {**moment, "TZ": "UTC", "PYTHONHASHSEED": "0"}


class Reach(Value):
    """What a build asked for beyond its requirements: the arguments of `git`, and the hosts of the network."""

    git: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.git or self.hosts)

    def __str__(self) -> str:
        parts = [f"git (`git {self.git[-1]}`)"] if self.git else []
        return " and ".join([*parts, *([f"the network ({', '.join(self.hosts)})"] if self.hosts else [])])

    @property
    def words(self) -> tuple[str, ...]:
        """What was asked for, each by itself."""
        return (*(f"git {call}" for call in self.git), *self.hosts)


class Seclusion(Value):
    """The surroundings of a build: the address of the refusing proxy, and the folder with the `git` that says no."""

    folder: Path
    proxy: str
    _hosts: list[str]

    @property
    def settings(self) -> dict[str, str]:
        """The variables that the backend gets; programs look for them in small letters, in capitals, or both."""
        proxies = dict.fromkeys(PROXIES, self.proxy) | {"NO_PROXY": HERE}
        small = {} if os.name == "nt" else {name.lower(): value for name, value in proxies.items()}
        return {**proxies, **small, **AT_ONCE}

    @property
    def reach(self) -> Reach:
        """What was asked for until now."""
        calls = self.folder / "calls"
        said = calls.read_text(encoding="utf-8", errors="replace").splitlines() if calls.exists() else []
        return Reach(tuple(dict.fromkeys(said)), tuple(sorted(set(self._hosts))))


@contextlib.contextmanager
def seclusion(folder: Path) -> Iterator[Seclusion]:
    """Yield such surroundings, kept in the new `folder`."""
    from seatrial.standin.launch import serving  # noqa: PLC0415 (no session but a build needs a server)

    hosts: list[str] = []

    def refuse(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        asked = environ["PATH_INFO"]  # of a proxy: a whole URL, or host and port after CONNECT
        hosts.append(urlsplit(asked if "//" in asked else f"//{asked}").hostname or asked)
        start("403 Forbidden", [("Content-Type", "text/plain")])
        return [b"An sdist is built without network.\n"]

    folder.mkdir()
    if os.name != "nt":
        git = folder / "git"
        git.write_text(NO_GIT.format(calls=shlex.quote(str(folder / "calls"))), encoding="utf-8")
        git.chmod(0o755)
    with serving(refuse) as proxy:
        yield Seclusion(folder, proxy, hosts)


@contextlib.contextmanager
def workplace(base: Path, otherwise: Path) -> Iterator[Path]:
    """Yield the folder below `base`, new and ours alone; `otherwise` where it is another user's or another run's."""
    folder, ours = base / NAME, False
    with contextlib.suppress(OSError):
        folder.mkdir(mode=0o700, exist_ok=True)
        found = folder.lstat()
        # Nobody else can write to it; on Windows, the folder for temporary files is the user's own.
        ours = os.name == "nt" or (
            stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and not found.st_mode & 0o022
        )
    with contextlib.ExitStack() as stack:
        held = ours and stack.enter_context(locked_file(folder / ".lock"))
        place = folder / "src" if held else otherwise
        shutil.rmtree(place, ignore_errors=True)  # what a killed run left
        place.mkdir()
        try:
            yield place
        finally:
            shutil.rmtree(place, ignore_errors=True)


def unpack(sdist: Path, place: Path) -> Path:
    """Unpack `sdist` into `place`, and return the folder that it holds. Raises LeadsOut and SdistUnreadable."""
    safely: dict[str, Any] = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}
    with unpacked(sdist) as tar:
        try:
            tar.extractall(place, **safely)  # noqa: S202 (the project's own sdist, and with the filter if there is one)
        except FILTERED as error:
            raise LeadsOut(sdist, error.tarinfo.name, error.tarinfo.linkname) from None
    return place / sdist.name.removesuffix(".tar.gz")
