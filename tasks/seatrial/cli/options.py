"""The command line read into `Options`: one set of options for all steps, each of which takes what concerns it."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from packaging.version import InvalidVersion, Version

from seatrial.cli.chain import CHAIN, through
from seatrial.machine.errors import ReleaseError
from seatrial.machine.values import Value
from seatrial.project.options import Options

if TYPE_CHECKING:
    from collections.abc import Sequence

# What `tasks/release.py` and the program agree on; docs/how-to/publish-seatrial.md says how long it lives.
INTERFACE = 1
WORDS = {"inspect": sys.maxsize, "rebuild": 1}  # how many words beside the options a step takes


class BadOption(ReleaseError):
    prog: str
    complaint: str

    what = "{e.prog}: {e.complaint}"
    cause = "a misspelt option, or an option of nox behind the double dash."
    cure = "`{e.prog} --help` lists the options."


class NoSuchFolder(ReleaseError):
    path: Path

    what = "--json {e.path}: there is no folder {e.path.parent} to write it to."
    cause = "a misspelt path, or a folder that is made later."
    cure = "make the folder, or name a file in one that is there. Nothing was done."


class SecretInArguments(ReleaseError):
    what = "An API token was given on the command line. It is not used, and not repeated here."
    cause = "every process of this machine can read a command line, the shell keeps it, and nox prints it."
    cure = (
        "revoke that token now (https://pypi.org/manage/account/token/ or https://test.pypi.org/manage/account/token/),"
        " make a new one, and hand it over in PYPI_TOKEN or TESTPYPI_TOKEN."
    )


class OtherInterface(ReleaseError):
    theirs: object

    what = "tasks/release.py speaks interface {e.theirs} of seatrial, and the program that is locked speaks {e.ours}."
    cause = "the copy and the lock beside it were updated apart from each other."
    cure = "update both with the seatrial that the lock names: `seatrial adopt --update`."
    ours = INTERFACE


class Nox(Value):
    """What nox alone knows, handed over by `tasks/release.py` in the one private option ``--nox``.

    `start` is where nox was invoked. `asked` are the steps that it was started for, as far as its command line says,
    and `withheld` the names of the variables that only uploads get.
    """

    prefix: str
    uv: str | None
    interactive: bool
    root: Path
    start: Path
    asked: tuple[str, ...]
    withheld: tuple[str, ...]

    @classmethod
    def parse(cls, text: str) -> Nox:
        """Read the JSON object `text`. Raises OtherInterface."""
        try:
            document = json.loads(text)
            if document["interface"] != INTERFACE:
                raise OtherInterface(document["interface"])
            return cls(
                prefix=str(document["prefix"]),
                uv=document["uv"],
                interactive=bool(document["interactive"]),
                root=Path(document["root"]),
                start=Path(document["start"]),
                asked=tuple(document["asked"]),
                withheld=tuple(document["withheld"]),
            )
        except (ValueError, TypeError, KeyError):
            raise OtherInterface("(not readable)") from None


def nox_of(words: Sequence[str]) -> tuple[Nox | None, list[str]]:
    """Return what nox handed over in `words`, None where it did not start us, and the words without that."""
    left = list(words)
    if "--nox" not in left:
        return None, left
    place = left.index("--nox")
    text = left[place + 1] if place + 1 < len(left) else ""
    del left[place : place + 2]
    return Nox.parse(text), left


class _Parser(argparse.ArgumentParser):
    """A parser whose complaint is one of ours, instead of a second way to leave."""

    def error(self, message: str) -> NoReturn:
        raise BadOption(self.prog, message)


def parse(step: str, words: Sequence[str], start: Path, *, prog: str = "") -> Options:
    """Return the options in `words` for `step`, typed as `prog`; relative paths are meant from `start`.

    Raises BadOption, and SecretInArguments (without showing it) where an API token was typed.
    """
    if any("pypi-Ag" in word for word in words):
        raise SecretInArguments
    parser = _parser(prog or f"seatrial {step}", step)
    args = parser.parse_intermixed_args(list(words))
    if len(args.words) > WORDS.get(step, 0):
        parser.error(f"unrecognized arguments: {' '.join(args.words)}")
    values: dict[str, Any] = vars(args)
    free, as_version = values.pop("words"), values.pop("as_version")
    if args.rehearse_on is not None:
        place, reason = args.rehearse_on
        if place != "dryrun" or not reason.strip():
            parser.error('use `--rehearse-on dryrun "REASON"`, with a reason')
        values["rehearse_on"] = reason.strip()
    values["since"] = _version(parser, "--since", args.since)
    values["version"] = _version(parser, "--as", as_version)
    if args.without_rehearsal_index is not None:
        values["without_rehearsal_index"] = args.without_rehearsal_index.strip()
        if not values["without_rehearsal_index"]:
            parser.error("--without-rehearsal-index takes a reason, and it is empty")
    for name in ("taken_from", "keep", "json", "environment", "record"):
        values[name] = values[name] and start / values[name]
    if step == "inspect":
        values["files"] = tuple(map(Path, free))
    if step == "rebuild" and free:
        values["version"] = free[0]
    return Options(**values)


def _version(parser: argparse.ArgumentParser, option: str, text: str | None) -> str | None:
    try:
        return None if text is None else str(Version(text))
    except InvalidVersion:
        parser.error(f"{option} takes a version, and {text!r} is not a valid version")


def _parser(prog: str, step: str) -> argparse.ArgumentParser:
    """Return the parser of all options, since nox hands the same to each step; its help has those up to `step`."""
    parser = _Parser(prog=prog, allow_abbrev=False, description="Any step takes the options of the others, too.")

    def add(*flags: str, of: tuple[str, ...] = (step,), help: str, **settings: Any) -> None:  # noqa: A002 (argparse's)
        concerns = not {step, *through(step)}.isdisjoint(of)
        parser.add_argument(*flags, help=help if concerns else argparse.SUPPRESS, **settings)

    add("--explain", action="store_true", help="print the commands a person would type instead; do nothing")
    add("-v", "--verbose", action="store_true", help="show all details, and the output of the tools")
    add("--timing", action="store_true", help="say what took how long")
    add("--rebuild", action="store_true", of=CHAIN, help="start over; the old files and record are set aside")
    add("--keep-sealed", action="store_true", of=CHAIN, help="go on with the sealed files although HEAD moved")
    built = ("build", "dryrun")
    add("--from", dest="taken_from", type=Path, metavar="FOLDER", of=built, help="take these distributions as they are")
    add("--sdist-only", action="store_true", of=built, help="no wheel")
    add("--as", dest="as_version", metavar="VERSION", of=("dryrun",), help="rehearse as if HEAD were this release")
    add("--offline", action="store_true", of=("check", "dryrun"), help="no look-ups on the indexes")
    add("--since", metavar="VERSION", of=("check", "dryrun"), help="compare with this version, not with the last one")
    here = "this once, the stand-in on this machine is the rehearsal"
    add("--rehearse-on", nargs=2, metavar=("dryrun", "REASON"), of=("testpypi", "verify", "pypi"), help=here)
    add("--remote", action="store_true", of=("status",), help="compare the record with both indexes and the tag")
    add("--yes", metavar="VERSION", of=("pypi",), help="the confirmation, where there is no terminal")
    anyway = "go on although the rehearsal index does not answer"
    add("--without-rehearsal-index", metavar="REASON", of=("pypi",), help=anyway)
    add("--no-narrow", dest="narrow", action="store_false", of=("testpypi", "pypi"), help="use the token unchanged")
    add("--python", metavar="NAME", of=("verify",), help="only this Python")
    add("--kind", choices=("wheel", "sdist"), of=("verify",), help="only this kind of archive")
    add("--environment", type=Path, metavar="DIR", of=("verify",), help="the fresh environment for the one cell")
    several = () if step == "inspect" else (step,)
    add("--package", metavar="NAME", of=several, help="for this package of a repository with several: name or folder")
    add("--all", action="store_true", of=several, help="for every package of the repository, each after those it needs")
    add("--keep", type=Path, metavar="FOLDER", of=("dryrun",), help="leave dist, record and both indexes there")
    add("--open", action="store_true", of=("dryrun", "status"), help="show the report in the browser")
    add("--as-of", metavar="DATE", of=("rebuild",), help="take the build requirements of this day, not of the upload's")
    add("--today", dest="as_of", action="store_const", const="today", of=("rebuild",), help="take those of today")
    add("--record", type=Path, metavar="FILE", of=("rebuild",), help="repeat the build environment of this built.json")
    add("--json", type=Path, metavar="OUT", of=("inspect", "rebuild"), help="write the result to OUT as JSON")
    add("--preflight", action="store_true", of=(), help="for tasks/release.py: refuse what the upload would")
    if step == "rebuild":
        add("words", nargs="*", metavar="VERSION", help="the released version to build again")
    else:
        add("words", nargs="*", metavar="FILE", of=("inspect",), help="a wheel or an sdist to look at")
    return parser
