"""twine as it is on the command line, telling one thing more: how long an index that refuses asks to be left alone.

Run as ``python -I posting.py upload ...`` in a virtualenv that has twine. Words and exit code are those of twine, which
shows the answer of an index without its headers; Retry-After (RFC 9110) stands on a line of its own before them.
"""

from __future__ import annotations

import functools
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


def telling(dispatch: Callable[..., Any], refusal: type[Exception]) -> Callable[..., Any]:
    """Return `dispatch`, which prints the Retry-After of a `refusal` before it raises it."""

    @functools.wraps(dispatch)
    def told(*args: Any) -> Any:
        try:
            return dispatch(*args)
        except refusal as refused:
            answer: Any = getattr(refused, "response", None)
            if answer is not None and (asked := answer.headers.get("Retry-After")):
                print(f"Retry-After: {asked}", flush=True)
            raise

    return told


def main() -> Any:
    """Do what the command ``twine`` does with these arguments, and return its exit code."""
    import requests  # noqa: PLC0415 (these are there in the session's virtualenv only)
    from twine import __main__ as command  # noqa: PLC0415
    from twine import cli  # noqa: PLC0415

    cli.dispatch = telling(cli.dispatch, requests.HTTPError)
    return command.main()


if __name__ == "__main__":
    sys.exit(main())
