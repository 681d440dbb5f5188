"""What is measured, which takes longer: the processes of pytest, but not what they start unless a test asks for it.

Nor are tests with random input: they run the same lines hundreds of times, and what is covered is not left to chance.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Generator

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


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Generator[None, Any, Any]:
    tracer = sys.gettrace()
    if not MEASURING or not getattr(pyfuncitem.obj, "is_hypothesis_test", False):
        return (yield)
    sys.settrace(None)
    try:
        return (yield)
    finally:
        sys.settrace(tracer)
