"""What came of building a release again, as a value that the record keeps beside the stages of a release."""

from __future__ import annotations

from seatrial.machine.values import Value


class Difference(Value):
    """A member that differs. `matters` makes the archives different; `lines` show how, `-` here and `+` there.

    `kind` is metadata, text, binary, missing here or missing there; kind where one of the two is a link, ambiguous
    where readers see different members.
    """

    member: str
    kind: str
    matters: bool
    lines: tuple[str, ...] = ()


class Again(Value):
    """What came of building a file again: the verdict, the `way` that came nearest (empty for the usual one).

    `packing` is what differs in how it is packed; `clocked` says that its times are those of a clock.
    """

    filename: str
    verdict: str
    way: str
    packing: tuple[str, ...]
    clocked: bool
    differences: tuple[Difference, ...]


class Rebuilt(Value, kw_only=True):
    """What `rebuild` found out on a release: with which build requirements, and all ways that were `tried`.

    It is no stage of a release. `made_by` is the build backend, `not_judged` are files that are not built here.
    """

    project: str
    version: str
    at: str
    index: str
    tag: str
    commit: str | None
    requirements: str
    made_by: str
    python: str
    installer: str
    seconds: int
    tried: tuple[str, ...]
    verdict: str
    files: tuple[Again, ...]
    not_judged: tuple[str, ...]
