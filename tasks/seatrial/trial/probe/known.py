"""What is known of names, since no metadata tells it: systems, modules of some systems, suppliers of modules."""

from __future__ import annotations

import sys

# Ends of the names of modules for one platform, and how `sys.platform` begins there.
PLATFORMS = {
    **dict.fromkeys(("win", "win32", "windows", "nt"), "win32"),
    **dict.fromkeys(("darwin", "mac", "macos", "osx"), "darwin"),
    **dict.fromkeys(("linux", "linux2"), "linux"),
}

FOREIGN = frozenset(  # of those that are of some systems only; `sys.stdlib_module_names` came in Python 3.10
    "_winapi crypt curses fcntl grp msvcrt nt ossaudiodev posix pty pwd readline resource spwd syslog termios tkinter"
    " tty winreg winsound _curses _scproxy _tkinter".split()
)

# Distributions whose modules have another name; `python-`, `py` and the like are seen through (see `_supplies`).
SUPPLIERS = {
    "attr": "attrs",
    "bs4": "beautifulsoup4",
    "cv2": "opencv",
    "crypto": "pycryptodome",
    "fitz": "pymupdf",
    "gi": "pygobject",
    "google-protobuf": "protobuf",
    "mysqldb": "mysqlclient",
    "pil": "pillow",
    "pkg-resources": "setuptools",
    "pythoncom": "pywin32",
    "sklearn": "scikit-learn",
    "skimage": "scikit-image",
    "win32api": "pywin32",
    "win32com": "pywin32",
    "win32con": "pywin32",
    "zmq": "pyzmq",
}


def system_of(module: str) -> str | None:
    """Return the system that `module` is for by its name, if that is another one than ours."""
    for part in module.split("."):
        system = PLATFORMS.get(part.rpartition("_")[2].lower())
        if system and not sys.platform.startswith(system):
            return system
    return None
