"""Rules on entry_points.txt, the list of a wheel's scripts and plug-ins."""

import configparser
import re
from collections.abc import Iterator

from seatrial.rules.distribution import Distribution, some
from seatrial.rules.rule import rule, server, standard

SCRIPT_SECTIONS = ("console_scripts", "gui_scripts")
NEARLY = {"consolescript": "console_scripts", "guiscript": "gui_scripts"}  # letters without the s at the end
SCRIPT_NAME = re.compile(r"[\w.-]+")
SCRIPT_VALUE = re.compile(r"\s*[\w.]+\s*:\s*[\w.]+\s*(\[[^\]]*\])?\s*")


@rule("wheel", "wheel-entry-points", "refused", server("utils/wheel.py", "_validate_entrypoints", "everywhere"))
def entry_points(dist: Distribution) -> Iterator[str]:
    """entry_points.txt cannot be read, or a script's name has a character that PyPI does not take.

    PyPI answers: "has invalid entry points defined in the entry_points.txt file". Names of scripts are letters, digits,
    `_`, `.` and `-`; the file is an INI file in UTF-8 in which no section and no name appears twice. Set
    `[project.scripts]` (setuptools: `entry_points`; poetry before 2: `[tool.poetry.scripts]`).
    """
    scripts, fault = scripts_of(dist)
    if fault:
        yield fault
    if wrong := [repr(name) for name in scripts if not SCRIPT_NAME.fullmatch(name)]:
        yield f"PyPI takes letters, digits, `_`, `.` and `-` in the names of scripts, not {some(wrong)}."


@rule("wheel", "wheel-script", "broken", standard("entry points", "entry-points"))
def script(dist: Distribution) -> Iterator[str]:
    """A script's entry point is not MODULE:FUNCTION, so installers cannot make the script, or refuse the wheel.

    Write `demo = "demo.cli:main"` in `[project.scripts]`.
    """
    scripts, _ = scripts_of(dist)
    if wrong := [f"{name} = {value}" for name, value in scripts.items() if not SCRIPT_VALUE.fullmatch(value)]:
        yield f"a script is MODULE:FUNCTION, as in `demo.cli:main`, and these are not: {some(wrong)}."


@rule("wheel", "wheel-script-group", "warning", standard("entry points", "entry-points"))
def script_group(dist: Distribution) -> Iterator[str]:
    """A group of entry points is called nearly `console_scripts` or `gui_scripts`: installers make no command of it.

    Write `[project.scripts]` or `[project.gui-scripts]`, from which build backends make the right group. (setuptools:
    `console_scripts` in `entry_points`)
    """
    for group in _groups(dist)[0].sections():
        right = NEARLY.get(re.sub(r"[^a-z]", "", group.lower()).rstrip("s"))
        if right and group != right:
            yield f"no command is made of the group {group!r} of entry points: it has to be `{right}`."


def scripts_of(dist: Distribution) -> tuple[dict[str, str], str]:
    """Return the scripts in entry_points.txt, and why it cannot be read, if so: there are no scripts then."""
    parser, fault = _groups(dist)
    sections = [parser[section] for section in SCRIPT_SECTIONS if section in parser]
    return {name: value for section in sections for name, value in section.items()} if not fault else {}, fault


def _groups(dist: Distribution) -> tuple[configparser.ConfigParser, str]:
    """Return what entry_points.txt holds, and why it cannot be read, if so."""
    parser = configparser.ConfigParser(delimiters=("=",), interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    try:
        parser.read_string(dist.kept.get(f"{dist.info}/entry_points.txt", b"").decode("utf-8"), "entry_points.txt")
    except UnicodeDecodeError:
        return parser, "entry_points.txt, the list of scripts and plugins, is not UTF-8."
    except configparser.Error as error:
        reason = some([" ".join(str(error).split()).rstrip(".")])
        return parser, f"the list of scripts and plugins cannot be read: {reason}."
    return parser, ""
