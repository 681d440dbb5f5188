"""Rules on attestations (PEP 740) that lie beside a file: NAME.publish.attestation and the like."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

from seatrial.release.stages import Dist
from seatrial.rules import limits
from seatrial.rules.distribution import some
from seatrial.rules.rule import file_rule
from seatrial.rules.sources import server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from seatrial.rules.distribution import Look

ATTESTATION_LIMIT = 1 << 20  # bytes


def _beside(look: Look) -> list[Path]:
    start = f"{look.path.name}."
    try:
        names = sorted(path for path in look.path.parent.iterdir() if path.name.startswith(start))
    except OSError:
        return []
    return [path for path in names if path.name.endswith(".attestation")]


def _statements(look: Look) -> list[tuple[Path, dict[str, Any] | str]]:
    """Return the attestations beside the file, each with its statement, or what is wrong with it."""
    return [(path, _statement(path)) for path in _beside(look)]


def _statement(path: Path) -> dict[str, Any] | str:
    try:
        if path.stat().st_size > ATTESTATION_LIMIT:
            return "it is too large"
        found = json.loads(path.read_bytes())
        statement = json.loads(base64.b64decode(found["envelope"]["statement"], validate=True))
        whole = found["version"] == 1 and found["verification_material"] and found["envelope"]["signature"]
    except (ValueError, KeyError, TypeError, OSError, RecursionError):
        return "it is no JSON of an attestation"
    return statement if whole and isinstance(statement, dict) else "a part of it is missing"


@file_rule("attestation-shape", "error", server("attestations/services.py", "_extract_attestations_from_request"))
def shape(look: Look) -> Iterator[str]:
    """An attestation beside the file is none. PyPI answers: "Malformed attestations".

    `pypi-attestations sign` and the publish action write them; `twine upload --attestations` sends what lies there.
    """
    for path, statement in _statements(look):
        if isinstance(statement, str):
            yield f"{path.name} is no attestation (PEP 740): {statement}."


@file_rule("attestation-subject", "error", server("attestations/services.py", "IntegrityService.parse_attestations"))
def subject(look: Look) -> Iterator[str]:
    """An attestation is about another file, by name or hash. PyPI answers: "Could not verify the uploaded artifact".

    The file was built again after it was attested: attest it again.
    """
    for path, statement in _statements(look):
        if isinstance(statement, str):
            continue
        dist = Dist.from_file(look.path)
        wanted = [{"name": dist.filename, "digest": {"sha256": dist.sha256}}]
        if statement.get("subject") != wanted:
            yield f"{path.name} is about another file, by name or hash: attest this one again."


@file_rule("attestation-predicate", "error", server("attestations/services.py", "IntegrityService.parse_attestations"))
def predicate(look: Look) -> Iterator[str]:
    """There are more attestations than PyPI takes, two of one kind, or one of a kind that it does not take.

    PyPI answers: "A maximum of 2 attestations per file are supported", "Multiple attestations for the same file with
    the same predicate type", or "unsupported predicate type".
    """
    found = [statement for _, statement in _statements(look) if not isinstance(statement, str)]
    kinds = [str(statement.get("predicateType")) for statement in found]
    if strange := [kind for kind in kinds if kind not in limits.PREDICATES]:
        yield f"PyPI takes no attestations of the type {some(strange)}."
    if len(_beside(look)) > limits.ATTESTATIONS or len(set(kinds)) < len(kinds):
        yield f"PyPI takes at most {limits.ATTESTATIONS} attestations a file, each of another type."
