"""Servers on this machine: a WSGI application in threads of this process, and the two stand-in indexes of a dry run."""

from __future__ import annotations

import contextlib
import threading
from socketserver import ThreadingMixIn
from typing import TYPE_CHECKING
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from seatrial.index.tokens import make
from seatrial.machine.errors import ReleaseError
from seatrial.standin.indexes import LOCATIONS, Standins
from seatrial.standin.server import StandinIndex

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from _typeshed.wsgi import WSGIApplication


class StandinFailed(ReleaseError):
    reason: str

    what = "The stand-in indexes did not start: {e.reason}"
    cause = "a firewall or security program that blocks servers on 127.0.0.1."
    cure = "let Python listen on 127.0.0.1, and run this again."


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
