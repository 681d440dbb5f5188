from __future__ import annotations

import dataclasses
import functools
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

import pytest

from seatrial.index import upload as module
from seatrial.index.attestations import SUFFIX
from seatrial.index.indexes import TESTPYPI, Holdings, OtherBytes, Served
from seatrial.index.upload import (
    AT_ONCE,
    EXPLANATIONS,
    PROGRAM,
    RETRY_AFTER,
    Job,
    UploadRefused,
    asked_pause,
    explain,
    twine_command,
    upload,
    words,
)
from seatrial.index.uploader import NOTE
from seatrial.machine import process, terminal
from seatrial.machine.process import Outcome, ToolStuck
from seatrial.release.stages import Dist

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

WHEEL = Dist("demo-1.0-py3-none-any.whl", "a" * 64, 1)
SDIST = Dist("demo-1.0.tar.gz", "b" * 64, 2)
DONE = Outcome(0, "View at: https://test.pypi.org/project/demo/1.0/")

BUSY = "ERROR    HTTPError: 503 Service Unavailable from https://test.pypi.org/legacy/"
FORBIDDEN = (
    "ERROR    HTTPError: 403 Forbidden from https://test.pypi.org/legacy/\n"
    "         Invalid or non-existent authentication information."
)
EXPIRED = "Invalid API Token: token is expired"


@dataclass
class World:
    """An index and a twine that follow a script: each call of twine ends as said, and stores the files it names."""

    stored: dict[str, str] = field(default_factory=dict)
    script: list[tuple[Outcome | ToolStuck, tuple[Dist, ...]]] = field(default_factory=list)
    argvs: list[tuple[str, ...]] = field(default_factory=list)
    envs: list[dict[str, str]] = field(default_factory=list)
    pauses: list[float] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    limits: list[float] = field(default_factory=list)
    waits: int = 0

    def holdings(self, _index: object, _project: str, _version: str, dists: tuple[Dist, ...]) -> Holdings:
        served = {
            name: Served(name, sha256, f"https://files.example/{name}", yanked=False)
            for name, sha256 in self.stored.items()
        }
        there = [(dist, served[dist.filename]) for dist in dists if dist.filename in served]
        return Holdings(
            identical=tuple(dist for dist, file in there if file.sha256 == dist.sha256),
            absent=tuple(dist for dist in dists if dist.filename not in served),
            different=tuple((dist, file) for dist, file in there if file.sha256 != dist.sha256),
            extra=(),
            yanked=(),
            served=tuple(served.values()),
        )

    def wait(self, *args: Any, **_options: object) -> Holdings:
        self.waits += 1
        return self.holdings(*args)

    def run(
        self,
        argv: Sequence[str],
        *,
        env: dict[str, str],
        cwd: Path,
        time_limit: float,
        on_wait: Any = None,
        on_output: Any = None,
        **_options: object,
    ) -> Outcome:
        assert cwd.is_dir()
        self.limits.append(time_limit)
        if on_wait:
            on_wait(15.0)
        if on_output:
            on_output(f"Uploading {WHEEL.filename}\n 50% ")
        self.argvs.append(tuple(argv))
        self.envs.append(env)
        outcome, stored = self.script.pop(0)
        self.stored |= {dist.filename: dist.sha256 for dist in stored}
        if isinstance(outcome, ToolStuck):
            raise outcome
        return outcome

    @property
    def sent(self) -> list[list[str]]:
        """The files of each call of twine."""
        return [[word.rpartition("/")[2] for word in argv if word.endswith((".whl", ".gz"))] for argv in self.argvs]


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    made = World()
    monkeypatch.setattr(module, "holdings", made.holdings)
    monkeypatch.setattr(module, "wait_until_served", made.wait)
    monkeypatch.setattr(process, "run", made.run)
    return made


@pytest.fixture
def job(world: World, tmp_path: Path) -> Job:
    scratch, folder = tmp_path / "scratch", tmp_path / "ein Übungsstück" / "dist"
    scratch.mkdir()
    env = {"TWINE_USERNAME": "__token__", "TWINE_PASSWORD": "a-secret"}
    python = tmp_path / "venv" / "python"
    return Job(TESTPYPI, "demo", "1.0", (SDIST, WHEEL), folder, python, lambda: env, scratch, 900, world.said.append)


@pytest.fixture
def run(world: World, job: Job) -> functools.partial[Holdings]:
    """The upload, with pauses that are noted instead of made."""
    return functools.partial(upload, job, sleep=world.pauses.append)


def stored(dists: Iterable[Dist]) -> dict[str, str]:
    return {dist.filename: dist.sha256 for dist in dists}


def test_twine_gets_an_explicit_url_an_empty_configuration_and_wheels_first() -> None:
    files = ("dist/demo-1.0.tar.gz", "dist/demo-1.0-py3-none-any.whl", "dist/demo-1.0-cp314-abi3-linux_x86_64.whl")
    assert twine_command("python", "https://index.example/upload/", "empty", files) == (
        *("python", "-I", "-m", "twine", "upload", "--non-interactive", "--disable-progress-bar"),
        *("--repository-url", "https://index.example/upload/", "--config-file", "empty"),
        *("dist/demo-1.0-cp314-abi3-linux_x86_64.whl", "dist/demo-1.0-py3-none-any.whl", "dist/demo-1.0.tar.gz"),
    )


def test_what_became_of_a_minted_token_is_said(world: World, job: Job) -> None:
    world.script = [(Outcome(0, f"{DONE.output}\n{NOTE}the minted token is burnt\n"), (WHEEL, SDIST))]
    upload(job)
    assert "the minted token is burnt" in world.said


def test_the_afterword_is_no_part_of_a_refusal(world: World, run: functools.partial[Holdings]) -> None:
    world.script = [(Outcome(1, f"{NOTE}burnt\nERROR    something else\n{NOTE}burnt"), ())]
    with pytest.raises(UploadRefused) as error:
        run()
    assert error.value.words == "ERROR    something else\n"
    assert world.said.count("burnt") == 2


def test_nothing_is_sent_where_all_is_there(world: World, run: functools.partial[Holdings]) -> None:
    world.stored = stored([WHEEL, SDIST])
    found = run()
    assert found.complete
    assert (world.argvs, world.waits) == ([], 1)
    assert f"{WHEEL.filename}: already on TestPyPI, identical" in world.said


@pytest.mark.parametrize(
    ("there", "files"),
    [((), [WHEEL.filename, SDIST.filename]), ((WHEEL,), [SDIST.filename]), ((SDIST,), [WHEEL.filename])],
)
def test_exactly_what_is_absent_is_sent(
    world: World, job: Job, run: functools.partial[Holdings], there: tuple[Dist, ...], files: list[str]
) -> None:
    world.stored = stored(there)
    world.script = [(DONE, (WHEEL, SDIST))]
    assert run().complete
    assert world.sent == [files]
    assert [line for line in world.said if "uploading to TestPyPI" in line]
    assert str(job.folder / files[0]) in world.argvs[0]
    assert world.pauses == []


def test_twine_gets_its_secret_in_its_environment_alone(
    world: World, job: Job, run: functools.partial[Holdings]
) -> None:
    world.script = [(DONE, (WHEEL, SDIST))]
    run()
    argv = world.argvs[0]
    assert world.envs == [job.env()]
    assert "a-secret" not in " ".join([*argv, *world.said])
    assert argv[argv.index("--repository-url") + 1] == TESTPYPI.upload
    assert (job.scratch / "no-pypirc").read_bytes() == b""
    assert argv[1:4] == ("-I", str(PROGRAM), "upload")
    assert argv[argv.index("--config-file") + 1] == str(job.scratch / "no-pypirc")


def test_a_long_upload_gives_signs_of_life(world: World, run: functools.partial[Holdings]) -> None:
    world.script = [(DONE, (WHEEL, SDIST))]
    run()
    assert "still uploading (15 s)" in world.said


def test_other_bytes_stop_it_before_anything_is_sent(world: World, run: functools.partial[Holdings]) -> None:
    world.stored = {WHEEL.filename: "c" * 64}
    with pytest.raises(OtherBytes, match=r"holds something else than was built as demo 1\.0") as error:
        run()
    assert world.argvs == []
    assert f"expected {'a' * 64}" in str(error.value)


@pytest.mark.parametrize(
    "output",
    [
        BUSY,
        "ERROR    HTTPError: 429 Too Many Requests from https://test.pypi.org/legacy/",
        "ERROR    HTTPError: 502 Bad Gateway from https://test.pypi.org/legacy/",
        "requests.exceptions.ConnectionError: HTTPSConnectionPool(host='test.pypi.org'): Max retries exceeded",
        "('Connection aborted.', RemoteDisconnected('Remote end closed connection without response'))",
        "urllib3.exceptions.ProtocolError: ('Connection broken: ConnectionResetError(104)', 'reset by peer')",
        "ERROR    HTTPError: 403 Invalid API Token: token is expired from https://test.pypi.org/legacy/",
        "ERROR    HTTPError: 400 Bad Request from https://test.pypi.org/legacy/\n         File already exists ('demo",
        "requests.exceptions.ReadTimeout: HTTPSConnectionPool(host='test.pypi.org', port=443): Read timed out.",
    ],
)
def test_what_was_stored_in_spite_of_a_fault_is_not_sent_again(
    world: World, run: functools.partial[Holdings], output: str
) -> None:
    world.script = [(Outcome(1, output), (WHEEL, SDIST))]
    assert run().complete
    assert len(world.argvs) == 1
    assert world.pauses == [RETRY_AFTER[0]]
    assert "TestPyPI did not take everything; asking what it holds, and trying again in 2 s" in world.said


LIMITED = "ERROR    HTTPError: 429 Too Many Requests from https://test.pypi.org/legacy/"


@pytest.mark.parametrize(
    ("asked", "pause"), [("17", 17), ("120", 120), ("1", RETRY_AFTER[0]), ("soon", RETRY_AFTER[0])]
)
def test_an_index_is_left_alone_as_long_as_it_asks(
    world: World, run: functools.partial[Holdings], asked: str, pause: float
) -> None:
    world.script = [(Outcome(1, f"Retry-After: {asked}\n{LIMITED}"), ()), (DONE, (WHEEL, SDIST))]
    assert run().complete
    assert world.pauses == [pause]
    assert f"TestPyPI did not take everything; asking what it holds, and trying again in {pause:.0f} s" in world.said


def test_an_index_that_asks_for_more_than_patience_is_left_alone(
    world: World, run: functools.partial[Holdings]
) -> None:
    world.script = [(Outcome(1, f"Retry-After: 121\n{LIMITED}\n         slow down"), ())]
    with pytest.raises(UploadRefused) as error:
        run()
    assert "  | 429 Too Many Requests: slow down (it asks to be left alone for 121 s)\n" in str(error.value)
    assert (len(world.argvs), world.pauses) == (1, [])


def test_what_an_index_stored_before_it_asked_for_peace_is_not_sent_again(
    world: World, run: functools.partial[Holdings]
) -> None:
    world.script = [(Outcome(1, f"Retry-After: 3600\n{LIMITED}"), (WHEEL, SDIST))]
    assert run().complete
    assert (len(world.argvs), world.pauses) == (1, [])


def test_a_date_is_the_seconds_until_then() -> None:
    now = datetime(2026, 10, 21, 7, 27, 30, tzinfo=timezone.utc)
    said = "Retry-After: Wed, 21 Oct 2026 07:28:00 GMT\nERROR    HTTPError: 429"
    assert asked_pause(said, now) == 30
    assert asked_pause(f"\x1b[31mRetry-After: 5\x1b[0m\n{said}\nRetry-After: 8\n", now) == 8  # the last counts
    assert asked_pause("Its page says Retry-After: 5", now) == 0


def test_after_a_fault_only_what_is_still_absent_is_sent(world: World, run: functools.partial[Holdings]) -> None:
    world.script = [(Outcome(1, BUSY), (WHEEL,)), (DONE, (SDIST,))]
    assert run().complete
    assert world.sent == [[WHEEL.filename, SDIST.filename], [SDIST.filename]]


def test_other_bytes_after_a_fault_stop_it(world: World, run: functools.partial[Holdings]) -> None:
    foreign = Dist(WHEEL.filename, "c" * 64, 1)
    world.script = [(Outcome(1, BUSY), (foreign,))]
    with pytest.raises(OtherBytes):
        run()
    assert len(world.argvs) == 1


def test_a_fault_that_lasts_ends_with_the_indexs_own_words(world: World, run: functools.partial[Holdings]) -> None:
    world.script = [(Outcome(1, BUSY), ())] * (len(RETRY_AFTER) + 1)
    with pytest.raises(UploadRefused, match="TestPyPI did not take the files") as error:
        run()
    assert "Its own words:\n  | 503 Service Unavailable\n" in str(error.value)
    assert "the index is busy or down" in str(error.value)
    assert world.pauses == list(RETRY_AFTER)


def test_the_last_try_counts_as_well(world: World, run: functools.partial[Holdings]) -> None:
    world.script = [(Outcome(1, BUSY), ())] * len(RETRY_AFTER) + [(DONE, (WHEEL, SDIST))]
    assert run().complete


def test_a_refusal_ends_it_at_once(world: World, run: functools.partial[Holdings]) -> None:
    world.script = [(Outcome(1, FORBIDDEN), ())]
    with pytest.raises(UploadRefused) as error:
        run()
    assert "the token is wrong, was revoked, or belongs to the other index." in str(error.value)
    assert "| 403 Forbidden: Invalid or non-existent authentication information.\n" in str(error.value)
    assert (len(world.argvs), world.pauses, world.waits) == (1, [], 0)


ANSWERS = [
    ("Invalid API Token: project-scoped token is not valid for project: 'demo'", "the token is for another project"),
    ("Invalid API Token: OIDC scoped token is not valid for project 'demo'", "the token is for another project"),
    ("Invalid or non-existent authentication information.", "the token is wrong"),
    ("ERROR    HTTPError: 401 Unauthorized", "the user name or the password is wrong"),
    ("ERROR    HTTPError: 403 Forbidden", "may read this index and not write to it"),
    ("The user 'ada' isn't allowed to upload to project 'demo'.", "the name is taken by somebody else"),
    ("The given token isn't allowed to upload to project 'demo'.", "the token is for another project"),
    ("File already exists ('demo-1.0.tar.gz', with blake2_256 hash 'ab').", "choose the next version"),
    ("This filename has already been used, use a different version.", "a file name is taken for ever"),
    ("This filename was previously used by a file that has since been deleted.", "a file name is taken for ever"),
    ("Uploading new files to releases older than 14 days is not allowed.", "closed to new files"),
    ("User 'ada' does not have a verified primary email address.", "e-mail address is not verified"),
    ("The name 'reqests' is too similar to an existing project.", "does not allow this project name"),
    ("The name 'json' isn't allowed (conflict with Python Standard Library module name).", "this project name"),
    ("The name 'admin' isn't allowed.", "does not allow this project name"),
    ("Non-user identities cannot create new projects.", "registered for another project name"),
    ("* `invalid-reuse-token`: invalid token: already used", "good for once"),
    ("TrustedPublishingFailure: The token request failed: invalid-publisher", "does not fit the publisher"),
    ("Unable to obtain OIDC token from CircleCI", "the CI's identity does not fit"),
    ("Credential not found for API token.", "set the token variable"),
    ("WARNING  No keyring backend found", "no credential was found"),
    ("ERROR    ValueError: Missing password", "no credential was found"),
    ("Too many new projects created", "wait an hour"),
    ("ERROR    HTTPError: 429 Too Many Requests", "wait some minutes"),
    ("ERROR    HTTPError: 503 Service Unavailable", "busy or down"),
    ("requests.exceptions.ConnectionError: Max retries exceeded", "the network, a proxy"),
]


@pytest.mark.parametrize(("answer", "meaning"), ANSWERS)
def test_a_refusal_is_explained(world: World, run: functools.partial[Holdings], answer: str, meaning: str) -> None:
    output = f"Uploading distributions to {TESTPYPI.upload}\nERROR    HTTPError: 400 Bad Request\n         {answer}"
    world.script = [(Outcome(1, output), ())] * (len(RETRY_AFTER) + 1)
    with pytest.raises(UploadRefused) as error:
        run()
    assert meaning in error.value.reason
    assert answer in str(error.value)


def test_a_token_that_stays_expired_is_explained(world: World, run: functools.partial[Holdings]) -> None:
    world.script = [(Outcome(1, f"ERROR    HTTPError: 403 {EXPIRED}"), ())] * (len(RETRY_AFTER) + 1)
    with pytest.raises(UploadRefused, match="the token has expired, or this machine's clock is wrong"):
        run()


def test_each_try_gets_an_environment_of_its_own(world: World, job: Job) -> None:
    """A narrowed token lives for minutes, and an upload may take longer."""
    made = iter([{"TWINE_PASSWORD": "first"}, {"TWINE_PASSWORD": "second"}])
    world.script = [(Outcome(1, EXPIRED), (WHEEL,)), (DONE, (SDIST,))]
    assert upload(dataclasses.replace(job, env=lambda: next(made)), sleep=world.pauses.append).complete
    assert world.envs == [{"TWINE_PASSWORD": "first"}, {"TWINE_PASSWORD": "second"}]


def test_every_explanation_has_its_answer() -> None:
    told = {explain(answer) for answer, _ in [*ANSWERS, (EXPIRED, "")]}
    assert told == {f"{meaning}." for _, meaning in EXPLANATIONS}


WRAPPED = """\
\x1b[31mERROR   \x1b[0m HTTPError: 403 Forbidden from https://test.pypi.org/legacy/
         The user 'ada' isn't allowed to
         upload to project 'a-long-name'. See https://test.pypi.org/help/ for
         more information.
"""


@pytest.mark.parametrize("output", ["ERROR    HTTPError: 503 Busy", "Connection aborted"])
def test_only_of_the_public_indexes_there_is_a_page_on_outages(output: str) -> None:
    assert explain(output).endswith(" (https://status.python.org).")
    assert explain(output, public=False) == explain(output).replace(" (https://status.python.org)", "")


def test_a_sentence_that_twine_breaks_is_put_together_again() -> None:
    assert explain(WRAPPED).startswith("the name is taken by somebody else")
    assert words(WRAPPED) == (
        "403 Forbidden: The user 'ada' isn't allowed to upload to project 'a-long-name'."
        " See https://test.pypi.org/help/ for more information."
    )


def test_a_number_in_a_file_name_is_no_answer(world: World, run: functools.partial[Holdings]) -> None:
    world.script = [(Outcome(1, f"Uploading demo-1.503.tar.gz\n{FORBIDDEN}"), ())]
    with pytest.raises(UploadRefused):
        run()
    assert world.pauses == []


def test_an_upload_that_never_ends_is_ended_and_asked_for(
    world: World, run: functools.partial[Holdings], monkeypatch: pytest.MonkeyPatch
) -> None:
    def stuck(*_args: object, **_options: object) -> Outcome:
        world.stored = stored([WHEEL, SDIST])
        raise ToolStuck("twine upload", 3600, "Uploading demo-1.0.tar.gz")

    monkeypatch.setattr(process, "run", stuck)
    assert run().complete
    assert world.pauses == [RETRY_AFTER[0]]


def test_many_files_go_some_at_a_time_and_the_sdist_last(world: World, job: Job) -> None:
    wheels = tuple(Dist(f"demo-1.0-cp3{minor}-abi3-any.whl", "a" * 64, 1) for minor in range(AT_ONCE + 10))
    world.script = [(DONE, wheels[:3]), (Outcome(1, BUSY), ()), (DONE, (*wheels, SDIST)), (DONE, ())]
    many = replace(job, dists=(SDIST, *wheels))
    assert upload(many, sleep=world.pauses.append).complete
    assert [len(files) for files in world.sent] == [AT_ONCE, 11, AT_ONCE, 8]
    assert [SDIST.filename in files for files in world.sent] == [False, True, False, True]
    assert world.sent[1][-1] == SDIST.filename
    assert f"{AT_ONCE} of 61 files sent" in world.said


def test_the_sdist_is_last_however_its_name_is_spelled(world: World, job: Job) -> None:
    """An older backend writes the name as it is, which may stand before those of the wheels."""
    sdist = Dist("Demo-1.0.tar.gz", "b" * 64, 2)
    wheels = tuple(Dist(f"demo-1.0-cp3{minor}-abi3-any.whl", "a" * 64, 1) for minor in range(AT_ONCE))
    world.script = [(DONE, wheels), (DONE, (sdist,))]
    assert upload(replace(job, dists=(sdist, *wheels)), sleep=world.pauses.append).complete
    assert world.sent[1] == [sdist.filename]


def test_attestations_go_with_their_files() -> None:
    argv = twine_command("python", "https://index.example/", "empty", ("a.tar.gz", "b.whl"), attested=True)
    assert argv[argv.index("empty") + 1] == "--attestations"
    assert set(argv[-4:]) == {"a.tar.gz", "b.whl", f"a.tar.gz{SUFFIX}", f"b.whl{SUFFIX}"}


def test_no_sdist_is_sent_while_a_wheel_is_refused(world: World, job: Job) -> None:
    wheels = tuple(Dist(f"demo-1.0-cp3{minor}-abi3-any.whl", "a" * 64, 1) for minor in range(AT_ONCE))
    world.script = [(Outcome(1, FORBIDDEN), wheels[:3])]
    with pytest.raises(UploadRefused):
        upload(replace(job, dists=(SDIST, *wheels)), sleep=world.pauses.append)
    assert [SDIST.filename in files for files in world.sent] == [False]


@pytest.mark.parametrize("output", ["", "ERROR    HTTPError: 400 Bad Request\n         Some new reason."])
def test_what_is_not_known_is_left_to_the_indexs_own_words(output: str) -> None:
    assert explain(output) == "see the index's own words above."


def test_an_upload_that_stands_still_is_ended_and_what_arrived_is_asked_for(
    world: World, job: Job, run: functools.partial[Holdings]
) -> None:
    world.script = [(ToolStuck("twine", 900, "Uploading"), (WHEEL,)), (DONE, (SDIST,))]
    assert run().complete
    assert world.sent == [[WHEEL.filename, SDIST.filename], [SDIST.filename]]
    assert all(limit > job.limit for limit in world.limits)


def test_an_upload_that_always_stands_still_is_refused_with_that_word(
    world: World, run: functools.partial[Holdings]
) -> None:
    world.script = [(ToolStuck("twine", 900, "Uploading"), ())] * 4
    with pytest.raises(UploadRefused, match="timed out: it had not ended after 900 seconds"):
        run()


# On a terminal.


BAR = f"""\
Uploading distributions to https://test.pypi.org/legacy/
Uploading {WHEEL.filename}
\x1b[?25l\x1b[32m  0%\x1b[0m ━━━━ 0.0/1.0 kB\r\x1b[2K 50% ━━╸━ 0.5/1.0 kB\r\x1b[2K100% ━━━━ 1.0/1.0 kB\n\x1b[?25h"""


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        ("", 0),
        ("Uploading distributions to https://test.pypi.org/legacy/\n", 0),
        (f"Uploading {WHEEL.filename}\n", 0),
        (f"Uploading {WHEEL.filename}\n  7%", 70),
        (BAR, 1000),
        (f"{BAR}Uploading {SDIST.filename}\n 10%\r 25%", 1500),
        (f"{BAR}Uploading {WHEEL.filename}\n 10%", 100),
        ("Uploading other-1.0.tar.gz\n 50%", 0),
    ],
)
def test_what_is_sent_is_read_in_twines_own_bar(output: str, expected: float) -> None:
    assert module.sent(output, (replace(WHEEL, size=1000), replace(SDIST, size=2000))) == expected


def test_what_was_drawn_over_is_no_part_of_the_answer() -> None:
    told = module.settled(f"{BAR}\x1b[31mERROR   \x1b[0m HTTPError: 403 Forbidden from https://test.pypi.org/legacy/\n")
    assert told.splitlines() == [
        "Uploading distributions to https://test.pypi.org/legacy/",
        f"Uploading {WHEEL.filename}",
        "100% ━━━━ 1.0/1.0 kB",
        "ERROR    HTTPError: 403 Forbidden from https://test.pypi.org/legacy/",
    ]


def test_on_a_terminal_twine_is_asked_for_its_bar(
    world: World, job: Job, run: functools.partial[Holdings], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(terminal, "is_terminal", lambda: True)
    monkeypatch.setattr(terminal, "_draw", lambda _: None)
    world.script = [(Outcome(0, BAR), job.dists)]
    run()
    assert module.QUIET not in world.argvs[0]
    assert world.envs[0]["FORCE_COLOR"] == "1"
