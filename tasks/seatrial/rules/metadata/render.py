"""Renders descriptions as PyPI does, in a process of its own: docutils has no bounds, and this process can be killed.

Each line of its input is a request, ``{"text": ..., "kind": "rst" | "markdown", "memory": BYTES}``; it answers each with
a line ``{"html": ..., "messages": ...}``, in which `html` is null for what does not render. It is run by its path
(``python -I render.py``), so it imports nothing of seatrial.
"""

from __future__ import annotations

import importlib
import io
import json
import sys
import warnings
from typing import Any

try:
    import resource
except ImportError:  # Windows
    resource = None  # type: ignore[assignment]


def main() -> None:
    """Answer the requests on standard input until it ends."""
    for line in sys.stdin.buffer:
        request = json.loads(line)
        if resource is not None and request["memory"]:
            _limit(resource.RLIMIT_AS, request["memory"])
        answer = render(request["text"], request["kind"])
        sys.stdout.buffer.write(json.dumps(answer).encode() + b"\n")
        sys.stdout.buffer.flush()


def _limit(which: int, amount: int) -> None:
    assert resource is not None  # noqa: S101 (only called where it is)
    hard = resource.getrlimit(which)[1]
    resource.setrlimit(which, (amount if hard == resource.RLIM_INFINITY else min(amount, hard), hard))


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
