"""What the keyring of this machine has for an index, asked for as twine does: by URL and user name."""

from __future__ import annotations

import contextlib
import os
from dataclasses import replace
from typing import TYPE_CHECKING

from seatrial.index.indexes import Login
from seatrial.machine import process, temporary, variables
from seatrial.machine.process import ToolStuck

if TYPE_CHECKING:
    from pathlib import Path

    from seatrial.index.indexes import Index
    from seatrial.project.context import Context
    from seatrial.project.settings import Settings

LIMIT = 120.0  # seconds; a keyring may ask to be unlocked
WITH_TWINE = frozenset({"check", "testpypi", "pypi"})  # sessions whose own environment has it, and keyring with it


def secret(python: Path, service: str, user: str) -> str:
    """Return what the keyring has for `user` of `service`, empty for nothing; `python` has the library keyring."""
    argv = (str(python), "-I", "-m", "keyring", "get", service, user)
    with temporary.folder("keyring") as place, contextlib.suppress(ToolStuck):
        outcome = process.run(argv, env=variables.for_upload(os.environ, {}), cwd=place, time_limit=LIMIT)
        if outcome.code == 0 and outcome.output.strip():
            return outcome.output.splitlines()[-1]  # what stands before it are warnings
    return ""


def with_logins(context: Context) -> Settings:
    """Return the settings of `run` with logins to read indexes: where a user name is set and nothing that goes with it.

    Nobody's keyring is opened unless that is said. It is asked for the URL of uploads, or of the dependencies.
    """
    settings = context.settings
    indexes = (settings.testpypi, settings.pypi, settings.dependencies)
    if not any(map(_user, indexes)):
        return settings
    with context.scratch() as place:
        python = context.tools("twine") if context.name in WITH_TWINE else context.tools_in(place, "twine")
        testpypi, pypi, dependencies = (_with_login(index, python) for index in indexes)
    return replace(settings, testpypi=testpypi, pypi=pypi, dependencies=dependencies)


def _with_login(index: Index, python: Path) -> Index:
    user = _user(index)
    found = secret(python, index.upload or index.simple, user) if user else ""
    return replace(index, login=Login(user, found, "the keyring")) if found else index


def _user(index: Index) -> str:
    """Return the user name to look up for `index`, empty where it needs no login or has one."""
    return "" if index.is_public or index.login else os.environ.get(index.user_variable, "")
