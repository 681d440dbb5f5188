"""Attestations (PEP 740): which workflow at which commit uploaded a file, signed by the CI's identity.

Only `pypi` makes them, on a copy of the sealed files, so that no index gets those of the other and ``dist/`` holds
distributions alone. The signing itself is pypi-attestations' and needs the public services of Sigstore.
"""

from __future__ import annotations

import base64
import json
import shutil
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from seatrial.index.indexes import IndexRefused, IndexUnreachable, provenance
from seatrial.machine import process, variables
from seatrial.machine.process import ToolFailed

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from seatrial.index.indexes import Index
    from seatrial.release.stages import Dist, Stage

SUFFIX = ".publish.attestation"  # what pypi-attestations appends, and twine looks for
PREDICATE = "https://docs.pypi.org/attestations/publish/v1"
IDENTITIES = (
    ("GITHUB_ACTIONS", "ACTIONS_ID_TOKEN_REQUEST_TOKEN", "ACTIONS_ID_TOKEN_REQUEST_URL"),
    ("GITLAB_CI", "SIGSTORE_ID_TOKEN"),
)
LIMIT = 600.0  # seconds for all files, the network included


def identity(outer: Mapping[str, str]) -> dict[str, str]:
    """Return the variables through which a CI's identity for signing is had; empty where there is none."""
    whole = next((names for names in IDENTITIES if all(outer.get(name) for name in names)), ())
    return {name: outer[name] for name in whole}


def repository(outer: Mapping[str, str]) -> str:
    """Return the URL of the repository that this CI job is of."""
    github = f"{outer.get('GITHUB_SERVER_URL', 'https://github.com')}/{outer.get('GITHUB_REPOSITORY', '')}"
    return outer.get("CI_PROJECT_URL", "") if outer.get("GITLAB_CI") else github


@dataclass(frozen=True)
class Signer:
    """pypi-attestations in the virtualenv of `python`, at work in `scratch`; `outer` are the CI's variables."""

    python: Path
    scratch: Path
    outer: Mapping[str, str] = field(repr=False)

    @property
    def folder(self) -> Path:
        """Where the copies of the files are, each with its attestation beside it."""
        return self.scratch / "attested"

    def sign(self, dists: tuple[Dist, ...], dist: Path) -> None:
        """Copy the files from `dist` and sign the copies. Raises ToolFailed."""
        self.folder.mkdir()
        copies = [self.folder / one.filename for one in dists]
        for copy in copies:
            shutil.copyfile(dist / copy.name, copy)
        outcome = self._run("sign", *map(str, copies), secret=identity(self.outer))
        if outcome.code != 0 or not all(copy.with_name(copy.name + SUFFIX).exists() for copy in copies):
            raise ToolFailed(
                "Signing the attestations",
                outcome.code,
                outcome.output,
                "an identity that was used up or is missing, or an outage of Sigstore (https://status.sigstore.dev).",
                "run this job again; nothing was uploaded. `attestations = false` in [tool.seatrial] releases without.",
            )

    def holding(self, index: Index, stage: Stage) -> tuple[str, ...]:
        """Return the names of the files for which `index` serves an attestation of this repository that holds."""
        return tuple(one.filename for one in stage.dists if self._holds(index, stage, one))

    def _holds(self, index: Index, stage: Stage, dist: Dist) -> bool:
        try:
            served = provenance(index, stage.project, stage.version, dist.filename) or b""
        except (IndexRefused, IndexUnreachable):
            return False
        if not covers(served, dist):
            return False
        written = self.scratch / "provenance.json"
        written.write_bytes(served)
        where = ("--repository", repository(self.outer), "--provenance-file", str(written))
        return self._run("verify", "pypi", *where, str(self.folder / dist.filename), secret={}).code == 0

    def _run(self, *args: str, secret: Mapping[str, str]) -> process.Outcome:
        argv = (str(self.python), "-I", "-m", "pypi_attestations", *args)
        env = variables.for_upload(self.outer, secret)
        return process.run(argv, env=env, cwd=self.scratch, time_limit=LIMIT)


def covers(served: bytes, dist: Dist) -> bool:
    """Whether the provenance `served` (PEP 740) has a publish attestation about exactly `dist`, whoever signed it."""
    subject = [{"name": dist.filename, "digest": {"sha256": dist.sha256}}]
    try:
        bundles = json.loads(served)["attestation_bundles"]
        statements = [_statement(one) for bundle in bundles for one in bundle["attestations"]]
        return any(found["subject"] == subject and found["predicateType"] == PREDICATE for found in statements)
    except (ValueError, KeyError, TypeError, RecursionError):
        return False


def _statement(attestation: Any) -> Any:
    return json.loads(base64.b64decode(attestation["envelope"]["statement"], validate=True))
