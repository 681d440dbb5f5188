"""Repositories of the tests of this room, away from the git settings of this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.projects import commit, sample

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def user_config(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put an empty file in place of this machine's git settings."""
    config = tmp_path_factory.mktemp("home") / "gitconfig"
    config.touch()
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(config))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    return config


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A committed project."""
    project = sample(tmp_path / "demo")
    commit(project)
    return project
