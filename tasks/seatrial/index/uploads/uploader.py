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
import threading
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
    lock = threading.Lock()

    def tell(document: dict[str, Any]) -> None:
        with lock:
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
        self.url: str = order["url"]
        self.files: list[str] = order["files"]
        self.attested: str = order.get("attested", "")  # the suffix of the attestations, empty without
        self.login = auth.CredentialInput(order.get("username"), order.get("password"))
        self.tell = tell
        self.answers: list[dict[str, Any]] = []
        self.minting: dict[str, Any] = {}

    def run(self) -> dict[str, Any]:
        """Upload the files until one is not taken; return what the index answered, and what became of a token."""
        minted: list[str] = []
        error: dict[str, Any] | None = None
        try:
            self._send(minted)
        except requests.RequestException as lost:
            error = {"reason": f"{type(lost).__name__}: {lost}", "final": bool(self.minting), **self.minting}
        except Exception as refused:  # noqa: BLE001 (a damaged archive makes twine raise anything)
            error = {"reason": f"{type(refused).__name__}: {refused}", "final": True, **self.minting}
        except Ended:
            error = {"reason": "it was ended before it was done"}
        host = urlsplit(self.url).netloc
        notes = [burnt(host, token) for token in dict.fromkeys(minted)]
        return {"event": "done", "answers": self.answers, "error": error, "notes": notes}

    def _send(self, minted: list[str]) -> None:
        setattr(auth, "keyring", None)  # noqa: B010 (twine does not export it; the credential was chosen already)
        options = settings.Settings(
            repository_url=self.url, non_interactive=True, disable_progress_bar=True, attestations=bool(self.attested)
        )
        options.auth = minting(minted)(options.repository_config, self.login)
        with self._watched_minting():
            repository = options.create_repository()
        prepare(repository, self.url)
        try:
            for path in self.files:
                package = PackageFile.from_filename(path, None)
                if self.attested:
                    package.add_attestations([path + self.attested])
                with self._counted(os.path.basename(path)):  # noqa: PTH119 (a string it was, and is)
                    response = repository.upload(package, max_redirects=1)
                self.answers.append({"file": package.basefilename, **answer(response)})
                if response.status_code != requests.codes.ok:
                    return
        finally:
            repository.close()

    @contextlib.contextmanager
    def _watched_minting(self) -> Iterator[None]:
        """Keep what the index answers to the CI's identity, and the claims of that, as long as the context lasts."""
        make = utils.make_requests_session

        def watched() -> requests.Session:
            session = make()
            session.hooks["response"].append(self._note_minting)
            return session

        utils.make_requests_session = watched
        try:
            yield
        finally:
            utils.make_requests_session = make

    def _note_minting(self, response: requests.Response, **_: Any) -> None:
        if response.ok or not urlsplit(response.url).path.startswith(OIDC):
            return
        self.minting = {"status": response.status_code}
        with contextlib.suppress(ValueError, KeyError, TypeError, AttributeError):
            sent: Any = response.request.body
            document = response.json()
            self.minting["body"] = str(document.get("message", ""))
            self.minting["errors"] = [(error["code"], error["description"]) for error in document["errors"]]
            self.minting["claims"] = claims(json.loads(sent)["token"])

    @contextlib.contextmanager
    def _counted(self, name: str) -> Iterator[None]:
        """Tell how many bytes of the file `name` were sent, as long as the context lasts."""
        make, told = requests_toolbelt.MultipartEncoderMonitor, [0]

        def monitor(encoder: Any, callback: Any) -> Any:
            def both(progress: Any) -> None:
                callback(progress)
                if progress.bytes_read - told[0] >= EVERY:
                    told[0] = progress.bytes_read
                    self.tell({"event": "progress", "file": name, "sent": progress.bytes_read})

            return make(encoder, both)

        self.tell({"event": "progress", "file": name, "sent": 0})
        requests_toolbelt.MultipartEncoderMonitor = monitor
        try:
            yield
        finally:
            requests_toolbelt.MultipartEncoderMonitor = make


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


def minting(minted: list[str]) -> type[auth.Private]:
    """Return twine's class of credentials that ask nobody; what it mints is put into `minted`."""

    class Remembering(auth.Private):
        def make_trusted_publishing_token(self) -> str | None:
            token = super().make_trusted_publishing_token()
            if token:
                minted.append(token)
            return token

    return Remembering


def claims(token: str) -> list[tuple[str, str]]:
    """Return what a CI's identity (a JSON web token) says of the job: nothing of it is secret but its signature."""
    payload = token.split(".")[1]
    document = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return [(name, value) for name, value in document.items() if isinstance(value, str)]


def burnt(host: str, token: str) -> str:
    """Have the index at `host` end `token`; return in words what came of it. Nothing is raised: the upload is done."""
    try:
        response = utils.make_requests_session().post(
            f"https://{host}{OIDC}burn-token", json={"token": token}, timeout=LIMIT
        )
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
