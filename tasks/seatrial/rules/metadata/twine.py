"""What `twine check` finds: it validates the metadata that it sends."""

from __future__ import annotations

import contextlib
import io
import logging
import re
from typing import TYPE_CHECKING

from seatrial.rules.rule import net_rule
from seatrial.rules.sources import practice

if TYPE_CHECKING:
    from collections.abc import Iterator

    from seatrial.release.archives import Metadata
    from seatrial.rules.distribution import Look

WIDTH = "200"
MEMBERS = 20_000  # of which twine keeps all in memory
LEVEL = re.compile(r"^(WARNING|ERROR)\s+")  # which is the rule's to say
FIELDS = 5_000
DESCRIPTION = 512 << 10  # characters; docutils is slow


@net_rule("twine-check", "error", practice("`twine check`"))
def errors(look: Look) -> Iterator[str]:
    """`twine check` fails although no other rule found an error, so `twine upload` would not send the file.

    What twine says is repeated. It is asked last, as a net below the rules here, and not about files that would take
    it long.
    """
    if len(look.members) > MEMBERS or (look.metadata and not _is_usual(look.metadata)):
        return
    passed, said = _twine_check(str(look.path))
    if not passed:
        yield f"`twine check` fails: {said}"


def _is_usual(metadata: Metadata) -> bool:
    return len(metadata.description) <= DESCRIPTION and sum(map(len, metadata.fields.values())) <= FIELDS


def _twine_check(path: str) -> tuple[bool, str]:
    """Run ``twine check`` on `path` in this process; return whether it passed, and what it said."""
    from twine import cli  # noqa: PLC0415 (there in the session's virtualenv only)

    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said), _wide():
        try:
            passed = not cli.dispatch(["--no-color", "check", path])
        except Exception as error:  # noqa: BLE001 (twine shows broken archives as tracebacks)
            return False, f"it ends in {type(error).__name__}: {error}"
        finally:
            logging.getLogger("twine").handlers.clear()
    lines = (LEVEL.sub("", line.strip()) for line in said.getvalue().splitlines())
    return passed, " ".join(line for line in lines if line and not line.startswith("Checking"))


@contextlib.contextmanager
def _wide() -> Iterator[None]:
    """Keep twine from wrapping its lines."""
    import os  # noqa: PLC0415

    before = os.environ.get("COLUMNS")
    os.environ["COLUMNS"] = WIDTH
    try:
        yield
    finally:
        if before is None:
            del os.environ["COLUMNS"]
        else:
            os.environ["COLUMNS"] = before
