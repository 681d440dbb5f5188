from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from seatrial.machine import variables
from tests.projects import write_tree

if TYPE_CHECKING:
    from pathlib import Path

Make = Callable[[dict[str, str]], dict[str, str]]

posix = pytest.mark.skipif(os.name == "nt", reason="pip looks elsewhere for its settings there")

SECRETS = """
PYPI_TOKEN TESTPYPI_TOKEN TWINE_USERNAME TWINE_PASSWORD GITHUB_TOKEN ACTIONS_ID_TOKEN_REQUEST_URL AWS_SECRET_ACCESS_KEY
AWS_ACCESS_KEY_ID UV_PUBLISH_TOKEN HATCH_INDEX_AUTH FLIT_PASSWORD POETRY_PYPI_TOKEN_PYPI PDM_PUBLISH_PASSWORD DB_PASSWD
GPG_PASSPHRASE MY_API_KEY MYAPIKEY SSH_PRIVATE_KEY GOOGLE_APPLICATION_CREDENTIALS npm_token
""".split()
HARMLESS = "PATH HOME LANG CC CFLAGS HTTPS_PROXY PIP_INDEX_URL KEYBOARD MONKEY AUTHOR XDG_CACHE_HOME".split()

# What a real machine's environment may look like, one of each kind.
OUTER = {
    "PATH": "/bin",
    "HOME": "/home/ada",
    "LC_ALL": "C.UTF-8",
    "XDG_CACHE_HOME": "/cache",
    "NIX_CFLAGS_COMPILE": "-O2",
    "VS170COMNTOOLS": "C:/vs",
    "HTTPS_PROXY": "http://proxy.example",
    "https_proxy": "http://proxy.example",
    "REQUESTS_CA_BUNDLE": "/ca.pem",
    "CC": "clang",
    "CMAKE_ARGS": "-DX=1",
    "CONDA_PREFIX": "/conda",
    "INCLUDE": "C:/include",
    "PIP_INDEX_URL": "https://proxy.example/simple",
    "PIP_EXTRA_INDEX_URL": "https://ada:s3cret@private.example/simple",
    "UV_DEFAULT_INDEX": "https://proxy.example/simple",
    "PIP_CONSTRAINT": "/constraints.txt",
    "DBUS_SESSION_BUS_ADDRESS": "unix:path=/run/bus",
    "MY_SWITCH": "on",
    "PYTHONPATH": "/elsewhere",
    "VIRTUAL_ENV": "/venv",
    "PYPI_TOKEN": "s3cret",
    "XDG_SESSION_TOKEN": "s3cret",
}


@pytest.mark.parametrize("name", SECRETS)
def test_the_name_of_a_secret_is_known(name: str) -> None:
    assert variables.is_secret(name)


@pytest.mark.parametrize("name", HARMLESS)
def test_other_names_are_no_secrets(name: str) -> None:
    assert not variables.is_secret(name)


@pytest.mark.parametrize("make", [variables.for_build, variables.for_install])
@pytest.mark.parametrize("name", ["PATH", "LC_ALL", "XDG_CACHE_HOME", "NIX_CFLAGS_COMPILE", "VS170COMNTOOLS", "CC"])
def test_system_network_and_compilers_pass(make: Make, name: str) -> None:
    assert make(OUTER)[name] == OUTER[name]


def test_names_are_compared_in_upper_case_and_handed_on_as_they_are() -> None:
    assert variables.for_build(OUTER)["https_proxy"] == "http://proxy.example"
    assert variables.for_build({"Path": "C:/"})["Path"] == "C:/"


@pytest.mark.parametrize("make", [variables.for_build, variables.for_install])
def test_nothing_that_is_not_named_passes(make: Make) -> None:
    found = make(OUTER)
    assert not {"MY_SWITCH", "PYTHONPATH", "VIRTUAL_ENV", "DBUS_SESSION_BUS_ADDRESS"} & set(found)
    assert "s3cret" not in "".join(found.values())


def test_a_build_gets_the_variables_that_the_project_names_and_no_secret_among_them() -> None:
    found = variables.for_build(OUTER, ["my_switch", "PYPI_TOKEN"])
    assert found["MY_SWITCH"] == "on"
    assert "PYPI_TOKEN" not in found


def test_a_build_sees_the_indexes_that_have_no_login() -> None:
    found = variables.for_build(OUTER)
    assert found["PIP_INDEX_URL"] == "https://proxy.example/simple"
    assert "PIP_EXTRA_INDEX_URL" not in found
    assert found["UV_NO_CONFIG"] == "1"


def test_what_a_build_is_not_handed_is_named_without_its_value() -> None:
    lost = variables.dropped({**OUTER, "NOX_CURRENT_SESSION": "build", "PWD": "/here"}, ["MY_SWITCH"])
    assert lost == ["DBUS_SESSION_BUS_ADDRESS"]


def test_an_installation_sees_no_index_and_no_constraint_of_this_machine() -> None:
    found = variables.for_install(OUTER)
    assert not {"PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "UV_DEFAULT_INDEX", "PIP_CONSTRAINT"} & set(found)
    assert (found["PIP_CONFIG_FILE"], found["UV_NO_CONFIG"]) == (os.devnull, "1")


def test_no_proxy_and_no_cache_is_between_an_installer_and_a_relay() -> None:
    found = variables.for_install({**OUTER, "NO_PROXY": "house.example"}, relayed=True)
    assert found["NO_PROXY"] == found["no_proxy"] == "house.example,127.0.0.1,::1,localhost"
    assert (found["UV_NO_CACHE"], found["PIP_NO_CACHE_DIR"]) == ("1", "1")
    assert "UV_NO_CACHE" not in variables.for_install(OUTER)
    assert variables.for_install({}, relayed=True)["NO_PROXY"] == "127.0.0.1,::1,localhost"


def test_only_twine_gets_the_secret_and_the_keyring() -> None:
    found = variables.for_upload(OUTER, {"TWINE_PASSWORD": "given"})
    assert found["TWINE_PASSWORD"] == "given"
    assert found["DBUS_SESSION_BUS_ADDRESS"] == OUTER["DBUS_SESSION_BUS_ADDRESS"]
    assert not {"PYPI_TOKEN", "CC", "PIP_INDEX_URL"} & set(found)


def test_a_variable_is_named_rather_than_begins_like_one() -> None:
    """NIX_CONFIG holds access tokens, and nobody knows what else begins like what a compiler reads."""
    secret = {"NIX_CONFIG": "access-tokens = github.com=ghp_0123", "XDG_ANYTHING": "x", "LC_MY_OWN": "x", "VS1": "x"}
    flags = {"NIX_LDFLAGS_FOR_TARGET": "-L/x", "NIX_CC_WRAPPER_TARGET_HOST_x86_64_unknown_linux_gnu": "1"}
    found = variables.for_build(OUTER | secret | flags)
    assert not set(secret) & set(found)
    assert flags.items() <= found.items()
    assert "NIX_CONFIG" in variables.dropped(OUTER | secret)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CMAKE_ARGS", "-DFETCH=https://ada:s3cret@example.org/x.tar.gz"),
        ("CMAKE_ARGS", "-DFETCH=https://ada:s3c/ret@example.org/x.tar.gz"),
        ("CMAKE_ARGS", "-DA=1 -DDOWNLOAD_TOKEN=0123456789abcdef0123"),
        ("CFLAGS", "-DKEY=pypi-AgEIcHlwaS5vcmcCJGQ2"),
        ("NIX_PATH", "nixpkgs=https://s3cret@example.org/nixpkgs.tar.gz"),
        ("NIX_CFLAGS_COMPILE_FOR_BUILD", "-DK=ghp_0123456789012345678901234567890123"),
    ],
)
@pytest.mark.parametrize("make", [variables.for_build, variables.for_install])
def test_a_secret_in_the_flags_of_a_compiler_is_withheld_with_them(make: Make, name: str, value: str) -> None:
    assert name not in make(OUTER | {name: value})
    assert name in variables.kept_back(OUTER | {name: value})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("http://ada:s3cret@a.example/x", "http://a.example/x"),
        ("http://s3cret@a.example", "http://a.example"),
        ("http://ada:s3c/ret@a.example:80/x", "http://a.example:80/x"),
        ("http://ada:s3c//ret@a.example", "http://a.example"),
        ("http://ada:s3@c/r:et@a.example", "http://a.example"),
        (
            "fatal: 'https://ada:s3c/ret@a.example/' and \"http://b:s3cret@c\": no",
            "fatal: 'https://a.example/' and \"http://c\": no",
        ),
        ("http://a.example:8080/x ada@b.example", "http://a.example:8080/x ada@b.example"),
        ("git+https://a.example/x.git@v1.0", "git+https://a.example/x.git@v1.0"),
        ("file:///home/ada@work/x.whl", "file:///home/ada@work/x.whl"),
    ],
)
def test_a_login_is_cut_out_of_a_url_whole(text: str, expected: str) -> None:
    assert variables.without_logins(text) == expected


def test_a_long_text_of_strangers_is_searched_for_logins_at_once() -> None:
    text = "//a:" * 2_000_000
    started = time.monotonic()
    assert variables.without_logins(text) == text
    assert time.monotonic() - started < 10


@pytest.mark.parametrize("value", ["-O2 -DMAX_TOKENS=4096", "-DUSE_SECRET_SERVICE=ON -I/usr/include", "-DA=b@c"])
def test_flags_that_only_sound_like_secrets_pass(value: str) -> None:
    assert variables.for_build({"CFLAGS": value})["CFLAGS"] == value


@pytest.mark.parametrize(
    ("proxy", "expected"),
    [
        ("http://ada:s3c/r@et@a.example:80", "http://ada:s3c%2Fr%40et@a.example:80"),
        ("http://ada:s3c%2Fret@a.example/", "http://ada:s3c%2Fret@a.example/"),
        ("http://a.example:80", "http://a.example:80"),
        ("a.example:80", "a.example:80"),
    ],
)
def test_other_programs_get_a_proxy_whose_login_is_quoted(proxy: str, expected: str) -> None:
    assert variables.for_upload({"HTTPS_PROXY": proxy}, {})["HTTPS_PROXY"] == expected


PAST = "127.0.0.1,::1,localhost"


def for_upload(outer: dict[str, str]) -> dict[str, str]:
    return variables.for_upload(outer, {})


@pytest.mark.parametrize("make", [variables.for_build, variables.for_install, for_upload])
@pytest.mark.parametrize(
    ("outer", "past"),
    [
        ({"HTTPS_PROXY": "http://p.example"}, PAST),
        ({"http_proxy": "http://p.example", "NO_PROXY": "a.example, localhost"}, "a.example,localhost,127.0.0.1,::1"),
        ({"ALL_PROXY": "socks5://p.example", "no_proxy": "b", "NO_PROXY": "c"}, f"b,{PAST}"),
        ({"HTTPS_PROXY": "http://p.example", "NO_PROXY": "*"}, "*"),
    ],
)
def test_no_proxy_is_asked_for_this_machine(make: Make, outer: dict[str, str], past: str) -> None:
    assert make(outer)["NO_PROXY"] == past


@pytest.mark.parametrize("make", [variables.for_build, variables.for_install, for_upload])
def test_where_there_is_no_proxy_those_of_the_system_stay(make: Make) -> None:
    assert not {"NO_PROXY", "no_proxy"} & set(make({"PATH": "/bin"}))


def test_the_proxy_of_pip_is_that_of_all_since_pip_knows_no_exception_for_it() -> None:
    found = variables.for_install({"PIP_PROXY": "http://p.example"}, relayed=True)
    assert "PIP_PROXY" not in found
    assert (found["HTTPS_PROXY"], found["http_proxy"], found["no_proxy"]) == (*["http://p.example"] * 2, PAST)


def test_without_a_cache_nothing_is_linked_to_it() -> None:
    outer = {"UV_LINK_MODE": "hardlink"}
    assert variables.for_install(outer)["UV_LINK_MODE"] == "hardlink"
    found = variables.for_install(outer, relayed=True)
    assert (found["UV_NO_CACHE"], "UV_LINK_MODE" in found) == ("1", False)


def test_git_sees_its_own_settings_and_not_where_a_hook_was_run() -> None:
    own = {"GIT_CONFIG_GLOBAL": "settings", "GIT_SSH_COMMAND": "ssh -4"}
    place = {"GIT_DIR": "elsewhere", "GIT_INDEX_FILE": "elsewhere"}
    found = variables.for_git(OUTER | own | place)
    assert {name: value for name, value in found.items() if name.startswith("GIT_")} == own
    assert found["PATH"] == OUTER["PATH"]
    assert not {"MY_SWITCH", "PYPI_TOKEN", "PIP_INDEX_URL"} & set(found)


def test_git_that_asks_a_remote_has_network_and_agent_and_asks_nobody() -> None:
    network = {"HTTPS_PROXY": "http://proxy.example", "SSH_AUTH_SOCK": "/agent", "GIT_TERMINAL_PROMPT": "1"}
    found = variables.for_remote_git(OUTER | network)
    assert found["GIT_TERMINAL_PROMPT"] == "0"
    assert (found["HTTPS_PROXY"], found["SSH_AUTH_SOCK"]) == ("http://proxy.example", "/agent")
    assert not {"MY_SWITCH", "PYPI_TOKEN", "PIP_INDEX_URL"} & set(found)
    assert "SSH_AUTH_SOCK" not in variables.for_git(OUTER | network)


def test_what_is_kept_back_is_named() -> None:
    assert variables.kept_back(OUTER) == ("PIP_EXTRA_INDEX_URL", "PYPI_TOKEN", "XDG_SESSION_TOKEN")
    assert variables.kept_back({"PATH": "/bin", "PIP_INDEX_URL": "https://proxy.example/simple"}) == ()


def test_what_is_kept_back_is_in_no_environment() -> None:
    hidden = set(variables.kept_back(OUTER))
    made = (variables.for_build(OUTER, hidden), variables.for_install(OUTER), variables.for_upload(OUTER, {}))
    assert [hidden & set(env) for env in made] == [set(), set(), set()]


# pip's own configuration files.


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    return tmp_path


PIP_CONF = (
    "[global]\ncert = /ca.pem\nindex-url = https://private.example\ntimeout = 60\nproxy =\n[install]\nretries = 9\n"
)


@posix
@pytest.mark.parametrize("place", [".config/pip/pip.conf", ".pip/pip.conf"])
def test_network_settings_come_from_pips_files(home: Path, place: str) -> None:
    write_tree(home, {place: PIP_CONF})
    found = variables.pip_settings({})
    assert (found["PIP_CERT"], found["PIP_TIMEOUT"]) == ("/ca.pem", "60")
    assert not {"PIP_INDEX_URL", "PIP_PROXY", "PIP_RETRIES"} & set(found)


@posix
def test_of_two_files_the_nearer_one_wins(home: Path) -> None:
    write_tree(home, {".pip/pip.conf": PIP_CONF, "xdg/pip/pip.conf": "[global]\ntimeout = 5\n"})
    found = variables.pip_settings({"XDG_CONFIG_HOME": str(home / "xdg")})
    assert (found["PIP_CERT"], found["PIP_TIMEOUT"]) == ("/ca.pem", "5")


def test_the_file_that_a_variable_names_wins(home: Path) -> None:
    write_tree(home, {".config/pip/pip.conf": PIP_CONF, "own.conf": "[global]\nclient-cert = /mine.pem\ntimeout = 1\n"})
    found = variables.pip_settings({"PIP_CONFIG_FILE": str(home / "own.conf")})
    assert (found["PIP_CLIENT_CERT"], found["PIP_TIMEOUT"]) == ("/mine.pem", "1")


@pytest.mark.parametrize("content", [b"timeout = 1\n", b"[global]\ntimeout = \xff\n", b"[global]\n[global]\n"])
def test_a_broken_file_is_left_to_pip(home: Path, content: bytes) -> None:
    (home / "own.conf").write_bytes(content)
    assert variables.pip_settings({"PIP_CONFIG_FILE": str(home / "own.conf")}) == {}


def test_a_variable_wins_over_pips_files(home: Path) -> None:
    write_tree(home, {"own.conf": PIP_CONF})
    found = variables.for_install({"PIP_CONFIG_FILE": str(home / "own.conf"), "PIP_TIMEOUT": "7"})
    assert (found["PIP_TIMEOUT"], found["PIP_CERT"]) == ("7", "/ca.pem")


@posix
def test_on_macos_pip_looks_into_the_library_too(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_tree(home, {"Library/Application Support/pip/pip.conf": "[global]\ntimeout = 3\n"})
    monkeypatch.setattr(sys, "platform", "darwin")
    assert variables.pip_settings({})["PIP_TIMEOUT"] == "3"
