"""Packages of a repository, each after those it needs, and others side by side."""

from __future__ import annotations

import contextlib
import os
import threading
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seatrial.workspace.order import PackagesFailed, counted, side_by_side
from seatrial.workspace.packages import Package, PackageCycle, Repository


def graph(needs: dict[str, list[str]]) -> Repository:
    packages = [Package(name, Path(name), tuple(map(Path, of))) for name, of in needs.items()]
    return Repository(Path(), tuple(packages))


def test_what_does_not_need_each_other_runs_side_by_side(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    both = threading.Barrier(2, timeout=20)  # which a single one at a time never passes

    def act(package: Package) -> bool:
        if package.name != "last":
            both.wait()
        return True

    side_by_side("build", graph({"last": ["a", "b"], "a": [], "b": []}), act)


def test_no_more_run_at_once_than_there_are_processors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    running, most, lock = [0], [0], threading.Lock()
    pause = threading.Event()

    def act(_package: Package) -> bool:
        with lock:
            running[0] += 1
            most[0] = max(most[0], running[0])
        pause.wait(0.02)
        with lock:
            running[0] -= 1
        return True

    side_by_side("build", graph({str(n): [] for n in range(6)}), act)
    assert most == [2]


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_each_is_begun_after_what_it_needs_and_none_after_what_failed(data: st.DataObject) -> None:
    count = data.draw(st.integers(1, 6))
    lower = {n: sorted(data.draw(st.sets(st.integers(0, n - 1)))) if n else [] for n in range(count)}
    needs = {str(n): list(map(str, of)) for n, of in lower.items()}
    bad = data.draw(st.sets(st.sampled_from(sorted(needs))))
    ended: list[str] = []
    begun: list[str] = []

    def act(package: Package) -> bool:
        assert all(needed.name in ended for needed in package.needs)
        begun.append(package.name)
        if package.name not in bad:
            ended.append(package.name)
        return package.name not in bad

    kept_back: set[str] = set()
    for name, of in needs.items():
        if (bad | kept_back) & {*of}:
            kept_back.add(name)
    failed = bad - kept_back
    with pytest.raises(PackagesFailed) if failed else contextlib.nullcontext() as error:
        side_by_side("build", graph(needs), act)
    if error:
        assert (set(error.value.failed), set(error.value.waiting)) == (failed, kept_back)
    assert sorted(begun) == sorted({*needs} - kept_back)


def test_what_goes_wrong_with_us_is_not_hidden() -> None:
    def act(_package: Package) -> bool:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        side_by_side("build", graph({"a": []}), act)


def test_a_cycle_is_refused_before_anything_is_done() -> None:
    done: list[str] = []

    def act(package: Package) -> bool:
        done.append(package.name)
        return True

    with pytest.raises(PackageCycle):
        side_by_side("build", graph({"a": ["b"], "b": ["a"], "c": []}), act)
    assert done == []


@pytest.mark.parametrize(("count", "said"), [(0, "0 packages"), (1, "1 package"), (2, "2 packages")])
def test_packages_are_counted(count: int, said: str) -> None:
    assert counted(graph({str(n): [] for n in range(count)})) == said


def test_what_failed_and_what_was_not_started_is_named() -> None:
    error = PackagesFailed("build", ("a", "b"), ("c",))
    assert str(error).startswith("`build` failed for a, b. Not started, since they come after it: c.\n")
    assert str(PackagesFailed("build", ("a",), ())).startswith("`build` failed for a.\n")
