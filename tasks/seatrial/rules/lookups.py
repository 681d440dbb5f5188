"""What the two indexes hold of a project before it is uploaded, for the rules on that (`rules.index`)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from packaging.version import Version

from seatrial.index.holdings import IndexNotJson, read_project
from seatrial.index.http import IndexRefused, IndexUnreachable, LoginWithheld
from seatrial.rules import index as rules
from seatrial.rules.index import Listing
from seatrial.rules.rule import INDEX_RULES, judge_listing

if TYPE_CHECKING:
    from seatrial.index.indexes import Index, Indexes
    from seatrial.release.stages import Built, Problem


def judge(
    built: Built, indexes: Indexes, now: datetime | None = None, *, rehearsed_here: bool = False
) -> tuple[tuple[str, ...], tuple[Problem, ...]]:
    """Ask both indexes at once, those on this machine left out; return the codes of the rules applied, and findings.

    Where the release is rehearsed on this machine, it does not matter what the rehearsal index holds.
    """
    moment = now or datetime.now(timezone.utc)
    concerned = (indexes.pypi,) if rehearsed_here else (indexes.testpypi, indexes.pypi)
    asked = [index for index in concerned if not index.is_loopback]
    with ThreadPoolExecutor(2) as pool:
        asking = ((index, built, index is indexes.pypi and index.is_public, moment) for index in asked)
        listings = list(pool.map(lambda facts: listing(*facts), asking))
    applied = tuple(sorted(rule.code for rule in INDEX_RULES)) if listings else ()
    return applied, tuple(problem for found in listings for problem in judge_listing(found))


def listing(index: Index, built: Built, is_pypi: bool, now: datetime) -> Listing:  # noqa: FBT001 (a fact of the listing)
    """Return what `index` lists for the project of `built`; where it does not answer, why."""
    served, trouble, similar = None, "", []
    try:
        found = read_project(index, built.project, patient=False)
        served = found.files
        if is_pypi and not found.exists:
            similar = [name for name in rules.similar_names(built.project) if _is_there(index, name)]
    except (IndexUnreachable, IndexRefused, IndexNotJson, LoginWithheld) as error:
        served, trouble = None, str(error).splitlines()[0]
    return Listing(
        name=index.name,
        is_pypi=is_pypi,
        project=built.project,
        version=Version(built.version),
        dists=built.dists,
        served=served,
        now=now,
        similar=tuple(similar),
        trouble=trouble,
        is_public=index.is_public,
    )


def _is_there(index: Index, name: str) -> bool:
    return read_project(index, name, patient=False).exists
