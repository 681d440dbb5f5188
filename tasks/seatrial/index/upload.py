"""Uploading: ask the index first, send only what is absent with twine, and read the index back.

One policy for all faults: after any failure the index is asked what it holds now. What is there with the right bytes
is done, what differs stops everything, and only what is absent is sent again.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seatrial.index.attestations import SUFFIX
from seatrial.index.indexes import LONGEST_PAUSE, holdings, retry_after, stop_if_different, wait_until_served
from seatrial.index.uploader import NOTE
from seatrial.machine import process, terminal
from seatrial.machine.errors import ReleaseError
from seatrial.machine.process import ToolStuck

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from seatrial.index.indexes import Holdings, Index
    from seatrial.release.stages import Dist

PROGRAM = Path(__file__).with_name("uploader.py")
TWINE = ("-m", "twine")
RETRY_AFTER = (2.0, 10.0, 30.0)  # seconds; twine itself repeats a 5xx answer at once, without a pause
AT_ONCE = 50  # files of one call of twine: a command line has a limit, and so has patience
SLOWEST = 50_000  # bytes a second; an upload that is slower has stopped

# What is tried again, after the index was asked. A name that exists may be our own file, on a page that lags.
TEMPORARY = re.compile(
    r"HTTPError: (408|409|429|5\d\d)\b|File already exists|ConnectionError|ConnectionReset|Connection aborted"
    r"|Timeout|[Tt]imed out|RemoteDisc"
    r"|token is expired"  # an upload that took longer than a narrowed token lives
)

STATUS = " (https://status.python.org)"  # of the two public indexes

# What an index answers, and what it means. The first that is found in twine's output counts.
EXPLANATIONS = (
    (r"token is expired", "the token has expired, or this machine's clock is wrong (--no-narrow leaves the clock out)"),
    (r"token is not valid for project", "the token is for another project"),
    (r"HTTPError: 401", "the user name or the password is wrong"),
    (r"Invalid or non-existent authentication", "the token is wrong, was revoked, or belongs to the other index"),
    (r"allowed to upload|given token isn't", "the name is taken by somebody else, or the token is for another project"),
    (r"already exists|already been used|previously used", "a file name is taken for ever: choose the next version"),
    (r"older than 14 days", "a release is closed to new files 14 days after its first: choose the next version"),
    (r"verified primary email", "the account's e-mail address is not verified"),
    (r"too similar|isn't allowed \(conflict|name .* isn't allowed", "the index does not allow this project name"),
    (r"Non-user identities cannot create", "the pending publisher is registered for another project name"),
    (r"invalid-reuse-token", "the CI's identity is good for once, and was used: run this job again, which goes on"),
    (r"Trusted|OIDC|oidc|id.token", "the CI's identity does not fit the publisher that is registered on the index"),
    (r"Credential not found|No keyring|username|password", "no credential was found: set the token variable"),
    (r"HTTPError: 403", "the credential may read this index and not write to it, or not to this project"),
    (r"Too many new projects", "the index lets an account make only so many projects an hour: wait an hour"),
    (r"HTTPError: 429", "the index limits how often it is asked: wait some minutes"),
    (r"HTTPError: 5\d\d", f"the index is busy or down{STATUS}"),
    (TEMPORARY.pattern, f"the network, a proxy, or an index that is down{STATUS}"),
)
VERSION_TAKEN = re.compile(r"already exists|already been used|previously used|older than 14 days")
NAME_TAKEN = re.compile(r"allowed to upload|too similar")

QUIET = "--disable-progress-bar"
UPLOADING = re.compile(r"Uploading (\S+\.(?:whl|tar\.gz))")
PERCENT = re.compile(r"(\d{1,3})%")
CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
COLOUR = re.compile(r"\x1b\[[0-9;]*m")
ASKED = re.compile(r"^Retry-After: (.+)$", re.MULTILINE)
ANSWER = re.compile(r"HTTPError: (\d{3} .*?) from https?://\S+(.*)")
NOTES = re.compile(rf"^{NOTE}(.*)\n?", re.MULTILINE)


@dataclass(eq=False)
class UploadRefused(ReleaseError):
    index: str
    words: str
    reason: str
    free: str = ""

    what = "{e.index} did not take the files. Its own words:{e.words:quoted}"
    cause = "{e.reason}"
    cure = "mend that and run the session again: files that are already there stay, only the others are sent.{e.next}"

    @property
    def next(self) -> str:
        return f" The next version that is free on both indexes is {self.free}." if self.free else ""


@dataclass(frozen=True)
class Job:
    """One upload: which files of which release go where. `env` makes twine's environment, with the credential in it.

    It is made anew for each try, since a narrowed token lives for some minutes only. `again` is the command that goes
    on where it stops.
    """

    index: Index
    project: str
    version: str
    dists: tuple[Dist, ...]
    folder: Path
    python: Path
    env: Callable[[], Mapping[str, str]]
    scratch: Path
    limit: float
    say: Callable[[str], None]
    again: str = ""
    attested: bool = False  # each file has its attestation beside it in `folder`


def twine_command(
    python: str,
    url: str,
    config: str,
    files: tuple[str, ...],
    *,
    attested: bool = False,
    program: tuple[str, ...] = TWINE,
) -> process.Argv:
    """Return twine's command line: an explicit URL, an empty configuration, and the files by name, wheels first."""
    where = ("--repository-url", url, "--config-file", config, *(("--attestations",) if attested else ()))
    files += tuple(f"{name}{SUFFIX}" for name in files) if attested else ()
    head = (python, "-I", *program, "upload", "--non-interactive", QUIET, *where)
    return (*head, *sorted(files, key=lambda name: (not name.endswith(".whl"), name)))


def upload(job: Job, *, sleep: Callable[[float], None] = time.sleep) -> Holdings:
    """Bring the index of `job` to hold exactly its files, and return what it then serves.

    Raises OtherBytes before anything is sent, UploadRefused, NotVisible, and what `indexes` raises.
    """
    found = _look(job)
    _report(job, found)
    pauses = iter(RETRY_AFTER)
    while found.absent:
        outcome = _send(job, found.absent)
        if outcome.code == 0:
            break
        pause = _pause(outcome.output, pauses)
        if pause is not None:
            job.say(
                f"{job.index.name} did not take everything; asking what it holds, and trying again in {pause:.0f} s"
            )
            sleep(pause)
        found = _look(job)
        if found.absent and pause is None:
            raise UploadRefused(
                job.index.name, words(outcome.output), explain(outcome.output, public=job.index.is_public)
            )
    release = (job.project, job.version, job.dists)
    return wait_until_served(job.index, *release, limit=job.limit, say=job.say, sleep=sleep, again=job.again)


def explain(output: str, *, public: bool = True) -> str:
    """Return what twine's `output` most likely means, in one sentence; `public` says that the index is PyPI's."""
    flat = _flat(output)
    for pattern, meaning in EXPLANATIONS:
        if re.search(pattern, flat):
            return (meaning if public else meaning.replace(STATUS, "")) + "."
    return "see the index's own words above."


def words(output: str) -> str:
    """Return the answer of the index in twine's `output` as one line; all of the output where there is none."""
    answers = ANSWER.findall(_flat(output))
    if not answers:
        return COLOUR.sub("", output)
    seconds = asked_pause(output, datetime.now(timezone.utc))
    asked = f" (it asks to be left alone for {seconds:.0f} s)" if seconds else ""
    return ": ".join(part.strip() for part in answers[-1] if part.strip()) + asked


def asked_pause(output: str, now: datetime) -> float:
    """Return the seconds for which the index that refused in twine's `output` asks to be left alone; 0 for none."""
    asked = ASKED.findall(COLOUR.sub("", output))
    return retry_after(asked[-1], now) if asked else 0.0


def _pause(output: str, pauses: Iterator[float]) -> float | None:
    """Return the seconds until the next try: the next of `pauses`, or what the index asks for; None for no next try."""
    own = next(pauses, None) if TEMPORARY.search(_flat(output)) else None
    asked = asked_pause(output, datetime.now(timezone.utc))
    return None if own is None or asked > LONGEST_PAUSE else max(own, asked)


def _flat(output: str) -> str:
    """Return `output` without colours and in one line: twine breaks the index's sentence at 80 columns."""
    return " ".join(COLOUR.sub("", output).split())


def _look(job: Job) -> Holdings:
    found = holdings(job.index, job.project, job.version, job.dists)
    stop_if_different(job.index, found, job.project, job.version)
    return found


def _report(job: Job, found: Holdings) -> None:
    for dist in found.identical:
        job.say(f"{dist.filename}: already on {job.index.name}, identical")
    for dist in found.absent:
        job.say(f"{dist.filename}: uploading to {job.index.name}")


def _send(job: Job, dists: tuple[Dist, ...]) -> process.Outcome:
    """Have twine send `dists`, wheels first; return how the first call that fails, or the last, ended.

    The sdist is so never sent while a wheel is absent: twine stops at the first file that is not taken, as we do.
    """
    config = job.scratch / "no-pypirc"
    config.touch()
    ordered = sorted(dists, key=lambda dist: (dist.kind == "sdist", dist.filename))
    outcome = process.Outcome(0, "")
    for start in range(0, len(ordered), AT_ONCE):
        if start:
            job.say(f"{start} of {len(ordered)} files sent")
        some = ordered[start : start + AT_ONCE]
        files = tuple(str(job.folder / dist.filename) for dist in some)
        limit = job.limit + sum(dist.size for dist in some) / SLOWEST
        argv = twine_command(
            str(job.python), job.index.upload, str(config), files, attested=job.attested, program=(str(PROGRAM),)
        )
        outcome = _drawn(job, argv, some, limit) if terminal.is_terminal() else _call(job, argv, limit)
        if outcome.code != 0:
            break
    return outcome


def _drawn(job: Job, argv: process.Argv, dists: Sequence[Dist], limit: float) -> process.Outcome:
    """As `_call`, on a terminal: how far twine is stands in its own progress bar, which is asked for and read."""
    bar = tuple(word for word in argv if word != QUIET)
    with terminal.meter("uploading", None, total=sum(dist.size for dist in dists), unit="B") as shown:

        def look(output: str) -> None:
            shown.done = sent(output, dists)

        outcome = _call(job, bar, limit, {"FORCE_COLOR": "1"}, on_output=look, every=terminal.REDRAW)
    return process.Outcome(outcome.code, settled(outcome.output))


def sent(output: str, dists: Sequence[Dist]) -> float:
    """Return how many bytes of `dists` are sent, by what twine wrote so far: files, a share of the last."""
    sizes = {dist.filename: dist.size for dist in dists}
    names = [name for name in dict.fromkeys(UPLOADING.findall(output)) if name in sizes]
    if not names:
        return 0
    *before, last = names
    share = PERCENT.findall(output.rpartition(last)[2])
    return sum(sizes[name] for name in before) + sizes[last] * (int(share[-1]) / 100 if share else 0)


def settled(output: str) -> str:
    """Return `output` as it stands in the end on a terminal: without colours, and what was drawn over left out."""
    lines = CONTROL.sub("", output).split("\n")
    return "\n".join(line.rstrip("\r").rpartition("\r")[2] for line in lines if line.strip())


def _call(
    job: Job, argv: process.Argv, limit: float, extra: Mapping[str, str] | None = None, **watching: Any
) -> process.Outcome:
    def alive(seconds: float) -> None:
        job.say(f"still uploading ({seconds:.0f} s)")

    watching = watching or {"on_wait": alive}
    try:
        env = {**job.env(), **(extra or {})}
        outcome = process.run(argv, env=env, cwd=job.scratch, time_limit=limit, log=True, **watching)
    except ToolStuck as stuck:  # twine itself waits for ever
        late = f"The upload timed out: it had not ended after {limit:.0f} seconds."
        outcome = process.Outcome(1, f"{stuck.output}\n{late}")
    for note in NOTES.findall(outcome.output):
        job.say(note)
    return process.Outcome(outcome.code, NOTES.sub("", outcome.output))
