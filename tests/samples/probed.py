"""What tests of the probe ask it, and how they read its answer."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from seatrial.trial.probe import command
from seatrial.trial.probe.document import check
from seatrial.trial.probe.subject import Project
from seatrial.trial.wheel import history
from tests.projects import write_tree

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.environments import Site


PROBE = Path(command.__file__)
LIMIT = 60.0  # seconds, for imports that end
SHORT = 0.5  # seconds, for those that do not

posix = pytest.mark.skipif(os.name == "nt", reason="signals and process groups are of POSIX")

PKGUTIL = "__path__ = __import__('pkgutil').extend_path(__path__, __name__)\n"
PKG_RESOURCES = """\
# See the documentation of setuptools.
try:
    __import__("pkg_resources").declare_namespace(__name__)
except ImportError:
    __path__ = __import__("pkgutil").extend_path(__path__, __name__)
"""
LONG_INIT = PKGUTIL + "".join(f"number_{n} = {n}\n" for n in range(12))


def put(site: Site, **modules: str) -> None:
    write_tree(site.purelib, {f"{name}.py": text for name, text in modules.items()})


def look(*setting: str, name: str = "demo", limit: float = LIMIT) -> dict[str, Any]:
    """Return the document on what is in `site`, made in this interpreter; only the imports are in one of `site`."""
    document = check(name, setting, limit, Project(stdlib=history()))
    json.dumps(document)
    return document


def found(document: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    return [(problem["severity"], problem["kind"], problem["name"]) for problem in document["problems"]]


def said(document: Mapping[str, Any]) -> str:
    return "\n".join(problem["message"] for problem in document["problems"])
