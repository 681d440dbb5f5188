"""Attestations (PEP 740): which workflow at which commit uploaded a file, signed by the CI's identity.

Only `pypi` makes them, on a private copy of the sealed files, so that no index gets those of the other and ``dist/``
holds distributions alone. The signing itself is pypi-attestations' and needs the public services of Sigstore.
"""

from __future__ import annotations

import base64
import contextlib
import importlib.util
import json
import sys
from dataclasses import field
from typing import TYPE_CHECKING

from seatrial.index.credentials import ci_identity
from seatrial.index.holdings import provenance
from seatrial.index.http import IndexRefused, IndexUnreachable
from seatrial.machine import process, variables
from seatrial.machine.errors import ReleaseError
from seatrial.machine.process import ToolFailed
from seatrial.machine.values import Value

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from seatrial.index.indexes import Index
    from seatrial.release.stages import Dist, Stage

SUFFIX = ".publish.attestation"  # what pypi-attestations appends, and twine looks for
PREDICATE = "https://docs.pypi.org/attestations/publish/v1"
LIMIT = 600.0  # seconds for all files, the network included
PROGRAM = (sys.executable, "-I", "-m", "pypi_attestations")


class AttestMissing(ReleaseError):
    index: str

    what = "Nothing goes to {e.index}: `attestations` is set in [tool.seatrial], and what makes them is not installed."
    cause = "seatrial was installed without its extra `attest`, which brings pypi-attestations."
    cure = "install `seatrial[attest]` where this step runs, or set `attestations = false` to release without."


def stop_if_missing(index: Index) -> None:
    """Raise AttestMissing where pypi-attestations is not installed beside this program."""
    if importlib.util.find_spec("pypi_attestations") is None:
        raise AttestMissing(index.name)


def identity(outer: Mapping[str, str]) -> dict[str, str]:
    """Return the variables through which a CI's identity for signing is had; empty where there is none."""
    return ci_identity(outer, "SIGSTORE_ID_TOKEN")


def repository(outer: Mapping[str, str]) -> str:
    """Return the URL of the repository that this CI job is of."""
    github = f"{outer.get('GITHUB_SERVER_URL', 'https://github.com')}/{outer.get('GITHUB_REPOSITORY', '')}"
    return outer.get("CI_PROJECT_URL", "") if outer.get("GITLAB_CI") else github


class Signer(Value):
    """pypi-attestations at work on the files in `folder`, each of which gets its attestation beside it.

    `scratch` is a folder for anything else; `outer` are the CI's variables.
    """

    folder: Path
    scratch: Path
    outer: Mapping[str, str] = field(repr=False)

    def sign(self, dists: tuple[Dist, ...]) -> None:
        """Sign the files. Raises ToolFailed."""
        copies = [self.folder / dist.filename for dist in dists]
        outcome = self._run("sign", *map(str, copies), secret=identity(self.outer))
        if outcome.code != 0 or not all(copy.with_name(copy.name + SUFFIX).exists() for copy in copies):
            raise ToolFailed(
                "Signing the attestations",
                outcome.code,
                outcome.output,
                "an identity that is used up or missing, or an outage of Sigstore (https://status.sigstore.dev).",
                "run this job again; nothing was uploaded. `attestations = false` in [tool.seatrial] releases without.",
            )

    def holding(self, index: Index, stage: Stage) -> tuple[str, ...]:
        """Return the names of the files for which `index` serves an attestation of this repository that holds."""
        found, written = [], self.scratch / "provenance.json"
        where = ("--repository", repository(self.outer), "--provenance-file", str(written))
        for dist in stage.dists:
            with contextlib.suppress(IndexRefused, IndexUnreachable):
                served = provenance(index, stage.project, stage.version, dist.filename) or b""
                if covers(served, dist):
                    written.write_bytes(served)
                    verified = self._run("verify", "pypi", *where, str(self.folder / dist.filename), secret={})
                    if verified.code == 0:
                        found.append(dist.filename)
        return tuple(found)

    def _run(self, *args: str, secret: Mapping[str, str]) -> process.Outcome:
        env = variables.for_upload(self.outer, secret)
        return process.run((*PROGRAM, *args), env=env, cwd=self.scratch, time_limit=LIMIT)


def covers(served: bytes, dist: Dist) -> bool:
    """Whether the provenance `served` (PEP 740) has a publish attestation about exactly `dist`, whoever signed it."""
    subject = [{"name": dist.filename, "digest": {"sha256": dist.sha256}}]
    try:
        bundles = json.loads(served)["attestation_bundles"]
        envelopes = [attestation["envelope"] for bundle in bundles for attestation in bundle["attestations"]]
        statements = [json.loads(base64.b64decode(envelope["statement"], validate=True)) for envelope in envelopes]
        return any(each["subject"] == subject and each["predicateType"] == PREDICATE for each in statements)
    except (ValueError, KeyError, TypeError, RecursionError):
        return False
