"""Package indexes that others wrote, on this machine: devpi as a second index, proxpi as a cache in front of one.

Both need more than our own tools do (and devpi an old setuptools), so they live in an environment of their own.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from uv import find_uv_bin

from seatrial.trial.installer import Venv
from tests import sender

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

HERE = Path(__file__).parents[1]
QUICK = ("--argon2-time-cost", "1", "--argon2-memory-cost", "8", "--argon2-parallelism", "1")  # else seconds a login
START_LIMIT = 60.0  # seconds


@dataclass(frozen=True)
class Devpi:
    """A devpi server at `url`, with indexes of the user `user`: each takes a file name once, as PyPI does."""

    url: str
    user: str
    password: str

    def make_index(self, name: str) -> str:
        """Make an empty index with no other behind it, and return its URL: uploads go there."""
        login = _ask(f"{self.url}/+login", {"user": self.user, "password": self.password})["result"]["password"]
        settings = {"type": "stage", "bases": [], "volatile": False, "acl_upload": [self.user]}
        key = base64.b64encode(f"{self.user}:{login}".encode()).decode()
        _ask(f"{self.url}/{self.user}/{name}", settings, method="PUT", key=key)
        return f"{self.url}/{self.user}/{name}/"

    def put(self, name: str, path: Path) -> None:
        """Upload the file at `path` to the index `name`."""
        login = base64.b64encode(f"{self.user}:{self.password}".encode()).decode()
        kind = f"multipart/form-data; boundary={sender.BOUNDARY}"
        headers = {"Authorization": f"Basic {login}", "Content-Type": kind}
        _send(f"{self.url}/{self.user}/{name}/", sender.form(path), headers, "POST")

    def simple(self, name: str) -> str:
        """Return where the index `name` is read."""
        return f"{self.url}/{self.user}/{name}/+simple/"


def install(folder: Path) -> None:
    """Install both servers into a new environment in `folder`, from the index that this machine takes packages from."""
    uv, venv = find_uv_bin(), Venv(folder)
    subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, str(folder)], check=True)
    group = ("--group", f"{HERE / 'pyproject.toml'}:servers")
    subprocess.run([uv, "pip", "install", "--quiet", "--python", str(venv.python), *group], check=True)


@contextlib.contextmanager
def devpi(programs: Path, folder: Path) -> Iterator[Devpi]:
    """Serve an empty devpi that keeps its files in `folder`."""
    place = ("--serverdir", str(folder))
    secret = "a password of devpi"
    init = [str(programs / "devpi-init"), *place, "--no-root-pypi", "--root-passwd", secret]
    subprocess.run(init, check=True, capture_output=True)
    port = free_port()
    argv = [str(programs / "devpi-server"), *place, "--host", "127.0.0.1", "--port", str(port), *QUICK]
    with _serving(argv, port, "/+api", folder / "log"):
        yield Devpi(f"http://127.0.0.1:{port}", "root", secret)


@contextlib.contextmanager
def proxpi(programs: Path, folder: Path, simple: str, *, seconds: int) -> Iterator[str]:
    """Serve a cache in front of the index that is read at `simple`; a page it has seen stays for so many `seconds`.

    Yields the URL at which the cache is read.
    """
    folder.mkdir(parents=True, exist_ok=True)
    port = free_port()
    env = {"PROXPI_INDEX_URL": simple, "PROXPI_INDEX_TTL": str(seconds), "PROXPI_CACHE_DIR": str(folder / "files")}
    serve = ("run", "--host", "127.0.0.1", "--port", str(port))
    argv = [str(programs / "flask"), "--app", "proxpi.server", *serve]
    with _serving(argv, port, "/", folder / "log", env):
        yield f"http://127.0.0.1:{port}/index/"


def forget(cache: str, project: str) -> None:
    """Have the proxpi that is read at `cache` ask for the page of `project` anew."""
    _send(cache.replace("/index/", f"/cache/{project}"), b"", {}, "DELETE")


def free_port() -> int:
    """Return a port of this machine that was free just now."""
    with socket.create_server(("127.0.0.1", 0)) as here:
        return int(here.getsockname()[1])


@contextlib.contextmanager
def _serving(argv: list[str], port: int, path: str, log: Path, env: Mapping[str, str] | None = None) -> Iterator[None]:
    """Run a server until the context ends; it is up when it answers at `path`."""
    with (
        log.open("wb") as said,
        subprocess.Popen(
            argv, env=os.environ | dict(env or {}), stdin=subprocess.DEVNULL, stdout=said, stderr=subprocess.STDOUT
        ) as server,
    ):
        try:
            _wait_for(server, f"http://127.0.0.1:{port}{path}", log)
            yield
        finally:
            server.terminate()


def _wait_for(server: subprocess.Popen[bytes], url: str, log: Path) -> None:
    end = time.monotonic() + START_LIMIT
    while server.poll() is None and time.monotonic() < end:
        with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=5):  # noqa: S310 (loopback)
            return
        time.sleep(0.05)
    raise RuntimeError(f"no answer from {url}:\n{log.read_text(encoding='utf-8', errors='replace')}")


def _ask(url: str, document: Any, *, method: str = "POST", key: str = "") -> Any:
    """Send `document` to devpi's own API, and return the JSON that it answers."""
    headers = {"Content-Type": "application/json"} | ({"X-Devpi-Auth": key} if key else {})
    return json.loads(_send(url, json.dumps(document).encode(), headers, method))


def _send(url: str, body: bytes, headers: dict[str, str], method: str) -> bytes:
    request = urllib.request.Request(url, body, headers, method=method)  # noqa: S310 (loopback)
    with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
        said: bytes = answer.read()
    return said
