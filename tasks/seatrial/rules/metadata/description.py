"""Rules on the description, the text of a project's page."""

import atexit
import contextlib
import email.message
import functools
import html
import json
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from seatrial.machine.values import Value
from seatrial.release.archives import Metadata
from seatrial.rules import limits
from seatrial.rules.distribution import some
from seatrial.rules.rule import library, practice, rule, server

RENDERED = 512 << 10  # characters; docutils is slow, and longer ones are left to PyPI
SHOWN = 1 << 20  # characters of HTML; a report that is longer is no help
SECONDS, MEMORY = 8.0, 256 << 20  # what rendering may take
MARKDOWN, RST = "text/markdown", "text/x-rst"
RENDERER = Path(__file__).with_name("render.py")
FENCED = re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL)
LINE = re.compile(r"<string>:(\d+):")  # as docutils names a place
CODE = re.compile(r"`[^`\n]*`")
IMAGES = {  # the address of an image, by the kind of text
    MARKDOWN: re.compile(r"""!\[[^\]\n]*\]\(\s*<?([^\s)>]+)|<img\b[^>\n]*?\bsrc\s*=\s*["']?([^"'\s>]+)"""),
    RST: re.compile(r"""^[ \t]*\.\.[ \t]+(?:\|[^|\n]+\|[ \t]+)?(?:image|figure)::[ \t]*(\S+)""", re.MULTILINE),
}
ABSOLUTE = re.compile(r"(?:[a-z][a-z0-9+.-]*:|//|#)", re.IGNORECASE)


@rule("metadata", "description-content-type", "refused", library("_process_description_content_type", "public"))
def content_type(metadata: Metadata) -> Iterator[str]:
    """Description-Content-Type is not one that PyPI renders, or PyPI does not accept its charset or variant.

    PyPI answers that it must be one of `text/plain`, `text/x-rst`, `text/markdown`, that it "can only specify the UTF-8
    charset" (in capitals), or which Markdown variants are valid (`GFM`, `CommonMark`). `readme = "README.md"` in
    `[project]` makes backends write it.
    """
    given = metadata.first("description-content-type") or RST
    kind, parameters = _parsed(given)
    charset, variant = parameters.get("charset", "UTF-8"), parameters.get("variant", "GFM")
    if kind not in limits.CONTENT_TYPES or kind not in given.lower():
        yield f"the description's content type {given!r} is not one of {', '.join(sorted(limits.CONTENT_TYPES))}."
    elif charset != "UTF-8":
        yield f"the description's content type: PyPI accepts only the charset UTF-8, spelled just so, not {charset!r}."
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


@rule("metadata", "description-type-missing", "warning", server("forklift/legacy.py", "file_upload"))
def type_missing(metadata: Metadata) -> Iterator[str]:
    """The description has no content type, so PyPI takes it for reStructuredText.

    Set `readme = "README.md"` in `[project]`, from which backends derive the type (setup.cfg:
    `long_description_content_type = text/markdown`).
    """
    if metadata.description.strip() and metadata.first("description-content-type") is None:
        yield "the description has no content type, so PyPI takes it for reStructuredText: set `readme` in [project]."


@rule("metadata", "description-renders", "refused", server("utils/readme.py", "render"))
def renders(metadata: Metadata) -> Iterator[str]:
    """The description is reStructuredText that does not render. PyPI answers: "The description failed to render".

    It refuses the first warning of docutils: an unknown directive or role (those of Sphinx are), a title line that is
    too short, `raw` and `include`. Markdown practically always renders; without a content type it is taken for reST.
    """
    is_rst = kind_of(metadata) == RST and bool(metadata.description.strip())
    rendering = _rendering(metadata.description, RST) if is_rst else None
    if rendering and rendering.html is None and not rendering.trouble:
        typed = metadata.first("description-content-type")
        more = "" if typed else " (no content type is set, and PyPI takes it for reST then)"
        faults = _faults(rendering.messages) or ["it is empty"]
        yield f"the description does not render as reStructuredText{more}: {some(faults, '; ')}"


def _faults(messages: str) -> list[str]:
    """Return what docutils complains of, each with its line and without what it quotes of the text."""
    faults: list[list[str]] = []
    for line in filter(None, map(str.strip, messages.splitlines())):
        if place := LINE.match(line):
            faults.append([f"line {place[1]}: {line[place.end() :].strip()}"])
        elif faults and faults[-1][-1].endswith(":"):
            faults[-1].append(line.rstrip("."))
    return [" ".join(fault).rstrip(".") for fault in faults]


@rule("metadata", "description-not-rendered", "warning", practice("what is not known is not passed"))
def not_rendered(metadata: Metadata) -> Iterator[str]:
    """The description takes too long or too much memory to render, so it is not known whether PyPI takes it.

    docutils is slow on large tables and long texts. Shorten the description, link to what is left out, or write it in
    Markdown.
    """
    is_rst = kind_of(metadata) == RST and bool(metadata.description.strip())
    if is_rst and (trouble := _rendering(metadata.description, RST).trouble):
        yield f"the description was not rendered: {trouble}."


@rule("metadata", "description-relative-image", "warning", practice("the project's page, on which it is broken"))
def relative_image(metadata: Metadata) -> Iterator[str]:
    """The description shows an image by a relative address, which leads nowhere on PyPI's page.

    Code hosts resolve such addresses, PyPI does not. Write the whole address
    (`https://raw.githubusercontent.com/OWNER/NAME/main/docs/logo.png`), or have the build backend replace it
    (hatch-fancy-pypi-readme).
    """
    pattern = IMAGES.get(kind_of(metadata))
    if pattern is None or len(metadata.description) > RENDERED:
        return
    text = CODE.sub("", FENCED.sub("", metadata.description)) if pattern is IMAGES[MARKDOWN] else metadata.description
    addresses = ("".join(groups) for groups in pattern.findall(text))
    if relative := sorted({address for address in addresses if not ABSOLUTE.match(address)}):
        yield f"images with relative addresses are broken on PyPI's page: {some(relative)}."


def kind_of(metadata: Metadata) -> str:
    """Return the content type that PyPI renders the description as, without parameters."""
    return _parsed(metadata.first("description-content-type") or RST)[0]


def rendered(metadata: Metadata) -> str:
    """Return the description as HTML, rendered and sanitised as PyPI does; empty for none, or one that is too long.

    What does not render is shown as plain text there. The Markdown variant does not matter to the server. Empty as well
    for Markdown on a machine for which there is no wheel of what renders it.
    """
    text, kind = metadata.description, kind_of(metadata)
    if not text.strip() or len(text) > RENDERED:
        return ""
    rendering = _rendering(text, kind) if kind in {RST, MARKDOWN} else Rendering()
    if rendering.html is None and (kind == MARKDOWN or rendering.trouble):
        return ""
    page = rendering.html or f"<pre>{html.escape(text)}</pre>"
    return page if len(page) <= SHOWN else ""


class Rendering(Value):
    """A rendered description: its HTML (None where it does not render), what docutils said, or why neither is known."""

    html: str | None = None
    messages: str = ""
    trouble: str = ""


@functools.lru_cache(maxsize=4)  # a wheel and an sdist have the same description
def _rendering(text: str, kind: str) -> Rendering:
    """Render `text` in the child process."""
    if len(text) > RENDERED:
        return Rendering(trouble=f"it has {len(text):,} characters, more than {RENDERED:,}")
    return CHILD.render(text, "rst" if kind == RST else "markdown")


class Child:
    """The process that renders: started when it is needed, killed when it takes too long, and then started again."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()
        atexit.register(self.close)

    def render(self, text: str, kind: str) -> Rendering:
        """Return `text` rendered, or why it was not."""
        request = json.dumps({"text": text, "kind": kind, "memory": MEMORY}).encode() + b"\n"
        answer = b""
        with self._lock:
            process = self._started()
            assert process.stdin is not None  # noqa: S101 (both are pipes)
            assert process.stdout is not None  # noqa: S101
            timer = threading.Timer(SECONDS, process.kill)
            started = time.monotonic()
            timer.start()
            with contextlib.suppress(OSError):  # it ended before it was asked
                process.stdin.write(request)
                process.stdin.flush()
                answer = process.stdout.readline()
            timer.cancel()
            if not answer:
                self.close()
        if answer:
            return Rendering(**json.loads(answer))
        if time.monotonic() - started >= SECONDS:
            return Rendering(trouble=f"it takes more than {SECONDS:.0f} s")
        return Rendering(trouble=f"it takes more than {MEMORY >> 20} MiB of memory, or breaks what renders it")

    def start(self) -> None:
        """Start the process before it is needed."""
        with self._lock:
            self._started()

    def close(self) -> None:
        """End the process, if there is one."""
        process, self._process = self._process, None
        if process:
            process.kill()
            with contextlib.suppress(OSError):  # what it did not read any more
                process.communicate()

    def _started(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            env = {name: os.environ[name] for name in ("SYSTEMROOT", "LD_LIBRARY_PATH") if name in os.environ}
            pipe, nothing, argv = subprocess.PIPE, subprocess.DEVNULL, [sys.executable, "-I", str(RENDERER)]
            self._process = subprocess.Popen(argv, stdin=pipe, stdout=pipe, stderr=nothing, env=env)
        return self._process


CHILD = Child()
