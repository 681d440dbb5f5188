"""Who this CI job is to an index: the values that the page of a trusted publisher has to have, field by field.

The index compares them with the claims in the identity that the CI makes for the job. Where those were seen they are
shown; else the values that the CI gives the job in variables. Nothing here is secret.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

ANY_ENVIRONMENT = "what `environment:` of this job says, or empty where it says nothing"
CALLED = " (in a reusable workflow: the name of the file that is called, not of the one that calls it)"
NO_ENVIRONMENT = "(empty)"


def publisher(outer: Mapping[str, str], claims: Mapping[str, str] | None = None) -> tuple[tuple[str, str], ...]:
    """Return the fields of the publisher's page and what they must hold for the job with the variables `outer`.

    `claims` are those of the identity that the index rejected, where they are known.
    """
    fields = _gitlab(outer) if outer.get("GITLAB_CI") else _github(outer, claims or {})
    return tuple((name, value or "(not known here)") for name, value in fields)


def _github(outer: Mapping[str, str], claims: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    owner, _, repository = (claims.get("repository") or outer.get("GITHUB_REPOSITORY", "")).partition("/")
    called = _file(claims.get("job_workflow_ref", ""))  # which is what the server compares, also of a called workflow
    workflow = called or _file(outer.get("GITHUB_WORKFLOW_REF", ""))
    environment = claims.get("environment", NO_ENVIRONMENT) if called else ANY_ENVIRONMENT
    return (
        ("Owner", owner),
        ("Repository name", repository),
        ("Workflow name", workflow if called or not workflow else workflow + CALLED),
        ("Environment name", environment),
    )


def _file(ref: str) -> str:
    """Return the file name in a reference to a workflow, such as ``owner/name/.github/workflows/release.yml@ref``."""
    return ref.partition("@")[0].rpartition("/")[2]


def _gitlab(outer: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    return (
        ("Namespace", outer.get("CI_PROJECT_NAMESPACE", "")),
        ("Project name", outer.get("CI_PROJECT_NAME", "")),
        ("Top-level pipeline file path", outer.get("CI_CONFIG_PATH", "")),
        ("Environment name", outer.get("CI_ENVIRONMENT_NAME", "") or ANY_ENVIRONMENT),
    )
