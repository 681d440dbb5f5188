"""An upload as it comes over HTTP: a form (``multipart/form-data``) with a file in it, as twine and uv send it."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import re
from typing import TYPE_CHECKING, BinaryIO

import multipart

from seatrial.machine.values import Value

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from _typeshed.wsgi import WSGIEnvironment

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+!-]*")
CHUNK = 1 << 20  # bytes of a file that are in memory at a time
PARTS = 10_000  # fields of a form: one for each classifier and each requirement


class RefusedError(Exception):
    """An upload that PyPI would not take: status code and the sentence it gives."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


class Upload(Value):
    """An uploaded file, which may be too large for memory, its digests, and the form fields that came with it."""

    filename: str
    file: BinaryIO
    sha256: str
    blake2: str
    size: int
    fields: Mapping[str, str]

    @classmethod
    def of(cls, filename: str, file: BinaryIO, fields: Mapping[str, str]) -> Upload:
        sha256, blake2, size = hashlib.sha256(), hashlib.blake2b(digest_size=32), 0
        file.seek(0)
        for chunk in iter(functools.partial(file.read, CHUNK), b""):
            sha256.update(chunk)
            blake2.update(chunk)
            size += len(chunk)
        return cls(filename, file, sha256.hexdigest(), blake2.hexdigest(), size, fields)


@contextlib.contextmanager
def parsed(environ: WSGIEnvironment) -> Iterator[Upload]:
    """Yield the file in a request, which is on disk if it is large. Raises RefusedError, also for what is no form."""
    kind, options = multipart.parse_options_header(environ.get("CONTENT_TYPE", ""))
    boundary, length = options.get("boundary"), int(environ.get("CONTENT_LENGTH") or 0)
    fields: dict[str, str] = {}
    filename: str = ""
    file: BinaryIO | None = None
    parts: Iterable[multipart.MultipartPart] = ()
    if kind == "multipart/form-data" and boundary:
        parts = multipart.MultipartParser(environ["wsgi.input"], boundary, length, part_limit=PARTS, strict=True)
    with contextlib.ExitStack() as stack:
        try:
            for part in parts:
                stack.callback(part.close)
                if part.name == "content":
                    filename, file = part.filename or "", part.file
                else:
                    fields[part.name] = part.raw.decode("utf-8", "replace")
        except multipart.MultipartError:
            raise RefusedError(400, "The request was cut short, or is no form.") from None
        if fields.get(":action") != "file_upload":
            raise RefusedError(405 if fields.get(":action") == "remove_pkg" else 400, "Unknown or missing :action")
        if not filename or file is None:
            raise RefusedError(400, "Upload payload does not have a file.")
        yield Upload.of(filename, file, fields)


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
