"""What a private index is read with: a variable, the credential of its uploads, the keyring, or .netrc."""

from __future__ import annotations

import contextlib
import netrc
import os
import sys
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from seatrial.index.credentials import Credential, choose, stop_if_unfit, user_of
from seatrial.index.indexes import Index, Indexes, Login, origin
from seatrial.index.tokens import foreign
from seatrial.machine import process, temporary, variables
from seatrial.machine.process import ToolStuck

if TYPE_CHECKING:
    from collections.abc import Mapping


LIMIT = 120.0  # seconds; a keyring may ask to be unlocked


def with_logins(indexes: Indexes, outer: Mapping[str, str], *, uploads: bool = False) -> Indexes:
    """Return `indexes` with the logins that `outer` gives to read them; PyPI and TestPyPI are read without.

    Each index of one's own has a variable for reading (see `Index.read_variable`). In a step that `uploads` or looks at
    what was uploaded, the credential of its uploads reads the same index too; no other step sends one. Then comes the
    keyring, opened only where a user name is set and nothing that goes with it. An index of dependencies at the same
    place as another is read with the login of that; last comes the file .netrc, where installers would look themselves.
    Raises BadCredential.
    """
    testpypi, pypi = (_with_login(index, outer, uploads=uploads) for index in (indexes.testpypi, indexes.pypi))
    needed = _with_login(indexes.dependencies, outer, uploads=False)
    if not needed.is_public and needed.login is None:
        lent = (index.login for index in (testpypi, pypi) if origin(index.simple) == origin(needed.simple))
        needed = replace(needed, login=next(filter(None, lent), None))
    return Indexes(*(_with_netrc(index) for index in (testpypi, pypi, needed)))


def readable(index: Index, credential: Credential | None) -> Index:
    """Return `index` to be read with the `credential` of its uploads, where it wants a login and they share a host."""
    if index.is_public or index.login or not credential or not credential.secret:
        return index
    if origin(index.upload) != origin(index.simple):
        return index
    return replace(index, login=Login(credential.username, credential.secret, credential.source))


def secret(service: str, user: str) -> str:
    """Return what the keyring of this machine has for `user` of the URL `service`, as twine asks it; empty for nothing.

    A process of its own, since a backend may wait for somebody forever.
    """
    argv = (sys.executable, "-I", "-m", "keyring", "get", service, user)
    with temporary.folder("keyring") as place, contextlib.suppress(ToolStuck):
        outcome = process.run(argv, env=variables.for_upload(os.environ, {}), cwd=place, time_limit=LIMIT)
        if outcome.code == 0 and outcome.output.strip():
            return outcome.output.splitlines()[-1]  # what stands before it are warnings
    return ""


def _with_login(index: Index, outer: Mapping[str, str], *, uploads: bool) -> Index:
    if index.is_public:
        return index
    name = index.read_variable
    if name and (value := outer.get(name)) is not None:
        stop_if_unfit(replace(index, upload=""), name, value)
        user = outer.get(name.removesuffix("_TOKEN") + "_USERNAME") or user_of(index, outer)
        return replace(index, login=Login(user, value, name))
    found = readable(index, choose(index, outer)) if uploads else index
    if found.login or not (user := outer.get(index.user_variable, "")):
        return found
    password = secret(index.upload or index.simple, user)
    if not password or foreign(password, index.simple):
        return index
    return replace(index, login=Login(user, password, "the keyring"))


def _with_netrc(index: Index) -> Index:
    """Return `index` with the login that the user's .netrc has for its host, where it has none and needs one."""
    if index.is_public or index.login:
        return index
    try:
        found = netrc.netrc().authenticators(urlsplit(index.simple).hostname or "")
    except (OSError, netrc.NetrcParseError):
        return index
    if not found or foreign(found[2] or "", index.simple):
        return index
    return replace(index, login=Login(found[0], found[2] or "", "the file .netrc"))
