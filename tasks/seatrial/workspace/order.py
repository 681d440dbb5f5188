"""Work on the packages of a repository in their order: each after those it needs, others side by side."""

from __future__ import annotations

import graphlib
import os
from typing import TYPE_CHECKING

from seatrial.machine.errors import ReleaseError
from seatrial.report.text import plural

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future
    from pathlib import Path

    from seatrial.workspace.packages import Package, Repository


class PackagesFailed(ReleaseError):
    step: str
    failed: tuple[str, ...]
    waiting: tuple[str, ...]

    what = "`{e.step}` failed for {e.failed:joined}.{e.not_started}"
    cure = "fix that and run the step again: what is done already is not done twice."

    @property
    def not_started(self) -> str:
        return f" Not started, since they come after it: {', '.join(self.waiting)}." if self.waiting else ""


def counted(repository: Repository) -> str:
    """Say how many packages there are."""
    return plural(len(repository.packages), "package")


def side_by_side(step: str, repository: Repository, work: Callable[[Package], bool]) -> None:
    """Let `work` see to all packages, each after those it needs, as many at once as there are processors.

    What needs a package for which `work` returned False is not begun. Raises PackageCycle, and PackagesFailed.
    """
    from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait  # noqa: PLC0415 (only `--all` comes here)

    by_root = {package.root: package for package in repository.ordered()}
    graph = graphlib.TopologicalSorter({package.root: package.needs for package in by_root.values()})
    graph.prepare()
    succeeded: dict[str, bool] = {}
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        running: dict[Future[bool], Path] = {}
        while graph.is_active():
            running |= {pool.submit(work, by_root[root]): root for root in graph.get_ready()}
            if not running:
                break  # what is left needs something that failed
            finished, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in finished:
                root = running.pop(future)
                if future.result():
                    graph.done(root)
                succeeded[by_root[root].name] = future.result()
    if failed := tuple(name for name, fine in succeeded.items() if not fine):
        waiting = (package.name for package in by_root.values() if package.name not in succeeded)
        raise PackagesFailed(step, failed, tuple(waiting))
