from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from seatrial.index.uploads.attestations import PREDICATE, covers, identity, repository
from seatrial.release.stages import Dist
from seatrial.rules import limits

DIST = Dist("demo-1.0.tar.gz", "a" * 64, 1)
SUBJECT = [{"name": "demo-1.0.tar.gz", "digest": {"sha256": "a" * 64}}]
GITHUB = {"GITHUB_ACTIONS": "true", "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "t", "ACTIONS_ID_TOKEN_REQUEST_URL": "u"}
GITLAB = {"GITLAB_CI": "true", "SIGSTORE_ID_TOKEN": "t"}


def provenance(subject: Any = SUBJECT, predicate: str = PREDICATE) -> bytes:
    statement = {"_type": "https://in-toto.io/Statement/v1", "subject": subject, "predicateType": predicate}
    text = base64.b64encode(json.dumps(statement).encode()).decode()
    attestation = {"version": 1, "verification_material": {}, "envelope": {"statement": text, "signature": "x"}}
    bundle = {"publisher": {"kind": "GitHub"}, "attestations": [attestation]}
    return json.dumps({"version": 1, "attestation_bundles": [bundle]}).encode()


def test_the_predicate_is_one_that_pypi_takes() -> None:
    assert PREDICATE in limits.PREDICATES


@pytest.mark.parametrize("outer", [GITHUB, GITLAB])
def test_a_ci_with_an_identity_can_sign(outer: dict[str, str]) -> None:
    assert identity(outer | {"UNRELATED": "value"}) == outer


@pytest.mark.parametrize("outer", [GITHUB, GITLAB])
def test_half_an_identity_cannot_sign(outer: dict[str, str]) -> None:
    for missing in outer:
        assert identity({name: value for name, value in outer.items() if name != missing}) == {}
        assert identity(outer | {missing: ""}) == {}


@pytest.mark.parametrize(
    ("outer", "url"),
    [
        ({"GITHUB_REPOSITORY": "ada/demo"}, "https://github.com/ada/demo"),
        ({"GITHUB_SERVER_URL": "https://git.example", "GITHUB_REPOSITORY": "ada/demo"}, "https://git.example/ada/demo"),
        ({"GITLAB_CI": "true", "CI_PROJECT_URL": "https://gitlab.com/ada/demo"}, "https://gitlab.com/ada/demo"),
    ],
)
def test_the_repository_is_that_of_the_job(outer: dict[str, str], url: str) -> None:
    assert repository(outer) == url


def test_an_attestation_of_this_very_file_covers_it() -> None:
    assert covers(provenance(), DIST)


@pytest.mark.parametrize(
    "served",
    [
        provenance([{"name": "demo-1.0.tar.gz", "digest": {"sha256": "b" * 64}}]),
        provenance([{"name": "demo-1.1.tar.gz", "digest": {"sha256": "a" * 64}}]),
        provenance([]),
        provenance([*SUBJECT, *SUBJECT]),
        provenance(predicate="https://slsa.dev/provenance/v1"),
        b'{"version": 1, "attestation_bundles": []}',
        b'{"version": 1, "attestation_bundles": [{"attestations": [{}]}]}',
        b'{"attestation_bundles": [{"attestations": [{"envelope": {"statement": "!"}}]}]}',
        b'{"attestation_bundles": [{"attestations": [{"envelope": {"statement": "MQ=="}}]}]}',
        b'{"attestation_bundles": null}',
        b"<html>",
        b"[]",
        b"",
        b"[" * 100_000,
    ],
)
def test_anything_else_does_not(served: bytes) -> None:
    assert not covers(served, DIST)
