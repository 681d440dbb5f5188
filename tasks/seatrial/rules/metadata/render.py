"""Renders descriptions as PyPI does, in a process of its own: docutils has no bounds, and this process can be killed.

Each line of its input is a request, ``{"text": ..., "kind": "rst" | "markdown", "memory": BYTES}``. It answers each
with a line ``{"html": ..., "messages": ...}``, in which `html` is null for what does not render. It is run by its path
(``python -I render.py``), so it imports nothing of seatrial.
"""

import contextlib
import importlib
import io
import json
import sys
import warnings
from typing import Any

ALL_FAULTS = 64 << 10  # characters; of a longer description the first fault alone is told, as docutils is slow


def main() -> None:
    """Answer the requests on standard input until it ends."""
    for line in sys.stdin.buffer:
        request = json.loads(line)
        if request["memory"]:
            limit_memory(request["memory"])
        sys.stdout.buffer.write(json.dumps(render(request["text"], request["kind"])).encode() + b"\n")
        sys.stdout.buffer.flush()


def limit_memory(amount: int) -> None:
    """Have this process get no more than `amount` bytes of memory, where the system can see to that."""
    with contextlib.suppress(ImportError, ValueError, OSError):  # Windows has no such limit, and macOS refuses it
        import resource  # noqa: PLC0415

        hard = resource.getrlimit(resource.RLIMIT_AS)[1]
        soft = amount if hard == resource.RLIM_INFINITY else min(amount, hard)
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


def render(text: str, kind: str) -> dict[str, Any]:
    """Return `text` as sanitised HTML, and what docutils says of it. Markdown needs comrak; without it, it has none."""
    messages = io.StringIO()
    if kind == "rst":
        renderer = importlib.import_module("readme_renderer.rst")
        html = renderer.render(text, stream=messages)
        if html is None and len(text) <= ALL_FAULTS:
            # It stopped at the first fault, as PyPI does; a person wants to know all of them.
            whole = io.StringIO()
            overrides = {**renderer.SETTINGS, "halt_level": 5, "report_level": 2, "warning_stream": whole}
            with contextlib.suppress(Exception):  # the first fault is known
                importlib.import_module("docutils.core").publish_doctree(text, settings_overrides=overrides)
            messages = whole if whole.getvalue() else messages
    else:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it warns where comrak is missing
            html = importlib.import_module("readme_renderer.markdown").render(text)
    return {"html": html, "messages": messages.getvalue()}


if __name__ == "__main__":
    main()
