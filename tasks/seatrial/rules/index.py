"""Rules on what the indexes already have. They ask the network; `check -- --offline` leaves them out.

An index that does not answer is reported as not checked, never as passed. Indexes on this machine (those of a dry run)
are not asked, but PyPI may be asked whether it has the project, and with it the newest list of classifiers.
"""

import contextlib
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone

from packaging.utils import canonicalize_name

from seatrial.index.indexes import Index
from seatrial.release.archives import Metadata
from seatrial.release.stages import Built, Problem
from seatrial.rules import limits
from seatrial.rules.distribution import some
from seatrial.rules.listing import Listing, listing
from seatrial.rules.rule import of, practice, rule, server

GROWTH, SMALL = 3, 1 << 20  # a file below so many bytes may grow as it likes
SECONDS = len("2024-05-06T07:08:09")


def judge(
    built: Built, metadata: Metadata | None, uploads: Sequence[Index], registry: Index, now: datetime | None = None
) -> tuple[tuple[str, ...], tuple[Problem, ...]]:
    """Ask all indexes at once, those on this machine left out; return the codes of the rules applied, and findings.

    `uploads` are the indexes that the files go to, `registry` is the one that a new project has to be made on: PyPI,
    also in a dry run. `metadata` is that of the release.
    """
    moment = now or datetime.now(timezone.utc)
    asked = [index for index in dict.fromkeys([*uploads, registry]) if not index.is_loopback]

    def ask(index: Index) -> Listing:
        return listing(index, built, metadata, moment, names=index == registry, files=index in uploads)

    with ThreadPoolExecutor(len(asked) or 1) as pool:
        listings = list(pool.map(ask, asked))
    applied = tuple(sorted({rule.code for rule in of("index")})) if listings else ()
    return applied, tuple(problem for found in listings for problem in judge_listing(found))


def judge_listing(found: Listing) -> Iterator[Problem]:
    """Yield what the rules on what an index lists find in `found`."""
    for each in of("index"):
        for message in each.find(found):
            yield each.problem("release", message, found.name)


@rule("index", "index-not-checked", "warning", practice("what is not known is not passed"))
def not_checked(listing: Listing) -> Iterator[str]:
    """The index did not answer, so whether it would accept these files is unknown.

    Run `check` again when the network is back, or with `-- --offline` to do without.
    """
    if listing.served is None:
        yield f"what {listing.name} would accept is unknown: {listing.trouble.rstrip('.')}."


@rule("index", "index-closed", "refused", server("forklift/legacy.py", "file_upload", "everywhere"))
def closed(listing: Listing) -> Iterator[str]:
    """The project is archived or quarantined, so the index takes no files, or shows none.

    PyPI answers 403 for an archived project: an owner can unarchive it on its settings page. A quarantined one is
    suspected of malware: nobody can install it, and an upload would be accepted and shown to nobody; write to PyPI's
    support.
    """
    if listing.takes_files and listing.status in {"archived", "quarantined"}:
        cure = "unarchive it on its settings page" if listing.status == "archived" else "write to the index's support"
        yield f"{listing.project} is {listing.status} on {listing.name}{_word(listing)}: {cure}."


@rule("index", "index-deprecated", "warning", server("forklift/legacy.py", "file_upload", "everywhere"))
def deprecated(listing: Listing) -> Iterator[str]:
    """The project is marked as deprecated on the index, which takes its files all the same."""
    if listing.takes_files and listing.status == "deprecated":
        yield f"{listing.project} is deprecated on {listing.name}{_word(listing)}."


def _word(listing: Listing) -> str:
    return f" ({some([listing.reason])})" if listing.reason else ""


@rule("index", "index-other-bytes", "refused", server("forklift/legacy.py", "_is_duplicate_file", "everywhere"))
def other_bytes(listing: Listing) -> Iterator[str]:
    """The index has a different file of the same name, so this version is spent there.

    PyPI answers: "File already exists". A file name can never be used twice, also after it was deleted: raise the
    version. (Files that are there with the same bytes are no finding: an upload goes on where it stopped.)
    """
    ours = {dist.filename: dist.sha256 for dist in listing.dists}
    served = ((file.filename, file.sha256) for file in listing.served or () if file.sha256)
    if different := [name for name, sha256 in served if ours.get(name, sha256) != sha256]:
        yield f"{listing.name} already has a different {some(different)}: raise the version."


@rule("index", "index-other-name", "refused", server("forklift/legacy.py", "_is_duplicate_file"))
def other_name(listing: Listing) -> Iterator[str]:
    """The index has these very bytes under another file name. PyPI answers: "File already exists".

    A file was renamed instead of built: build it again. (It compares with the files of all projects; only this one's
    can be asked for.)
    """
    ours = {dist.sha256: dist.filename for dist in listing.absent}
    if twice := [f"{ours[file.sha256]} as {file.filename}" for file in listing.served or () if file.sha256 in ours]:
        yield f"{listing.name} has the same bytes already, {some(twice)}: build the file instead of renaming one."


@rule("index", "index-other-files", "refused", server("forklift/legacy.py", "file_upload"))
def other_files(listing: Listing) -> Iterator[str]:
    """The index has an sdist of this version that is not this one. PyPI takes one: "Only one sdist may be uploaded".

    1.0 and 1.0.0 are one release. Raise the version.
    """
    names = {dist.filename for dist in listing.dists}
    sdists = [file.filename for file in listing.release if not file.filename.endswith(".whl")]
    others = [name for name in sdists if name not in names]
    if others and any(dist.kind == "sdist" for dist in listing.absent):
        yield f"{listing.name} has {some(others)} already, and takes one sdist per release: raise the version."


@rule("index", "index-old-release", "refused", server("forklift/legacy.py", "MAXIMUM_AGE_FOR_NEW_UPLOADS_DAYS"))
def old_release(listing: Listing) -> Iterator[str]:
    """The release is older than 14 days. PyPI answers: "Uploading new files to releases older than 14 days".

    It closed to new files: raise the version.
    """
    moments = [listing.now]
    for file in listing.release:
        with contextlib.suppress(ValueError):  # where the index does not say (PEP 700)
            moments.append(datetime.fromisoformat(file.uploaded[:SECONDS]).replace(tzinfo=timezone.utc))
    since = min(moments)
    if listing.is_public and listing.absent and listing.now - since > timedelta(days=limits.RELEASE_DAYS):
        day = since.date().isoformat()
        yield f"{listing.name} has had this version since {day}, and takes no new files for it: raise the version."


@rule("index", "index-new-name", "warning", server("packaging/services.py", "create_project"))
def new_name(listing: Listing) -> Iterator[str]:
    """PyPI has no project of this name yet: the first upload makes it.

    A name on TestPyPI reserves nothing on PyPI. For trusted publishing, register a pending publisher on PyPI under
    exactly this name first. PyPI can still refuse the name: it keeps a list of its own that nobody can read. Not an
    error: every project has a first release.
    """
    if listing.is_new and listing.takes_files:
        cure = "For trusted publishing, register a pending publisher there under exactly this name."
        yield f"{listing.name} has no project {listing.project!r}: the first upload makes it. {cure}"


@rule("index", "index-name-taken", "warning", practice("names that somebody else has registered"))
def name_taken(listing: Listing) -> Iterator[str]:
    """PyPI has a project of this name, and nothing in its latest version is of these authors or this source address.

    If it is somebody else's, the upload to PyPI is refused in the end (403), after the rehearsal: choose another name
    now. (PEP 541 says how a name can be claimed that is not used.) What is compared are the authors, maintainers and
    addresses in the metadata. If the project is yours and both have changed, say so:
    `[tool.seatrial.ignore] index-name-taken = "it is ours"`.
    """
    if listing.stranger:
        asked = f"{listing.name} has a project `{listing.project}`: is it yours? {listing.stranger}."
        yield f"{asked} If not, choose another name: {listing.name} will refuse this."


@rule("index", "index-name-stdlib", "refused", server("packaging/services.py", "STDLIB_PROHIBITED"))
def stdlib_name(listing: Listing) -> Iterator[str]:
    """The name is that of a module of the standard library, so no new project may have it.

    PyPI answers: "The name 'X' isn't allowed (conflict with Python Standard Library module name)". It counts modules of
    all Pythons from 2.6 on, and those inside of packages (`xml-etree`). Choose another name.
    """
    if listing.is_new and canonicalize_name(listing.project) in limits.stdlib_names():
        yield f"{listing.project!r} is a module of the standard library, so {listing.name} allows no such project."


@rule("index", "index-name-similar", "refused", server("packaging/services.py", "check_project_name"))
def similar_name(listing: Listing) -> Iterator[str]:
    """The name is too similar to that of another project, so it is rejected: "is too similar to an existing project".

    PyPI compares without `-`, `_`, `.`, and takes l, i and 1 for one another, o and 0 too. Only the likeliest of such
    names are asked for. Choose another name.
    """
    if listing.is_new and listing.similar:
        yield f"{listing.name} has {some(listing.similar)}, and treats {listing.project!r} as the same name."


@rule("index", "index-classifier", "refused", server("forklift/metadata.py", "_validate_metadata"))
def classifier(listing: Listing) -> Iterator[str]:
    """A classifier is not in the newest list of classifiers. PyPI answers: "'X' is not a valid classifier".

    The list here (trove-classifiers) is as new as the newest release of it on the index, so it was not added since.
    Compare it letter by letter with pypi.org/classifiers, or propose it there first.
    """
    if listing.unknown:
        named = some([repr(name) for name in listing.unknown])
        yield f"the newest list of classifiers on {listing.name} does not have {named} (pypi.org/classifiers)."


@rule("index", "index-size", "warning", practice("releases that grew by mistake"))
def size(listing: Listing) -> Iterator[str]:
    """A file is more than three times as large as the largest of its kind that is there.

    Something may have been packed that was not meant to be: look at what is in it.
    """
    for dist in listing.dists:
        kind = [file.size for file in listing.served or () if file.filename.endswith(".whl") == (dist.kind == "wheel")]
        largest = max(kind, default=0)
        if largest and dist.size > max(GROWTH * largest, SMALL):
            yield f"{dist.filename} has {dist.size:,} bytes; the largest {dist.kind} on {listing.name} has {largest:,}."


@rule("index", "index-project-size", "warning", server("constants.py", "MAX_PROJECT_SIZE"))
def project_size(listing: Listing) -> Iterator[str]:
    """All files of the project would be more than 10 GiB. PyPI answers: "Project size too large".

    Ask for more well before the release (docs.pypi.org, "Storage limits"), on TestPyPI too, or delete what nobody uses
    any more: nightly builds, mostly. If the limit is raised, say so:
    `[tool.seatrial.ignore] index-project-size = "our limit is 20 GB"`.
    """
    adding = sum(dist.size for dist in listing.absent)
    whole = adding + sum(file.size for file in listing.served or ())
    if adding and whole > limits.PROJECT_SIZE:
        taken = f"it takes {limits.PROJECT_SIZE:,} of a project unless it raised the limit"
        yield f"the files on {listing.name} would be {whole:,} bytes, and {taken}."
