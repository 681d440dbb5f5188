"""The command `seatrial` as it is typed, with indexes of a test in the place of the real ones (see tests/program.py).

Secrets leave the environment as they do there: `seatrial.__main__` starts this file again without them.
"""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

from seatrial import __main__ as program
from seatrial.cli import main, secrets

PROGRAM = Path(__file__).with_name("program.py")

if __name__ == "__main__":
    secrets.MODULE = (__file__,)  # type: ignore[assignment]
    at_indexes_of_test = runpy.run_path(str(PROGRAM))["at_indexes_of_test"]
    original = main.run

    def run(words: list[str], outer: dict[str, str]) -> int:
        return original(words, outer, lambda context: at_indexes_of_test(context, outer))

    main.run = run  # type: ignore[assignment]
    sys.exit(program.main())
