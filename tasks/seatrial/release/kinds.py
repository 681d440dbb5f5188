"""The two kinds of archives. They stand apart because nox's list needs them, and nothing else of `stages`."""

from __future__ import annotations

from typing import Literal

Kind = Literal["wheel", "sdist"]
KINDS: tuple[Kind, ...] = ("wheel", "sdist")
