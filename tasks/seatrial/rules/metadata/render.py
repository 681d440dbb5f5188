"""Renders descriptions as PyPI does, in a process of its own: docutils has no bounds, and this process can be killed.

Each line of its input is a request, ``{"text": ..., "kind": "rst" | "markdown", "memory": BYTES}``. It answers each
with a line ``{"html": ..., "messages": ...}``, in which `html` is null for what does not render. It is run by its path
(``python -I render.py``), so it imports nothing of seatrial.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import json
import sys
import warnings
from typing import Any


def main() -> None:
    """Answer the requests on standard input until it ends."""
    for line in sys.stdin.buffer:
        request = json.loads(line)
        if request["memory"]:
            limit_memory(request["memory"])
        answer = render(request["text"], request["kind"])
        sys.stdout.buffer.write(json.dumps(answer).encode() + b"\n")
        sys.stdout.buffer.flush()


def limit_memory(amount: int) -> None:
    """Have this process get no more than `amount` bytes of memory, where the system can see to that."""
    try:
        import resource  # noqa: PLC0415 (not on Windows)
    except ImportError:
        return
    hard = resource.getrlimit(resource.RLIMIT_AS)[1]
    soft = amount if hard == resource.RLIM_INFINITY else min(amount, hard)
    with contextlib.suppress(ValueError, OSError):  # macOS refuses it
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


def render(text: str, kind: str) -> dict[str, Any]:
    """Return `text` as sanitised HTML, and what docutils says of it. Markdown needs comrak; without it, it has none."""
    messages = io.StringIO()
    if kind == "rst":
        html = importlib.import_module("readme_renderer.rst").render(text, stream=messages)
    else:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it warns where comrak is missing
            html = importlib.import_module("readme_renderer.markdown").render(text)
    return {"html": html, "messages": messages.getvalue()}


if __name__ == "__main__":
    main()
