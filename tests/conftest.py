"""What holds for all tests."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

os.environ.pop("COLUMNS", None)  # pytest-xdist sets 80: lines would break, other than without it


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let each worker of pytest-xdist begin with its share of the slow tests: at the end none waits for one of them."""
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    slow = [item for item in items if item.get_closest_marker("slow")]
    others = [item for item in items if not item.get_closest_marker("slow")]
    length = -(-len(others) // workers)
    items[:] = [
        item
        for number in range(workers)
        for item in (*slow[number::workers], *others[number * length : (number + 1) * length])
    ]
