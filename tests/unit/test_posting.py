"""The pause that an index asks for in a header is told beside twine's own words."""

from __future__ import annotations

from typing import NoReturn

import pytest
import requests

from seatrial.index.uploader import telling


def refusing(headers: dict[str, str] | None) -> requests.HTTPError:
    if headers is None:
        return requests.HTTPError("no answer at all")
    answer = requests.Response()
    answer.headers.update(headers)
    return requests.HTTPError("429", response=answer)


@pytest.mark.parametrize(
    ("headers", "told"),
    [
        ({"retry-after": "17"}, "Retry-After: 17\n"),
        ({"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT"}, "Retry-After: Wed, 21 Oct 2026 07:28:00 GMT\n"),
        ({}, ""),
        (None, ""),
    ],
)
def test_a_refusal_tells_the_pause_and_stays_one(
    headers: dict[str, str] | None, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    error = refusing(headers)

    def dispatch(_argv: list[str]) -> NoReturn:
        raise error

    with pytest.raises(requests.HTTPError) as met:
        telling(dispatch, requests.HTTPError)(["upload"])
    assert met.value is error
    assert capsys.readouterr().out == told


def test_what_is_no_refusal_passes(capsys: pytest.CaptureFixture[str]) -> None:
    assert telling(lambda argv: argv, requests.HTTPError)(["upload"]) == ["upload"]
    with pytest.raises(ZeroDivisionError):
        telling(lambda _argv: 1 // 0, requests.HTTPError)([])
    assert capsys.readouterr().out == ""
