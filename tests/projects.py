"""Small real projects and git repositories for the tests."""

from __future__ import annotations

import json
import os
import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

BACKENDS = {
    "flit_core": ("flit_core>=3.12", "flit_core.buildapi"),
    "hatchling": ("hatchling>=1.27", "hatchling.build"),
    "setuptools": ("setuptools>=77", "setuptools.build_meta"),
}

PYPROJECT = """\
[build-system]
requires = {requires}
build-backend = {backend}

[project]
name = {name}
version = {version}
description = "A project to rehearse releases with"
readme = "README.md"
license = "MIT"
license-files = ["LICENSE"]
authors = [{{ name = "Ada Example", email = "ada@example.org" }}]
requires-python = ">=3.10"
classifiers = ["Programming Language :: Python :: 3"]
dependencies = {dependencies}

[project.urls]
Source = "https://example.org/{name_in_url}"

[project.scripts]
{script} = "{package}:main"

[tool.flit.module]
name = "{package}"
"""

MODULE = '''\
"""A module to import."""

__version__ = {version}


def main() -> None:
    print("{package}", __version__)
'''

LICENSE = """\
MIT License

Copyright (c) 2024 Ada Example

Permission is hereby granted, free of charge, to any person obtaining a copy of this software, to deal in it without
restriction. The software is provided "as is", without warranty of any kind.
"""

GIT_SETTINGS = (
    *("-c", "user.name=Ada Example"),
    *("-c", "user.email=ada@example.org"),
    *("-c", "commit.gpgsign=false"),
    *("-c", "tag.gpgsign=false"),
    *("-c", "core.autocrlf=false"),
    *("-c", "protocol.file.allow=always"),  # submodules of these repositories are other folders
)
MOMENT = "2024-05-06T07:08:09+00:00"  # of all commits and tags, so that equal contents make equal commits
EPOCH = 1714979289  # the same in seconds


def write_tree(folder: Path, files: Mapping[str, str]) -> Path:
    """Write `files` (path in `folder`: text) with the line ends they have, and return `folder`."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())
    return folder


def git(folder: Path, *args: str) -> str:
    """Run git in `folder`, away from this machine's settings, and return what it prints."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    env |= {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "LC_ALL": "C"}
    env |= {"GIT_AUTHOR_DATE": MOMENT, "GIT_COMMITTER_DATE": MOMENT}
    argv = ["git", *GIT_SETTINGS, *args]
    return subprocess.run(argv, cwd=folder, env=env, check=True, capture_output=True, text=True).stdout.strip()


def commit(folder: Path, tag: str | None = None) -> str:
    """Commit all that is in `folder`, in a new repository if it is in none, and return the commit."""
    if not any((place / ".git").exists() for place in (folder, *folder.parents)):
        git(folder, "init", "--quiet", "-b", "main")
    git(folder, "add", "-A")
    git(folder, "commit", "--quiet", "--allow-empty", "-m", "a commit")
    if tag is not None:
        git(folder, "tag", tag)
    return git(folder, "rev-parse", "HEAD")


def sample(
    folder: Path,
    *,
    name: str = "demo",
    version: str = "1.0",
    backend: str = "flit_core",
    dependencies: Sequence[str] = (),
    files: Mapping[str, str] | None = None,
) -> Path:
    """Write a project that is ready for PyPI into `folder` and return it; `files` are added or take a place.

    Nothing is committed.
    """
    requirement, build_backend = BACKENDS[backend]
    package = name.lower().replace("-", "_").replace(".", "_")
    pyproject = PYPROJECT.format(
        requires=json.dumps([requirement]),
        backend=json.dumps(build_backend),
        name=json.dumps(name),
        version=json.dumps(version),
        dependencies=json.dumps(list(dependencies)),
        name_in_url=name,
        script=name.lower().replace(".", "-"),
        package=package,
    )
    tree = {
        "pyproject.toml": pyproject,
        "README.md": f"# {name}\n\nA project to rehearse releases with.\n",
        "LICENSE": LICENSE,
        ".gitignore": ".nox/\ndist/\nrelease-record/\n__pycache__/\n",
        f"src/{package}/__init__.py": MODULE.format(version=json.dumps(version), package=package),
    }
    return write_tree(folder, tree | dict(files or {}))
