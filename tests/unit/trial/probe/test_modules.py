from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from seatrial.trial.probe import modules
from tests.samples.probed import found, look, said

if TYPE_CHECKING:
    from tests.environments import Site


@pytest.mark.parametrize(
    ("module", "metadata"),
    [
        ("1.0", "1.0"),
        ("v1.0", "1.0"),
        ("1.0", "1"),
        ("1.0.0-beta.2", "1.0b2"),
        ("1.0alpha", "1.0a0"),
        ("2024.01.05", "2024.1.5"),
        ("1.0", "1!1.0"),
        ("1.0.post1", "1.0-r1"),
        ("1.0+ubuntu.1", "1.0+Ubuntu-1"),
    ],
)
def test_versions_that_agree(module: str, metadata: str) -> None:
    assert modules._release(module) == modules._release(metadata)


@pytest.mark.parametrize(
    ("module", "metadata"),
    [("1.0", "1.1"), ("1.0b1", "1.0"), ("1.0", "10"), ("1.0+g123", "1.0"), ("unknown", "1.0"), ("1.0a1", "1.0b1")],
)
def test_versions_that_differ(module: str, metadata: str) -> None:
    assert modules._release(module) != modules._release(metadata)


@pytest.mark.parametrize(
    ("text", "problems"),
    [
        ("__version__ = '1.0.0'\n", []),
        ("__version__ = (0, 9)\n", []),
        ("def __getattr__(name):\n    raise RuntimeError(name)\n", []),
        ("__version__ = '0.9'\n", [("warning", "module-version", "demo")]),
        ("def __getattr__(name):\n    return '0.9'\n", [("warning", "module-version", "demo")]),
    ],
)
def test_the_version_that_a_module_tells(site: Site, text: str, problems: list[tuple[str, str, str]]) -> None:
    site.install({"demo.py": text})
    document = look()
    assert found(document) == problems
    assert not problems or "`demo.__version__` is '0.9', and the metadata says 1.0." in said(document)


def test_the_version_of_another_module_is_its_own_affair(site: Site) -> None:
    site.install({"demo.py": "", "bundled.py": "__version__ = '7'\n"})
    assert look()["problems"] == []
