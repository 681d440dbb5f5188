"""`tests.program` in a process that is forked from one which has imported the program already, where there is `fork`.

Hundreds of starts would each import it anew. What a start itself does is tested with the installed command, and in
`tests/template`.
"""

from __future__ import annotations

import atexit
import multiprocessing
import os
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from tests import program

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

STEPS = "build check dryrun inspect pypi rebuild status testpypi verify".split()
LOADED = [__name__, *(f"seatrial.steps.{step}" for step in STEPS)]
CAN_FORK = "forkserver" in multiprocessing.get_all_start_methods()


def run(words: Sequence[str], cwd: Path, env: Mapping[str, str], given: bytes) -> tuple[int, bytes]:
    """Run the program with `words` in the folder `cwd`, with `given` to read; return its exit code and its output."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(LOADED)
    with tempfile.TemporaryDirectory() as folder:
        read, written = Path(folder, "in"), Path(folder, "out")
        read.write_bytes(given)
        child = context.Process(target=_act, args=(list(words), cwd, dict(env), read, written))
        child.start()
        child.join()
        return int(child.exitcode or 0), written.read_bytes()


def _act(words: list[str], cwd: Path, env: dict[str, str], read: Path, written: Path) -> None:
    """Become the program: its streams, folder and environment, its exit code, and what it does at its exit."""
    for path, flags, streams in ((read, os.O_RDONLY, (0,)), (written, os.O_CREAT | os.O_WRONLY, (1, 2))):
        opened = os.open(path, flags)
        for stream in streams:
            os.dup2(opened, stream)
        os.close(opened)
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115 (as long as the process)
    sys.stdout, sys.stderr = (open(number, "w", encoding="utf-8", closefd=False) for number in (1, 2))  # noqa: SIM115
    os.environ.clear()
    os.environ.update(env)
    os.chdir(cwd)
    code = program.run(words, env)
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    sys.exit(code)
