"""What the keyring of this machine has for an index, looked up as twine does: by URL and user name."""

from __future__ import annotations

import os
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


def secret(service: str, user: str) -> str:
    """Return what the keyring has for `user` of `service`, empty for nothing."""
    argv = (sys.executable, "-I", "-m", "keyring", "get", service, user)
    with temporary.folder("keyring") as place:
        try:
            outcome = process.run(argv, env=variables.for_upload(os.environ, {}), cwd=place, time_limit=LIMIT)
        except ToolStuck:
            return ""
    if outcome.code != 0 or not outcome.output.strip():
        return ""
    return outcome.output.splitlines()[-1]  # what stands before it are warnings


def with_logins(indexes: Indexes, outer: Mapping[str, str]) -> Indexes:
    """Return `indexes` with logins to read them, where `outer` has a user name and nothing that goes with it.

    Nobody's keyring is opened unless that is said. It is asked for the URL of uploads, or of the dependencies.
    """
    pairs = (_with_login(index, outer) for index in (indexes.testpypi, indexes.pypi, indexes.dependencies))
    return Indexes(*pairs)


def _with_login(index: Index, outer: Mapping[str, str]) -> Index:
    user = "" if index.is_public or index.login else outer.get(index.user_variable, "")
    password = secret(index.upload or index.simple, user) if user else ""
    return replace(index, login=Login(user, password, "the keyring")) if password else index
