"""What is measured: the processes of pytest, and what they start only where a test asks for it: that takes longer."""

from __future__ import annotations

import os

import pytest

# With these coverage measures a process that Python starts. The workers of pytest-xdist have been started with them.
IN_WORKER = "PYTEST_XDIST_WORKER" in os.environ
MEASURING = {name: os.environ[name] for name in os.environ if name.startswith("COVERAGE_") and IN_WORKER}
for name in MEASURING:
    del os.environ[name]


@pytest.fixture
def measured_children(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let coverage measure what the test starts."""
    for variable, value in MEASURING.items():
        monkeypatch.setenv(variable, value)
