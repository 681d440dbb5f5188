"""Who this CI job is to an index: the values that the page of a trusted publisher has to have, field by field.

The index compares them with the claims in the identity that the CI makes for the job; the CI tells the job the same
values in variables. Nothing here is secret.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

ANY_ENVIRONMENT = "what `environment:` of this job says, or empty where it says nothing"
REFUSED = re.compile(r"invalid-publisher|invalid-pending-publisher|Non-user identities cannot create")


def is_refused(output: str) -> bool:
    """Whether an index says in twine's `output` that it knows no publisher for this job and project."""
    return REFUSED.search(" ".join(output.split())) is not None


def publisher(outer: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """Return the fields of the publisher's page and what they must hold for the job with the variables `outer`."""
    fields = _gitlab(outer) if outer.get("GITLAB_CI") else _github(outer)
    return tuple((name, value or "(not known here)") for name, value in fields)


def _github(outer: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    owner, _, repository = outer.get("GITHUB_REPOSITORY", "").partition("/")
    workflow = outer.get("GITHUB_WORKFLOW_REF", "").partition("@")[0].rpartition("/")[2]
    return (
        ("Owner", owner),
        ("Repository name", repository),
        ("Workflow name", workflow),
        ("Environment name", ANY_ENVIRONMENT),
    )


def _gitlab(outer: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    return (
        ("Namespace", outer.get("CI_PROJECT_NAMESPACE", "")),
        ("Project name", outer.get("CI_PROJECT_NAME", "")),
        ("Top-level pipeline file path", outer.get("CI_CONFIG_PATH", "")),
        ("Environment name", outer.get("CI_ENVIRONMENT_NAME", "") or ANY_ENVIRONMENT),
    )
