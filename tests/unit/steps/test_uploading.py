"""One upload from credential to record, with the uploader and an index that is TestPyPI to all that talk to it."""

from __future__ import annotations

import sys
import time
import traceback
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pytest

from seatrial.index import conflicts, holdings, indexes, logins
from seatrial.index.conflicts import NameTaken, VersionSpent
from seatrial.index.credentials import BadCredential, NoCredential
from seatrial.index.holdings import ProjectClosed
from seatrial.index.indexes import TESTPYPI, Index, Indexes
from seatrial.index.tokens import Token, added_caveats, make, narrow
from seatrial.index.uploads import attestations
from seatrial.index.uploads import upload as module
from seatrial.index.uploads.upload import UploadRefused
from seatrial.machine import process
from seatrial.machine.process import Outcome, ToolFailed, ToolStuck
from seatrial.machine.screen import Screen
from seatrial.project.context import Context, DryRun
from seatrial.project.options import Options
from seatrial.release.record import Record
from seatrial.release.stages import Dist
from seatrial.standin.launch import serving
from seatrial.standin.server import StandinIndex
from seatrial.steps import uploading
from seatrial.steps.uploading import PublisherRefused, Sending, find_credential
from tests.archives import SDIST, WHEEL, sdist, wheel
from tests.index_server import Faults
from tests.oidc_server import REQUEST_TOKEN, Issuer, jwt, signer
from tests.oidc_server import uploader as uploader_at
from tests.projects import write_tree
from tests.samples.contexts import make_context
from tests.samples.stages import CHECKED

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from seatrial.release.stages import Stage

TOKEN = make("test.pypi.org")
NOW = 1_800_000_000
GITHUB = {
    "GITHUB_ACTIONS": "true",
    "GITHUB_REPOSITORY": "ada/demo",
    "GITHUB_WORKFLOW_REF": "ada/demo/.github/workflows/release.yml@refs/tags/v1.0",
    "ACTIONS_ID_TOKEN_REQUEST_TOKEN": REQUEST_TOKEN,
}
ADVICE = "make one for this project alone (https://test.pypi.org/manage/account/token/) and revoke the other"


@dataclass
class World:
    """TestPyPI, a checked release, and what was said."""

    app: StandinIndex
    faults: Faults
    issuer: Issuer
    index: Index
    context: Context
    stage: Stage
    said: list[str]
    url: str

    def send(
        self, variables: dict[str, str] | None = None, *, step: str = "testpypi", attested: bool = False, **changes: Any
    ) -> tuple[str, ...]:
        """Upload with what `variables` give; return the files with attestations."""
        outer = {"TESTPYPI_TOKEN": TOKEN} if variables is None else variables
        settings = replace(self.context.settings, attestations=attested).with_indexes(
            Indexes(self.index, replace(self.index, name="PyPI"), self.index)
        )
        context = replace(self.context, variables=outer, settings=settings, **changes)
        credential = find_credential(context, self.index, self.stage.project, outer)
        sending = Sending(context, step, self.index, self.stage, credential, outer)
        return sending.send(attested=attested and sending.can_attest())[1]

    @property
    def text(self) -> str:
        return "\n".join(self.said)

    @property
    def stored(self) -> list[str]:
        """The names of the files on the index."""
        return [path.name for path in self.app.files()]


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    said: list[str] = []
    monkeypatch.setattr(Context, "say", lambda _, text, label="": said.append(f"{label}: {text}" if label else text))
    monkeypatch.setattr(Context, "detail", lambda _, text: said.append(text))
    monkeypatch.setattr(indexes, "LOOPBACK", frozenset())  # as if it were far away
    monkeypatch.setattr(holdings, "AGREEING", 1)
    monkeypatch.setattr(module, "RETRY_AFTER", ())
    monkeypatch.setattr(attestations, "PROGRAM", signer())
    for name in (*GITHUB, "GITLAB_CI", "CI"):
        monkeypatch.delenv(name, raising=False)
    project = tmp_path / "project"
    dists = tuple(sorted(Dist.from_file(make(project / "dist")) for make in (wheel, sdist)))
    app = StandinIndex(tmp_path / "index", TOKEN)
    issuer = Issuer(faults := Faults(app), TOKEN)
    with serving(issuer) as url:
        monkeypatch.setattr(module, "PROGRAM", uploader_at(url))
        index = replace(TESTPYPI, simple=f"{url}/simple/")
        context = make_context(project, screen=Screen(write=said.append))
        yield World(app, faults, issuer, index, context, replace(CHECKED, dists=dists), said, url)


@pytest.fixture
def github(world: World) -> dict[str, str]:
    """The variables of a job on GitHub with an identity."""
    return GITHUB | {"ACTIONS_ID_TOKEN_REQUEST_URL": f"{world.url}/identity?api-version=2.0"}


@pytest.fixture
def passwords(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The secrets that are handed to the uploader, which then does nothing."""
    given: list[str] = []

    def upload(job: module.Job) -> holdings.Holdings:
        given.append(job.credential().secret)
        return holdings.Holdings(job.dists, (), (), (), (), ())

    monkeypatch.setattr(uploading, "upload", upload)
    return given


# The credential.


def test_twine_gets_a_token_for_this_project_and_the_next_minutes(
    world: World, passwords: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time, "time", lambda: NOW)
    world.send()
    assert added_caveats(TOKEN, passwords[0]) == ("[0, 1800000900, 1799999940]", '[1, ["demo"]]')


def test_the_name_of_the_project_is_normalised_for_the_index(world: World, passwords: list[str]) -> None:
    world.stage = replace(world.stage, project="My_Demo")
    world.send()
    assert Token.parse(passwords[0]).scope.projects == frozenset({"my-demo"})


def test_a_token_is_handed_on_as_it_is_where_that_is_asked_for(world: World, passwords: list[str]) -> None:
    world.send(options=Options(narrow=False))
    assert passwords == [TOKEN]


def test_a_token_of_an_unknown_format_is_handed_on_with_a_warning(world: World, passwords: list[str]) -> None:
    world.send({"TESTPYPI_TOKEN": "pypi-of-the-next-century"})
    assert passwords == ["pypi-of-the-next-century"]
    warning = "warning: the token from TESTPYPI_TOKEN has an unknown format, so it is sent unchanged"
    assert warning in world.said
    assert "pypi-of-the-next-century" not in world.text


def test_a_password_of_an_own_index_is_handed_on_as_it_is(world: World, passwords: list[str]) -> None:
    world.index = Index("house", world.index.simple, "https://house.example/", "", "TESTPYPI_TOKEN")
    world.send({"TESTPYPI_TOKEN": make("house.example")})
    assert Token.parse(passwords[0]).caveats == ()
    assert "warning" not in world.text
    assert "index: https://house.example/  credential: TESTPYPI_TOKEN" in world.text


@pytest.mark.parametrize("on_github", [True, False])
def test_github_is_told_to_hide_the_narrowed_token(
    world: World,
    passwords: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    *,
    on_github: bool,
) -> None:
    if on_github:
        monkeypatch.setenv("GITHUB_ACTIONS", "true")
    world.send()
    lines = [line for line in capsys.readouterr().out.splitlines() if passwords[0] in line]
    assert lines == ([f"::add-mask::{passwords[0]}"] if on_github else [])
    world.send(options=Options(narrow=False))
    assert "::add-mask::" not in capsys.readouterr().out
    assert not [line for line in world.said if passwords[0] in line]


def test_a_token_for_another_project_is_not_sent(world: World) -> None:
    with pytest.raises(BadCredential, match="holds a token for other, not for demo"):
        world.send({"TESTPYPI_TOKEN": narrow(TOKEN, [[1, ["other"]]])})
    assert world.faults.uploads == 0


def test_a_credential_that_is_set_aside_is_named(world: World, passwords: list[str]) -> None:
    world.send({"TESTPYPI_TOKEN": TOKEN, "TWINE_PASSWORD": make("pypi.org")})
    assert passwords
    assert "note: TWINE_PASSWORD is a token for pypi.org, not for test.pypi.org, so it is ignored" in world.said
    assert "credential: TESTPYPI_TOKEN, a token of test.pypi.org, for the whole account" in world.text


@pytest.mark.parametrize("dry", [False, True])
def test_the_host_that_gets_a_credential_is_shown_but_for_the_stand_in_of_a_dry_run(world: World, *, dry: bool) -> None:
    shown: list[str] = []
    screen = Screen(write=shown.append)
    context = replace(world.context, screen=screen, dry=DryRun(world.context.root) if dry else None)
    index = replace(world.index, token_location="")
    find_credential(context, index, world.stage.project, {"TESTPYPI_TOKEN": TOKEN})
    assert any("credential: TESTPYPI_TOKEN" in line for line in shown) is not dry


def test_a_crash_shows_no_secret(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(job: module.Job) -> None:
        raise RuntimeError(f"a fault of ours, with all that is at hand: {job}")

    monkeypatch.setattr(uploading, "upload", crash)
    with pytest.raises(RuntimeError) as error:
        world.send()
    shown = "".join(traceback.format_exception(error.value))
    assert "with all that is at hand: Job(" in shown
    assert TOKEN[:70] not in shown


# A token for the whole account.


def test_a_first_release_can_have_no_other_token(world: World) -> None:
    world.send()
    assert world.stored == sorted([SDIST, WHEEL])
    assert "warning" not in world.text
    assert f"demo exists now on TestPyPI, and the token is for the whole account: {ADVICE}" in world.text


@pytest.mark.parametrize("files", [True, False])
def test_a_token_for_the_whole_account_is_warned_about(world: World, *, files: bool) -> None:
    """A project without files exists."""
    world.app.state.projects.add("demo")
    if files:
        (world.app._folder / "demo-0.9.tar.gz").write_bytes(b"before")
    world.send()
    assert f"warning: demo is there on TestPyPI, and the token is for the whole account: {ADVICE}" in world.text


def test_a_token_for_the_project_is_fine(world: World) -> None:
    world.send({"TESTPYPI_TOKEN": narrow(TOKEN, [[1, ["demo"]]])})
    assert "credential: TESTPYPI_TOKEN, a token of test.pypi.org, for the project demo" in world.text
    assert "whole account" not in world.text


# What an index refuses.


def test_a_closed_project_is_sent_nothing(world: World) -> None:
    world.app.state.statuses["demo"] = ("quarantined", "")
    with pytest.raises(ProjectClosed, match="demo is quarantined on TestPyPI, so nothing was sent"):
        world.send()
    assert world.faults.uploads == 0


def test_a_name_of_somebody_else_has_ways_out(world: World) -> None:
    world.faults.order("status", method="POST", detail="403 The user 'ada' isn't allowed to upload to project 'demo'")
    with pytest.raises(NameTaken) as error:
        world.send()
    assert "| 403 The user 'ada' isn't allowed to upload to project 'demo'\n" in str(error.value)
    assert "\n  1. A private staging index:" in str(error.value)
    assert '`nox -s verify -- --rehearse-on dryrun "REASON"`' in str(error.value)


def test_other_bytes_on_the_rehearsal_index_alone_have_ways_out(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    (world.app._folder / SDIST).write_bytes(b"other bytes")
    monkeypatch.setattr(conflicts, "versions_on", lambda _index, _project: frozenset())
    with pytest.raises(VersionSpent) as error:
        world.send()
    assert "1. The next version: 1.0.1 is free on both indexes" in str(error.value)
    assert world.faults.uploads == 0


def test_a_refusal_without_a_way_out_is_its_own_words(world: World) -> None:
    world.faults.order("status", method="POST", detail="403 SSL is required.")
    with pytest.raises(UploadRefused, match="begins with http://, and must begin with https://"):
        world.send()


# Trusted publishing.


def test_the_identity_of_a_job_is_enough(world: World, github: dict[str, str], tmp_path: Path) -> None:
    world.send(github)
    issuer = world.issuer
    assert issuer.asked == ["/_/oidc/audience", "/identity", "/_/oidc/mint-token", "/_/oidc/burn-token"]
    assert issuer.burnt == issuer.secrets[-1:]
    assert tuple(sorted(map(Dist.from_file, world.app.files()))) == world.stage.dists
    assert "credential: the CI's identity (trusted publishing)" in world.text
    assert "the minted token is burnt: test.pypi.org takes it no more" in world.said
    page = "https://test.pypi.org/manage/account/publishing/"
    assert (
        f"TestPyPI has no project demo yet: it needs a pending publisher for exactly this name ({page})" in world.said
    )
    secrets = (REQUEST_TOKEN, *issuer.secrets)
    assert len(secrets) == 3
    assert not [secret for secret in secrets if secret in world.text]
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert not [path for path in files if any(secret.encode() in path.read_bytes() for secret in secrets)]


def test_a_project_without_files_needs_no_pending_publisher(world: World, github: dict[str, str]) -> None:
    world.app.state.projects.add("demo")
    world.send(github)
    assert "pending publisher" not in world.text


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ("404 Not Found", "test.pypi.org does not offer to burn the minted token; it ends by itself 15 minutes after"),
        ("403 Forbidden", "the minted token could not be burnt (HTTP 403); it ends by itself 15 minutes after it was"),
    ],
)
def test_an_upload_is_no_worse_for_a_token_that_could_not_be_burnt(
    world: World, github: dict[str, str], answer: str, words: str
) -> None:
    world.issuer.burning = answer
    world.send(github)
    assert words in world.text
    assert world.issuer.burnt == []


def test_a_token_is_burnt_after_an_upload_that_was_refused(world: World, github: dict[str, str]) -> None:
    world.issuer.project = "other"
    with pytest.raises(UploadRefused, match="the token is for another project"):
        world.send(github)
    assert world.issuer.burnt == world.issuer.secrets[-1:]


def test_the_identity_of_a_job_on_gitlab_is_enough(world: World) -> None:
    world.send({"GITLAB_CI": "true", "TESTPYPI_ID_TOKEN": jwt("testpypi")})
    assert world.issuer.asked == ["/_/oidc/audience", "/_/oidc/mint-token", "/_/oidc/burn-token"]
    assert len(world.stored) == 2


def test_an_identity_for_the_other_index_is_none(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logins, "secret", lambda *_: "")
    with pytest.raises(NoCredential):
        world.send({"GITLAB_CI": "true", "PYPI_ID_TOKEN": jwt("pypi")})
    assert world.issuer.asked == []


def test_a_publisher_that_does_not_fit_is_explained_field_by_field(world: World, github: dict[str, str]) -> None:
    world.issuer.refusal = ("invalid-publisher", "valid token, but no corresponding publisher")
    with pytest.raises(PublisherRefused) as error:
        world.send(github)
    said = str(error.value)
    assert "| 422 invalid-publisher: valid token, but no corresponding publisher\n" in said
    assert "\n  Owner: ada\n  Repository name: demo\n  Workflow name: release.yml (in a reusable workflow:" in said
    assert "https://test.pypi.org/manage/project/demo/settings/publishing/" in said
    assert "a pending publisher for exactly the name demo: https://test.pypi.org/manage/account/publishing/" in said
    assert world.stored == []
    assert not [secret for secret in (REQUEST_TOKEN, *world.issuer.secrets) if secret in said]


def test_an_identity_that_was_used_is_explained(world: World, github: dict[str, str]) -> None:
    world.issuer.refusal = ("invalid-reuse-token", "invalid token: already used")
    with pytest.raises(UploadRefused, match="the job's identity is valid once, and already used"):
        world.send(github)


def test_a_keyring_is_not_preferred_to_the_identity(
    world: World, github: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Twine itself asks the keyring first."""
    code = "import keyring.backend\n\nclass Keyring(keyring.backend.KeyringBackend):\n    priority = 1\n"
    code += "    def get_password(self, *_):\n        return 'pypi-of-somebody-else'\n    set_password = get_password\n"
    settings = f"[backend]\ndefault-keyring=own_keyring.Keyring\nkeyring-path={tmp_path}\n"
    write_tree(tmp_path, {"own_keyring.py": code, "python_keyring/keyringrc.cfg": settings})
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    world.send(github)
    assert "/_/oidc/mint-token" in world.issuer.asked


# Attestations.


@pytest.fixture
def attesting(world: World, github: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The variables of a job whose uploads can be attested."""
    monkeypatch.setattr(attestations, "stop_if_missing", lambda _index: None)
    world.index = replace(world.index, pages=world.url)
    return github | {"GITHUB_SERVER_URL": "https://github.com"}


def test_files_are_attested_on_a_copy_and_verified_as_served(world: World, attesting: dict[str, str]) -> None:
    names = tuple(dist.filename for dist in world.stage.dists)
    assert world.send(attesting, step="pypi", attested=True) == names
    assert sorted(world.issuer.attestations) == sorted(names)
    assert sorted(path.name for path in world.context.record.dist.iterdir()) == sorted(names)
    assert REQUEST_TOKEN not in world.text


def test_an_attestation_that_is_not_served_is_missed(world: World, attesting: dict[str, str]) -> None:
    world.issuer.broken = True
    assert world.send(attesting, step="pypi", attested=True) == ()


def test_without_a_signature_nothing_is_uploaded(
    world: World, attesting: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attestations, "PROGRAM", (sys.executable, "-I", "-c", "raise SystemExit(1)"))
    with pytest.raises(ToolFailed, match="Signing the attestations failed"):
        world.send(attesting, step="pypi", attested=True)
    assert (world.issuer.asked, world.stored) == ([], [])


def test_without_an_identity_nothing_is_attested(world: World) -> None:
    assert world.send(step="pypi", attested=True) == ()
    assert "no attestations: only a CI's identity can make them, in an upload by trusted publishing" in world.said


def test_without_what_makes_attestations_nothing_is_uploaded(
    world: World, github: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    with pytest.raises(attestations.AttestMissing, match="install `seatrial\\[attest\\]` where this step runs"):
        world.send(github, step="pypi", attested=True)
    assert (world.issuer.asked, world.stored) == ([], [])


# The keyring and the terminal.


def answering(monkeypatch: pytest.MonkeyPatch, answer: Outcome | Exception) -> list[tuple[str, ...]]:
    """Let the keyring's program answer so; return what it was asked."""
    asked: list[tuple[str, ...]] = []

    def run(argv: tuple[str, ...], *, env: dict[str, str], cwd: Path, time_limit: float) -> Outcome:
        assert "TWINE_PASSWORD" not in env
        assert cwd.is_dir()
        assert time_limit
        asked.append(argv)
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(process, "run", run)
    return asked


@pytest.mark.parametrize("output", ["{}\n", "{}\r\n", "a warning\n{}\n"])
def test_the_keyring_is_asked_as_twine_would(
    world: World, passwords: list[str], monkeypatch: pytest.MonkeyPatch, output: str
) -> None:
    asked = answering(monkeypatch, Outcome(0, output.format(TOKEN)))
    world.send({})
    assert added_caveats(TOKEN, passwords[0])
    assert [argv[1:] for argv in asked] == [("-I", "-m", "keyring", "get", TESTPYPI.upload, "__token__")]
    assert "credential: the keyring, a token of test.pypi.org" in world.text
    assert TOKEN not in world.text


@pytest.mark.parametrize(
    "answer", [Outcome(1, ""), Outcome(1, "No backend found"), Outcome(0, "\n"), ToolStuck("keyring", 120, "")]
)
def test_a_keyring_without_a_token_gives_none(
    world: World, monkeypatch: pytest.MonkeyPatch, answer: Outcome | Exception
) -> None:
    answering(monkeypatch, answer)
    with pytest.raises(NoCredential):
        world.send({})


def test_on_a_terminal_the_token_can_be_typed(
    world: World, passwords: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    answering(monkeypatch, Outcome(1, ""))
    monkeypatch.setattr("getpass.getpass", lambda _prompt: TOKEN)
    world.send({}, asks=True)
    assert added_caveats(TOKEN, passwords[0])


def test_in_ci_nobody_is_asked_for_a_token(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    answering(monkeypatch, Outcome(1, ""))
    monkeypatch.setattr("getpass.getpass", lambda _prompt: pytest.fail("nobody was to be asked"))
    with pytest.raises(NoCredential):
        world.send({"CI": "true"}, asks=True)


def test_a_stand_in_is_not_asked_whether_it_knows_the_project(world: World, passwords: list[str]) -> None:
    token = make("testpypi.localhost")
    world.index = replace(world.index, pages="", upload=f"{world.url}/legacy/", token_location="testpypi.localhost")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(indexes, "LOOPBACK", frozenset({"127.0.0.1"}))
        world.send({"TESTPYPI_TOKEN": token})
    assert passwords
    assert "make one for this project" not in world.text
    assert "credential: TESTPYPI_TOKEN, a token of the stand-in" in world.text
    assert Record.of(world.context.root) == world.context.record
