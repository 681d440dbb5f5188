"""What an index lists of a project, as the rules on indexes see it."""

import importlib.metadata
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from packaging.utils import canonicalize_name
from packaging.version import Version

from seatrial.index import owners
from seatrial.index.holdings import IndexNotJson, read_project
from seatrial.index.http import IndexRefused, IndexUnreachable, LoginWithheld
from seatrial.index.indexes import Index
from seatrial.index.simple import Served
from seatrial.machine.errors import ReleaseError
from seatrial.machine.values import Value
from seatrial.release.archives import Metadata
from seatrial.release.filenames import parsed_version, version_of
from seatrial.release.stages import Built, Dist
from seatrial.rules.distribution import some
from seatrial.rules.metadata.fields import unknown_classifiers

SAME_LOOKS = str.maketrans("lio", "110")  # letters and digits that PyPI takes for one another in a new name


class Listing(Value):
    """What the index `name` lists for `project`: its files, and whether there `exists` such a project.

    None for `served` means that it did not answer. `status` is the project's (PEP 792), `reason` the index's word on
    it. Where `takes_names` is set, this is the index that a new project has to be made on: `similar` are projects there
    whose names it would take for the same, `unknown` the classifiers that are not in the newest list there, `stranger`
    the words on whom and what the latest version there names, where these files name nothing of it. Where
    `takes_files` is not set, the files go somewhere else.
    """

    name: str
    takes_names: bool
    project: str
    version: Version | None
    dists: tuple[Dist, ...]
    served: tuple[Served, ...] | None
    now: datetime
    similar: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    stranger: str = ""
    trouble: str = ""
    is_public: bool = True  # PyPI or TestPyPI, whose own rules hold there alone
    takes_files: bool = True
    exists: bool = True
    status: str = "active"
    reason: str = ""

    @property
    def is_new(self) -> bool:
        """Whether the first upload would make a project here."""
        return self.takes_names and self.served is not None and not self.exists

    @property
    def release(self) -> tuple[Served, ...]:
        """The files of this release, as versions compare (1.0 is 1.0.0)."""
        return tuple(file for file in self.served or () if version_of(file.filename) == self.version)

    @property
    def absent(self) -> tuple[Dist, ...]:
        """Our files that the index does not have yet."""
        names = {file.filename for file in self.served or ()}
        return tuple(dist for dist in self.dists if dist.filename not in names)


def listing(
    index: Index, built: Built, metadata: Metadata | None, now: datetime, *, names: bool, files: bool = True
) -> Listing:
    """Return what `index` lists for the project of `built`; where it does not answer, why.

    With `names` it is also asked for similar names and for the newest list of classifiers, if there is a reason to.
    """
    takes_names, version, dists = names and index.is_public, parsed_version(built.version), built.dists if files else ()
    facts = Listing(index.name, takes_names, built.project, version, dists, served=None, now=now)
    facts = replace(facts, is_public=index.is_public, takes_files=files)
    try:
        found = read_project(index, built.project, patient=False)
        known = replace(facts, served=found.files, exists=found.exists, status=found.status, reason=found.reason)
        if not takes_names:
            return known
        others = () if found.exists else similar_names(built.project)
        return replace(
            known,
            similar=tuple(name for name in others if read_project(index, name, patient=False).exists),
            unknown=_unknown(index, metadata) if metadata else (),
            stranger=_stranger(index, built, found.files, metadata) if found.exists and metadata else "",
        )
    except (IndexUnreachable, IndexRefused, IndexNotJson, LoginWithheld) as error:
        return replace(facts, trouble=str(error).splitlines()[0])


def _stranger(index: Index, built: Built, files: Sequence[Served], ours: Metadata) -> str:
    """Return words on whom and what the latest of `files` on `index` names, none where it is ours or not known."""
    if {dist.sha256 for dist in built.dists} & {file.sha256 for file in files}:
        return ""
    if not files:
        return "It has no files to tell"
    try:
        theirs = owners.latest(index, files)
    except ReleaseError:  # nothing is known then, which is no reason to warn
        return ""
    if theirs is None or owners.shared(ours, theirs):
        return ""
    return f"Its latest version names {some([owners.described(theirs) or 'nobody'])}, and these files do not"


def _unknown(index: Index, metadata: Metadata) -> tuple[str, ...]:
    """Return the classifiers of `metadata` that are not in the list here, if `index` has no newer one."""
    unknown = unknown_classifiers(metadata)
    if not unknown:
        return ()
    here = parsed_version(importlib.metadata.version("trove-classifiers"))
    there = [version_of(file.filename) for file in read_project(index, "trove-classifiers", patient=False).files]
    newest = max((version for version in there if version), default=None)
    return unknown if here and newest and here >= newest else ()


def looks(name: str) -> str:
    """Return what PyPI compares of a new project's name with those that are there ("ultranormalised")."""
    return canonicalize_name(name).replace("-", "").translate(SAME_LOOKS)


def similar_names(name: str) -> tuple[str, ...]:
    """Return the names to ask for that PyPI would take for `name`: all of them would be too many."""
    plain = canonicalize_name(name)
    joined = plain.replace("-", "")
    found = (joined, looks(plain), joined.replace("l", "1"), joined.replace("o", "0"), joined.replace("1", "l"))
    return tuple(dict.fromkeys(other for other in found if other != plain))
