"""What an index means by rejecting an upload: told by the status, and by words of PyPI's server that stay the same.

Compared with the source of warehouse 6b62157 (2026-08-21). What is not listed is given no cause: the index's own
sentence is shown, whole.
"""

from __future__ import annotations

from http.client import responses
from typing import Any, Literal

from seatrial.machine.values import Value

Kind = Literal["", "version-taken", "name-taken", "token-expired", "publisher"]

BUSY = "the index is busy or down"
STATUS_PAGE = " (https://status.python.org)"
LIMITS = "https://docs.pypi.org/project-management/storage-limits/"
UNKNOWN = "this version of seatrial does not know this answer: read it above, and ask {ask} about it."
ASK_PYPI, ASK_OTHER = "PyPI's support (https://pypi.org/help/#feedback)", "those who run the index"


class Answer(Value):
    """How an index answered the upload of one file; `status` is 0 where no answer came, and `reason` says why.

    `errors` has code and description of what the index holds against a CI's identity, `claims` what that says. `final`
    says that nothing was sent, and that nothing would be the next time.
    """

    status: int
    reason: str
    body: str = ""
    file: str = ""
    retry_after: str = ""
    errors: tuple[tuple[str, str], ...] = ()
    claims: tuple[tuple[str, str], ...] = ()
    final: bool = False

    @property
    def words(self) -> str:
        """The answer as a quotation: status, and the sentence of the status line, else what the body says."""
        sentence = self.reason
        if self.errors:
            sentence = "; ".join(f"{code}: {description}" for code, description in self.errors)
        elif self.reason in {"", responses.get(self.status, "")}:
            sentence = ": ".join(filter(None, [self.reason, self.body]))
        return " ".join(filter(None, [str(self.status or ""), sentence]))


class Refusal(Value):
    """One cause: the statuses (none: any) and a part of the sentence by which it is known, and what it means.

    `public` tells causes of PyPI's server from those of other indexes; None is both. `retry` says that the same upload
    may be taken a little later.
    """

    words: str
    meaning: str
    statuses: tuple[int, ...] = ()
    kind: Kind = ""
    retry: bool = False
    public: bool | None = None


_TRUSTED = "the job's identity is"
_NEXT = "a file name can never be used again: choose the next version"
REFUSALS = (
    Refusal(
        "two-factor authentication",
        "the account has no two-factor authentication, and cannot upload without it",
        (403,),
    ),
    Refusal("verified primary email", "the account's e-mail address is not verified", (400, 403)),
    Refusal("read-only mode", f"the index accepts no changes at the moment{STATUS_PAGE}", (403, 503)),
    Refusal("new project registration", f"the index creates no new projects at the moment{STATUS_PAGE}", (403,)),
    Refusal("uploads are temporarily disabled", f"the index accepts no uploads at the moment{STATUS_PAGE}", (403,)),
    Refusal("ssl is required", "the upload URL begins with http://, and must begin with https://", (403,)),
    Refusal(
        "too many new projects",
        "the index makes 20 new projects an hour for a user and 40 for an IP address, which the shared runners of a CI"
        " have in common: wait an hour",
        (429,),
    ),
    Refusal("file too large", f"a file is larger than this project's limit; who may raise it: {LIMITS}", (400,)),
    Refusal(
        "project size too large", f"all files together exceed this project's limit; who may raise it: {LIMITS}", (400,)
    ),
    Refusal("", "a server in front of the index rejects files of this size", (413,)),
    Refusal(
        "token is expired",
        "the token has expired, as it says itself or as the index has it, or this machine's clock is wrong"
        " (--no-narrow leaves the clock out)",
        kind="token-expired",
    ),
    Refusal("token is not valid for project", "the token is for another project"),
    Refusal("username/password authentication is no longer supported", "the index accepts only API tokens", (403,)),
    Refusal("invalid or non-existent authentication", "the token is wrong, was revoked, or belongs to the other index"),
    Refusal("", "the user name or the password is wrong", (401,)),
    Refusal(
        "isn't allowed to upload",
        "the name is taken by somebody else, or the token is for another project",
        kind="name-taken",
    ),
    Refusal("file already exists", _NEXT, kind="version-taken", public=True),
    Refusal("already exists", _NEXT, kind="version-taken", retry=True, public=False),  # perhaps ours; its page may lag
    Refusal("already been used", _NEXT, kind="version-taken"),
    Refusal("previously used", _NEXT, kind="version-taken"),
    Refusal("only one sdist", "the release already has another sdist: choose the next version", kind="version-taken"),
    Refusal(
        "older than 14 days",
        "a release accepts no new files 14 days after it was created: choose the next version",
        kind="version-taken",
    ),
    Refusal("too similar", "the index does not allow this project name", kind="name-taken"),
    Refusal(
        "conflicts with an existing project", "somebody created this project in the meantime", (409,), kind="name-taken"
    ),
    Refusal("isn't allowed", "the index does not allow this project name", (400,)),
    Refusal("organization account", "the organization that owns the project is not active on the index", (400,)),
    Refusal(
        "non-user identities cannot create",
        "the pending publisher is registered for another project name",
        kind="publisher",
    ),
    Refusal("pull_request_target", f"{_TRUSTED} from a pull_request_target workflow, which no index accepts"),
    Refusal("publishing functionality not enabled", f"trusted publishing is switched off at this index{STATUS_PAGE}"),
    Refusal("not-enabled", f"trusted publishing is switched off at this index for this CI{STATUS_PAGE}", (422,)),
    Refusal(
        "invalid-reuse-token",
        f"{_TRUSTED} valid once, and already used: run this job again; it goes on where it stopped",
    ),
    Refusal("invalid-publisher", f"{_TRUSTED} not that of the publisher registered on the index", kind="publisher"),
    Refusal(
        "invalid-pending-publisher",
        f"{_TRUSTED} that of a pending publisher whose project exists already",
        kind="publisher",
    ),
    Refusal("trusted publishing", f"{_TRUSTED} missing, or the index does not know it"),
    Refusal("oidc", f"{_TRUSTED} missing, or the index does not know it"),
    Refusal("credential not found", "no credential was found: set the token variable", (0,)),
    Refusal(
        "", "the credential may read this index but not upload to it, or not to this project", (403,), public=False
    ),
    Refusal("", "the index limits requests: wait some minutes", (429,), retry=True),
    Refusal("", "another upload of the same file is running, or was", (409,), retry=True, public=False),
    Refusal("", "the upload took too long for the index", (408,), retry=True),
    Refusal("", "this URL accepts no uploads: `upload` in [tool.seatrial.indexes] is wrong", (404, 405), public=False),
    Refusal("", "the upload URL has moved: set the new one in [tool.seatrial.indexes]", (301, 302, 303, 307, 308)),
)
SERVER_ERROR = Refusal("", f"{BUSY}{STATUS_PAGE}", retry=True)
NO_ANSWER = Refusal("", f"the network, a proxy, or an index that is down{STATUS_PAGE}", (0,), retry=True)


def refusal(answer: Answer, *, public: bool = True) -> Refusal:
    """Return what `answer` means; `public` says that the index is PyPI or TestPyPI, whose sentences are known."""
    text = f"{answer.words} {answer.body}".lower()
    for known in REFUSALS:
        is_one = known.words.lower() in text and known.public in {None, public}
        if is_one and (not known.statuses or answer.status in known.statuses):
            return known
    if answer.status >= 500:  # noqa: PLR2004 (server errors)
        return SERVER_ERROR
    if answer.status == 0 and not answer.final:
        return NO_ANSWER
    return Refusal("", UNKNOWN.format(ask=ASK_PYPI if public else ASK_OTHER))


def meaning(answer: Answer, *, public: bool = True) -> str:
    """Return what `answer` means, as a sentence."""
    text = refusal(answer, public=public).meaning
    return (text if public else text.replace(STATUS_PAGE, "")).removesuffix(".") + "."


def answer_of(document: dict[str, Any]) -> Answer:
    """Return the answer that the uploader describes in `document`."""
    pairs = {
        name: tuple((str(key), str(value)) for key, value in document.get(name, ())) for name in ("errors", "claims")
    }
    return Answer(**{"status": 0, "reason": "", **document, **pairs})
