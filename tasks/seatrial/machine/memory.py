"""The memory of this process, which other processes of the same user could read."""

from __future__ import annotations

import ctypes
import sys

PR_SET_DUMPABLE = 4


def lock() -> None:
    """Keep other processes of this user from reading the memory and the environment of this one, on Linux.

    Nothing changes for root with CAP_SYS_PTRACE. A program that is started from here is readable again.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)
