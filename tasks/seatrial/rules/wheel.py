"""Rules on what a wheel holds (the binary distribution format)."""

from __future__ import annotations

import configparser
import csv
import re
from typing import TYPE_CHECKING

from seatrial.rules.distribution import some
from seatrial.rules.rule import wheel_rule
from seatrial.rules.sources import practice, server, standard

if TYPE_CHECKING:
    from collections.abc import Iterator

    from seatrial.rules.distribution import Look

SCRIPT_SECTIONS = ("console_scripts", "gui_scripts")
SCRIPT_NAME = re.compile(r"[\w.-]+")
SIGNATURES = ("RECORD.jws", "RECORD.p7s")
REBUILD = "build it again, or write it anew with `wheel unpack` and `wheel pack`"


@wheel_rule("wheel-dist-info", "error", server("forklift/legacy.py", "_is_valid_dist_file", "everywhere"))
def dist_info(look: Look) -> Iterator[str]:
    """There is no NAME-VERSION.dist-info/WHEEL with name and version spelled as in the file's name.

    PyPI answers: "WHEEL not found at demo-1.0.dist-info/WHEEL". The file was renamed (to another version, or from
    `Demo` to `demo`), or is no wheel: build it again instead of renaming it.
    """
    if look.info and f"{look.info}/WHEEL" not in look.names:
        there = sorted({name.partition("/")[0] for name in look.names if ".dist-info/" in name})
        held = some(there) or "no .dist-info at all"
        yield f"there is no {look.info}/WHEEL in it, by which it is a wheel, but {held}: was the file renamed?"


@wheel_rule("wheel-metadata", "error", server("forklift/legacy.py", "file_upload", "everywhere"))
def metadata(look: Look) -> Iterator[str]:
    """There is no NAME-VERSION.dist-info/METADATA. PyPI answers: "does not contain the required METADATA file".

    The file was renamed, or is no wheel: build it again.
    """
    if look.info and f"{look.info}/METADATA" not in look.names:
        yield f"there is no {look.info}/METADATA in it, which has name, version and dependencies: was the file renamed?"


@wheel_rule("wheel-one-dist-info", "warning", practice("pip and uv, which refuse such a wheel"))
def one_dist_info(look: Look) -> Iterator[str]:
    """There is more than one `.dist-info` folder, which installers refuse (pip: "multiple .dist-info directories").

    A dependency was packed into the wheel from a site-packages folder. Vendor it without its `.dist-info`.
    """
    found = sorted({name.partition("/")[0] for name in look.names if name.partition("/")[0].endswith(".dist-info")})
    if len(found) > 1:
        yield f"installers want one .dist-info folder, and it holds {some(found)}."


@wheel_rule("wheel-license-file", "error", server("forklift/legacy.py", "file_upload", "everywhere"))
def license_file(look: Look) -> Iterator[str]:
    """A licence file that METADATA names is not in `.dist-info/licenses/`. PyPI answers: "License-File does not exist".

    Core metadata 2.4 (PEP 639) has this place for it; backends copy what `license-files` names there.
    """
    if look.metadata is None or not look.metadata.has_license_files:
        return
    folder = f"{look.info}/licenses"
    missing = [name for name in look.metadata.all("license-file") if f"{folder}/{name}" not in look.names]
    if missing:
        yield f"its metadata names a licence file, {some(missing)}, and there is no such file in {folder}/."


@wheel_rule("wheel-record", "error", server("utils/wheel.py", "_validate_record", "everywhere"))
def record(look: Look) -> Iterator[str]:
    """RECORD, the list of a wheel's files, is missing or cannot be read. PyPI answers that it is required.

    It has to be CSV in UTF-8, without blank lines (on one of which PyPI's server fails without a message).
    """
    if look.info:
        try:
            _recorded(look)
        except ValueError as error:
            yield f"{look.info}/RECORD, the list of a wheel's files, {error}; {REBUILD}."


@wheel_rule("wheel-record-mismatch", "warning", server("utils/wheel.py", "_validate_record", "everywhere"))
def record_mismatch(look: Look) -> Iterator[str]:
    """RECORD names other files than the wheel holds. PyPI mails all owners of the project about it.

    Files that RECORD does not name are left behind when the package is uninstalled. Something was added to or taken
    from the wheel after it was built: `wheel unpack` and `wheel pack` write RECORD anew.
    """
    try:
        recorded = _recorded(look)
    except ValueError:
        return
    exempt = {f"{look.info}/{name}" for name in SIGNATURES}
    there = {name for name in look.names if not name.endswith("\\")} - exempt
    if unnamed := sorted(there - recorded):
        yield f"RECORD, the list of a wheel's files, lacks {some(unnamed)}, which would never be removed; {REBUILD}."
    if absent := sorted(recorded - there):
        yield f"RECORD, the list of a wheel's files, names {some(absent)}, and there is no such file; {REBUILD}."


def _recorded(look: Look) -> frozenset[str]:
    """Return the names in RECORD. Raises ValueError, which says what is wrong with it."""
    raw = look.kept.get(f"{look.info}/RECORD")
    if raw is None:
        raise ValueError("is missing")
    try:
        rows = list(csv.reader(raw.decode("utf-8").splitlines()))
    except UnicodeDecodeError:
        raise ValueError("is not UTF-8") from None
    except csv.Error as error:
        raise ValueError(f"is no CSV file ({error})") from None
    if not all(rows):
        raise ValueError("has a blank line in it")
    return frozenset(row[0].replace("\\", "/") for row in rows)


@wheel_rule("wheel-entry-points", "error", server("utils/wheel.py", "_validate_entrypoints", "everywhere"))
def entry_points(look: Look) -> Iterator[str]:
    """entry_points.txt cannot be read, or a script's name has a character that PyPI does not take.

    PyPI answers: "has invalid entry points defined in the entry_points.txt file". Names of scripts are letters, digits,
    `_`, `.` and `-`; the file is an INI file in UTF-8 in which no section and no name stands twice. Set
    `[project.scripts]` (setuptools: `entry_points`; poetry before 2: `[tool.poetry.scripts]`).
    """
    raw = look.kept.get(f"{look.info}/entry_points.txt")
    if raw is None:
        return
    parser = configparser.ConfigParser(delimiters=("=",))
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    try:
        parser.read_string(raw.decode("utf-8"), "entry_points.txt")
        names = [name for section in SCRIPT_SECTIONS if section in parser for name in parser[section]]
    except UnicodeDecodeError:
        yield "entry_points.txt, the list of scripts and plugins, is not UTF-8."
    except configparser.Error as error:
        yield f"the list of scripts and plugins cannot be read: {' '.join(str(error).split()).rstrip('.')}."
    else:
        if wrong := [repr(name) for name in names if not SCRIPT_NAME.fullmatch(name)]:
            yield f"PyPI takes letters, digits, `_`, `.` and `-` in the names of scripts, not {some(wrong)}."


@wheel_rule("wheel-path", "error", standard("binary distribution format", "binary-distribution-format"))
def path(look: Look) -> Iterator[str]:
    """A member's name is absolute, or climbs out of the folder that it is installed to. Installers refuse the file.

    Nothing that a backend writes: build the wheel again, and find out what made this one.
    """
    if names := [name for name in look.names if name.startswith("/") or ".." in name.split("/")]:
        yield f"these members would be installed outside of site-packages: {some(sorted(names))}."
