"""twine as it is on the command line, with two things more: ``posting.py upload ...``, in a virtualenv that has twine.

Words and exit code are those of twine. It shows the answer of an index without its headers, so how long an index that
refuses asks to be left alone (Retry-After, RFC 9110) stands on a line of its own before them. And the token that its
trusted publishing minted is burnt: twine keeps it in its own process and leaves it to expire after 15 minutes, while an
index may let whoever holds one end it at once, as PyPI does: ``POST /_/oidc/burn-token`` (warehouse#20197).
"""

from __future__ import annotations

import functools
import signal
import sys
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

NOTE = "seatrial: "  # begins the lines that are ours in twine's output
PATH = "/_/oidc/burn-token"
LIMIT = 5.0  # seconds, as twine gives the minting
ACCEPTED, NOT_FOUND = 202, 404
EXPIRES = "it ends by itself 15 minutes after it was minted"


def main() -> Any:
    """Do what the command ``twine`` does with these arguments; return its exit code. What was minted is burnt."""
    import requests  # noqa: PLC0415 (these are there in the session's virtualenv only)
    from twine import __main__ as command  # noqa: PLC0415
    from twine import auth, cli  # noqa: PLC0415

    minted: dict[str, str] = {}  # and the host that did it
    cli.dispatch = telling(cli.dispatch, requests.HTTPError)
    auth.Private = remembering(auth.Private, minted)  # type: ignore[misc]
    signal.signal(signal.SIGTERM, _exit)
    try:
        return command.main()
    finally:
        for token, host in minted.items():
            print(NOTE + burnt(host, token), flush=True)


def telling(dispatch: Callable[..., Any], refusal: type[Exception]) -> Callable[..., Any]:
    """Return `dispatch`, which prints the Retry-After of a `refusal` before it raises it."""

    @functools.wraps(dispatch)
    def told(*args: Any) -> Any:
        try:
            return dispatch(*args)
        except refusal as refused:
            answer: Any = getattr(refused, "response", None)
            if answer is not None and (asked := answer.headers.get("Retry-After")):
                print(f"Retry-After: {asked}", flush=True)
            raise

    return told


def remembering(private: Any, minted: dict[str, str]) -> Any:
    """Return twine's class `private` of credentials that ask nobody; what it has minted is put into `minted`."""

    class Remembering(private):  # type: ignore[misc]
        def make_trusted_publishing_token(self) -> str | None:
            token: str | None = super().make_trusted_publishing_token()
            if token:
                minted[token] = urlsplit(self.system or "").netloc
            return token

    return Remembering


def burnt(host: str, token: str) -> str:
    """Have the index at `host` end `token`; return in words what came of it. Nothing is raised: the upload is done."""
    import requests  # noqa: PLC0415 (as above)
    from twine import utils  # noqa: PLC0415

    try:
        answer = utils.make_requests_session().post(f"https://{host}{PATH}", json={"token": token}, timeout=LIMIT)
    except requests.RequestException as error:
        return f"the minted token could not be burnt ({type(error).__name__}); {EXPIRES}"
    if answer.status_code == ACCEPTED:
        return f"the minted token is burnt: {host} takes it no more"
    if answer.status_code == NOT_FOUND:
        return f"{host} does not offer to burn the minted token; {EXPIRES}"
    return f"the minted token could not be burnt (HTTP {answer.status_code}); {EXPIRES}"


def _exit(number: int, _frame: FrameType | None) -> None:
    """Leave as an exception does, so that what is to be done in the end is done."""
    sys.exit(128 + number)


if __name__ == "__main__":
    sys.exit(main())
