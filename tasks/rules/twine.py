"""What `twine check` finds, as rules: it renders the description as PyPI does, and validates the metadata it sends."""

from __future__ import annotations

import contextlib
import io
import logging
import re
from typing import TYPE_CHECKING

from .registry import file_rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..archives import Archive

WIDTH = "200"
LEVEL = re.compile(r"^(WARNING|ERROR)\s+")  # which is the rule's to say


@file_rule("twine-check", "error")
def errors(archive: Archive) -> Iterator[str]:
    """`twine check` fails: the description does not render on PyPI, or the metadata is not valid.

    PyPI answers "The description failed to render", or names the field. Correct the README (reStructuredText is
    refused at the first warning of docutils) or the field.
    """
    passed, said = _twine_check(str(archive.path))
    if not passed:
        yield f"`twine check` fails: {said}"


@file_rule("twine-check-warning", "warning")
def warnings(archive: Archive) -> Iterator[str]:
    """`twine check` warns, most often that the description has no content type, so that PyPI takes it for reST.

    Set `readme = "README.md"` in `[project]`, from which backends derive the type (setup.cfg:
    `long_description_content_type = text/markdown`).
    """
    passed, said = _twine_check(str(archive.path))
    if passed and said:
        yield f"`twine check` warns: {said}"


def _twine_check(path: str) -> tuple[bool, str]:
    """Run ``twine check`` on `path` in this process; return whether it passed, and what it said against the file."""
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
