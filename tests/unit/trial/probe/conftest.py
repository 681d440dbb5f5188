from __future__ import annotations

import importlib
import sys
import sysconfig
from typing import TYPE_CHECKING

import pytest

from tests.environments import Site

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder to import from; what was imported from it is forgotten."""
    monkeypatch.syspath_prepend(str(tmp_path))
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        del sys.modules[name]


@pytest.fixture(scope="session")
def made_site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    return Site.create(tmp_path_factory.mktemp("stranger") / "ein venv ü")


@pytest.fixture
def site(made_site: Site, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """The environment, which the probe takes for the one it runs in; it is empty again after each test."""
    monkeypatch.setattr(sys, "executable", str(made_site.python))
    monkeypatch.setattr("sysconfig.get_path", made_site.paths.__getitem__)
    # In place of the environment of the tests, whose distributions would be read each time.
    own = {sysconfig.get_paths()[name] for name in ("purelib", "platlib")}
    monkeypatch.setattr(sys, "path", [str(made_site.purelib), *(path for path in sys.path if path not in own)])
    importlib.invalidate_caches()
    yield made_site
    made_site.clear()
