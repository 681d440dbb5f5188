"""An index on this machine that answers as PyPI's server does: who may upload, what is refused, the simple API.

A WSGI application over a folder of files. Its sentences are those of warehouse 6b62157 (2026-08-21), in the status
line, where twine's users see them, and in the body. Tests make projects archived, quarantined, yanked, empty or full.
"""

from __future__ import annotations

import base64
import contextlib
import functools
import html
import json
import shutil
import threading
import time
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from packaging.utils import canonicalize_name

from seatrial.index.simple import HTML, JSON
from seatrial.index.tokens import added_caveats, caveat_value
from seatrial.release.archives import Archive, BadArchive
from seatrial.release.stages import Dist
from seatrial.standin.forms import RefusedError, Upload, parsed, stop_if_unfit

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from _typeshed.wsgi import StartResponse, WSGIEnvironment


HELP = "https://pypi.org/help/"
PROJECT_BYTES = 10 << 30
FILE_BYTES = 100 << 20
AGE = timedelta(days=14)  # of a release that takes new files
CHUNK = 1 << 20
API = "1.4"


@dataclass
class State:
    """What an administrator, or time, has done to the projects of an index: by normalised name, or by file name."""

    statuses: dict[str, tuple[str, str]] = field(default_factory=dict)  # status and reason (PEP 792)
    projects: set[str] = field(default_factory=set)  # that exist whether they have files or not
    yanked: dict[str, str] = field(default_factory=dict)  # file name to reason, which may be empty
    created: dict[tuple[str, str], datetime] = field(default_factory=dict)  # of a release: project and version
    project_bytes: dict[str, int] = field(default_factory=dict)  # limits other than the usual
    file_bytes: dict[str, int] = field(default_factory=dict)


class StandinIndex:
    """The WSGI application of one index, which keeps its files in `folder` and takes `token`.

    A book beside the folder has the file names that were ever used, and for which bytes: a name is taken for ever.
    """

    def __init__(self, folder: Path, token: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder, self.token, self.state = folder, token, State()
        self._book, self._lock = folder.with_suffix(".json"), threading.Lock()

    def __call__(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        method = environ["REQUEST_METHOD"]
        if method == "POST":
            return self._upload(environ, start)
        if method not in {"GET", "HEAD"}:
            return refused(start, 405, "Method Not Allowed")
        body = self._read(environ, start)
        return body if method == "GET" else []

    def _read(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        match [part for part in environ.get("PATH_INFO", "/").split("/") if part]:
            case ["simple"]:
                names = sorted({project_of(path.name) for path in self.files()} | self.state.projects)
                document = {"meta": {"api-version": API}, "projects": [{"name": name} for name in names]}
                links = (f'<a href="{name}/">{name}</a><br>\n' for name in names)
                return page(environ, start, document, "Simple index", links)
            case ["simple", name]:
                return self._project(environ, start, name)
            case ["packages", name] if (path := self._folder / name).is_file():
                size = str(path.stat().st_size)
                start("200 OK", [("Content-Type", "application/octet-stream"), ("Content-Length", size)])
                return pieces(path)
            case []:
                return answer(start, b"A stand-in index of seatrial.\n", "text/plain")
        return refused(start, 404, "Not Found")

    def _upload(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        try:
            with parsed(environ) as upload:
                caveats = self._authenticate(environ)
                stop_if_unfit(upload)
                project = project_of(upload.filename)
                stop_if_forbidden(caveats, project, time.time())
                if self.state.statuses.get(project, ("",))[0] == "archived":
                    sentence = f"The user 'standin' isn't allowed to upload to project {project!r}."
                    raise RefusedError(403, f"{sentence} See {HELP}#project-name for more information.")
                with self._lock:
                    self.accept(upload)
        except RefusedError as error:
            return refused(start, error.status, error.reason)
        return refused(start, 200, "OK")

    def accept(self, upload: Upload) -> bool:
        """Return whether `upload` was stored; False where it is there already, identical. Raises RefusedError."""
        used = {path.name: facts(path)[0] for path in self.files()}
        with contextlib.suppress(FileNotFoundError):
            used = json.loads(self._book.read_text(encoding="utf-8")) | used
        self._stop_if_too_large(upload)
        path = self._folder / upload.filename
        if used.get(path.name) == upload.sha256 and path.exists():
            return False
        self._stop_if_taken(upload, used)
        fresh = self._book.with_suffix(".new")
        fresh.write_text(json.dumps(used | {path.name: upload.sha256}), encoding="utf-8")
        fresh.replace(self._book)
        upload.file.seek(0)
        with path.open("wb") as out:
            shutil.copyfileobj(upload.file, out, CHUNK)
        self.state.created.setdefault(release_of(path.name), datetime.now(timezone.utc))
        return True

    def files(self) -> list[Path]:
        return sorted(path for path in self._folder.iterdir() if path.is_file())

    def _stop_if_too_large(self, upload: Upload) -> None:
        project = project_of(upload.filename)
        limit = self.state.file_bytes.get(project, FILE_BYTES)
        if upload.size > limit:
            sentence = f"File too large. Limit for project {project!r} is {limit >> 20} MB."
            raise RefusedError(400, f"{sentence} See {HELP}#file-size-limit for more information.")
        limit = self.state.project_bytes.get(project, PROJECT_BYTES)
        if upload.size + sum(path.stat().st_size for path in self.files() if project_of(path.name) == project) > limit:
            sentence = f"Project size too large. Limit for project {project!r} total size is {limit >> 30} GB."
            raise RefusedError(400, f"{sentence} See {HELP}#project-size-limit")

    def _stop_if_taken(self, upload: Upload, used: Mapping[str, str]) -> None:
        if upload.filename in used and not (self._folder / upload.filename).exists():
            raise RefusedError(400, "This filename has already been used, use a different version. See " + HELP)
        if upload.filename in used or upload.sha256 in used.values():
            sentence = f"File already exists ('{upload.filename}', with blake2_256 hash '{upload.blake2}'). See {HELP}"
            raise RefusedError(400, sentence)
        release, now = release_of(upload.filename), datetime.now(timezone.utc)
        if now - self.state.created.get(release, now) > AGE:
            raise RefusedError(400, "Uploading new files to releases older than 14 days is not allowed.")
        is_same = (release_of(path.name) == release for path in self.files() if path.name.endswith(".tar.gz"))
        if upload.filename.endswith(".tar.gz") and any(is_same):
            raise RefusedError(400, "Only one sdist may be uploaded per release.")

    def _authenticate(self, environ: WSGIEnvironment) -> tuple[str, ...]:
        """Return the caveats that were added to our token. Raises RefusedError for any other token."""
        kind, _, login = environ.get("HTTP_AUTHORIZATION", "").partition(" ")
        caveats = None
        with contextlib.suppress(ValueError):
            user, _, password = base64.b64decode(login).partition(b":")
            if kind == "Basic" and user == b"__token__":
                caveats = added_caveats(self.token, password.decode())
        if caveats is None:
            sentence = "Invalid or non-existent authentication information."
            raise RefusedError(403, f"{sentence} See {HELP}#invalid-auth for more information.")
        return caveats

    def _project(self, environ: WSGIEnvironment, start: StartResponse, name: str) -> Iterable[bytes]:
        normal = canonicalize_name(name)
        if name != normal:
            return refused(start, 301, "Moved Permanently", ("Location", f"/simple/{quote(normal)}/"))
        files = [path for path in self.files() if project_of(path.name) == normal]
        if not files and normal not in self.state.projects | self.state.statuses.keys():
            return refused(start, 404, "Not Found")
        status, reason = self.state.statuses.get(normal, ("active", ""))
        entries = [] if status == "quarantined" else [self._entry(path) for path in files]
        document = {
            "meta": {"api-version": API, "_last-serial": len(files)},
            "name": normal,
            "project-status": {"status": status} | ({"reason": reason} if reason else {}),
            "versions": sorted({release_of(entry["filename"])[1] for entry in entries}),
            "files": entries,
        }
        return page(environ, start, document, f"Links for {normal}", map(link, entries))

    def _entry(self, path: Path) -> dict[str, Any]:
        stat = path.stat()
        sha256, requires_python = facts(path)
        return {
            "filename": path.name,
            "url": f"/packages/{quote(path.name)}",
            "hashes": {"sha256": sha256},
            "size": stat.st_size,
            "upload-time": datetime.fromtimestamp(stat.st_mtime, timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            "requires-python": requires_python,
            "yanked": self.state.yanked.get(path.name, False) or path.name in self.state.yanked,
            "core-metadata": False,  # none is served beside the file (PEP 658, PEP 714)
            "data-dist-info-metadata": False,
            "provenance": None,
        }


CACHED = (("Cache-Control", "max-age=600, public"), ("Vary", "Accept"))  # whoever forgets to ask anew is found out


def answer(
    start: StartResponse, body: bytes, kind: str, *headers: tuple[str, str], status: str = "200 OK"
) -> list[bytes]:
    start(status, [("Content-Type", kind), ("Content-Length", str(len(body))), *headers])
    return [body]


def refused(start: StartResponse, status: int, reason: str, *headers: tuple[str, str]) -> list[bytes]:
    """Answer with `reason` in the status line, where twine looks for it, and in the body, where uv does."""
    line = f"{status} {reason}"
    return answer(start, f"{line}\n".encode(), "text/plain", *headers, status=line)


def pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        yield from iter(functools.partial(file.read, CHUNK), b"")


def page(
    environ: WSGIEnvironment, start: StartResponse, document: Mapping[str, Any], title: str, links: Iterable[str]
) -> list[bytes]:
    """Answer with a page of the simple repository API: `document` (PEP 691), or the same in HTML (PEP 503, PEP 792).

    HTML is of the type that has a version where that is asked for.
    """
    accepted = environ.get("HTTP_ACCEPT", "")
    if JSON in accepted:
        return answer(start, json.dumps(document).encode(), JSON, *CACHED)
    state = document.get("project-status", {})
    metas = {"pypi:repository-version": API, "pypi:project-status": state.get("status")}
    metas["pypi:project-status-reason"] = state.get("reason")
    meta = "".join(f'<meta name="{name}" content="{html.escape(text)}">\n' for name, text in metas.items() if text)
    text = f"<!DOCTYPE html>\n<html>\n<head>\n{meta}<title>{title}</title>\n</head>\n<body>\n<h1>{title}</h1>\n"
    text += "".join(links) + "</body>\n</html>\n"
    kind = HTML if HTML in accepted else "text/html; charset=utf-8"
    return answer(start, text.encode(), kind, *CACHED)


def link(entry: Mapping[str, Any]) -> str:
    """Return the anchor of a file (PEP 503, PEP 592)."""
    needs = entry["requires-python"]
    more = f' data-requires-python="{html.escape(needs)}"' if needs else ""
    if entry["yanked"]:
        more += f' data-yanked="{html.escape("" if entry["yanked"] is True else entry["yanked"])}"'
    url = f"{entry['url']}#sha256={entry['hashes']['sha256']}"
    return f'<a href="{url}"{more}>{entry["filename"]}</a><br>\n'


def release_of(filename: str) -> tuple[str, str]:
    """Return the normalised project and the version that `filename` names (PEP 427, PEP 625), whatever it is."""
    if filename.endswith(".whl"):
        name, version, *_ = [*filename.split("-"), ""]
    else:
        name, _, version = filename.removesuffix(".tar.gz").rpartition("-")
    return canonicalize_name(name), version


def project_of(filename: str) -> str:
    return release_of(filename)[0]


def facts(path: Path) -> tuple[str, str | None]:
    """Return the hash of the file at `path` and its Requires-Python, None where it has none or cannot be read.

    The file is read again only once it was written again.
    """
    stat = path.stat()
    return _facts(path, stat.st_mtime_ns, stat.st_size)


@functools.cache
def _facts(path: Path, _written: int, _size: int) -> tuple[str, str | None]:
    try:
        requires_python = Archive.open(path).metadata.first("requires-python")
    except BadArchive:
        requires_python = None
    return Dist.from_file(path).sha256, requires_python


def stop_if_forbidden(caveats: Iterable[str], project: str, now: float) -> None:
    """Raise RefusedError, in PyPI's words, where a caveat does not allow an upload for `project` at the time `now`."""
    for caveat in caveats:
        match caveat_value(caveat):
            case [0, int(expires), int(starts)] if not starts <= now < expires:
                raise RefusedError(403, "Invalid API Token: token is expired")
            case [1, [*names]] if project not in names:
                sentence = f"Invalid API Token: project-scoped token is not valid for project: {project!r}"
                raise RefusedError(403, sentence)
            case [0 | 1, *_]:
                continue
            case _:
                raise RefusedError(403, "Invalid API Token: caveat deserialization error")
