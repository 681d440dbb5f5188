"""Uploading: ask the index first, send only what is absent with twine, and read the index back.

One policy for all faults: after any failure the index is asked what it holds now. What is there with the right bytes
is done, what differs stops everything, and only what is absent is sent again.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
import os
import sys
import tempfile
import time
from dataclasses import field
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seatrial.index.holdings import holdings, stop_if_closed, stop_if_different, stop_if_yanked, wait_until_served
from seatrial.index.http import LONGEST_PAUSE, retry_after
from seatrial.index.uploads.attestations import SUFFIX
from seatrial.index.uploads.refusals import Answer, Kind, answer_of, meaning, refusal
from seatrial.machine import process, terminal, variables
from seatrial.machine.errors import ReleaseError, printable
from seatrial.machine.process import ToolStuck
from seatrial.machine.values import Value
from seatrial.machine.worker import Worker
from seatrial.release.record import FilesChanged

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from seatrial.index.credentials import Credential
    from seatrial.index.holdings import Holdings
    from seatrial.index.indexes import Index
    from seatrial.release.stages import Dist

PROGRAM = (sys.executable, "-I", "-m", "seatrial.index.uploads.uploader")
RETRY_AFTER = (2.0, 10.0, 30.0)  # seconds
AT_ONCE = 50  # files of one call of the uploader: a minted or narrowed token lives for some minutes
SLOWEST = 50_000  # bytes a second; an upload that is slower has stopped
LEAST = 60.0  # seconds that an upload has at least; on a busy machine twine takes some of them to start
AGE_OF_TOKEN = 600.0  # seconds; a token that was narrowed longer ago can have expired on the way
CHUNK = 1 << 20


class UploadRefused(ReleaseError):
    index: str
    words: str
    reason: str
    kind: Kind = ""
    claims: tuple[tuple[str, str], ...] = ()
    free: str = ""
    spent = False  # it is the version of this release that the index has

    what = "{e.index} rejected the upload. It answered:{e.words:quoted}"
    cause = "{e.reason}"
    cure = "fix that and run the step again: files that are already there stay, only the others are sent.{e.next}"

    @property
    def next(self) -> str:
        return f" The next version that is free on both indexes is {self.free}." if self.free else ""


class Job(Value):
    """One upload: which files of which release go where. `folder` is a private copy of them (see `copied`).

    `credential` is made anew for each try, since a narrowed token lives for some minutes only; `env` has what the
    uploader's process gets besides. `again` is the command that goes on where it stops. On the index of a rehearsal
    (`rehearses`) files that are yanked count. The uploader may be a `worker` that runs already.
    """

    index: Index
    project: str
    version: str
    dists: tuple[Dist, ...]
    folder: Path
    credential: Callable[[], Credential] = field(repr=False)
    env: Mapping[str, str] = field(repr=False)
    limit: float
    say: Callable[[str], None]
    warn: Callable[[str], None]
    again: str = ""
    attested: bool = False  # each file has its attestation beside it in `folder`
    rehearses: bool = False
    worker: Worker | None = None


def copied(dists: tuple[Dist, ...], source: Path, folder: Path) -> Path:
    """Copy the files to the new `folder` and return that; each is hashed as it is copied. Raises FilesChanged.

    What is sent cannot be swapped by a process that a build left behind.
    """
    folder.mkdir(mode=0o700)
    changed = []
    for dist in dists:
        digest = hashlib.sha256()
        with (source / dist.filename).open("rb") as file, (folder / dist.filename).open("xb") as copy:
            while chunk := file.read(CHUNK):
                digest.update(chunk)
                copy.write(chunk)
        if digest.hexdigest() != dist.sha256:
            changed.append(f"{dist.filename}: changed")
    if changed:
        raise FilesChanged(source, tuple(changed))
    return folder


def upload(
    job: Job, *, sleep: Callable[[float], None] = time.sleep, clock: Callable[[], float] = time.monotonic
) -> Holdings:
    """Bring the index of `job` to hold exactly its files, and return what it then serves.

    Raises OtherBytes, ProjectClosed and ReleaseYanked before anything is sent, UploadRefused, NotVisible, and what
    reading an index raises.
    """
    found = _look(job)
    _report(job, found)
    pauses = iter(RETRY_AFTER)
    while found.absent:
        started = clock()
        answer = _send(job, found.absent)
        if answer is None:
            break
        known = refusal(answer, public=job.index.is_public)
        # A token that expired meanwhile is narrowed anew; one that the index says to have expired at once stays so.
        retries = known.retry or (known.kind == "token-expired" and clock() - started > AGE_OF_TOKEN)
        own, asked = next(pauses, None) if retries else None, retry_after(answer.retry_after)
        pause = None if own is None or asked > LONGEST_PAUSE else max(own, asked)
        if pause is not None:
            again = f"checking what it has, then trying again in {pause:.0f} s"
            job.say(f"{job.index.name} did not accept every file; {again}")
            sleep(pause)
        found = _look(job)
        if found.absent and pause is None:
            raise refused(job.index, answer)
    release = (job.project, job.version, job.dists)
    return wait_until_served(job.index, *release, limit=job.limit, say=job.say, sleep=sleep, again=job.again)


def refused(index: Index, answer: Answer) -> UploadRefused:
    """Return `answer` as an error, in the words of `index` and with the cause where it is known."""
    seconds = retry_after(answer.retry_after)
    asked = f" (it asked us to retry in {seconds:.0f} s)" if seconds else ""
    kind = refusal(answer, public=index.is_public).kind
    return UploadRefused(index.name, answer.words + asked, meaning(answer, public=index.is_public), kind, answer.claims)


def _look(job: Job) -> Holdings:
    found = holdings(job.index, job.project, job.version, job.dists)
    stop_if_different(job.index, found, job.project, job.version)
    if found.absent:
        stop_if_closed(job.index, found.listing, job.project)
    if not job.rehearses:
        stop_if_yanked(job.index, found, job.project, job.version)
    return found


def _report(job: Job, found: Holdings) -> None:
    name, listing = job.index.name, found.listing
    if listing.status == "deprecated":
        reason = f": {printable(listing.reason)}" if listing.reason else ""
        job.warn(f"{job.project} is deprecated on {name}{reason}")
    if found.yanked:
        names = ", ".join(file.filename for file in found.yanked)
        job.warn(f"yanked on {name}: {names}; it serves the bytes, so this is a rehearsal all the same")
    for dist in found.identical:
        job.say(f"{dist.filename}: already on {name}, identical")
    for dist in found.absent:
        job.say(f"{dist.filename}: uploading to {name}")


def _send(job: Job, dists: tuple[Dist, ...]) -> Answer | None:
    """Have twine send `dists`, wheels first; return how the index refused, None where it took all of them.

    The sdist is so never sent while a wheel is absent: the uploader stops at the first file that is not taken.
    """
    ordered = sorted(dists, key=lambda dist: (dist.kind == "sdist", dist.filename))
    with terminal.meter("uploading", None, total=sum(dist.size for dist in ordered), unit="B") as meter:

        def progress(output: str) -> None:
            meter.done = sent(output, ordered) or meter.done

        for start in range(0, len(ordered), AT_ONCE):
            if start:
                job.say(f"{start} of {len(ordered)} files sent")
            if answer := _call(job, ordered[start : start + AT_ONCE], progress):
                return answer
    return None


def sent(output: str, dists: list[Dist]) -> int:
    """Return how many bytes of `dists`, which are sent in this order, the uploader has sent, by its lines so far."""
    last, total = _last("progress", output) or {}, 0
    for dist in dists:
        if dist.filename == last.get("file"):
            return total + min(int(last["sent"]), dist.size)
        total += dist.size
    return 0


def _last(event: str, output: str) -> dict[str, Any] | None:
    """Return the last document of `event` in the uploader's `output`, a line each; what else is in it is left out."""
    for line in reversed(output.splitlines()):
        with contextlib.suppress(ValueError, RecursionError):
            document = json.loads(line)
            if isinstance(document, dict) and document.get("event") == event:
                return document
    return None


def uploader() -> Worker:
    """Return an uploader for both uploads of a dry run, whose stand-ins take tokens and no identity of a CI."""
    return Worker(PROGRAM, env=variables.for_upload(os.environ, {}), cwd=Path(tempfile.gettempdir()))


def _call(job: Job, dists: list[Dist], progress: Callable[[str], None]) -> Answer | None:
    """Run the uploader for `dists`; return how the index refused, None where it took all of them."""
    limit = max(job.limit, LEAST) + sum(dist.size for dist in dists) / SLOWEST
    credential = job.credential()
    order = {
        "url": job.index.upload,
        "files": [str(job.folder / dist.filename) for dist in dists],
        "attested": SUFFIX if job.attested else "",
        "username": credential.username,
        "password": credential.secret or None,
    }

    def alive(seconds: float) -> None:
        if not terminal.is_terminal():
            job.say(f"still uploading ({seconds:.0f} s)")

    every = terminal.REDRAW if terminal.is_terminal() else None
    env = {**job.env, **credential.identity}
    ask = job.worker.ask if job.worker else functools.partial(process.run, PROGRAM, env=env, cwd=job.folder)
    given = json.dumps(order).encode()
    try:
        outcome = ask(given=given, time_limit=limit, on_wait=alive, on_output=progress, every=every)
    except ToolStuck:
        return Answer(0, f"The upload timed out: it had not ended after {limit:.0f} seconds.")
    return _answer(job, outcome)


def _answer(job: Job, outcome: process.Outcome) -> Answer | None:
    done = _last("done", outcome.output)
    if done is None:
        return Answer(0, f"The uploader ended with exit code {outcome.code}:\n{outcome.output}", final=True)
    for note in done["notes"]:
        job.say(note)
    if done["error"]:
        return answer_of(done["error"])
    answers = map(answer_of, done["answers"])
    return next((answer for answer in answers if answer.status != HTTPStatus.OK), None)
