"""What an index means: each cause by its status and the server's own sentence, and none that is not known."""

from __future__ import annotations

import pytest

from seatrial.index.uploads.refusals import REFUSALS, Answer, answer_of, meaning, refusal

DENIED = "The user 'ada' isn't allowed to upload to project 'demo'. See https://pypi.org/help/#project-name"
# Status, sentence, and part of what it means, on PyPI and TestPyPI.
ANSWERS = [
    (403, "User 'ada' does not have two-factor authentication enabled.", "no two-factor authentication"),
    (400, "User 'ada' does not have a verified primary email address.", "e-mail address is not verified"),
    (403, "Read-only mode: Uploads are temporarily disabled.", "accepts no changes at the moment"),
    (403, "New uploads are temporarily disabled.", "accepts no uploads at the moment"),
    (403, "New project registration temporarily disabled.", "creates no new projects at the moment"),
    (403, "SSL is required.", "begins with http://"),
    (429, "Too many new projects created", "20 new projects an hour for a user and 40 for an IP address"),
    (400, "File too large. Limit for project 'demo' is 100 MB. See https://...", "larger than this project's limit"),
    (400, "Project size too large. Limit for project 'demo' total size is 10 GB.", "exceed this project's limit"),
    (413, "Payload Too Large", "rejects files of this size"),
    (403, "Invalid API Token: token is expired", "the token has expired"),
    (403, "Invalid API Token: project-scoped token is not valid for project: 'demo'", "for another project"),
    (403, "Invalid API Token: OIDC scoped token is not valid for project 'demo'", "for another project"),
    (403, "Username/Password authentication is no longer supported.", "accepts only API tokens"),
    (403, "Invalid or non-existent authentication information.", "the token is wrong"),
    (401, "Unauthorized", "the user name or the password is wrong"),
    (403, DENIED, "the name is taken by somebody else"),
    (403, "The given token isn't allowed to upload to project 'demo'.", "the token is for another project"),
    (400, "File already exists ('demo-1.0.tar.gz', with blake2_256 hash 'ab').", "choose the next version"),
    (400, "This filename has already been used, use a different version.", "a file name can never be used again"),
    (
        400,
        "This filename was previously used by a file that has since been deleted.",
        "a file name can never be used again",
    ),
    (400, "Only one sdist may be uploaded per release.", "already has another sdist"),
    (400, "Uploading new files to releases older than 14 days is not allowed.", "accepts no new files 14 days"),
    (400, "The name 'reqests' is too similar to an existing project.", "does not allow this project name"),
    (409, "The name 'demo' conflicts with an existing project.", "somebody created this project in the meantime"),
    (400, "The name 'json' isn't allowed (conflict with Python Standard Library module name).", "this project name"),
    (400, "The name 'admin' isn't allowed.", "does not allow this project name"),
    (400, "Organization account owning this project is inactive.", "the organization that owns the project"),
    (400, "Non-user identities cannot create new projects.", "registered for another project name"),
    (403, "Trusted publishing functionality not enabled", "trusted publishing is switched off at this index"),
    (0, "NonInteractive: Credential not found for API token.", "set the token variable"),
    (0, "TrustedPublishingFailure: Unable to obtain OIDC token from CircleCI", "identity is missing"),
    (0, "TrustedPublishingFailure: Unable to retrieve it for trusted publishing", "identity is missing"),
    (308, "Permanent Redirect to https://elsewhere.example/", "has moved"),
    (408, "Request Timeout", "took too long"),
    (429, "Too Many Requests", "wait some minutes"),
    (503, "Service Unavailable", "busy or down"),
    (0, "ConnectionError: Max retries exceeded", "the network, a proxy"),
]
# Code and description of what the index has against a CI's identity.
MINTING = [
    ("invalid-publisher", "valid token, but no corresponding publisher", "not that of the publisher registered"),
    ("invalid-pending-publisher", "valid token, but project already exists", "a pending publisher whose project"),
    ("invalid-reuse-token", "invalid token: already used", "valid once"),
    ("not-enabled", "GitHub-based publishing not enabled", "switched off at this index for this CI"),
    ("invalid-token", "Publishing from pull_request_target workflows is not supported", "pull_request_target"),
]
OTHERS = [
    (403, "Forbidden", "may read this index but not upload to it"),
    (404, "Not Found", "`upload` in [tool.seatrial.indexes] is wrong"),
    (405, "Method Not Allowed", "`upload` in [tool.seatrial.indexes] is wrong"),
    (400, "demo-1.0.tar.gz already exists", "choose the next version"),
    (409, "Conflict", "another upload of the same file"),
]


@pytest.mark.parametrize(("status", "sentence", "expected"), ANSWERS)
def test_a_refusal_of_pypi_has_its_cause(status: int, sentence: str, expected: str) -> None:
    assert expected in meaning(Answer(status, sentence))


@pytest.mark.parametrize(("code", "description", "expected"), MINTING)
def test_a_rejected_identity_has_its_cause(code: str, description: str, expected: str) -> None:
    answer = Answer(422, "TrustedPublishingFailure: The token request failed", errors=((code, description),))
    assert expected in meaning(answer)
    assert answer.words == f"422 {code}: {description}"


@pytest.mark.parametrize(("status", "sentence", "expected"), OTHERS)
def test_what_other_servers_mean_is_in_their_status(status: int, sentence: str, expected: str) -> None:
    assert expected in meaning(Answer(status, sentence), public=False)


@pytest.mark.parametrize("answer", [Answer(400, "Some new reason."), Answer(403, "Forbidden"), Answer(418, "")])
def test_what_is_not_known_is_given_no_cause(answer: Answer) -> None:
    assert meaning(answer) == (
        "this version of seatrial does not know this answer: read it above, and ask PyPI's support"
        " (https://pypi.org/help/#feedback) about it."
    )


def test_of_another_index_its_own_people_are_asked() -> None:
    assert meaning(Answer(418, "I'm a teapot"), public=False).endswith("ask those who run the index about it.")


def test_every_cause_has_its_sentence() -> None:
    public = {refusal(Answer(status, sentence)) for status, sentence, _ in ANSWERS}
    minted = {refusal(Answer(422, "", errors=((code, text),))) for code, text, _ in MINTING}
    others = {refusal(Answer(status, sentence), public=False) for status, sentence, _ in OTHERS}
    assert not set(REFUSALS) - public - minted - others


@pytest.mark.parametrize("answer", [Answer(503, "Busy"), Answer(0, "ConnectionError")])
def test_only_of_the_public_indexes_there_is_a_page_on_outages(answer: Answer) -> None:
    assert meaning(answer).endswith(" (https://status.python.org).")
    assert meaning(answer, public=False) == meaning(answer).replace(" (https://status.python.org)", "")


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (Answer(403, "A sentence of its own.", "403 A sentence of its own."), "403 A sentence of its own."),
        (Answer(403, "Forbidden", "A sentence."), "403 Forbidden: A sentence."),
        (Answer(400, "", "A sentence."), "400 A sentence."),
        (Answer(0, "ConnectionError: reset"), "ConnectionError: reset"),
    ],
)
def test_the_words_of_an_index_are_those_of_its_status_line_or_else_of_its_page(answer: Answer, words: str) -> None:
    assert answer.words == words


def test_a_number_in_a_sentence_is_no_status() -> None:
    assert "busy" not in meaning(Answer(400, "demo-1.503.tar.gz is odd"))


def test_the_uploaders_document_is_read() -> None:
    document = {"status": 422, "errors": [["a", "b"]], "claims": [["c", "d"]], "final": True, "file": "x.whl"}
    assert answer_of(document) == Answer(422, "", file="x.whl", errors=(("a", "b"),), claims=(("c", "d"),), final=True)
    assert answer_of({}) == Answer(0, "")
