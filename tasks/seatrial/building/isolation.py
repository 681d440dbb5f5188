"""The surroundings of a build: what makes it repeatable, and where packagers build, without git and network.

Nothing is forced on anybody: a `git` that only says no stands first on PATH, and the variables that programs take their
proxy from name one that refuses. Both note what was asked of them. A build that goes around them is not seen: one that
opens its own connections without a proxy, or starts git by its full path; on Windows every call of git.exe.
"""

from __future__ import annotations

import contextlib
import os
import shlex
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from seatrial.machine.values import Value

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

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

    folder.mkdir()
    hosts: list[str] = []
    if os.name != "nt":
        git = folder / "git"
        git.write_text(NO_GIT.format(calls=shlex.quote(str(folder / "calls"))), encoding="utf-8")
        git.chmod(0o755)
    with serving(_refusing(hosts)) as proxy:
        yield Seclusion(folder, proxy, hosts)


def _refusing(hosts: list[str]) -> WSGIApplication:
    """Return a proxy that forwards nothing, and notes in `hosts` whom it was asked for."""

    def refuse(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        asked = environ["PATH_INFO"]  # of a proxy: a whole URL, or host and port after CONNECT
        hosts.append(urlsplit(asked if "//" in asked else f"//{asked}").hostname or asked)
        start("403 Forbidden", [("Content-Type", "text/plain")])
        return [b"An sdist is built without network.\n"]

    return refuse
