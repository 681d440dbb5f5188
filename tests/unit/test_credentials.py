from __future__ import annotations

import base64
import dataclasses

import pytest

from tasks.credentials import Credential, choose
from tasks.errors import BadCredential
from tasks.indexes import PYPI, TESTPYPI, Index


def token(location: str, identifier: str = "an identifier") -> str:
    """Return an API token as the index at `location` makes them: a macaroon, version 2."""
    packets = [(1, location), (2, identifier)]
    body = b"".join(bytes([kind, len(text)]) + text.encode() for kind, text in packets)
    raw = b"\x02" + body + b"\x00\x00" + bytes([6, 32]) + b"s" * 32
    return "pypi-" + base64.urlsafe_b64encode(raw).decode().rstrip("=")


OURS = token("pypi.org")
OTHER = token("pypi.org", "another identifier")
TEST = token("test.pypi.org")
OWN_INDEX = Index("the index of our house", simple="https://index.example/simple/")
STANDIN = dataclasses.replace(PYPI, simple="http://127.0.0.1:8081/simple/")

GITHUB = {
    "GITHUB_ACTIONS": "true",
    "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "github-secret",
    "ACTIONS_ID_TOKEN_REQUEST_URL": "https://github.example/token",
}
GITLAB = {"GITLAB_CI": "true", "PYPI_ID_TOKEN": "gitlab-secret"}
GITLAB_TEST = {"GITLAB_CI": "true", "TESTPYPI_ID_TOKEN": "gitlab-secret"}

BLANKS = "blanks, line ends or quotes"

WRONG = [
    pytest.param(
        {"PYPI_TOKEN": OURS, "TWINE_PASSWORD": OTHER},
        "PYPI_TOKEN and TWINE_PASSWORD are both set, to different values",
        id="two that disagree",
    ),
    pytest.param(
        {"PYPI_TOKEN": OURS, "TWINE_USERNAME": "ada", "TWINE_PASSWORD": OURS},
        "PYPI_TOKEN and TWINE_PASSWORD are both set, to different values",
        id="the same password for another user",
    ),
    pytest.param({"PYPI_TOKEN": OURS} | GITHUB, "both PYPI_TOKEN and the CI's own identity", id="token and GitHub"),
    pytest.param({"PYPI_TOKEN": OURS} | GITLAB, "both PYPI_TOKEN and the CI's own identity", id="token and GitLab"),
    pytest.param(
        {"TWINE_PASSWORD": OURS} | GITHUB, "both TWINE_PASSWORD and the CI's own identity", id="password and GitHub"
    ),
    pytest.param({"PYPI_TOKEN": ""}, "PYPI_TOKEN is set and empty", id="empty token"),
    pytest.param({"PYPI_TOKEN": " \n"}, "PYPI_TOKEN is set and empty", id="blank token"),
    pytest.param({"TWINE_PASSWORD": ""}, "TWINE_PASSWORD is set and empty", id="empty password"),
    pytest.param({"TWINE_PASSWORD": ""} | GITHUB, "TWINE_PASSWORD is set and empty", id="empty password and GitHub"),
    pytest.param({"PYPI_TOKEN": f" {OURS}"}, f"the value of PYPI_TOKEN has {BLANKS}", id="blank before"),
    pytest.param({"PYPI_TOKEN": f"{OURS}\n"}, f"the value of PYPI_TOKEN has {BLANKS}", id="line end"),
    pytest.param({"PYPI_TOKEN": f"{OURS}\r\n"}, f"the value of PYPI_TOKEN has {BLANKS}", id="Windows line end"),
    pytest.param({"PYPI_TOKEN": f'"{OURS}"'}, f"the value of PYPI_TOKEN has {BLANKS}", id="double quotes"),
    pytest.param({"PYPI_TOKEN": f"'{OURS}'"}, f"the value of PYPI_TOKEN has {BLANKS}", id="single quotes"),
    pytest.param({"PYPI_TOKEN": f"{OURS} {OURS}"}, f"the value of PYPI_TOKEN has {BLANKS}", id="blank inside"),
    pytest.param(
        {"TWINE_PASSWORD": f"{OURS}\n"}, f"the value of TWINE_PASSWORD has {BLANKS}", id="line end after the password"
    ),
    pytest.param({"TWINE_USERNAME": "ada"}, "TWINE_USERNAME is set without TWINE_PASSWORD", id="user alone"),
    pytest.param(
        {"PYPI_TOKEN": TEST}, "PYPI_TOKEN holds a token of test.pypi.org, not of pypi.org", id="TestPyPI's token"
    ),
    pytest.param(
        {"TWINE_PASSWORD": TEST}, "TWINE_PASSWORD holds a token of test.pypi.org, not of pypi.org", id="as password"
    ),
]

RIGHT = [
    pytest.param({"PYPI_TOKEN": OURS}, "PYPI_TOKEN", "__token__", OURS, id="token"),
    pytest.param({"PYPI_TOKEN": "pypi-damaged"}, "PYPI_TOKEN", "__token__", "pypi-damaged", id="not for us to read"),
    pytest.param(
        {"TWINE_USERNAME": "ada", "TWINE_PASSWORD": "s3cret"}, "TWINE_PASSWORD", "ada", "s3cret", id="user and password"
    ),
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
    assert f"No upload to PyPI: {complaint}" in str(error.value)
    assert "https://pypi.org/manage/account/token/" in str(error.value)


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
    assert found == Credential(source, {"TWINE_USERNAME": username, "TWINE_PASSWORD": password})


@pytest.mark.parametrize(("index", "outer"), [(PYPI, GITHUB), (TESTPYPI, GITHUB), (PYPI, GITLAB)])
def test_the_identity_of_a_ci_needs_no_password(index: Index, outer: dict[str, str]) -> None:
    found = choose(index, outer | {"UNRELATED": "value"})
    assert found.source == "the CI's identity (trusted publishing)"
    assert found.variables == outer | {"TWINE_USERNAME": "__token__"}


def test_an_identity_for_testpypi_is_none_for_pypi() -> None:
    assert "TESTPYPI_ID_TOKEN" in choose(TESTPYPI, GITLAB_TEST).variables
    assert choose(PYPI, GITLAB_TEST).source.startswith("the keyring")


@pytest.mark.parametrize("missing", GITHUB)
def test_half_an_identity_is_none(missing: str) -> None:
    outer = {name: value for name, value in GITHUB.items() if name != missing}
    assert choose(PYPI, outer).source.startswith("the keyring")


@pytest.mark.parametrize("index", [OWN_INDEX, STANDIN])
def test_an_identity_is_for_the_two_public_indexes_alone(index: Index) -> None:
    assert choose(index, GITHUB).variables == {"TWINE_USERNAME": "__token__"}


def test_with_nothing_set_twine_looks_into_the_keyring() -> None:
    found = choose(PYPI, {"HOME": "/home/ada"})
    assert found == Credential("the keyring, or whatever twine finds", {"TWINE_USERNAME": "__token__"})


def test_a_token_for_pypi_is_refused_for_testpypi() -> None:
    with pytest.raises(BadCredential) as error:
        choose(TESTPYPI, {"TESTPYPI_TOKEN": OURS})
    assert "No upload to TestPyPI: TESTPYPI_TOKEN holds a token of pypi.org, not of test.pypi.org" in str(error.value)
    assert "put one API token into TESTPYPI_TOKEN" in str(error.value)
    assert "https://test.pypi.org/account/register/" in str(error.value)


def test_the_message_names_the_variable_to_mend() -> None:
    with pytest.raises(BadCredential, match="put one API token into TWINE_PASSWORD, and unset the others"):
        choose(PYPI, {"TWINE_PASSWORD": ""})


def test_an_own_index_takes_any_token_and_has_no_pages() -> None:
    assert choose(OWN_INDEX, {"TWINE_PASSWORD": TEST}).variables["TWINE_PASSWORD"] == TEST
    with pytest.raises(BadCredential) as error:
        choose(OWN_INDEX, {"TWINE_PASSWORD": ""})
    assert "https://" not in str(error.value)


@pytest.mark.parametrize("outer", [{"PYPI_TOKEN": OURS}, {"TWINE_PASSWORD": "s3cret"}, GITHUB, GITLAB])
def test_the_representation_shows_no_secret(outer: dict[str, str]) -> None:
    found = choose(PYPI, outer)
    assert not [value for value in found.variables.values() if value in repr(found)]
