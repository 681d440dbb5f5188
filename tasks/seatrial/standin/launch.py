"""Servers on this machine: a WSGI application in threads of this process, and the two stand-in indexes of a dry run."""

from __future__ import annotations

import contextlib
import threading
from dataclasses import field, replace
from socketserver import ThreadingMixIn
from typing import TYPE_CHECKING
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from seatrial.index.indexes import Index, Indexes
from seatrial.index.tokens import make
from seatrial.machine.errors import ReleaseError
from seatrial.machine.values import Value
from seatrial.standin.server import StandinIndex

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from _typeshed.wsgi import WSGIApplication

# What their tokens name: a real token is of another index here, and theirs is of another index anywhere else.
LOCATIONS = {"testpypi": "testpypi.localhost", "pypi": "pypi.localhost"}


class StandinFailed(ReleaseError):
    reason: str

    what = "The stand-in indexes did not start: {e.reason}"
    cause = "a firewall or security program that blocks servers on 127.0.0.1."
    cure = "let Python listen on 127.0.0.1, and run this again."


class Standins(Value):
    """The two indexes while they are served: their URLs, the tokens they take, and the folder with their files.

    `folder` holds ``testpypi/`` and ``pypi/``. `tokens` are variables with the names under which credentials are looked
    up.
    """

    folder: Path
    testpypi: str
    pypi: str
    tokens: Mapping[str, str] = field(repr=False)
    apps: Mapping[str, StandinIndex] = field(repr=False, compare=False)

    def replacing(self, indexes: Indexes) -> Indexes:
        """Return `indexes` with both places of uploads replaced; dependencies come from where they always do."""
        return replace(indexes, testpypi=self.rehearsal(indexes.testpypi), pypi=self.release(indexes.pypi))

    def rehearsal(self, index: Index) -> Index:
        """Return the first of the two in the place of `index`, whose variables and name it has."""
        return _standing_in(index, self.testpypi, LOCATIONS["testpypi"])

    def release(self, index: Index) -> Index:
        """Return the second of the two in the place of `index`, whose variables and name it has."""
        return _standing_in(index, self.pypi, LOCATIONS["pypi"])


def _standing_in(index: Index, url: str, location: str) -> Index:
    return Index(
        f"{index.name} (stand-in)",
        simple=f"{url}/simple/",
        upload=f"{url}/legacy/",
        token_variable=index.token_variable,
        token_location=location if index.is_public else "",
    )


@contextlib.contextmanager
def serve(folder: Path) -> Iterator[Standins]:
    """Serve both stand-ins out of `folder`, as long as the context lasts. Raises StandinFailed.

    Files that lie in ``folder/testpypi`` and ``folder/pypi`` already are served too.
    """
    tokens = {name: make(location) for name, location in LOCATIONS.items()}
    apps = {name: StandinIndex(folder / name, token) for name, token in tokens.items()}
    with contextlib.ExitStack() as stack:
        try:
            urls = {name: stack.enter_context(serving(app)) for name, app in apps.items()}
        except OSError as error:
            raise StandinFailed(str(error)) from None
        variables = {f"{name.upper()}_TOKEN": token for name, token in tokens.items()}
        yield Standins(folder, urls["testpypi"], urls["pypi"], variables, apps)


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _Quiet(WSGIRequestHandler):
    def log_message(self, *_: object) -> None:
        """Keep requests off the terminal."""


@contextlib.contextmanager
def serving(app: WSGIApplication) -> Iterator[str]:
    """Serve `app` on a free port of 127.0.0.1 in a thread of its own; yield its URL."""
    with make_server("127.0.0.1", 0, app, server_class=_Server, handler_class=_Quiet) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
