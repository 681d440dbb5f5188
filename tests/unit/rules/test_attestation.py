from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

import pytest

from seatrial.release.stages import Dist
from seatrial.rules import attestation as module
from seatrial.rules import limits
from tests.archives import found, wheel

if TYPE_CHECKING:
    from pathlib import Path

PUBLISH, PROVENANCE = limits.PREDICATES


def attest(path: Path, kind: str = "publish", predicate: str = PUBLISH, **changes: Any) -> Path:
    """Write an attestation (with a made-up signature) beside `path`."""
    dist = Dist.from_file(path)
    subject = [{"name": dist.filename, "digest": {"sha256": dist.sha256}}]
    statement = {"_type": "https://in-toto.io/Statement/v1", "subject": subject, "predicateType": predicate}
    text = base64.b64encode(json.dumps({**statement, **changes}).encode()).decode()
    whole = {
        "version": 1,
        "verification_material": {"certificate": "x", "transparency_entries": [{}]},
        "envelope": {"statement": text, "signature": "x"},
    }
    place = path.with_name(f"{path.name}.{kind}.attestation")
    place.write_text(json.dumps(whole), encoding="utf-8")
    return place


CODES = ("attestation-shape", "attestation-subject", "attestation-predicate")


def all_found(path: Path) -> list[str]:
    return [code for code in CODES for _ in found(path, code)]


def test_attestations_of_this_file_pass(tmp_path: Path) -> None:
    path = wheel(tmp_path)
    assert all_found(path) == []
    attest(path)
    attest(path, "slsa", PROVENANCE)
    (tmp_path / f"{path.name}.asc").write_text("a signature of old", encoding="utf-8")
    assert all_found(path) == []


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", '{"envelope": {"statement": "e30="}}', '{"envelope": {"statement": "!"}}', "[" * 100_000, "null"],
)
def test_what_is_no_attestation_is_named(tmp_path: Path, text: str) -> None:
    path = wheel(tmp_path)
    place = attest(path)
    assert all_found(path) == []
    place.write_text(text, encoding="utf-8")
    (message,) = found(path, "attestation-shape")
    assert place.name in message


def test_an_attestation_with_a_part_missing_is_named(tmp_path: Path) -> None:
    path = wheel(tmp_path)
    place = attest(path)
    place.write_text(place.read_text(encoding="utf-8").replace('"signature": "x"', '"signature": ""'), encoding="utf-8")
    assert all_found(path) == ["attestation-shape"]


def test_an_attestation_that_is_too_large_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = wheel(tmp_path)
    attest(path)
    monkeypatch.setattr(module, "ATTESTATION_LIMIT", 10)
    assert all_found(path) == ["attestation-shape"]


def test_an_attestation_of_another_file_is_named(tmp_path: Path) -> None:
    path = wheel(tmp_path)
    attest(path)
    wheel(tmp_path, {"Summary": "other"})
    assert all_found(path) == ["attestation-subject"]
    attest(path, subject=[])
    assert all_found(path) == ["attestation-subject"]


def test_kinds_and_number_of_attestations_are_limited(tmp_path: Path) -> None:
    path = wheel(tmp_path)
    attest(path, predicate="https://example.org/other")
    assert all_found(path) == ["attestation-predicate"]
    attest(path)
    second = attest(path, "again")
    assert all_found(path) == ["attestation-predicate"]
    second.unlink()
    assert all_found(path) == []


def test_a_folder_that_is_gone_has_no_attestations(tmp_path: Path) -> None:
    assert all_found(tmp_path / "gone" / "demo-1.0.tar.gz") == []
