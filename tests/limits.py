"""Say what has moved since the limits of PyPI's server were read: ``nox -s limits``.

``pins`` prints the libraries in the releases that the server used on that day, ``facts --out FILE`` writes down what
the installed ones know, and ``compare FILE`` tells in sentences what the installed ones (the newest) know otherwise.
It reports and does not judge: exit code 1 means that something could not be read.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.metadata
import json
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from packaging.utils import canonicalize_name

from seatrial.rules import limits

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

PINS = {
    "packaging": limits.SERVER_PACKAGING,
    "trove-classifiers": limits.SERVER_CLASSIFIERS,
    "stdlib-list": limits.SERVER_STDLIB_LIST,
}
SHOWN = 12  # names in a sentence


@dataclass(frozen=True)
class Facts:
    """What one set of the libraries knows; each but `versions` is a list of names, compared as a set."""

    versions: dict[str, str]
    metadata_versions: list[str]
    fields: list[str]
    systems: list[str]
    licences: list[str]
    classifiers: list[str]
    deprecated: list[str]
    modules: list[str]


def main(argv: Sequence[str] | None = None) -> int:
    """Do what `argv` says (default: the command line's) and return the exit code."""
    args = _parser().parse_args(argv)
    try:
        if args.mode == "pins":
            print(" ".join(f"{name}=={version}" for name, version in PINS.items()))
        elif args.mode == "facts":
            args.out.write_text(json.dumps(asdict(read())), encoding="utf-8")
        else:
            then = Facts(**json.loads(args.then.read_text(encoding="utf-8")))
            print("\n".join(report(then, read())))
    except (ImportError, AttributeError, OSError, ValueError, TypeError) as error:
        print(f"not read: {type(error).__name__}: {error}", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.limits", description=(__doc__ or "").partition("\n")[0])
    modes = parser.add_subparsers(dest="mode", required=True)
    modes.add_parser("pins")
    modes.add_parser("facts").add_argument("--out", type=Path, required=True)
    modes.add_parser("compare").add_argument("then", type=Path)
    return parser


def read() -> Facts:
    """Return what the libraries know that this interpreter imports. Raises ImportError and AttributeError."""
    metadata: Any = importlib.import_module("packaging.metadata")
    tags = importlib.import_module("packaging.tags")
    spdx: Any = importlib.import_module("packaging.licenses._spdx")
    trove: Any = importlib.import_module("trove_classifiers")
    validators = ((name, getattr(value, "added", None)) for name, value in vars(metadata.Metadata).items())
    return Facts(
        versions={name: importlib.metadata.version(name) for name in PINS},
        metadata_versions=list(metadata._VALID_METADATA_VERSIONS),
        fields=[f"{name} (since {added})" for name, added in validators if added],
        systems=[name for name in dir(tags) if name.endswith("_platforms")],
        licences=[entry["id"] for entry in spdx.LICENSES.values()],
        classifiers=sorted(trove.classifiers),
        deprecated=sorted(trove.deprecated_classifiers),
        modules=sorted(limits.stdlib_names()),
    )


WORDS = {
    "metadata_versions": "Metadata-Version",
    "fields": "fields of core metadata",
    "systems": "systems whose wheels have platform tags",
    "licences": "SPDX licences",
    "classifiers": "classifiers",
    "deprecated": "deprecated classifiers",
    "modules": "names of standard library modules",
}


def report(then: Facts, now: Facts) -> Iterator[str]:
    """Yield the sentences: what the newest libraries know otherwise than the server's, and what the tables have not."""
    yield f"The limits were read on {limits.SOURCE_DATE}, at commit {limits.SOURCE_COMMIT[:12]} of Warehouse."
    for name, version in now.versions.items():
        moved = "is still the newest" if then.versions[name] == version else f"was used then, {version} is the newest"
        yield f"{name} {then.versions[name]} {moved}."
    changes = [sentence for kind, words in WORDS.items() for sentence in _change(words, kind, then, now)]
    yield from changes or ["They know the same."]
    yield from _table(then)
    yield from _python(now)


def _change(words: str, kind: str, then: Facts, now: Facts) -> Iterator[str]:
    before, after = set(getattr(then, kind)), set(getattr(now, kind))
    if new := after - before:
        yield f"New {words}: {_some(new)}."
    if gone := before - after:
        yield f"No longer among the {words}: {_some(gone)}."


def _table(then: Facts) -> Iterator[str]:
    """Yield where our own table is not what the server's releases of the libraries say."""
    if odd := set(limits.METADATA_VERSIONS) ^ set(then.metadata_versions):
        yield f"The table of Metadata-Version is not what {then.versions} say: {_some(odd)}. Correct it."


def _python(now: Facts) -> Iterator[str]:
    """Yield what the Python that runs us has and the newest stdlib-list has not."""
    here = {canonicalize_name(name.strip("_")) for name in sys.stdlib_module_names}
    running = "Python {}.{}".format(*sys.version_info)
    if unknown := here - set(now.modules):
        yield f"{running} has modules that are not in stdlib-list: {_some(unknown)}."
    else:
        yield f"All modules of {running} are in stdlib-list."


def _some(names: Collection[str]) -> str:
    shown = sorted(names)[:SHOWN]
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(shown) + more


if __name__ == "__main__":
    sys.exit(main())
