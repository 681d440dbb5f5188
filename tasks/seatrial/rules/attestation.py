"""Rules on attestations (PEP 740) beside a file: NAME.publish.attestation and the like."""

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from seatrial.release.stages import Dist
from seatrial.rules import limits
from seatrial.rules.distribution import Distribution, some
from seatrial.rules.rule import rule, server

ATTESTATION_LIMIT = 1 << 20  # bytes
PARSED = server("attestations/services.py", "IntegrityService.parse_attestations")


def _statements(dist: Distribution) -> dict[str, dict[str, Any] | str]:
    """Return the attestations beside the file, each by its name with its statement, or what is wrong with it."""
    try:
        paths = [path for path in dist.path.parent.iterdir() if path.name.startswith(f"{dist.path.name}.")]
    except OSError:
        return {}
    return {path.name: _statement(path) for path in sorted(paths) if path.name.endswith(".attestation")}


def _statement(path: Path) -> dict[str, Any] | str:
    try:
        if not path.is_file() or path.stat().st_size > ATTESTATION_LIMIT:
            return "it is not a file, or too large"
        found = json.loads(path.read_bytes())
        statement = json.loads(base64.b64decode(found["envelope"]["statement"], validate=True))
        whole = found["version"] == 1 and found["verification_material"] and found["envelope"]["signature"]
    except (ValueError, KeyError, TypeError, OSError, RecursionError):
        return "it is not the JSON of an attestation"
    return statement if whole and isinstance(statement, dict) else "a part of it is missing"


@rule("file", "attestation-shape", "refused", server("attestations/services.py", "_extract_attestations_from_request"))
def shape(dist: Distribution) -> Iterator[str]:
    """An attestation beside the file is invalid. PyPI answers: "Malformed attestations".

    `pypi-attestations sign` and the publish action write them; `twine upload --attestations` sends what is there.
    """
    for name, statement in _statements(dist).items():
        if isinstance(statement, str):
            yield f"{name} is not a valid attestation (PEP 740): {statement}."


@rule("file", "attestation-subject", "refused", PARSED)
def subject(dist: Distribution) -> Iterator[str]:
    """An attestation is about another file, by name or hash. PyPI answers: "Could not verify the uploaded artifact".

    The file was built again after it was attested: attest it again.
    """
    if statements := {name: found for name, found in _statements(dist).items() if not isinstance(found, str)}:
        file = Dist.from_file(dist.path)
        expected = [{"name": file.filename, "digest": {"sha256": file.sha256}}]
        for name in (name for name, statement in statements.items() if statement.get("subject") != expected):
            yield f"{name} is about another file, by name or hash: attest this one again."


@rule("file", "attestation-predicate", "refused", PARSED)
def predicate(dist: Distribution) -> Iterator[str]:
    """There are more attestations than PyPI takes, two of one kind, or one of a kind that it does not take.

    PyPI answers: "A maximum of 2 attestations per file are supported", "Multiple attestations for the same file with
    the same predicate type", or "unsupported predicate type".
    """
    statements = _statements(dist)
    kinds = [str(found.get("predicateType")) for found in statements.values() if not isinstance(found, str)]
    if strange := [kind for kind in kinds if kind not in limits.PREDICATES]:
        yield f"PyPI takes no attestations of the type {some(strange)}."
    if len(statements) > limits.ATTESTATIONS or len(set(kinds)) < len(kinds):
        yield f"PyPI takes at most {limits.ATTESTATIONS} attestations a file, each of a different type."
