"""A program of its own that uploads with twine: ``python -I -m seatrial.index.uploads.uploader``.

Each line of standard input is a JSON document that says what goes where, and with which credential, so that no other
process sees it. On standard output are lines of JSON: how far the upload is, and at last one document with the answer
of the index for each file, as it came. The token that twine's trusted publishing minted is burnt: twine leaves it to
expire after 15 minutes, while an index may let whoever holds one end it at once: ``POST /_/oidc/burn-token``
(warehouse#20197).
"""

from __future__ import annotations

import base64
import contextlib
import gc
import html
import io
import json
import os
import re
import signal
import sys
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import requests
import requests_toolbelt
from twine import auth, settings, utils
from twine.package import PackageFile

from seatrial.index.indexes import is_loopback
from seatrial.machine import variables

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

    from twine.repository import Repository

OIDC = "/_/oidc/"
LIMIT = 5.0  # seconds, as twine gives the minting
ACCEPTED, NOT_FOUND = 202, 404
EXPIRES = "it ends by itself 15 minutes after it was minted"
BODY_BYTES = 1 << 16  # of an answer; more is no sentence
PIECE = 4096
EVERY = 1 << 20  # bytes between two signs of progress
SPACES, TAGS = re.compile(r"\s+"), re.compile(r"(?s)<(style|script|title)\b.*?</\1>|<[^>]*>")


class Ended(BaseException):
    """A signal that ends this program: what is to be done in the end is done."""


def main() -> None:
    """Read what to upload, do it, and write what came of it, until the input ends."""
    variables.lock_memory()
    signal.signal(signal.SIGTERM, _end)
    out = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")

    def tell(document: dict[str, Any]) -> None:
        out.write(json.dumps(document) + "\n")
        out.flush()

    for line in sys.stdin:
        said = io.StringIO()  # what twine prints; its log goes to standard error
        with contextlib.redirect_stdout(said):
            document = Upload(json.loads(line), tell).run()
        tell({**document, "output": said.getvalue()})


class Upload:
    """One run of twine: `order` is the document that was read, `tell` writes a line."""

    def __init__(self, order: dict[str, Any], tell: Callable[[dict[str, Any]], None]) -> None:
        self.order, self.tell = order, tell
        self.answers: list[dict[str, Any]] = []
        self.minted: list[str] = []  # tokens
        self.minting: dict[str, Any] = {}  # how the index answered where it minted none
        self.sending, self.told = "", 0  # the file, and how many of its bytes were told

    def run(self) -> dict[str, Any]:
        """Upload the files until one is not taken; return what the index answered, and what became of a token."""
        error: dict[str, Any] | None = None
        try:
            self._send()
        except requests.RequestException as lost:
            error = {"reason": f"{type(lost).__name__}: {lost}", "final": bool(self.minting), **self.minting}
        except Exception as refused:  # noqa: BLE001 (a damaged archive makes twine raise anything)
            error = {"reason": f"{type(refused).__name__}: {refused}", "final": True, **self.minting}
        except Ended:
            error = {"reason": "it was ended before it was done"}
        host = urlsplit(self.order["url"]).netloc
        notes = [burnt(host, token) for token in dict.fromkeys(self.minted)]
        return {"event": "done", "answers": self.answers, "error": error, "notes": notes}

    def _send(self) -> None:
        setattr(auth, "keyring", None)  # noqa: B010 (twine does not export it; the credential was chosen already)
        suffix = self.order.get("attested", "")  # of the attestations, empty without
        options = settings.Settings(
            repository_url=self.order["url"],
            username=self.order.get("username"),
            password=self.order.get("password"),
            non_interactive=True,
            disable_progress_bar=True,
            attestations=bool(suffix),
        )
        with self._watching(), contextlib.closing(options.create_repository()) as repository:
            prepare(repository, self.order["url"])
            for path in self.order["files"]:
                package = PackageFile.from_filename(path, None)
                if suffix:
                    package.add_attestations([path + suffix])
                self.sending = os.path.basename(path)  # noqa: PTH119 (a string it was, and is)
                self._tell_sent(0)
                response = repository.upload(package, max_redirects=1)
                self.answers.append({"file": package.basefilename, **answer(response)})
                if response.status_code != requests.codes.ok:
                    return

    @contextlib.contextmanager
    def _watching(self) -> Iterator[None]:
        """Keep what the index answers to the CI's identity, and tell what is sent, as long as the context lasts."""
        make_session, make_monitor = utils.make_requests_session, requests_toolbelt.MultipartEncoderMonitor

        def session() -> requests.Session:
            made = make_session()
            made.hooks["response"].append(self._note_minting)
            return made

        def monitor(encoder: Any, callback: Any) -> Any:
            def both(progress: Any) -> None:
                callback(progress)
                if progress.bytes_read - self.told >= EVERY:
                    self._tell_sent(progress.bytes_read)

            return make_monitor(encoder, both)

        utils.make_requests_session, requests_toolbelt.MultipartEncoderMonitor = session, monitor
        try:
            yield
        finally:
            utils.make_requests_session, requests_toolbelt.MultipartEncoderMonitor = make_session, make_monitor

    def _tell_sent(self, count: int) -> None:
        self.told = count
        self.tell({"event": "progress", "file": self.sending, "sent": count})

    def _note_minting(self, response: requests.Response, **_: Any) -> None:
        """Keep what the index makes of the CI's identity: a token; before anything is sent, an error and the claims."""
        if not urlsplit(response.url).path.startswith(OIDC):
            return
        with contextlib.suppress(ValueError, KeyError, TypeError, AttributeError):
            if response.ok:
                self.minted.append(str(response.json()["token"]))
            elif not self.sending:
                self.minting = {"status": response.status_code}
                sent: Any = response.request.body
                document = response.json()
                self.minting["body"] = str(document.get("message", ""))
                self.minting["errors"] = [(error["code"], error["description"]) for error in document["errors"]]
                self.minting["claims"] = claims(json.loads(sent)["token"])


def prepare(repository: Repository, url: str) -> None:
    """Have the answers read in bounds, and no proxy in front of this machine."""
    session = repository.session
    session.stream = True
    session.headers["Accept-Encoding"] = "identity"
    if is_loopback(url):
        session.trust_env = False


def answer(response: requests.Response) -> dict[str, Any]:
    """Return what an index answered, its words as text, at most BODY_BYTES of them."""
    body = bytearray()
    with contextlib.suppress(requests.RequestException):
        for piece in response.iter_content(PIECE):
            body += piece
            if len(body) >= BODY_BYTES:
                break
    response.close()
    text = body[:BODY_BYTES].decode("utf-8", "replace")
    is_html = "html" in response.headers.get("Content-Type", "") or text.lstrip().startswith("<")
    where = response.headers.get("Location", "")
    return {
        "status": response.status_code,
        "reason": decoded(response.reason or "") + (f" to {where}" if where else ""),
        "retry_after": response.headers.get("Retry-After", ""),
        "body": SPACES.sub(" ", html.unescape(TAGS.sub(" ", text)) if is_html else text).strip(),
    }


def decoded(reason: str) -> str:
    """Return the words of a status line, which http.client reads as Latin-1 and servers write in UTF-8."""
    try:
        return reason.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return reason


def claims(token: str) -> list[tuple[str, str]]:
    """Return what a CI's identity (a JSON web token) says of the job: nothing of it is secret but its signature."""
    payload = token.split(".")[1]
    document = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return [(name, value) for name, value in document.items() if isinstance(value, str)]


def burnt(host: str, token: str) -> str:
    """Have the index at `host` end `token`; return in words what came of it. Nothing is raised: the upload is done."""
    try:
        url = f"https://{host}{OIDC}burn-token"
        response = utils.make_requests_session().post(url, json={"token": token}, timeout=LIMIT)
    except requests.RequestException as error:
        return f"the minted token could not be burnt ({type(error).__name__}); {EXPIRES}"
    if response.status_code == ACCEPTED:
        return f"the minted token is burnt: {host} takes it no more"
    if response.status_code == NOT_FOUND:
        return f"{host} does not offer to burn the minted token; {EXPIRES}"
    return f"the minted token could not be burnt (HTTP {response.status_code}); {EXPIRES}"


def _end(_number: int, _frame: FrameType | None) -> None:
    raise Ended


if __name__ == "__main__":
    try:
        main()
    finally:
        gc.freeze()  # at its end the interpreter would look for garbage in all that twine loads
