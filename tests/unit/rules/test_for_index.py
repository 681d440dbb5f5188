"""Which rules hold everywhere, and which on PyPI alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seatrial.release.stages import Problem
from seatrial.rules.judge import for_index
from tests.archives import found, sdist, wheel

if TYPE_CHECKING:
    from pathlib import Path


def test_what_pypi_alone_refuses_is_a_warning_elsewhere(tmp_path: Path) -> None:
    private = sdist(tmp_path, {"Classifier": "Private :: Do Not Upload"})
    local = sdist(tmp_path / "local", {"Version": "1.0+local"}, filename="demo-1.0+local.tar.gz")
    linux = wheel(tmp_path, filename="demo-1.0-cp312-cp312-linux_x86_64.whl")
    for path, code in (
        (private, "metadata-classifier"),
        (local, "metadata-local-version"),
        (linux, "filename-platform"),
    ):
        (message,) = found(path, code)
        problem = Problem(code, "error", path.name, message)
        (relaxed,) = for_index([problem], "packages.example")
        assert relaxed.severity == "warning"
        assert relaxed.message.endswith("(A warning: only PyPI refuses it, and these files are for packages.example.)")
        assert for_index([problem], "") == [problem]


def test_what_breaks_for_somebody_is_an_error_everywhere() -> None:
    broken = Problem("wheel-record", "error", "demo.whl", "RECORD is missing.")
    warned = Problem("filename-platform", "warning", "demo.whl", "a warning already")
    assert for_index([broken, warned], "packages.example") == [broken, warned]
