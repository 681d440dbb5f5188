"""Build the wheel of an unpacked sdist, its backend set apart: ``python -I hooks.py [OPTIONS] TREE``.

It runs in a session's virtualenv, where `build` is, and does what ``python -m build --wheel`` does, but that the
variables in ``--set`` hold for the backend's hooks (PEP 517) alone: the build requirements are installed before, as
always. Exit code 0 says that the wheel and the report on it were written.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import logging
import os
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def main(argv: Sequence[str] | None = None) -> int:
    """Build what `argv` says, report it as `build` does, and return the exit code."""
    from build import BuildBackendException, BuildException, FailedProcessError  # noqa: PLC0415 (session's virtualenv)

    args = _parser().parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="* %(message)s", stream=sys.stdout)
    try:
        wheel = build_wheel(args.tree, args.outdir, args.installer, dict(args.set), args.first)
    except (BuildException, BuildBackendException, FailedProcessError) as error:
        sys.stdout.write(f"ERROR {error}\n")
        return 1
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    report = {"artifacts": [{"name": wheel.name, "hashes": {"sha256": digest}}]}
    args.report.write_text(json.dumps(report), encoding="utf-8")
    return 0


def build_wheel(tree: str, outdir: str, installer: str, settings: Mapping[str, str], first: str | None) -> Path:
    """Return the wheel of `tree`, whose hooks see `settings`, and the folder `first` before all others on PATH."""
    from build import ProjectBuilder  # noqa: PLC0415 (as above)
    from build.env import DefaultIsolatedEnv  # noqa: PLC0415

    with DefaultIsolatedEnv(installer="uv" if installer == "uv" else "pip") as env:
        builder = ProjectBuilder.from_isolated_env(env, tree, runner=partial(run_hook, settings, first))
        env.install(builder.build_system_requires)
        env.install(builder.get_requires_for_build("wheel"))
        return Path(builder.build("wheel", outdir))


def run_hook(
    settings: Mapping[str, str],
    first: str | None,
    command: Sequence[str],
    cwd: str | None = None,
    extra_environ: Mapping[str, str] | None = None,
) -> None:
    """Run a hook, as `pyproject_hooks` asks for it. Raises CalledProcessError."""
    env = {**os.environ, **(extra_environ or {}), **settings}
    if first:
        env["PATH"] = os.pathsep.join([first, env["PATH"]])
    sys.stdout.flush()
    subprocess.run(command, cwd=cwd, env=env, check=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="hooks.py", description="Build a wheel, its backend set apart.")
    parser.add_argument("--wheel", action="store_true", help="what is built; said to be alike `build`")
    parser.add_argument("--installer", choices=("pip", "uv"), default="pip", help="of the build requirements")
    parser.add_argument("--report", type=Path, required=True, help="where the JSON document on the wheel goes")
    parser.add_argument("--outdir", required=True, help="where the wheel goes")
    parser.add_argument("--first", metavar="FOLDER", help="first on PATH, for the hooks")
    parser.add_argument("--set", action="append", default=[], type=_pair, metavar="NAME=VALUE", help="for the hooks")
    parser.add_argument("tree", help="the folder of the unpacked sdist")
    return parser


def _pair(text: str) -> tuple[str, str]:
    name, _, value = text.partition("=")
    return name, value


if __name__ == "__main__":
    sys.exit(main())
