"""Rules on the description, the text of a project's page."""

from __future__ import annotations

import email.message
import functools
import importlib
import importlib.util
import io
from typing import TYPE_CHECKING, Any

from seatrial.rules import limits
from seatrial.rules.rule import metadata_rule
from seatrial.rules.sources import library, server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from seatrial.release.archives import Metadata

RENDERED = 512 << 10  # characters; docutils is slow, and longer ones are left to PyPI
SHOWN = 1 << 20  # characters of HTML; a report that is longer is no help
MARKDOWN = "text/markdown"


@metadata_rule("description-content-type", "error", library("_process_description_content_type", "public"))
def content_type(metadata: Metadata) -> Iterator[str]:
    """Description-Content-Type is none that PyPI renders, or its charset or variant is none that it takes.

    PyPI answers that it must be one of `text/plain`, `text/x-rst`, `text/markdown`, that it "can only specify the UTF-8
    charset" (in capitals), or which Markdown variants are valid (`GFM`, `CommonMark`). `readme = "README.md"` in
    `[project]` makes backends write it.
    """
    given = metadata.first("description-content-type")
    if given is None:
        return
    kind, parameters = _parsed(given)
    charset, variant = parameters.get("charset", "UTF-8"), parameters.get("variant", "GFM")
    if kind not in limits.CONTENT_TYPES or kind not in given.lower():
        yield f"the description's content type {given!r} is none of {', '.join(sorted(limits.CONTENT_TYPES))}."
    elif charset != "UTF-8":
        yield f"the description's content type: PyPI takes the charset UTF-8 alone, spelled just so, not {charset!r}."
    elif kind == MARKDOWN and variant not in limits.MARKDOWN_VARIANTS:
        yield f"PyPI knows the Markdown variants {', '.join(sorted(limits.MARKDOWN_VARIANTS))}, not {variant!r}."


def _parsed(content_type: str) -> tuple[str, dict[str, Any]]:
    """Return type and parameters of `content_type`; what cannot be read has none."""
    message = email.message.EmailMessage()
    try:
        message["content-type"] = content_type
        header = message["content-type"]
        return ("" if header.defects else message.get_content_type().lower()), dict(header.params)
    except (ValueError, IndexError, AttributeError):
        return "", {}


@metadata_rule("description-type-missing", "warning", server("forklift/legacy.py", "file_upload"))
def type_missing(metadata: Metadata) -> Iterator[str]:
    """The description has no content type, so PyPI takes it for reStructuredText.

    Set `readme = "README.md"` in `[project]`, from which backends derive the type (setup.cfg:
    `long_description_content_type = text/markdown`).
    """
    if metadata.description.strip() and metadata.first("description-content-type") is None:
        yield "the description has no content type, so PyPI takes it for reStructuredText: set `readme` in [project]."


@metadata_rule("description-renders", "error", server("utils/readme.py", "render"))
def renders(metadata: Metadata) -> Iterator[str]:
    """The description is reStructuredText that does not render. PyPI answers: "The description failed to render".

    It refuses the first warning of docutils: an unknown directive or role (those of Sphinx are), a title line that is
    too short, `raw` and `include`. Markdown practically always renders; without a content type it is taken for reST.
    """
    given = metadata.first("description-content-type")
    kind = _parsed(given)[0] if given else "text/x-rst"
    if kind != "text/x-rst" or not 0 < len(metadata.description.strip()) <= RENDERED:
        return
    try:
        html, said = _from_rst(metadata.description)
    except ImportError:
        return
    if html is None:
        lines = [line.strip() for line in said.splitlines() if line.strip()]
        more = "" if given else " (no content type is set, and PyPI takes it for reST then)"
        yield f"the description does not render as reStructuredText{more}: {'; '.join(lines[:3]) or 'it is empty'}"


def rendered(metadata: Metadata) -> str:
    """Return the description as HTML, rendered and sanitised as PyPI does; empty for none, or one that is too long.

    What does not render is shown as plain text there (`warehouse.utils.readme`). Empty as well for Markdown on a
    machine for which there is no wheel of what renders it.
    """
    text = metadata.description
    if not 0 < len(text.strip()) <= RENDERED or importlib.util.find_spec("readme_renderer") is None:
        return ""
    kind, parameters = _parsed(metadata.first("description-content-type") or "text/x-rst")
    if kind == MARKDOWN and importlib.util.find_spec("comrak") is None:
        return ""
    if kind == MARKDOWN:
        html = importlib.import_module("readme_renderer.markdown").render(
            text, variant=parameters.get("variant", "GFM")
        )
    else:
        html = _from_rst(text)[0] if kind == "text/x-rst" else None
    found: str = html or importlib.import_module("readme_renderer.txt").render(text) or ""
    return found if len(found) <= SHOWN else ""


def _from_rst(text: str) -> tuple[str | None, str]:
    """Return `text` as HTML, None where it does not render, and what docutils said. Raises ImportError."""
    return _rendered_by(importlib.import_module("readme_renderer.rst").render, text)


@functools.lru_cache(maxsize=4)  # a wheel and an sdist have the same one
def _rendered_by(render: Callable[..., str | None], text: str) -> tuple[str | None, str]:
    said = io.StringIO()
    return render(text, stream=said), said.getvalue()
