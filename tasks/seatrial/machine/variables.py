"""Which environment variables each kind of child process sees. Everything else stays here.

A build backend, a dependency's setup code and a smoke command run code that we did not write: none of them gets a
secret, so every child process gets an environment made here.
"""

from __future__ import annotations

import configparser
import ctypes
import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


def _names(words: str) -> frozenset[str]:
    return frozenset(words.split())


SYSTEM = _names("""
    PATH HOME USER LOGNAME SHELL TERM LANG LANGUAGE TZ TMPDIR TEMP TMP
    LC_ALL LC_ADDRESS LC_COLLATE LC_CTYPE LC_IDENTIFICATION LC_MEASUREMENT LC_MESSAGES LC_MONETARY LC_NAME LC_NUMERIC
    LC_PAPER LC_TELEPHONE LC_TIME
    XDG_CACHE_HOME XDG_CONFIG_DIRS XDG_CONFIG_HOME XDG_DATA_DIRS XDG_DATA_HOME XDG_RUNTIME_DIR XDG_STATE_HOME
    USERPROFILE USERNAME APPDATA LOCALAPPDATA PROGRAMDATA PROGRAMFILES PROGRAMFILES(X86) PROGRAMW6432 ALLUSERSPROFILE
    SYSTEMROOT SYSTEMDRIVE WINDIR COMSPEC PATHEXT NUMBER_OF_PROCESSORS PROCESSOR_ARCHITECTURE PROCESSOR_IDENTIFIER OS
    LD_LIBRARY_PATH DYLD_LIBRARY_PATH NO_COLOR FORCE_COLOR COLUMNS COVERAGE_PROCESS_START COVERAGE_PROCESS_CONFIG
""")
NETWORK = _names("""
    HTTP_PROXY HTTPS_PROXY ALL_PROXY NO_PROXY SSL_CERT_FILE SSL_CERT_DIR REQUESTS_CA_BUNDLE CURL_CA_BUNDLE
    GIT_SSL_CAINFO NIX_SSL_CERT_FILE PIP_CERT PIP_CLIENT_CERT PIP_PROXY PIP_TRUSTED_HOST PIP_DEFAULT_TIMEOUT
    PIP_TIMEOUT PIP_RETRIES PIP_CACHE_DIR UV_CACHE_DIR UV_NATIVE_TLS UV_SYSTEM_CERTS UV_HTTP_TIMEOUT UV_HTTP_RETRIES
    UV_CONCURRENT_DOWNLOADS UV_LINK_MODE UV_INSECURE_HOST
""")
INDEXES = _names("""
    PIP_CONFIG_FILE PIP_INDEX_URL PIP_EXTRA_INDEX_URL PIP_NO_INDEX PIP_FIND_LINKS PIP_CONSTRAINT PIP_BUILD_CONSTRAINT
    PIP_PREFER_BINARY PIP_ONLY_BINARY PIP_NO_BINARY UV_DEFAULT_INDEX UV_INDEX UV_INDEX_URL UV_EXTRA_INDEX_URL
    UV_FIND_LINKS UV_NO_INDEX UV_OFFLINE UV_CONSTRAINT UV_BUILD_CONSTRAINT UV_EXCLUDE_NEWER UV_INDEX_STRATEGY
""")
COMPILERS = _names("""
    CC CXX FC F77 F90 CPP AR AS LD NM RANLIB STRIP CFLAGS CXXFLAGS CPPFLAGS FFLAGS LDFLAGS LIBS ARCHFLAGS CPATH
    C_INCLUDE_PATH CPLUS_INCLUDE_PATH LIBRARY_PATH MACOSX_DEPLOYMENT_TARGET IPHONEOS_DEPLOYMENT_TARGET SDKROOT
    DEVELOPER_DIR PKG_CONFIG PKG_CONFIG_PATH PKG_CONFIG_LIBDIR CMAKE CMAKE_ARGS CMAKE_GENERATOR CMAKE_PREFIX_PATH
    CMAKE_BUILD_TYPE CMAKE_BUILD_PARALLEL_LEVEL CMAKE_TOOLCHAIN_FILE MAKEFLAGS NINJA CUDA_HOME CUDA_PATH CARGO_HOME
    RUSTUP_HOME RUSTUP_TOOLCHAIN RUSTFLAGS CARGO_BUILD_TARGET GOPATH GOROOT JAVA_HOME SWIG INCLUDE LIB LIBPATH
    DISTUTILS_USE_SDK MSSDK VCINSTALLDIR VCTOOLSINSTALLDIR VSINSTALLDIR VSCMD_ARG_TGT_ARCH WINDOWSSDKDIR
    WINDOWSSDKVERSION UNIVERSALCRTSDKDIR UCRTVERSION VS100COMNTOOLS VS110COMNTOOLS VS120COMNTOOLS VS140COMNTOOLS
    VS150COMNTOOLS VS160COMNTOOLS VS170COMNTOOLS VS180COMNTOOLS CONDA_PREFIX CONDA_BUILD_SYSROOT CONDA_TOOLCHAIN_HOST
    HOST NIX_BINTOOLS NIX_BUILD_CORES NIX_BUILD_TOP NIX_CC NIX_CFLAGS_COMPILE NIX_CFLAGS_LINK NIX_DYNAMIC_LINKER
    NIX_ENFORCE_NO_NATIVE NIX_ENFORCE_PURITY NIX_HARDENING_ENABLE NIX_IGNORE_LD_THROUGH_GCC NIX_LD
    NIX_LD_LIBRARY_PATH NIX_LDFLAGS NIX_LDFLAGS_AFTER NIX_LDFLAGS_BEFORE NIX_PATH NIX_PROFILES NIX_REMOTE NIX_STORE
    NIX_STORE_DIR NIX_STATE_DIR
""")
# What narrows a choice has no say where hashes have made it: an age limit would only hide the locked tools.
NARROWING = frozenset({"PIP_CONSTRAINT", "UV_CONSTRAINT", "UV_EXCLUDE_NEWER"})
GIT_PLACE = _names("""
    GIT_DIR GIT_WORK_TREE GIT_INDEX_FILE GIT_OBJECT_DIRECTORY GIT_ALTERNATE_OBJECT_DIRECTORIES GIT_COMMON_DIR
    GIT_PREFIX GIT_NAMESPACE GIT_CEILING_DIRECTORIES
""")  # set inside git's hooks, where they would point git at another repository than the project's
KEYRING = frozenset({"DBUS_SESSION_BUS_ADDRESS", "PYTHON_KEYRING_BACKEND", "DISPLAY", "WAYLAND_DISPLAY"})
NETWORK_SETTINGS = ("cert", "client-cert", "proxy", "timeout", "retries")
PROXIES = frozenset({"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "PIP_PROXY"})
PR_SET_DUMPABLE = 4
LOOPBACK = ("127.0.0.1", "::1", "localhost")
# nixpkgs' compiler wrappers read their flags with the platform behind the name.
NIX_FLAGS = re.compile(
    r"NIX_(?:BINTOOLS|CC|CFLAGS_COMPILE|CFLAGS_LINK|LDFLAGS)_(?:WRAPPER_TARGET_(?:BUILD|HOST|TARGET)_)?(?:FOR_(?:BUILD|TARGET)|\w+_(?:linux|darwin)\w*)"
)

# What every shell, nox and this product set for themselves; no build reads it.
NO_INTEREST = tuple("_ PWD OLDPWD SHLVL HOSTNAME PS1 LS_COLORS VIRTUAL_ENV NOX_ SEATRIAL_ PYTHON XDG_".split())

WORDS = "TOKEN|PASSWORD|PASSWD|SECRET|CREDENTIAL|API_?KEY|ACCESS_?KEY|PRIVATE_?KEY"
SECRET = re.compile(
    rf"{WORDS}|PASSPHRASE|^(?:ACTIONS|TWINE|UV_PUBLISH|HATCH_INDEX|FLIT|POETRY_PYPI|PDM_PUBLISH)_", re.IGNORECASE
)
IN_URL = re.compile(r"//([^\s'\"<>]+)")
# What is set inside of a value, such as -DAPI_TOKEN=... in CMAKE_ARGS, or a token by the looks of it.
SECRET_IN_VALUE = re.compile(
    rf"(?:{WORDS})\w*[=:][\"']?[\w+.~-]{{16}}|\bpypi-Ag|\bgh[opsu]_\w{{20}}|\bgithub_pat_\w{{20}}|\bglpat-\w{{16}}",
    re.IGNORECASE,
)


def is_secret(name: str) -> bool:
    """Whether a variable called `name` is likely to hold a secret, or the means to get one."""
    return SECRET.search(name) is not None


def without_logins(text: str) -> str:
    """Return `text` without the logins in its URLs.

    A password may have a slash or an `@` that is not quoted, so all up to the last `@` goes where a login begins.
    """

    def cut(url: re.Match[str]) -> str:
        begins = re.search("[:@]", url[1].partition("/")[0])
        return f"//{url[1].rpartition('@')[2]}" if begins else url[0]

    return IN_URL.sub(cut, text)


def kept_back(outer: Mapping[str, str]) -> tuple[str, ...]:
    """Return the names of the variables that no code which is not ours gets to see because of what they may hold."""
    return tuple(sorted(name for name, value in outer.items() if _is_kept_back(name, value)))


def _is_kept_back(name: str, value: str) -> bool:
    """Whether a variable is a secret by its name, or an index's or a compiler's that holds a login or a token."""
    flags = name.upper() in COMPILERS or NIX_FLAGS.fullmatch(name) is not None
    holds_login = (flags or name.upper() in INDEXES) and without_logins(value) != value
    return is_secret(name) or holds_login or (flags and SECRET_IN_VALUE.search(value) is not None)


def lock_memory() -> None:
    """Keep other processes of this user from reading the memory and the environment of this one, on Linux.

    Nothing changes for root with CAP_SYS_PTRACE. A program that is started from here is readable again.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)


def for_build(outer: Mapping[str, str], extra: Iterable[str] = ()) -> dict[str, str]:
    """Return what a build backend may see of `outer`; `extra` are further names (the project's `build-env`).

    Index settings pass, since build requirements come from there, but not where a login stands in the URL.
    """
    allowed = SYSTEM | NETWORK | COMPILERS | ({name.upper() for name in extra} - INDEXES)
    return past_proxies(_picked(outer, allowed | INDEXES)) | {"UV_NO_CONFIG": "1"}


def for_tools(outer: Mapping[str, str]) -> dict[str, str]:
    """Return the environment for installing our own tools, from wherever this machine takes packages, by hash."""
    return {name: value for name, value in for_build(outer).items() if name not in NARROWING}


def dropped(outer: Mapping[str, str], extra: Iterable[str] = ()) -> list[str]:
    """Return the names of the variables that `for_build` does not hand on, without secrets and those of no interest."""
    lost = set(outer) - set(for_build(outer, extra)) - set(kept_back(outer))
    return sorted(name for name in lost if not name.upper().startswith(NO_INTEREST))


def for_install(outer: Mapping[str, str], *, relayed: bool = False) -> dict[str, str]:
    """Return the environment for installing and running the released files as a stranger would.

    No index, find-links, age limit or constraint of this machine's pip and uv settings is left in it; certificates,
    proxies and caches are, those set in pip's configuration files included. Where dependencies are `relayed`, from an
    address on this machine that is another one each time, no proxy and no cache is in between.
    """
    env = past_proxies(pip_settings(outer) | _picked(outer, SYSTEM | NETWORK | COMPILERS))
    if relayed:
        env = _with_loopback(env) | {"UV_NO_CACHE": "1", "PIP_NO_CACHE_DIR": "1"}
        env.pop("UV_LINK_MODE", None)  # without a cache there is nothing to link to, which uv warns of
    return env | {"PIP_CONFIG_FILE": os.devnull, "UV_NO_CONFIG": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}


def past_proxies(env: Mapping[str, str]) -> dict[str, str]:
    """Return `env` so that no proxy is asked for an address on this machine.

    pip asks its own PIP_PROXY whatever NO_PROXY says, so it becomes the proxy of all programs. Without any proxy
    nothing is changed: on macOS and Windows a NO_PROXY alone would switch off those of the system.
    """
    if not PROXIES & {name.upper() for name in env}:
        return dict(env)
    changed = {name: _quoted(value) if name.upper() in PROXIES else value for name, value in env.items()}
    if proxy := changed.pop("PIP_PROXY", None):
        changed |= dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"), proxy)
    return _with_loopback(changed)


def _quoted(proxy: str) -> str:
    """Return the address `proxy` with its login quoted: the messages of programs show a password that has a slash."""
    before, at, place = proxy.rpartition("@")
    scheme, mark, login = before.partition("://")
    return f"{scheme}{mark}{quote(login, safe=':%')}{at}{place}" if mark else proxy


def _with_loopback(env: Mapping[str, str]) -> dict[str, str]:
    listed = env.get("no_proxy") or env.get("NO_PROXY") or ""
    if listed == "*":  # means all hosts, but only by itself
        return dict(env)
    hosts = [host for host in map(str.strip, listed.split(",")) if host]
    past = ",".join([*hosts, *(host for host in LOOPBACK if host not in hosts)])
    return {**env, "NO_PROXY": past, "no_proxy": past}


def for_git(outer: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of git, which may run a user's filters and hooks: its own settings, and no more."""
    own = {name.upper() for name in outer if name.upper().startswith("GIT_")}
    return _picked(outer, (SYSTEM | own) - GIT_PLACE)


def for_remote_git(outer: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of git where it asks a remote repository: an agent's keys may be used, nobody is asked."""
    return for_git(outer) | _picked(outer, NETWORK | {"SSH_AUTH_SOCK"}) | {"GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}


def for_upload(outer: Mapping[str, str], secret: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of twine, the one process that gets `secret` (see `credentials`)."""
    return past_proxies(_picked(outer, SYSTEM | NETWORK | KEYRING)) | dict(secret)


def pip_settings(outer: Mapping[str, str], keys: Iterable[str] = NETWORK_SETTINGS) -> dict[str, str]:
    """Return the settings `keys` (certificates, proxy and patience) of pip's configuration files, as variables of pip.

    They are read where pip looks, least important first (pip's documentation, "Configuration").
    """
    home = Path.home()
    if sys.platform == "win32":
        places = [Path(outer[name]) / "pip" for name in ("PROGRAMDATA", "APPDATA") if name in outer]
        paths = [place / "pip.ini" for place in (home / "pip", *places)]
    else:
        mac = [home / "Library/Application Support/pip"] if sys.platform == "darwin" else []
        user = Path(outer.get("XDG_CONFIG_HOME") or home / ".config") / "pip"
        paths = [place / "pip.conf" for place in (Path("/etc"), Path("/etc/xdg/pip"), home / ".pip", *mac, user)]
    parser = configparser.RawConfigParser()
    try:
        parser.read([*paths, outer.get("PIP_CONFIG_FILE", "")], encoding="utf-8")  # those that are there
    except (configparser.Error, UnicodeDecodeError):
        return {}  # pip itself will say what is wrong with it
    found = {key: parser.get("global", key, fallback=None) for key in keys}
    return {f"PIP_{key.replace('-', '_').upper()}": value for key, value in found.items() if value}


def _picked(outer: Mapping[str, str], allowed: frozenset[str] | set[str]) -> dict[str, str]:
    """Return the variables of `outer` that are allowed, by upper-case name, and hold no secret that can be seen."""
    return {
        name: value
        for name, value in outer.items()
        if (name.upper() in allowed or (allowed >= COMPILERS and NIX_FLAGS.fullmatch(name)))
        and not _is_kept_back(name, value)
    }
