"""The token that trusted publishing minted is burnt, however twine ends. What an index does: test_publish.py."""

from __future__ import annotations

import signal
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
import requests
import twine.__main__
from twine import auth, utils

from seatrial.index import uploader

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

HOST = "index.example"


@dataclass
class Session:
    """In the place of a session of requests: keeps what is posted."""

    answer: int | Exception = uploader.ACCEPTED
    posted: list[tuple[str, Any]] = field(default_factory=list)

    def post(self, url: str, *, json: Any, timeout: float) -> requests.Response:
        assert timeout == uploader.LIMIT
        self.posted.append((url, json))
        if isinstance(self.answer, Exception):
            raise self.answer
        response = requests.Response()
        response.status_code = self.answer
        return response


@pytest.fixture
def network(monkeypatch: pytest.MonkeyPatch) -> Session:
    made = Session()
    monkeypatch.setattr(utils, "make_requests_session", lambda: made)
    return made


@pytest.fixture
def twine_is(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Callable[[], Any]], None]]:
    """Put a function in the place of twine's own `main`; what is set for the process is restored."""
    before = signal.getsignal(signal.SIGTERM)
    monkeypatch.setattr(auth, "Private", auth.Private)
    yield lambda main: monkeypatch.setattr(twine.__main__, "main", main)
    signal.signal(signal.SIGTERM, before)


def mint(monkeypatch: pytest.MonkeyPatch, token: str | None) -> None:
    """Do what twine does without a terminal: choose the resolver and have it mint."""
    monkeypatch.setattr(auth.Resolver, "make_trusted_publishing_token", lambda _: token)
    resolver = auth.Resolver.choose(interactive=False)(
        {"repository": f"https://{HOST}/legacy/"}, auth.CredentialInput()
    )
    assert resolver.make_trusted_publishing_token() == token


def test_what_was_minted_is_burnt_once(
    monkeypatch: pytest.MonkeyPatch, network: Session, twine_is: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    def main() -> int:
        mint(monkeypatch, "pypi-minted")
        mint(monkeypatch, "pypi-minted")
        return 3

    twine_is(main)
    assert uploader.main() == 3
    assert network.posted == [(f"https://{HOST}/_/oidc/burn-token", {"token": "pypi-minted"})]
    assert capsys.readouterr().out == f"seatrial: the minted token is burnt: {HOST} takes it no more\n"


@pytest.mark.parametrize("end", [RuntimeError, SystemExit, KeyboardInterrupt])
def test_it_is_burnt_when_twine_breaks(
    monkeypatch: pytest.MonkeyPatch, network: Session, twine_is: Any, end: type[BaseException]
) -> None:
    def main() -> None:
        mint(monkeypatch, "pypi-minted")
        raise end

    twine_is(main)
    with pytest.raises(end):
        uploader.main()
    assert len(network.posted) == 1


def test_it_is_burnt_when_the_upload_is_ended(monkeypatch: pytest.MonkeyPatch, network: Session, twine_is: Any) -> None:
    def main() -> None:
        mint(monkeypatch, "pypi-minted")
        signal.raise_signal(signal.SIGTERM)

    twine_is(main)
    with pytest.raises(SystemExit) as end:
        uploader.main()
    assert end.value.code == 128 + signal.SIGTERM
    assert len(network.posted) == 1


def test_where_nothing_was_minted_nothing_is_burnt(
    monkeypatch: pytest.MonkeyPatch, network: Session, twine_is: Any
) -> None:
    twine_is(lambda: mint(monkeypatch, None))
    uploader.main()
    assert network.posted == []


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (202, f"the minted token is burnt: {HOST} takes it no more"),
        (404, f"{HOST} does not offer to burn the minted token; {uploader.EXPIRES}"),
        (500, f"the minted token could not be burnt (HTTP 500); {uploader.EXPIRES}"),
        (
            requests.ConnectionError("a-secret"),
            f"the minted token could not be burnt (ConnectionError); {uploader.EXPIRES}",
        ),
    ],
)
def test_what_came_of_it_is_said_and_stops_nothing(network: Session, answer: int | Exception, words: str) -> None:
    network.answer = answer
    assert uploader.burnt(HOST, "pypi-minted") == words
