"""Which one credential an upload uses: chosen in the open, read before it is used, narrowed, and never shown.

Only the uploader's process gets it. A token of PyPI or TestPyPI goes to that index and to no other host, whatever is
configured.
"""

from __future__ import annotations

import contextlib
import functools
import getpass
import warnings
from dataclasses import field, replace
from datetime import datetime, timezone
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from seatrial.index.tokens import EXPIRATION, PREFIX, PROJECT_NAMES, Token, narrow, withheld
from seatrial.machine import terminal
from seatrial.machine.errors import ReleaseError
from seatrial.machine.values import Value

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from seatrial.index.indexes import Index

TOKEN_USER = "__token__"  # noqa: S105 (the user name that goes with an API token)
GITHUB_IDENTITY = ("GITHUB_ACTIONS", "ACTIONS_ID_TOKEN_REQUEST_TOKEN", "ACTIONS_ID_TOKEN_REQUEST_URL")
AUDIENCES = {"pypi.org": "PYPI", "test.pypi.org": "TESTPYPI"}
TYPED = "the terminal"  # the source of a credential that somebody typed
LIFETIME = 900  # seconds a narrowed token lives: as long as one that trusted publishing mints
ANY_ENVIRONMENT = "what `environment:` of this job says, or empty where it says nothing"
CALLED = " (in a reusable workflow: the name of the file that is called, not of the one that calls it)"
NO_ENVIRONMENT = "(empty)"
SLACK = 60  # seconds that this machine's clock may be ahead of the index's


class BadCredential(ReleaseError):
    index: str
    complaint: str
    reason: str
    variable: str
    links: str

    what = "No upload to {e.index}: {e.complaint}"
    cause = "{e.reason}"
    cure = "put one API token into {e.variable}, and unset the others.{e.links}"


class NoCredential(ReleaseError):
    index: str
    ignored: str
    variable: str
    links: str
    otherwise: str

    what = "No upload to {e.index}: no credential found.{e.ignored}"
    cause = "{e.variable} is not set here; in CI, a secret not passed to this step, or a job without an identity."
    cure = "put an API token into {e.variable}.{e.links}{e.otherwise}"


class Credential(Value):
    """Where the credential comes from, in words, and what it is: user name and secret, or a CI's identity.

    `secret` is a token or password, empty for an identity, which is obtained through the variables in `identity`.
    """

    source: str
    secret: str = field(default="", repr=False)
    username: str = TOKEN_USER
    identity: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def token(self) -> Token | None:
        """What the API token says of itself; None for anything else, and for a format that is not known."""
        with contextlib.suppress(ValueError):
            return Token.parse(self.secret)
        return None


def choose(index: Index, outer: Mapping[str, str]) -> Credential | None:
    """Return the one credential for uploads to `index` that the variables `outer` give, None for none.

    In this order of naming, not of preference, since two that disagree are an error: the index's own token variable,
    TWINE_USERNAME with TWINE_PASSWORD, the CI's identity (trusted publishing). Raises BadCredential.
    """
    one, other = (outer.get(f"{name}_TOKEN", "") for name in AUDIENCES.values())
    if index.token_location and one.strip() and one == other:
        complaint = "PYPI_TOKEN and TESTPYPI_TOKEN have the same value; the two indexes share no tokens"
        raise _bad(index, complaint, "one token was copied into both variables.")
    given = {}
    if index.token_variable and (value := outer.get(index.token_variable)) is not None:
        stop_if_unfit(index, index.token_variable, value)
        given[index.token_variable] = (user_of(index, outer), value)
    given |= _pair(index, outer)
    if len(set(given.values())) > 1:
        raise _bad(index, f"{' and '.join(given)} are both set, to different values", "one of them is left over.")
    has_one = not index.is_loopback and index.token_location in AUDIENCES
    identity = ci_identity(outer, f"{AUDIENCES[index.token_location]}_ID_TOKEN") if has_one else {}
    if given and identity:
        complaint = f"{' and '.join(given)} and the CI's own identity (trusted publishing) are both present"
        raise _bad(index, complaint, "a stored token that trusted publishing has replaced.")
    if given:
        username, password = next(iter(given.values()))
        return Credential(" and ".join(given), password, username)
    if identity:
        return Credential("the CI's identity (trusted publishing)", identity=identity)
    return None


def set_aside(index: Index, outer: Mapping[str, str]) -> str:
    """Say which credential in `outer` is readable as one of another index, and is not used; empty for none."""
    location = _elsewhere(index, outer.get("TWINE_PASSWORD", ""))
    return f"TWINE_PASSWORD is a token for {location}, not for {index.token_location}" if location else ""


def find(
    index: Index, outer: Mapping[str, str], *, keyring: Callable[[str], str], ask: Callable[[], str] | None
) -> Credential:
    """Return the one credential for uploads to `index`: of the variables, else of the keyring, else as typed.

    `keyring` is asked for a user name; `ask` is None where nobody can type. Raises BadCredential and NoCredential.
    """
    if chosen := choose(index, outer):
        return chosen
    user = user_of(index, outer)
    for source, look in (("the keyring", functools.partial(keyring, user)), (TYPED, ask)):
        if look and (secret := look()).strip():
            stop_if_unfit(index, f"the credential from {source}", secret, variable=False)
            return Credential(source, secret, user)
    aside = set_aside(index, outer)
    ignored = f" {aside}, so it is ignored." if aside else ""
    otherwise = f" A password works too; its user name goes into {index.user_variable}."
    if index.pages:
        otherwise = " A trusted publisher needs none: `permissions: id-token: write` on GitHub, `id_tokens:` on GitLab."
    raise NoCredential(index.name, ignored, index.token_variable, _account_links(index), otherwise)


def ask_terminal(index: Index) -> str:
    """Have a token typed or pasted without showing it; empty where nothing is, or where it would be shown."""
    made = f", made on {index.pages}/manage/account/token/" if index.pages else ""
    with warnings.catch_warnings(), terminal.undisturbed():
        warnings.simplefilter("error", getpass.GetPassWarning)
        try:
            return getpass.getpass(f"API token for {index.name}{made} (it is not shown): ").strip()
        except (EOFError, getpass.GetPassWarning):
            return ""


def user_of(index: Index, outer: Mapping[str, str]) -> str:
    """Return the user name that goes with a token of `index`; the users of PyPI and TestPyPI have none there."""
    return ("" if index.is_public else outer.get(index.user_variable, "")) or TOKEN_USER


def _pair(index: Index, outer: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    username, password = outer.get("TWINE_USERNAME"), outer.get("TWINE_PASSWORD")
    if password is None:
        if username not in {None, TOKEN_USER}:
            raise _bad(index, "TWINE_USERNAME is set without TWINE_PASSWORD", "an undefined CI secret.")
        return {}
    if set_aside(index, outer):
        return {}
    if index.token_location and username not in {None, TOKEN_USER}:
        complaint = f"TWINE_USERNAME is not {TOKEN_USER}; {index.name} accepts only API tokens"
        raise _bad(index, complaint, "a user name and password, from before there were API tokens.", "TWINE_PASSWORD")
    stop_if_unfit(index, "TWINE_PASSWORD", password)
    return {"TWINE_PASSWORD": (username or TOKEN_USER, password)}


def stop_if_unfit(index: Index, name: str, value: str, *, variable: bool = True) -> None:
    """Raise BadCredential where `value` cannot be meant; it is not part of the message."""
    fix = name if variable else ""
    if not value.strip():
        raise _bad(index, f"{name} is set but empty", "an undefined CI secret gives an empty variable.", fix)
    unfit = "\"' \n\r\t" if index.token_location else "\n\r"  # a password of another index may be a sentence
    if value != value.strip() or any(mark in value for mark in unfit):
        raise _bad(index, f"{name} contains spaces, line breaks or quotes", "they were copied with the token.", fix)
    if index.token_location and not value.startswith(PREFIX):
        complaint = f"{name} does not begin with {PREFIX}, as an API token does"
        raise _bad(index, complaint, "a password, or a token's name in place of the token.", fix)
    if location := _elsewhere(index, value):
        swapped = f"the two tokens are swapped: this one belongs in {AUDIENCES.get(location)}_TOKEN."
        complaint = f"{name} is a token for {location}, not for {index.token_location}"
        raise _bad(index, complaint, swapped if location in AUDIENCES else "it is for another index.", fix)
    if reason := withheld(value, index.upload or index.simple):
        host = urlsplit(index.upload or index.simple).netloc
        complaint = f"{name} is not sent to {host}: {reason.removesuffix('.')}"
        raise _bad(index, complaint, "an address in [tool.seatrial.indexes] that the token was not made for.", fix)


def _elsewhere(index: Index, value: str) -> str:
    """Return the host that the API token `value` was made for, where that is another than the one of `index`."""
    try:
        location = Token.parse(value.strip()).location
    except ValueError:
        return ""
    return location if index.token_location and location != index.token_location else ""


def ci_identity(outer: Mapping[str, str], gitlab: str) -> dict[str, str]:
    """Return the variables through which a CI's identity is had, GitHub's or GitLab's (in `gitlab`); empty for none.

    A set counts only where it is whole: every job of GitHub has GITHUB_ACTIONS, and only one with the permission
    ``id-token: write`` has the others.
    """
    whole = (names for names in (GITHUB_IDENTITY, ("GITLAB_CI", gitlab)) if all(map(outer.get, names)))
    return {name: outer[name] for name in next(whole, ())}


def _bad(index: Index, complaint: str, reason: str, variable: str = "") -> BadCredential:
    return BadCredential(index.name, complaint, reason, variable or index.token_variable, _account_links(index))


def _account_links(index: Index) -> str:
    """Return where an account and a token are made, empty for an index whose site is not known."""
    pages = index.pages
    return f" Account: {pages}/account/register/  Token: {pages}/manage/account/token/" if pages else ""


def stop_if_useless(credential: Credential, index: Index, project: str, now: float) -> None:
    """Raise BadCredential where the token says itself that `index` will not take it for `project`, or not now.

    `project` is the normalised name. What a token does not say is left to the index.
    """
    if not (token := credential.token):
        return
    scope, held = token.scope, f"{credential.source} holds a token"
    if scope.projects is not None and project not in scope.projects:
        complaint = f"{held} for {' and '.join(sorted(scope.projects)) or 'no project'}, not for {project}"
        raise _bad(index, complaint, "a token that was made for another project.")
    if scope.expires is not None and now >= scope.expires:
        raise _bad(index, f"{held} that has expired ({_moment(scope.expires)})", "it was created to expire then.")
    if scope.starts is not None and now < scope.starts:
        raise _bad(index, f"{held} that is not valid yet ({_moment(scope.starts)})", "this machine's clock is wrong.")


def describe(token: Token) -> str:
    """Describe in part of a line what `token` is for, never its text."""
    scope = token.scope
    subject = "the whole account" if scope.whole_account else "conditions that only the index knows"
    if scope.projects is not None:
        subject = f"the project {' or '.join(sorted(scope.projects))}"
    until = f", until {_moment(scope.expires)}" if scope.expires is not None else ""
    return f"a token of {token.location}, for {subject}{until}"


def narrowed(credential: Credential, project: str, now: float) -> Credential:
    """Return `credential` with its token cut down to uploads of `project` within LIFETIME seconds of `now`.

    An identity, a password and a token whose format is not known stay as they are.
    """
    moment = int(now)
    caveats = ([EXPIRATION, moment + LIFETIME, moment - SLACK], [PROJECT_NAMES, [project]])
    with contextlib.suppress(ValueError):
        return replace(credential, secret=narrow(credential.secret, caveats))
    return credential


def advice(index: Index, project: str, state: str) -> str:
    """Say what to do with a token for the whole account, now that the project `state`."""
    return (
        f"{project} {state} on {index.name}, and the token is for the whole account: make one for this project alone"
        f" ({index.pages}/manage/account/token/) and revoke the other ({index.pages}/manage/account/#api-tokens)."
    )


def _moment(seconds: int) -> str:
    try:
        return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%d %H:%M UTC")
    except (ValueError, OverflowError, OSError):
        return "at an impossible date"


# Who a CI job is: the page of a trusted publisher has to say the same.


def publisher(outer: Mapping[str, str], claims: Mapping[str, str] | None = None) -> tuple[tuple[str, str], ...]:
    """Return the fields of the publisher's page and what they must hold for the job with the variables `outer`.

    `claims` are those of the identity that the index rejected, where they are known.
    """
    if outer.get("GITLAB_CI"):
        fields = {
            "Namespace": outer.get("CI_PROJECT_NAMESPACE", ""),
            "Project name": outer.get("CI_PROJECT_NAME", ""),
            "Top-level pipeline file path": outer.get("CI_CONFIG_PATH", ""),
            "Environment name": outer.get("CI_ENVIRONMENT_NAME", "") or ANY_ENVIRONMENT,
        }
    else:
        known = claims or {}
        owner, _, repository = (known.get("repository") or outer.get("GITHUB_REPOSITORY", "")).partition("/")
        # Such as owner/name/.github/workflows/release.yml@ref; the server compares that of a called workflow.
        refs = (known.get("job_workflow_ref", ""), outer.get("GITHUB_WORKFLOW_REF", ""))
        called, workflow = (ref.partition("@")[0].rpartition("/")[2] for ref in refs)
        fields = {
            "Owner": owner,
            "Repository name": repository,
            "Workflow name": called or (workflow and workflow + CALLED),
            "Environment name": known.get("environment", NO_ENVIRONMENT) if called else ANY_ENVIRONMENT,
        }
    return tuple((name, value or "(unknown here)") for name, value in fields.items())
