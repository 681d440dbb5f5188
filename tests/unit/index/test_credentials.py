from __future__ import annotations

import base64
import dataclasses
import getpass
import warnings
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatrial.index.credentials import (
    BadCredential,
    Credential,
    NoCredential,
    advice,
    ask_terminal,
    choose,
    describe,
    find,
    narrowed,
    set_aside,
    stop_if_useless,
)
from seatrial.index.indexes import PYPI, TESTPYPI, Index
from seatrial.index.tokens import narrow

if TYPE_CHECKING:
    from collections.abc import Callable


def token(location: str, identifier: str = "an identifier") -> str:
    """Return an API token as the index at `location` makes them: a macaroon, version 2."""
    packets = [(1, location), (2, identifier)]
    body = b"".join(bytes([kind, len(text)]) + text.encode() for kind, text in packets)
    raw = b"\x02" + body + b"\x00\x00" + bytes([6, 32]) + b"s" * 32
    return "pypi-" + base64.urlsafe_b64encode(raw).decode().rstrip("=")


OURS = token("pypi.org")
OTHER = token("pypi.org", "another identifier")
TEST = token("test.pypi.org")
ELSEWHERE_INDEX = Index("other", simple="https://other.example/simple/", token_variable="PYPI_TOKEN")
OWN_INDEX = Index("the index of our house", simple="https://index.example/simple/")
STANDIN = dataclasses.replace(PYPI, simple="http://127.0.0.1:8081/simple/")

GITHUB = {
    "GITHUB_ACTIONS": "true",
    "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "github-secret",
    "ACTIONS_ID_TOKEN_REQUEST_URL": "https://github.example/token",
}
GITLAB = {"GITLAB_CI": "true", "PYPI_ID_TOKEN": "gitlab-secret"}
GITLAB_TEST = {"GITLAB_CI": "true", "TESTPYPI_ID_TOKEN": "gitlab-secret"}

MESSAGE = """\
No upload to PyPI: {}
Usual cause: {}
What to do: put one API token into {}, and unset the others. Account: https://pypi.org/account/register/  \
Token: https://pypi.org/manage/account/token/"""
BLANKS = "contains spaces, line breaks or quotes"
CAUSES = {  # by a part of the complaint
    "are both set": "one of them is left over.",
    "have the same value": "one token was copied into both variables.",
    "is not __token__": "a user name and password, from before there were API tokens.",
    "without TWINE_PASSWORD": "an undefined CI secret.",
    "does not begin with": "a password, or a token's name in place of the token.",
    "and the CI's own identity": "a stored token that trusted publishing has replaced.",
    "is set but empty": "an undefined CI secret gives an empty variable.",
    BLANKS: "they were copied with the token.",
    "is a token for test.pypi.org": "the two tokens are swapped: this one belongs in TESTPYPI_TOKEN.",
}

WRONG = [
    pytest.param(
        {"PYPI_TOKEN": OURS, "TWINE_PASSWORD": OTHER},
        "PYPI_TOKEN and TWINE_PASSWORD are both set, to different values",
        id="two that disagree",
    ),
    pytest.param(
        {"PYPI_TOKEN": OURS, "TESTPYPI_TOKEN": OURS},
        "PYPI_TOKEN and TESTPYPI_TOKEN have the same value; the two indexes share no tokens",
        id="one text for both indexes",
    ),
    pytest.param(
        {"PYPI_TOKEN": OURS, "TWINE_USERNAME": "ada", "TWINE_PASSWORD": OURS},
        "TWINE_USERNAME is not __token__; PyPI accepts only API tokens",
        id="the same token for another user",
    ),
    pytest.param(
        {"TWINE_USERNAME": "ada", "TWINE_PASSWORD": "s3cret"},
        "TWINE_USERNAME is not __token__; PyPI accepts only API tokens",
        id="user and password",
    ),
    pytest.param(
        {"TWINE_USERNAME": "ada", "PYPI_TOKEN": OURS},
        "TWINE_USERNAME is set without TWINE_PASSWORD",
        id="user and token",
    ),
    pytest.param(
        {"PYPI_TOKEN": "s3cret"}, "PYPI_TOKEN does not begin with pypi-, as an API token does", id="no prefix"
    ),
    pytest.param(
        {"TWINE_PASSWORD": "s3cret"}, "TWINE_PASSWORD does not begin with pypi-, as an API token does", id="a password"
    ),
    pytest.param(
        {"PYPI_TOKEN": OURS} | GITHUB,
        "PYPI_TOKEN and the CI's own identity (trusted publishing) are both present",
        id="token and GitHub",
    ),
    pytest.param(
        {"PYPI_TOKEN": OURS} | GITLAB,
        "PYPI_TOKEN and the CI's own identity (trusted publishing) are both present",
        id="token and GitLab",
    ),
    pytest.param(
        {"TWINE_PASSWORD": OURS} | GITHUB,
        "TWINE_PASSWORD and the CI's own identity (trusted publishing) are both present",
        id="password and GitHub",
    ),
    pytest.param({"PYPI_TOKEN": ""}, "PYPI_TOKEN is set but empty", id="empty token"),
    pytest.param({"PYPI_TOKEN": " \n"}, "PYPI_TOKEN is set but empty", id="blank token"),
    pytest.param({"TWINE_PASSWORD": ""}, "TWINE_PASSWORD is set but empty", id="empty password"),
    pytest.param({"TWINE_PASSWORD": ""} | GITHUB, "TWINE_PASSWORD is set but empty", id="empty password and GitHub"),
    pytest.param({"PYPI_TOKEN": f" {OURS}"}, f"PYPI_TOKEN {BLANKS}", id="blank before"),
    pytest.param({"PYPI_TOKEN": f"{OURS}\n"}, f"PYPI_TOKEN {BLANKS}", id="line end"),
    pytest.param({"PYPI_TOKEN": f"{OURS}\r\n"}, f"PYPI_TOKEN {BLANKS}", id="Windows line end"),
    pytest.param({"PYPI_TOKEN": f'"{OURS}"'}, f"PYPI_TOKEN {BLANKS}", id="double quotes"),
    pytest.param({"PYPI_TOKEN": f"'{OURS}'"}, f"PYPI_TOKEN {BLANKS}", id="single quotes"),
    pytest.param({"PYPI_TOKEN": f"{OURS} {OURS}"}, f"PYPI_TOKEN {BLANKS}", id="blank inside"),
    pytest.param({"TWINE_PASSWORD": f"{OURS}\n"}, f"TWINE_PASSWORD {BLANKS}", id="line end after the password"),
    pytest.param({"TWINE_USERNAME": "ada"}, "TWINE_USERNAME is set without TWINE_PASSWORD", id="user alone"),
    pytest.param(
        {"PYPI_TOKEN": TEST}, "PYPI_TOKEN is a token for test.pypi.org, not for pypi.org", id="TestPyPI's token"
    ),
]

RIGHT = [
    pytest.param({"PYPI_TOKEN": OURS}, "PYPI_TOKEN", "__token__", OURS, id="token"),
    pytest.param({"PYPI_TOKEN": "pypi-damaged"}, "PYPI_TOKEN", "__token__", "pypi-damaged", id="not for us to read"),
    pytest.param({"TWINE_PASSWORD": OURS}, "TWINE_PASSWORD", "__token__", OURS, id="password alone"),
    pytest.param(
        {"TWINE_USERNAME": "__token__", "PYPI_TOKEN": OURS}, "PYPI_TOKEN", "__token__", OURS, id="user named __token__"
    ),
    pytest.param(
        {"PYPI_TOKEN": OURS, "TWINE_USERNAME": "__token__", "TWINE_PASSWORD": OURS},
        "PYPI_TOKEN and TWINE_PASSWORD",
        "__token__",
        OURS,
        id="the same token twice",
    ),
    pytest.param(
        {"PYPI_TOKEN": OURS, "TESTPYPI_TOKEN": TEST}, "PYPI_TOKEN", "__token__", OURS, id="a token for each index"
    ),
    pytest.param(
        {"PYPI_TOKEN": OURS, "TWINE_PASSWORD": TEST}, "PYPI_TOKEN", "__token__", OURS, id="TestPyPI's set aside"
    ),
    pytest.param(
        {"PYPI_TOKEN": OURS, "TWINE_USERNAME": "ada", "TWINE_PASSWORD": TEST},
        "PYPI_TOKEN",
        "__token__",
        OURS,
        id="TestPyPI's set aside with its user",
    ),
    pytest.param(
        {"PYPI_TOKEN": OURS, "GITHUB_ACTIONS": "true"}, "PYPI_TOKEN", "__token__", OURS, id="GitHub without identity"
    ),
    pytest.param(
        {"PYPI_TOKEN": OURS, "GITLAB_CI": "true"}, "PYPI_TOKEN", "__token__", OURS, id="GitLab without identity"
    ),
    pytest.param(
        {"PYPI_TOKEN": OURS} | GITLAB_TEST, "PYPI_TOKEN", "__token__", OURS, id="GitLab's identity for the other index"
    ),
]


@pytest.mark.parametrize(("outer", "complaint"), WRONG)
def test_a_credential_that_cannot_be_meant_is_refused(outer: dict[str, str], complaint: str) -> None:
    with pytest.raises(BadCredential) as error:
        choose(PYPI, outer)
    of_twine = complaint.startswith(("TWINE_PASSWORD ", "TWINE_USERNAME is not")) and " and " not in complaint
    (cause,) = (cause for part, cause in CAUSES.items() if part in complaint)
    assert str(error.value) == MESSAGE.format(complaint, cause, "TWINE_PASSWORD" if of_twine else "PYPI_TOKEN")


@pytest.mark.parametrize(("outer", "complaint"), WRONG)
def test_no_message_shows_a_value(outer: dict[str, str], complaint: str) -> None:
    with pytest.raises(BadCredential) as error:
        choose(PYPI, outer)
    secrets = (value.strip() for name, value in outer.items() if "TOKEN" in name or "PASSWORD" in name)
    assert not [secret for secret in secrets if secret and secret in f"{error.value}{error.value!r}"]
    assert complaint in str(error.value)


@pytest.mark.parametrize(("outer", "source", "username", "password"), RIGHT)
def test_a_credential_is_named_and_handed_to_twine(
    outer: dict[str, str], source: str, username: str, password: str
) -> None:
    found = choose(PYPI, outer)
    assert found == Credential(source, password, username)


@pytest.mark.parametrize(("index", "outer"), [(PYPI, GITHUB), (TESTPYPI, GITHUB), (PYPI, GITLAB)])
def test_the_identity_of_a_ci_needs_no_password(index: Index, outer: dict[str, str]) -> None:
    found = chosen(index, outer | {"UNRELATED": "value"})
    assert found == Credential("the CI's identity (trusted publishing)", identity=outer)
    assert (found.username, found.secret) == ("__token__", "")


def test_an_identity_for_testpypi_is_none_for_pypi() -> None:
    found = choose(TESTPYPI, GITLAB_TEST)
    assert found is not None
    assert "TESTPYPI_ID_TOKEN" in found.identity
    assert choose(PYPI, GITLAB_TEST) is None


def test_a_token_of_the_other_index_does_not_stand_against_the_identity() -> None:
    found = choose(PYPI, GITHUB | {"TWINE_PASSWORD": TEST})
    assert found == Credential("the CI's identity (trusted publishing)", identity=GITHUB)


@pytest.mark.parametrize("missing", GITHUB)
def test_half_an_identity_is_none(missing: str) -> None:
    assert choose(PYPI, {name: value for name, value in GITHUB.items() if name != missing}) is None


@pytest.mark.parametrize("index", [OWN_INDEX, STANDIN])
def test_an_identity_is_for_the_two_public_indexes_alone(index: Index) -> None:
    assert choose(index, GITHUB) is None


@pytest.mark.parametrize(
    "outer",
    [{"HOME": "/home/ada"}, {"TWINE_USERNAME": "__token__"}, {"TWINE_PASSWORD": TEST}, {"TESTPYPI_TOKEN": TEST}],
)
def test_without_a_credential_for_this_index_there_is_none(outer: dict[str, str]) -> None:
    assert choose(PYPI, outer) is None


def test_a_token_of_the_other_index_is_named_and_set_aside() -> None:
    assert set_aside(PYPI, {"TWINE_PASSWORD": TEST}) == "TWINE_PASSWORD is a token for test.pypi.org, not for pypi.org"
    assert set_aside(PYPI, {"TWINE_PASSWORD": OURS}) == ""
    assert set_aside(PYPI, {}) == ""
    assert set_aside(OWN_INDEX, {"TWINE_PASSWORD": TEST}) == ""


def test_a_token_for_pypi_is_refused_for_testpypi() -> None:
    with pytest.raises(BadCredential) as error:
        choose(TESTPYPI, {"TESTPYPI_TOKEN": OURS})
    assert "No upload to TestPyPI: TESTPYPI_TOKEN is a token for pypi.org, not for test.pypi.org" in str(error.value)
    assert "put one API token into TESTPYPI_TOKEN" in str(error.value)
    assert "https://test.pypi.org/account/register/" in str(error.value)


def test_the_message_names_the_variable_to_mend() -> None:
    with pytest.raises(BadCredential, match="put one API token into TWINE_PASSWORD, and unset the others"):
        choose(PYPI, {"TWINE_PASSWORD": ""})


def chosen(index: Index, outer: dict[str, str]) -> Credential:
    found = choose(index, outer)
    assert found is not None
    return found


def test_an_own_index_takes_any_credential_of_its_own_and_has_no_pages() -> None:
    both = {"TESTPYPI_TOKEN": "s3cret", "PYPI_TOKEN": "s3cret", "TWINE_PASSWORD": "s3cret"}
    assert chosen(OWN_INDEX, both).secret == "s3cret"
    theirs = token("packages.example")
    assert chosen(OWN_INDEX, {"TWINE_PASSWORD": theirs}).secret == theirs
    found = chosen(OWN_INDEX, {"TWINE_USERNAME": "ada", "TWINE_PASSWORD": "s3cret"})
    assert found == Credential("TWINE_PASSWORD", "s3cret", "ada")
    with pytest.raises(BadCredential) as error:
        choose(OWN_INDEX, {"TWINE_PASSWORD": ""})
    assert "https://" not in str(error.value)


@pytest.mark.parametrize(
    ("variable", "secret", "location"),
    [
        ("PYPI_TOKEN", OURS, "pypi.org"),
        ("PYPI_TOKEN", narrow(OURS, [[1, ["demo"]]]), "pypi.org"),
        ("PYPI_TOKEN", OURS[:60], "pypi.org"),
        ("PYPI_TOKEN", f"'{OURS}'", "pypi.org"),
        ("TWINE_PASSWORD", TEST, "test.pypi.org"),
    ],
)
@pytest.mark.parametrize("upload", ["https://packages.example/", "https://pypi.org.example/", "http://127.0.0.1:8080/"])
def test_a_token_of_pypi_goes_to_no_other_host_whatever_is_configured(
    variable: str, secret: str, location: str, upload: str
) -> None:
    index = dataclasses.replace(ELSEWHERE_INDEX, upload=upload)
    with pytest.raises(BadCredential) as error:
        find(index, {variable: secret}, keyring=called, ask=None)
    assert f"is not sent to {urlsplit(upload).netloc}: it is a token for {location}" in str(error.value)
    assert secret not in str(error.value)
    with pytest.raises(BadCredential, match="it is a token for"):
        find(index, {}, keyring=lambda _: secret, ask=None)


def test_no_credential_goes_over_plain_http_to_another_machine() -> None:
    index = dataclasses.replace(ELSEWHERE_INDEX, upload="http://packages.example/")
    with pytest.raises(
        BadCredential, match=r"PYPI_TOKEN is not sent to packages\.example: it would go over plain HTTP"
    ):
        choose(index, {"PYPI_TOKEN": "s3cret"})
    assert choose(dataclasses.replace(index, upload="http://localhost:8080/"), {"PYPI_TOKEN": "s3cret"})


def test_a_stand_in_on_this_machine_takes_no_real_token() -> None:
    standin = dataclasses.replace(PYPI, simple=STANDIN.simple, upload=STANDIN.simple, token_location="pypi.localhost")
    with pytest.raises(BadCredential, match=r"PYPI_TOKEN is a token for pypi\.org, not for pypi\.localhost"):
        choose(standin, {"PYPI_TOKEN": OURS})


def test_a_password_of_another_index_may_be_a_sentence() -> None:
    assert chosen(OWN_INDEX, {"TWINE_USERNAME": "ada", "TWINE_PASSWORD": "it's a sentence"}).secret == "it's a sentence"
    for value in ("s3cret\n", " s3cret", "s3\ncret"):
        with pytest.raises(BadCredential, match=BLANKS):
            choose(OWN_INDEX, {"TWINE_PASSWORD": value})


@pytest.mark.parametrize("outer", [{"PYPI_TOKEN": OURS}, {"TWINE_PASSWORD": OURS}, GITHUB, GITLAB])
def test_the_representation_shows_no_secret(outer: dict[str, str]) -> None:
    found = chosen(PYPI, outer)
    secrets = [found.secret, *(value for value in found.identity.values() if value != "true")]
    assert not [value for value in secrets if value and value in repr(found)]


VALUES = ["", " ", OURS, OTHER, TEST, f"{OURS}\n", f'"{OURS}"', "s3cret", "pypi-damaged"]
SETTINGS = st.fixed_dictionaries(
    {},
    optional={
        "PYPI_TOKEN": st.sampled_from(VALUES),
        "TESTPYPI_TOKEN": st.sampled_from(VALUES),
        "TWINE_PASSWORD": st.sampled_from(VALUES),
        "TWINE_USERNAME": st.sampled_from(["", "ada", "__token__"]),
        **{name: st.sampled_from(["", value]) for name, value in (GITHUB | GITLAB | GITLAB_TEST).items()},
    },
)


@given(SETTINGS, st.sampled_from([PYPI, TESTPYPI]))
def test_whatever_is_set_a_credential_is_for_this_index_or_refused(outer: dict[str, str], index: Index) -> None:
    found, said = None, ""
    try:
        found = choose(index, outer)
    except BadCredential as error:
        said = str(error)
    assert not [value for value in VALUES if len(value) > 1 and value in said]
    if found and found.secret:
        assert not found.identity
        assert found.username == "__token__"
        assert found.secret in {OURS, OTHER, TEST, "pypi-damaged"}
        assert found.token is None or found.token.location == index.token_location
        assert outer.get("TWINE_PASSWORD", found.secret) == found.secret or set_aside(index, outer)
        assert outer.get(index.token_variable, found.secret) == found.secret
    elif found:
        assert index.token_variable not in outer
        assert "TWINE_PASSWORD" not in outer or set_aside(index, outer)


# The keyring, the terminal, or nothing.


def nothing(*_: str) -> str:
    return ""


def called(*_: str) -> str:
    return pytest.fail("nobody was to be asked")


def test_what_the_variables_give_is_not_looked_for() -> None:
    found = find(PYPI, {"PYPI_TOKEN": OURS}, keyring=called, ask=called)
    assert (found.source, found.secret) == ("PYPI_TOKEN", OURS)
    assert find(PYPI, GITHUB, keyring=called, ask=called).source.startswith("the CI's identity")


def test_what_the_keyring_gives_is_not_asked_for() -> None:
    assert find(PYPI, {}, keyring=lambda _: OURS, ask=called) == Credential("the keyring", OURS)


@pytest.mark.parametrize(
    ("index", "user"),
    [(PYPI, "__token__"), (ELSEWHERE_INDEX, "ada"), (OWN_INDEX, "__token__")],
)
def test_the_keyring_is_asked_for_the_user_name_of_an_index_whose_users_have_one(index: Index, user: str) -> None:
    asked, secret = [], OURS if index is PYPI else "a password"

    def keyring(name: str) -> str:
        asked.append(name)
        return secret

    found = find(index, {"PYPI_USERNAME": "ada"}, keyring=keyring, ask=called)
    assert found == Credential("the keyring", secret, user)
    assert asked == [user]


def test_what_is_typed_is_taken() -> None:
    found = find(PYPI, {}, keyring=nothing, ask=lambda: OURS)
    assert found == Credential("the terminal", OURS, "__token__")


@pytest.mark.parametrize("ask", [None, nothing, lambda: " "])
def test_without_any_credential_nothing_is_sent(ask: Callable[[], str] | None) -> None:
    with pytest.raises(NoCredential) as error:
        find(TESTPYPI, {}, keyring=nothing, ask=ask)
    assert str(error.value) == (
        "No upload to TestPyPI: no credential found.\n"
        "Usual cause: TESTPYPI_TOKEN is not set here; in CI, a secret not passed to this step, or a job without an"
        " identity.\n"
        "What to do: put an API token into TESTPYPI_TOKEN. Account: https://test.pypi.org/account/register/  Token:"
        " https://test.pypi.org/manage/account/token/ A trusted publisher needs none:"
        " `permissions: id-token: write` on GitHub, `id_tokens:` on GitLab."
    )


def test_what_was_set_aside_is_named_where_nothing_else_is_there() -> None:
    with pytest.raises(NoCredential) as error:
        find(PYPI, {"TWINE_PASSWORD": TEST}, keyring=nothing, ask=None)
    said = "TWINE_PASSWORD is a token for test.pypi.org, not for pypi.org, so it is ignored."
    assert f"No upload to PyPI: no credential found. {said}\n" in str(error.value)
    assert TEST not in str(error.value)


@pytest.mark.parametrize(
    ("secret", "complaint"),
    [
        (TEST, "the credential from the keyring is a token for test.pypi.org, not for pypi.org"),
        ("s3cret", "the credential from the keyring does not begin with pypi-, as an API token does"),
        (f"'{OURS}'", "the credential from the keyring contains spaces, line breaks or quotes"),
    ],
)
def test_what_the_keyring_gives_has_to_fit(secret: str, complaint: str) -> None:
    with pytest.raises(BadCredential) as error:
        find(PYPI, {}, keyring=lambda _: secret, ask=called)
    assert f"No upload to PyPI: {complaint}\n" in str(error.value)
    assert "put one API token into PYPI_TOKEN" in str(error.value)
    assert secret not in str(error.value)


@pytest.mark.parametrize(
    ("index", "prompt"),
    [
        (PYPI, "API token for PyPI, made on https://pypi.org/manage/account/token/ (it is not shown): "),
        (OWN_INDEX, "API token for the index of our house (it is not shown): "),
    ],
)
def test_a_token_is_asked_for_without_showing_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], index: Index, prompt: str
) -> None:
    prompts: list[str] = []

    def getpass(text: str) -> str:
        prompts.append(text)
        return f" {OURS}\n"

    monkeypatch.setattr("getpass.getpass", getpass)
    assert ask_terminal(index) == OURS
    assert prompts == [prompt]
    assert OURS not in capsys.readouterr().out


def test_a_terminal_that_ends_gives_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def ended(_prompt: str) -> str:
        raise EOFError

    monkeypatch.setattr("getpass.getpass", ended)
    assert ask_terminal(PYPI) == ""


def test_a_terminal_that_would_show_it_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    def shown(_prompt: str) -> str:
        warnings.warn("Can not control echo on the terminal.", getpass.GetPassWarning, stacklevel=2)
        return OURS

    monkeypatch.setattr("getpass.getpass", shown)
    assert ask_terminal(PYPI) == ""


# What the token says of itself.

NOW = 1_800_000_000.0


def holding(*caveats: object) -> Credential:
    return Credential("PYPI_TOKEN", narrow(OURS, caveats))


@pytest.mark.parametrize(
    "credential",
    [
        holding(),
        holding([1, ["demo"]]),
        holding([1, ["other", "demo"]]),
        holding([2, ["an-id"]]),
        holding([4, "a publisher"]),
        holding([0, 1_800_000_001, 1_800_000_000]),
        Credential("PYPI_TOKEN", "pypi-damaged"),
        Credential("TWINE_PASSWORD", "s3cret", "ada"),
        Credential("the CI's identity (trusted publishing)", identity=GITHUB),
    ],
    ids=repr,
)
def test_a_credential_that_may_do_is_left_to_the_index(credential: Credential) -> None:
    stop_if_useless(credential, PYPI, "demo", NOW)


@pytest.mark.parametrize(
    ("caveats", "complaint"),
    [
        ([[1, ["other"]]], "PYPI_TOKEN holds a token for other, not for demo"),
        ([[1, ["b", "a"]]], "PYPI_TOKEN holds a token for a and b, not for demo"),
        ([[1, ["demo"]], [1, ["other"]]], "PYPI_TOKEN holds a token for no project, not for demo"),
        ([[0, 1_799_999_999, 0]], "PYPI_TOKEN holds a token that has expired (2027-01-15 07:59 UTC)"),
        ([[0, 1_800_000_000, 0]], "PYPI_TOKEN holds a token that has expired (2027-01-15 08:00 UTC)"),
        ([[0, 1_800_000_900, 1_800_000_060]], "PYPI_TOKEN holds a token that is not valid yet (2027-01-15 08:01 UTC)"),
        ([[0, -(10**15), 0]], "PYPI_TOKEN holds a token that has expired (at an impossible date)"),
    ],
)
def test_a_token_that_cannot_do_is_refused(caveats: list[object], complaint: str) -> None:
    with pytest.raises(BadCredential) as error:
        stop_if_useless(holding(*caveats), PYPI, "demo", NOW)
    assert f"No upload to PyPI: {complaint}\n" in str(error.value)
    assert holding(*caveats).secret not in str(error.value)


@pytest.mark.parametrize(
    ("caveats", "said"),
    [
        ([], "a token of pypi.org, for the whole account"),
        ([[1, ["demo"]]], "a token of pypi.org, for the project demo"),
        ([[1, ["b", "a"]]], "a token of pypi.org, for the project a or b"),
        ([[2, ["an-id"]]], "a token of pypi.org, for conditions that only the index knows"),
        ([[4, "a publisher"]], "a token of pypi.org, for conditions that only the index knows"),
        ([[0, 1_800_000_000, 0]], "a token of pypi.org, for the whole account, until 2027-01-15 08:00 UTC"),
    ],
)
def test_a_token_is_described_without_its_text(caveats: list[object], said: str) -> None:
    found = holding(*caveats).token
    assert found is not None
    assert describe(found) == said


def test_a_token_is_narrowed_to_the_project_and_a_quarter_of_an_hour() -> None:
    found = narrowed(Credential("PYPI_TOKEN", OURS), "demo", NOW + 0.9)
    assert found.source == "PYPI_TOKEN"
    assert (found.username, found.identity) == ("__token__", {})
    assert found.secret == narrow(OURS, [[0, 1_800_000_900, 1_799_999_940], [1, ["demo"]]])


@pytest.mark.parametrize(
    "credential",
    [
        Credential("PYPI_TOKEN", "pypi-damaged"),
        Credential("TWINE_PASSWORD", "s3cret", "ada"),
        Credential("the CI's identity (trusted publishing)", identity=GITHUB),
    ],
    ids=repr,
)
def test_what_is_no_token_is_not_narrowed(credential: Credential) -> None:
    assert narrowed(credential, "demo", NOW) == credential


def test_the_advice_names_the_pages_to_make_and_to_revoke_a_token() -> None:
    assert advice(TESTPYPI, "demo", "exists now") == (
        "demo exists now on TestPyPI, and the token is for the whole account: make one for this project alone"
        " (https://test.pypi.org/manage/account/token/) and revoke the other"
        " (https://test.pypi.org/manage/account/#api-tokens)."
    )
