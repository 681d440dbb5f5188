"""Stands in for the uploader where hundreds of uploads are made: the same requests and order, without its start-up.

It can also end its process at a named point, as a power failure would.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import http.client
import json
import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from seatrial.machine.process import Outcome
from seatrial.release.record import Record

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    Transport = Callable[[str, str, Mapping[str, str], bytes], tuple[int, str]]

BOUNDARY = "a-line-that-is-in-no-file"

_last = ""  # the point at which this process ends
_met: dict[str, int] = {}


def die_at(point: str) -> None:
    """Let this process end at `point`: a name, or ``name:2`` for the second time it is reached. Empty: nowhere."""
    global _last  # noqa: PLW0603 (one process, one end)
    _last = point
    fsync, replace = os.fsync, Path.replace

    def dying_fsync(fd: Any) -> None:
        reach("fsync")
        fsync(fd)

    def dying_replace(path: Path, target: Any) -> Path:
        reach("replace")
        done = replace(path, target)
        reach("replaced")
        return done

    held = Record.locked

    @contextlib.contextmanager
    def dying_locked(record: Record, subject: str) -> Iterator[None]:
        with held(record, subject):
            reach("locked")
            yield

    os.fsync = dying_fsync
    Record.locked = dying_locked  # type: ignore[method-assign,assignment]
    Path.replace = dying_replace  # type: ignore[method-assign,assignment]


def reach(point: str) -> None:
    """End this process, without a chance to clean up, if it was to end here."""
    _met[point] = _met.get(point, 0) + 1
    if _last in {point, f"{point}:{_met[point]}"}:
        os.kill(os.getpid(), getattr(signal, "SIGKILL", signal.SIGTERM))


def over_http(url: str, content_type: str, headers: Mapping[str, str], body: bytes) -> tuple[int, str]:
    """Post `body`; the process may end when half of it is sent."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=30)
    try:
        connection.putrequest("POST", parts.path)
        for name, value in {**headers, "Content-Type": content_type, "Content-Length": str(len(body))}.items():
            connection.putheader(name, value)
        connection.endheaders()
        connection.send(body[: len(body) // 2])
        reach("half-sent")
        connection.send(body[len(body) // 2 :])
        reach("sent")
        answer = connection.getresponse()
        return answer.status, answer.reason
    finally:
        connection.close()


def run(_argv: Sequence[str], *, given: bytes, transport: Transport = over_http, **_options: object) -> Outcome:
    """Upload as the uploader does with the order in `given`, and return how that ended."""
    order = json.loads(given)
    login = base64.b64encode(f"{order['username']}:{order['password']}".encode()).decode()
    done: dict[str, Any] = {"event": "done", "answers": [], "error": None, "notes": [], "output": ""}
    for path in map(Path, order["files"]):
        try:
            headers = {"Authorization": f"Basic {login}"}
            status, reason = transport(order["url"], f"multipart/form-data; boundary={BOUNDARY}", headers, form(path))
        except (OSError, http.client.HTTPException) as error:
            done["error"] = {"reason": f"ConnectionError: {error!r}"}
            break
        done["answers"].append({"file": path.name, "status": status, "reason": reason})
        if status != http.client.OK:
            break
    return Outcome(0, json.dumps(done))


def form(path: Path) -> bytes:
    """Return the body of an upload of the file at `path`."""
    content = path.read_bytes()
    name, version = path.name.removesuffix(".tar.gz").split("-")[:2]
    fields = {
        ":action": "file_upload",
        "protocol_version": "1",
        "name": name,
        "version": version,
        "filetype": "bdist_wheel" if path.suffix == ".whl" else "sdist",
        "sha256_digest": hashlib.sha256(content).hexdigest(),
    }
    lines = [f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{k}"\r\n\r\n{v}\r\n' for k, v in fields.items()]
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="content"; filename="{path.name}"\r\n'
    kind = "Content-Type: application/octet-stream\r\n\r\n"
    return ("".join(lines) + head + kind).encode() + content + f"\r\n--{BOUNDARY}--\r\n".encode()
