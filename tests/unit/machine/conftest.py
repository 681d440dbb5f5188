from __future__ import annotations

import pytest

from seatrial.machine import process


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorten the times, so that nobody waits."""
    monkeypatch.setattr(process, "TICK", 0.1)
    monkeypatch.setattr(process, "GRACE", 0.2)
