"""Look at an installed distribution from the inside: ``python -I command.py MODE ... --out FILE``.

The interpreter of a throw-away environment runs this file (Python 3.8 or later), so it and the modules beside it need
the standard library and nothing else. It answers with one JSON document in FILE, because what it imports may print.

    environment   the variables of environment markers (PEP 508), and where this environment keeps its files
    check         is the distribution there, whole, and can all that it offers be imported and loaded?

Exit code 0 says that the document was written, whatever is in it.
"""

from __future__ import annotations

import gc
import importlib
import importlib.util
import json
import os
import platform
import signal
import sys
import sysconfig
from argparse import ArgumentParser
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

PACKAGE = "seatrial_probe"
TIME_LIMIT = 60.0  # seconds for one import


def document() -> Any:
    """Return the module ``document``, loaded under a private name: nothing of ours may get onto ``sys.path``."""
    if PACKAGE not in sys.modules:
        spec = importlib.util.spec_from_loader(PACKAGE, None, is_package=True)
        assert spec is not None  # noqa: S101 (there is always one for a package)
        spec.submodule_search_locations = [os.path.dirname(os.path.abspath(__file__))]
        sys.modules[PACKAGE] = importlib.util.module_from_spec(spec)
    return importlib.import_module(f"{PACKAGE}.document")


def environment() -> dict[str, str]:
    """Return the variables of environment markers (PEP 508) and the folders of this environment."""
    version = sys.implementation.version
    numbers = f"{version.major}.{version.minor}.{version.micro}"
    is_final = version.releaselevel == "final"
    return {
        "os_name": os.name,
        "sys_platform": sys.platform,
        "platform_machine": platform.machine(),
        "platform_python_implementation": platform.python_implementation(),
        "platform_release": platform.release(),
        "platform_system": platform.system(),
        "platform_version": platform.version(),
        "python_full_version": platform.python_version(),
        "python_version": ".".join(platform.python_version_tuple()[:2]),
        "implementation_name": sys.implementation.name,
        "implementation_version": numbers if is_final else f"{numbers}{version.releaselevel[0]}{version.serial}",
        "executable": sys.executable,
        "prefix": sys.prefix,
        "purelib": sysconfig.get_path("purelib"),
        "platlib": sysconfig.get_path("platlib"),
    }


def main(argv: Sequence[str]) -> int:
    """Do what `argv` says and write the answer."""
    parser = ArgumentParser(prog="command.py", description="Look at an installed distribution from the inside.")
    common = ArgumentParser(add_help=False)
    common.add_argument("--out", required=True, metavar="FILE", help="where the JSON document goes")
    modes = parser.add_subparsers(dest="mode", required=True)
    modes.add_parser("environment", parents=[common], help="the marker variables of this interpreter")
    checking = modes.add_parser("check", parents=[common], help="look at one distribution")
    checking.add_argument("--name", required=True)
    checking.add_argument("--import-name", action="append", default=[], metavar="NAME", help="import these only")
    checking.add_argument("--project", metavar="FILE", help="what is known of the checkout (see `subject.Project`)")
    checking.add_argument("--time-limit", type=float, default=TIME_LIMIT, metavar="SECONDS", help="for each import")
    args = parser.parse_args(argv)
    if args.mode == "environment":
        answer: Any = environment()
    else:
        check, known = document().check, None
        if args.project:
            with open(args.project, encoding="utf-8") as file:
                known = importlib.import_module(f"{PACKAGE}.subject").Project(**json.load(file))
        answer = check(args.name, args.import_name, args.time_limit, known)
    with open(args.out, "w", encoding="utf-8") as file:
        json.dump(answer, file, indent=1)
    return 0


if __name__ == "__main__":
    # The child of an import has its own process group: if we are ended, it has to be ended by us.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    code = main(sys.argv[1:])
    gc.freeze()  # at its end the interpreter would look for garbage in all that was loaded
    sys.exit(code)
