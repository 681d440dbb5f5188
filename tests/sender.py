"""Stands in for twine where hundreds of uploads are made: the same requests, order and words, without its start-up.

It can also end its process at a named point, as a power failure would.
"""

from __future__ import annotations

import base64
import hashlib
import http.client
import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from seatrial.machine.process import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    Transport = Callable[[str, str, Mapping[str, str], bytes], tuple[int, str]]

TRIES = 5  # of twine, at once, where the answer is 5xx
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

    os.fsync = dying_fsync
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


def run(
    argv: Sequence[str], *, env: Mapping[str, str], transport: Transport = over_http, **_options: object
) -> Outcome:
    """Upload as twine does with this command line and environment, and return how that ended."""
    url = argv[argv.index("--repository-url") + 1]
    paths = [Path(word) for word in argv if word.endswith((".whl", ".tar.gz"))]
    login = base64.b64encode(f"{env['TWINE_USERNAME']}:{env['TWINE_PASSWORD']}".encode()).decode()
    said = [f"Uploading distributions to {url}"]
    for path in paths:
        status, reason = _post(url, path, {"Authorization": f"Basic {login}"}, transport, said)
        if status != http.client.OK:
            title = http.client.responses.get(status, "")
            said += [
                f"ERROR    {'HTTPError: ' if status else ''}{status or ''} {title} from {url}",
                f"         {reason}",
            ]
            return Outcome(1, "\n".join(said))
    return Outcome(0, "\n".join(said))


def _post(url: str, path: Path, headers: Mapping[str, str], transport: Transport, said: list[str]) -> tuple[int, str]:
    status, reason = 0, ""
    for _ in range(TRIES):
        said.append(f"Uploading {path.name}")
        try:
            status, reason = transport(url, f"multipart/form-data; boundary={BOUNDARY}", headers, form(path))
        except (OSError, http.client.HTTPException) as error:
            return 0, f"ConnectionError: {error!r}"
        if status < http.client.INTERNAL_SERVER_ERROR:
            break
    return status, reason


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
