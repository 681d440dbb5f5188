from __future__ import annotations

import pytest

from seatrial.index.publisher import ANY_ENVIRONMENT, is_refused, publisher

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
        ("Workflow name", "release.yml"),
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
    assert {value for _, value in publisher(outer)} == {"(not known here)", ANY_ENVIRONMENT}


@pytest.mark.parametrize(
    ("output", "refused"),
    [
        ("* `invalid-publisher`: valid token, but no corresponding publisher", True),
        ("* `invalid-pending-publisher`: valid token, but project already exists", True),
        ("HTTPError: 400 Non-user identities cannot create new\n         projects.", True),
        ("* `invalid-token`: malformed", False),
        ("HTTPError: 403 Invalid or non-existent authentication information.", False),
    ],
)
def test_a_publisher_that_does_not_fit_is_told_from_other_refusals(output: str, *, refused: bool) -> None:
    assert is_refused(output) is refused
