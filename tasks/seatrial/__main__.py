"""``python -I -m seatrial STEP``, and the command `seatrial`."""

import gc
import os
import sys

from seatrial.cli import secrets as hiding
from seatrial.machine import variables

OBJECTS = 50_000  # that are made before garbage is looked for: loading modules makes many, and leaves none


def main() -> int:
    """Run what the command line says, with secrets out of reach of whatever runs below, and return the exit code."""
    gc.set_threshold(OBJECTS)
    _open_streams()
    secrets, words = hiding.received(sys.argv[1:])
    if not secrets and "--preflight" not in words:  # which starts nothing foreign, and ends at once
        hiding.shed(words)
    variables.lock_memory()
    from seatrial.cli.main import run  # noqa: PLC0415 (this process ends above where there is a secret)

    code = run(words, os.environ | secrets)
    gc.freeze()  # all of it is given back as the process ends, garbage or not
    return code


def _open_streams() -> None:
    """Open what is closed of standard input, output and error, so that no file of ours takes its number."""
    for number, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        try:
            os.fstat(number)
        except OSError:  # noqa: PERF203 (three times)
            os.dup2(os.open(os.devnull, os.O_RDWR), number)
            setattr(sys, name, os.fdopen(number, mode, closefd=False))


if __name__ == "__main__":
    sys.exit(main())
