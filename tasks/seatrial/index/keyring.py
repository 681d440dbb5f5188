"""What the keyring of this machine has for an index, asked for as twine does: by URL and user name."""

from __future__ import annotations

import contextlib
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

from seatrial.index.indexes import Indexes, Login
from seatrial.machine import process, temporary, variables
from seatrial.machine.process import ToolStuck

if TYPE_CHECKING:
    from collections.abc import Mapping

    from seatrial.index.indexes import Index

LIMIT = 120.0  # seconds; a keyring may ask to be unlocked


def secret(service: str, user: str, outer: Mapping[str, str]) -> str:
    """Return what the keyring has for `user` of `service`, empty for nothing; `outer` are the variables of this machine.

    A process of its own, since a backend may wait for somebody for ever.
    """
    argv = (sys.executable, "-I", "-m", "keyring", "get", service, user)
    with temporary.folder("keyring") as place, contextlib.suppress(ToolStuck):
        outcome = process.run(argv, env=variables.for_upload(outer, {}), cwd=place, time_limit=LIMIT)
        if outcome.code == 0 and outcome.output.strip():
            return outcome.output.splitlines()[-1]  # what stands before it are warnings
    return ""


def with_logins(indexes: Indexes, outer: Mapping[str, str]) -> Indexes:
    """Return `indexes` with logins to read them where `outer` sets a user name and nothing that goes with it.

    Nobody's keyring is opened unless that is said. It is asked for the URL of uploads, or of the dependencies.
    """
    return Indexes(*(_with_login(index, outer) for index in indexes))


def _with_login(index: Index, outer: Mapping[str, str]) -> Index:
    """Return `index` with what the keyring has for its user name, unless it needs no login or has one."""
    user = "" if index.is_public or index.login else outer.get(index.user_variable, "")
    password = secret(index.upload or index.simple, user, outer) if user else ""
    return replace(index, login=Login(user, password, "the keyring")) if password else index
