"""PyPI, TestPyPI and private indexes as values: where each is read, where it takes uploads, who logs in."""

from __future__ import annotations

import base64
from dataclasses import field
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

from packaging.utils import canonicalize_name

from seatrial.machine.values import Value

if TYPE_CHECKING:
    from collections.abc import Iterator

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


class Login(Value):
    """What an index is read with: user name and password (or token), and where they are from, in words."""

    username: str
    password: str = field(repr=False)
    source: str

    @property
    def header(self) -> str:
        """The value of the Authorization header (RFC 7617)."""
        return "Basic " + base64.b64encode(f"{self.username}:{self.password}".encode()).decode("ascii")


class Index(Value):
    """A package index: where it is read, where it takes uploads, and where a person looks.

    `login` is sent where `simple` is and nowhere else. `stands_for` is the simple URL of the index that is read through
    this one, which is then on this machine (see `trial.relay`).
    """

    name: str
    simple: str
    upload: str = ""
    pages: str = ""
    token_variable: str = ""
    token_location: str = ""  # the host that an API token names inside itself; empty for an index of one's own
    login: Login | None = field(default=None, compare=False)
    stands_for: str = ""

    @property
    def is_public(self) -> bool:
        """Whether this is PyPI or TestPyPI (or stands in for one): their rules hold, and nobody logs in to read."""
        return bool(self.token_location)

    @property
    def user_variable(self) -> str:
        """The variable with the user name that goes with the token, for an index whose users have names."""
        return self.token_variable.removesuffix("_TOKEN") + "_USERNAME"

    @property
    def read_variable(self) -> str:
        """The variable with a token or password that reads this index, and that uploads nothing."""
        if not self.upload:
            return self.token_variable
        return self.token_variable.removesuffix("_TOKEN") + "_READ_TOKEN" if self.token_variable else ""

    @property
    def is_loopback(self) -> bool:
        return is_loopback(self.simple)

    def project_url(self, project: str) -> str:
        """The URL of the project's page in the simple repository API (PEP 503)."""
        return urljoin(self.simple, canonicalize_name(project) + "/")

    def page(self, project: str, version: str) -> str:
        """The page of a release, for a person; the simple page where an index has no others."""
        if self.pages:
            return f"{self.pages}/project/{canonicalize_name(project)}/{version}/"
        return self.project_url(project)


class Indexes(Value):
    """The three indexes of a project: of the rehearsal, of the release, and of everything that it depends on."""

    testpypi: Index
    pypi: Index
    dependencies: Index

    def __iter__(self) -> Iterator[Index]:
        return iter((self.testpypi, self.pypi, self.dependencies))


def is_loopback(url: str) -> bool:
    """Whether `url` names a server on this machine."""
    return urlsplit(url).hostname in LOOPBACK


def origin(url: str) -> tuple[str, str]:
    """Return scheme and host with port of `url`: what decides who may see a login."""
    parts = urlsplit(url)
    return parts.scheme, parts.netloc.lower()


PYPI = Index(
    "PyPI",
    simple="https://pypi.org/simple/",
    upload="https://upload.pypi.org/legacy/",
    pages="https://pypi.org",
    token_variable="PYPI_TOKEN",  # noqa: S106 (a variable's name)
    token_location="pypi.org",  # noqa: S106 (a host)
)
TESTPYPI = Index(
    "TestPyPI",
    simple="https://test.pypi.org/simple/",
    upload="https://test.pypi.org/legacy/",
    pages="https://test.pypi.org",
    token_variable="TESTPYPI_TOKEN",  # noqa: S106 (a variable's name)
    token_location="test.pypi.org",  # noqa: S106 (a host)
)
