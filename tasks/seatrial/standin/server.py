"""Two throw-away package indexes on this machine, "testpypi" and "pypi", that answer uploads as PyPI does.

Run as ``python -I standin.py --root FOLDER`` in a virtualenv that has pypiserver: it prints one line of JSON with the
URL and the token of each index, and serves until its standard input closes. FOLDER/testpypi and FOLDER/pypi hold the
files. pypiserver stores and serves them; the layer here keeps PyPI's contract: who may upload, what is refused, and the
simple repository API in JSON (PEP 691, PEP 700).
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import email.parser
import functools
import hashlib
import hmac
import json
import os
import re
import secrets
import shutil
import sys
import tarfile
import threading
import time
import uuid
import zipfile
import zlib
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from socketserver import ThreadingMixIn
from typing import TYPE_CHECKING, Any, BinaryIO
from urllib.parse import quote
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

LOCATIONS = {"testpypi": "test.pypi.org", "pypi": "pypi.org"}
JSON = "application/vnd.pypi.simple.v1+json"
HELP = "https://pypi.org/help/"
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+!-]*")
METADATA_LIMIT = 1 << 20  # bytes
CHUNK = 1 << 20  # bytes of a file that are in memory at a time
PARTS = 10_000  # fields of a form: one for each classifier and each requirement
UNREADABLE = (  # what reading an archive can raise that is none, is damaged, or has no metadata
    *(OSError, EOFError, LookupError, ValueError, RuntimeError, StopIteration),
    *(zipfile.BadZipFile, tarfile.TarError, zlib.error),
)


class RefusedError(Exception):
    """An upload that PyPI would not take: status code and the sentence it gives."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


@dataclass(frozen=True)
class Upload:
    """An uploaded file, which may be too large for memory, its digests, and the form fields that came with it."""

    filename: str
    file: BinaryIO
    sha256: str
    blake2: str
    fields: Mapping[str, str]

    @classmethod
    def of(cls, filename: str, file: BinaryIO, fields: Mapping[str, str]) -> Upload:
        sha256, blake2 = hashlib.sha256(), hashlib.blake2b(digest_size=32)
        for chunk in _chunks(file):
            sha256.update(chunk)
            blake2.update(chunk)
        return cls(filename, file, sha256.hexdigest(), blake2.hexdigest(), fields)

    def save(self, path: Path) -> None:
        self.file.seek(0)
        with path.open("wb") as out:
            shutil.copyfileobj(self.file, out, CHUNK)


class Ledger:
    """Which file names were ever used on an index, and for which bytes: a name is taken once and for ever."""

    def __init__(self, folder: Path, book: Path) -> None:
        self._folder, self._book = folder, book
        self._lock = threading.Lock()

    def accept(self, upload: Upload) -> bool:
        """Return whether `upload` is to be stored; False where it is there already, identical. Raises RefusedError."""
        with self._lock:
            used = self._read()
            if used.get(upload.filename) == upload.sha256 and (self._folder / upload.filename).exists():
                return False
            self._stop_if_taken(upload, used)
            used[upload.filename] = upload.sha256
            fresh = self._book.with_suffix(".new")
            fresh.write_text(json.dumps(used), encoding="utf-8")
            fresh.replace(self._book)
            upload.save(self._folder / upload.filename)
            return True

    def _read(self) -> dict[str, str]:
        found = {path.name: _sha256(path) for path in self._folder.iterdir() if path.is_file()}
        with contextlib.suppress(FileNotFoundError):
            found = json.loads(self._book.read_text(encoding="utf-8")) | found
        return found

    def _stop_if_taken(self, upload: Upload, used: Mapping[str, str]) -> None:
        if upload.filename in used and not (self._folder / upload.filename).exists():
            raise RefusedError(400, "This filename has already been used, use a different version. See " + HELP)
        if upload.filename in used or upload.sha256 in used.values():
            said = f"File already exists ('{upload.filename}', with blake2_256 hash '{upload.blake2}'). See {HELP}"
            raise RefusedError(400, said)
        release = _release(upload.filename)
        others = (name for name in used if name.endswith(".tar.gz") and (self._folder / name).exists())
        if upload.filename.endswith(".tar.gz") and any(_release(name) == release for name in others):
            raise RefusedError(400, "Only one sdist may be uploaded per release.")


class Contract:
    """PyPI's answers in front of a pypiserver application: uploads, the JSON simple API, and nothing deleted."""

    def __init__(self, inner: WSGIApplication, folder: Path, token: str) -> None:
        self._inner, self._folder, self._token = inner, folder, token
        self._ledger = Ledger(folder, folder.with_suffix(".json"))

    def __call__(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        method, path = environ["REQUEST_METHOD"], environ.get("PATH_INFO", "/")
        if method == "POST":
            return self._upload(environ, start)
        if method not in {"GET", "HEAD"}:
            return _answer(start, 405, "Method Not Allowed")
        parts = [part for part in path.split("/") if part]
        if parts[:1] == ["simple"]:
            return self._simple(environ, start, parts[1:])
        return self._inner(environ, start)

    def _upload(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        try:
            with parsed(environ) as upload:
                caveats = self._authenticate(environ)
                stop_if_unfit(upload)
                stop_if_forbidden(caveats, _project(upload.filename), time.time())
                self._ledger.accept(upload)
        except RefusedError as refused:
            return _answer(start, refused.status, refused.reason)
        return _answer(start, 200, "OK")

    def _authenticate(self, environ: WSGIEnvironment) -> list[bytes]:
        """Return the caveats that were added to our token. Raises RefusedError for any other token."""
        kind, _, login = environ.get("HTTP_AUTHORIZATION", "").partition(" ")
        try:
            user, _, password = base64.b64decode(login).partition(b":")
            caveats = added_caveats(self._token, password.decode())
        except ValueError:
            kind, user, caveats = "", b"", None
        if kind != "Basic" or user != b"__token__" or caveats is None:
            said = f"Invalid or non-existent authentication information. See {HELP}#invalid-auth for more information."
            raise RefusedError(403, said)
        return caveats

    def _simple(self, environ: WSGIEnvironment, start: StartResponse, parts: list[str]) -> Iterable[bytes]:
        name = normalised(parts[0]) if parts else ""
        if parts and parts[0] != name:
            return _answer(start, 301, "Moved Permanently", ("Location", f"/simple/{quote(name)}/"))
        files = [path for path in sorted(self._folder.iterdir()) if not name or _project(path.name) == name]
        if name and not files:
            return _answer(start, 404, "Not Found")
        if JSON not in environ.get("HTTP_ACCEPT", ""):
            return self._inner(environ, _cached(start))
        listed = json.dumps(_project_page(name, files) if name else _root_page(files)).encode()
        _cached(start)("200 OK", [("Content-Type", JSON), ("Content-Length", str(len(listed)))])
        return [listed]


@contextlib.contextmanager
def parsed(environ: WSGIEnvironment) -> Iterator[Upload]:
    """Yield the file in a ``multipart/form-data`` request, as twine and uv send it. Raises RefusedError."""
    with contextlib.ExitStack() as stack:
        fields: dict[str, str] = {}
        filename, file = "", None
        for part in _parts(environ):
            stack.callback(part.close)
            if part.name == "content":
                filename, file = part.filename or "", part.file
            else:
                fields[part.name] = part.raw.decode("utf-8", "replace")
        if fields.get(":action") != "file_upload":
            raise RefusedError(405 if fields.get(":action") == "remove_pkg" else 400, "Unknown or missing :action")
        if not filename or file is None:
            raise RefusedError(400, "Upload payload does not have a file.")
        yield Upload.of(filename, file, fields)


def _parts(environ: WSGIEnvironment) -> Iterator[Any]:
    """Yield the parts of a form, none for a request that is no form; large ones are files. Raises RefusedError."""
    import multipart  # noqa: PLC0415 (there in the session's virtualenv only)

    kind, options = multipart.parse_options_header(environ.get("CONTENT_TYPE", ""))
    length = int(environ.get("CONTENT_LENGTH") or 0)
    if kind != "multipart/form-data" or not options.get("boundary"):
        return
    settings = {"part_limit": PARTS, "strict": True}
    try:
        yield from multipart.MultipartParser(environ["wsgi.input"], options["boundary"], length, **settings)
    except multipart.MultipartError:
        raise RefusedError(400, "The request was cut short, or is no form.") from None


def stop_if_unfit(upload: Upload) -> None:
    """Raise RefusedError for file names and digests that PyPI refuses."""
    if not NAME.fullmatch(upload.filename):
        raise RefusedError(400, "Cannot upload a file with '/' or non-printable characters in the name.")
    if not upload.filename.endswith((".whl", ".tar.gz")):
        raise RefusedError(400, "Invalid file extension: Use .tar.gz, .whl or .zip extension.")
    expected = {"sha256_digest": upload.sha256, "blake2_256_digest": upload.blake2}
    sent = {name: upload.fields[name].lower() for name in expected if name in upload.fields}
    if not sent:
        raise RefusedError(400, "Include at least one message digest.")
    if any(expected[name] != digest for name, digest in sent.items()):
        raise RefusedError(400, "The digest supplied does not match a digest calculated from the uploaded file.")


def _chunks(file: BinaryIO) -> Iterator[bytes]:
    """Yield all of `file`, a piece at a time."""
    file.seek(0)
    yield from iter(functools.partial(file.read, CHUNK), b"")


def _answer(start: StartResponse, status: int, reason: str, *headers: tuple[str, str]) -> list[bytes]:
    """Answer with `reason` in the status line, where twine looks for it, and in the body, where uv does."""
    body = f"{status} {reason}\n".encode()
    start(f"{status} {reason}", [("Content-Type", "text/plain"), ("Content-Length", str(len(body))), *headers])
    return [body]


def _cached(start: StartResponse) -> StartResponse:
    """Let simple pages be cached as long as PyPI lets them, so that whoever forgets to ask anew is found out."""

    def cached(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
        return start(status, [*headers, ("Cache-Control", "max-age=600, public"), ("Vary", "Accept")], *rest)

    return cached


def _root_page(files: Iterable[Path]) -> dict[str, Any]:
    names = sorted({_project(path.name) for path in files})
    return {"meta": {"api-version": "1.1"}, "projects": [{"name": name} for name in names]}


def _project_page(name: str, files: list[Path]) -> dict[str, Any]:
    versions = sorted({_release(path.name)[1] for path in files})
    entries = [_entry(path) for path in files]
    return {"meta": {"api-version": "1.1"}, "name": name, "versions": versions, "files": entries}


def _entry(path: Path) -> dict[str, Any]:
    stat = path.stat()
    return {
        "filename": path.name,
        "url": f"/packages/{quote(path.name)}",
        "hashes": {"sha256": _sha256(path)},
        "size": stat.st_size,
        "upload-time": datetime.fromtimestamp(stat.st_mtime, timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "requires-python": _requires_python(path),
        "yanked": False,
    }


def _requires_python(path: Path) -> str | None:
    """Return Requires-Python of the file at `path`, None where it has none or cannot be read."""
    try:
        text = _wheel_metadata(path) if path.name.endswith(".whl") else _sdist_metadata(path)
    except UNREADABLE:
        return None
    found: str | None = email.parser.BytesHeaderParser().parsebytes(text)["Requires-Python"]
    return found


def _wheel_metadata(path: Path) -> bytes:
    with zipfile.ZipFile(path) as archive:
        name = next(name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        with archive.open(name) as file:
            return file.read(METADATA_LIMIT)


def _sdist_metadata(path: Path) -> bytes:
    with tarfile.open(path, "r:gz") as archive:
        member = next(member for member in archive if re.fullmatch(r"[^/]+/PKG-INFO", member.name))
        file = archive.extractfile(member)
        return file.read(METADATA_LIMIT) if file else b""


def normalised(name: str) -> str:
    """Return `name` as the simple repository API spells it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _release(filename: str) -> tuple[str, str]:
    """Return the normalised project and the version that `filename` names (PEP 427, PEP 625)."""
    if filename.endswith(".whl"):
        name, version, *_ = filename.split("-")
    else:
        name, _, version = filename.removesuffix(".tar.gz").rpartition("-")
    return normalised(name), version


def _project(filename: str) -> str:
    return _release(filename)[0]


def _sha256(path: Path) -> str:
    """Return the hash of the file at `path`, which is read again only once it was written again."""
    stat = path.stat()
    return _hashed(path, stat.st_mtime_ns, stat.st_size)


@functools.cache
def _hashed(path: Path, _written: int, _size: int) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        for chunk in _chunks(file):
            digest.update(chunk)
    return digest.hexdigest()


def make_token(location: str) -> str:
    """Return a random token in the form of PyPI's: a macaroon (version 2) for the host `location`."""

    def packet(kind: int, data: bytes) -> bytes:
        return bytes([kind, len(data)]) + data

    head = packet(1, location.encode()) + packet(2, str(uuid.uuid4()).encode())
    raw = b"\x02" + head + b"\0\0" + packet(6, secrets.token_bytes(32))
    return "pypi-" + base64.urlsafe_b64encode(raw).decode().rstrip("=")


def added_caveats(token: str, presented: str) -> list[bytes] | None:
    """Return the caveats with which `presented` narrows `token`; None where it is not made from it.

    In a macaroon each signature is the HMAC of the next caveat under the signature before.
    """
    if secrets.compare_digest(token.encode(), presented.encode()):
        return []
    own, rest = _macaroon(token), _macaroon(presented)
    head, signature = own[:-35], own[-32:]  # without the end of the caveats (3 bytes) and the signature
    if not rest.startswith(head):
        return None
    rest, caveats = rest[len(head) :], []
    while packet := re.match(rb"\x02([\x80-\xff]*[\x00-\x7f])", rest):
        length = sum((byte & 0x7F) << 7 * place for place, byte in enumerate(packet[1]))
        caveat, rest = rest[packet.end() :][:length], rest[packet.end() + length + 1 :]
        signature = hmac.new(signature, caveat, hashlib.sha256).digest()
        caveats.append(caveat)
    return caveats if secrets.compare_digest(rest, b"\0\x06\x20" + signature) else None


def _json(caveat: bytes) -> Any:
    try:
        return json.loads(caveat)
    except (ValueError, RecursionError):
        return None


def _macaroon(token: str) -> bytes:
    body = token.removeprefix("pypi-").encode("ascii")
    return base64.b64decode(body + b"=" * (-len(body) % 4), altchars=b"-_", validate=True)


def stop_if_forbidden(caveats: Iterable[bytes], project: str, now: float) -> None:
    """Raise RefusedError, in PyPI's words, where a caveat does not allow an upload for `project` at the time `now`."""
    for caveat in caveats:
        match _json(caveat):
            case [0, int(expires), int(starts)] if not starts <= now < expires:
                raise RefusedError(403, "Invalid API Token: token is expired")
            case [1, [*names]] if project not in names:
                said = f"Invalid API Token: project-scoped token is not valid for project: {project!r}"
                raise RefusedError(403, said)
            case [0 | 1, *_]:
                continue
            case _:
                raise RefusedError(403, "Invalid API Token: caveat deserialization error")


def make_index(folder: Path, token: str) -> Contract:
    """Return the application of one index that keeps its files in `folder` and takes `token`."""
    import pypiserver  # noqa: PLC0415 (there in the session's virtualenv only)

    folder.mkdir(parents=True, exist_ok=True)
    # Uploads never reach it; it is told to take none.
    inner = pypiserver.app(roots=[folder], authenticate=["update"], auther=lambda *_: False, disable_fallback=True)
    return Contract(inner, folder, token)


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _Quiet(WSGIRequestHandler):
    def log_message(self, *_: object) -> None:
        """Keep requests off the terminal."""


@contextlib.contextmanager
def serving(app: WSGIApplication) -> Iterator[str]:
    """Serve `app` on a free port of 127.0.0.1 in a thread of its own; yield its URL."""
    with make_server("127.0.0.1", 0, app, server_class=_Server, handler_class=_Quiet) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def main(argv: list[str] | None = None, until: Callable[[], object] = sys.stdin.buffer.read) -> None:
    """Serve both indexes until `until` returns (default: standard input closes)."""
    parser = argparse.ArgumentParser(description="Serve two throw-away package indexes on this machine.")
    parser.add_argument("--root", type=Path, required=True)
    root = parser.parse_args(argv).root
    tokens = {name: make_token(location) for name, location in LOCATIONS.items()}
    with contextlib.ExitStack() as stack:
        urls = {name: stack.enter_context(serving(make_index(root / name, token))) for name, token in tokens.items()}
        sys.stdout.write(json.dumps({name: {"url": urls[name], "token": tokens[name]} for name in LOCATIONS}) + "\n")
        sys.stdout.flush()
        until()
    os._exit(0) if argv is None else None


if __name__ == "__main__":
    main()
