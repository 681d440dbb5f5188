from __future__ import annotations

import pytest

from seatrial.index.credentials import ANY_ENVIRONMENT, CALLED, NO_ENVIRONMENT, publisher

GITHUB = {
    "GITHUB_ACTIONS": "true",
    "GITHUB_REPOSITORY": "ada/demo",
    "GITHUB_WORKFLOW_REF": "ada/demo/.github/workflows/release.yml@refs/tags/v1.0",
}
GITLAB = {
    "GITLAB_CI": "true",
    "CI_PROJECT_NAMESPACE": "ada/tools",
    "CI_PROJECT_NAME": "demo",
    "CI_CONFIG_PATH": ".gitlab-ci.yml",
    "CI_ENVIRONMENT_NAME": "pypi",
}


def test_a_publisher_for_github_has_four_fields() -> None:
    assert publisher(GITHUB) == (
        ("Owner", "ada"),
        ("Repository name", "demo"),
        ("Workflow name", "release.yml" + CALLED),
        ("Environment name", ANY_ENVIRONMENT),
    )


def test_a_publisher_for_gitlab_has_four_fields() -> None:
    assert publisher(GITLAB) == (
        ("Namespace", "ada/tools"),
        ("Project name", "demo"),
        ("Top-level pipeline file path", ".gitlab-ci.yml"),
        ("Environment name", "pypi"),
    )
    assert publisher(GITLAB | {"CI_ENVIRONMENT_NAME": ""})[-1] == ("Environment name", ANY_ENVIRONMENT)


@pytest.mark.parametrize("outer", [{}, {"GITLAB_CI": "true"}])
def test_what_the_ci_does_not_tell_is_not_guessed(outer: dict[str, str]) -> None:
    assert {value for _, value in publisher(outer)} == {"(unknown here)", ANY_ENVIRONMENT}


CLAIMS = {
    "repository": "ada/demo",
    "job_workflow_ref": "tools/shared/.github/workflows/publish.yml@refs/heads/main",
    "environment": "pypi",
}


def test_the_identity_that_was_rejected_says_best_what_the_page_needs() -> None:
    """The server compares the workflow that is called; the variables name the one that calls it."""
    assert publisher(GITHUB, CLAIMS)[2:] == (("Workflow name", "publish.yml"), ("Environment name", "pypi"))
    without = {name: value for name, value in CLAIMS.items() if name != "environment"}
    assert publisher(GITHUB, without)[3] == ("Environment name", NO_ENVIRONMENT)
