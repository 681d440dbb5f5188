"""Which one credential an upload uses: chosen in the open, named, and never shown.

Only twine's process gets it, in its own environment (see `environment.for_upload`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .errors import BadCredential
from .tokens import Token

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .indexes import Index

GITHUB_IDENTITY = ("GITHUB_ACTIONS", "ACTIONS_ID_TOKEN_REQUEST_TOKEN", "ACTIONS_ID_TOKEN_REQUEST_URL")
AUDIENCES = {"pypi.org": "PYPI", "test.pypi.org": "TESTPYPI"}
PAGES = {"pypi.org": "https://pypi.org", "test.pypi.org": "https://test.pypi.org"}


@dataclass(frozen=True)
class Credential:
    """Where the credential comes from, in words, and the variables that hand it to twine."""

    source: str
    variables: Mapping[str, str] = field(repr=False)


def choose(index: Index, outer: Mapping[str, str]) -> Credential:
    """Return the one credential for uploads to `index` that the variables `outer` give.

    In this order of naming, not of preference, since two that disagree are an error: the index's own token variable,
    TWINE_USERNAME with TWINE_PASSWORD, the CI's identity (trusted publishing). With none of them twine looks into
    the keyring. Raises BadCredential.
    """
    given = _token(index, outer) | _pair(index, outer)
    if len(set(given.values())) > 1:
        raise _bad(index, f"{' and '.join(given)} are both set, to different values")
    identity = _identity(index, outer)
    if given and identity:
        raise _bad(index, f"both {' and '.join(given)} and the CI's own identity (trusted publishing) are there")
    if given:
        username, password = next(iter(given.values()))
        return Credential(" and ".join(given), {"TWINE_USERNAME": username, "TWINE_PASSWORD": password})
    source = "the CI's identity (trusted publishing)" if identity else "the keyring, or whatever twine finds"
    return Credential(source, {"TWINE_USERNAME": "__token__"} | identity)


def _token(index: Index, outer: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    value = outer.get(index.token_variable) if index.token_variable else None
    if value is None:
        return {}
    _stop_if_unfit(index, index.token_variable, value)
    return {index.token_variable: ("__token__", value)}


def _pair(index: Index, outer: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    username, password = outer.get("TWINE_USERNAME"), outer.get("TWINE_PASSWORD")
    if password is None:
        if username not in {None, "__token__"}:
            raise _bad(index, "TWINE_USERNAME is set without TWINE_PASSWORD")
        return {}
    _stop_if_unfit(index, "TWINE_PASSWORD", password)
    return {"TWINE_PASSWORD": (username or "__token__", password)}


def _stop_if_unfit(index: Index, variable: str, value: str) -> None:
    """Raise BadCredential where `value` cannot be meant; it is not part of the message."""
    if not value.strip():
        raise _bad(index, f"{variable} is set and empty", variable)
    if value != value.strip() or any(mark in value for mark in "\"' \n\r\t"):
        raise _bad(index, f"the value of {variable} has blanks, line ends or quotes in it", variable)
    location = _location(value)
    if index.token_location and location and location != index.token_location:
        raise _bad(index, f"{variable} holds a token of {location}, not of {index.token_location}", variable)


def _location(value: str) -> str:
    """Return the host an API token was made for, empty for anything else."""
    try:
        return Token.parse(value).location
    except ValueError:
        return ""


def _identity(index: Index, outer: Mapping[str, str]) -> dict[str, str]:
    """Return the variables through which twine gets an identity: GitHub's, or GitLab's for this audience.

    A set counts only where it is whole: every job of GitHub has GITHUB_ACTIONS, and only one with the permission
    ``id-token: write`` has the others.
    """
    if index.is_loopback or index.token_location not in AUDIENCES:
        return {}
    gitlab = ("GITLAB_CI", f"{AUDIENCES[index.token_location]}_ID_TOKEN")
    whole = [names for names in (GITHUB_IDENTITY, gitlab) if all(outer.get(name) for name in names)]
    return {name: outer[name] for names in whole for name in names}


def _bad(index: Index, complaint: str, variable: str = "") -> BadCredential:
    return BadCredential(index.name, complaint, variable or index.token_variable, PAGES.get(index.token_location, ""))
