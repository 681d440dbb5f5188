"""Write what docs/reference/ takes from the code: ``nox -s reference [-- --check]``.

The JSON Schemas of the record come from the type hints of the stages, the page on the rules from their docstrings, the
commands that a person would type from ``--explain``.
"""

from __future__ import annotations

import argparse
import importlib
import inspect
import json
import sys
import types
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Union, get_args, get_origin, get_type_hints

from seatrial.cli import explain
from seatrial.cli.main import STEPS
from seatrial.machine.values import fields_of, is_value
from seatrial.project.settings import Settings
from seatrial.release.record import SCHEMA
from seatrial.release.stages import CHAIN, KINDS, Stage
from seatrial.rules import limits
from seatrial.rules.judge import RULES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from seatrial.rules.rule import Rule

REFERENCE = Path(__file__).parents[1] / "docs" / "reference"

DIALECT = "https://json-schema.org/draft/2020-12/schema"
PLAIN = {str: "string", int: "integer", bool: "boolean"}
DETAILS: dict[str, dict[str, Any]] = {
    "at": {"format": "date-time", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$"},
    "sha256": {"pattern": "^[0-9a-f]{64}$"},
    "size": {"minimum": 0},
}

SUBJECTS = {  # the modules below seatrial.rules, and their headings
    "filename": "File names and sizes",
    "metadata.identity": "Core metadata: what a file is",
    "metadata.fields": "Core metadata: values",
    "metadata.description": "The description",
    "metadata.advice": "Core metadata: what users miss",
    "wheel.zip": "The zip structure of wheels",
    "wheel.dist_info": "Wheels: folders",
    "wheel.record": "Wheels: RECORD",
    "wheel.entry_points": "Wheels: scripts",
    "wheel.tags": "Wheels: what the tags promise",
    "sdist": "Sdists",
    "contents": "Contents",
    "attestation": "Attestations",
    "metadata.twine": "`twine check`",
    "release": "The release as a whole",
    "repository": "What stands beside the code",
    "index": "What the indexes hold",
}
HOLDS = {"everywhere": "everywhere", "public": "on PyPI and TestPyPI"}
SCOPES = {"release": "the release", "index": "each index"}
RULES_PAGE = """\
# Rules

What `check` applies to the files of a release, and `inspect` to any wheel or sdist (each by itself: the rules on the
release as a whole are left out there).

- **refused**: PyPI does not take it, or the release would not be what it says. It stops the release, and cannot be
  silenced. One that holds **on PyPI** alone is a warning for a release whose indexes are
  [others](../how-to/private-index.md).
- **broken**: PyPI takes it, and it fails for somebody who installs it. It stops the release; where you know better, it
  is silenced with a reason.
- **warning**: a maintainer may regret it. It is shown, recorded, and silenced with a reason.

In the JSON of `inspect` and in the record the first two are `"error"`. A reason stands beside the code:

```toml
[tool.seatrial.ignore]
wheel-pth = "the import hook is what this package is for"
```

`rule-not-applied` is no rule: one of them failed on a file that it was not made for. Please report it.
Codes that begin with `install-` are no rules: they say what happened when a file was
[installed and used](installed.md).

Below each rule stands where it was read, and whether it holds on every index: *everywhere* is what uploaders,
installers or the standards refuse too, *on PyPI and TestPyPI* is what their server alone refuses. It is cited as of
[this commit of Warehouse]({server}), read on {day}. [How the rules are brought up to date](../how-to/update-rules.md).

This page is written from the code: `nox -s reference`.

{sections}
"""
EXPLAINED_PAGE = """\
# What a person would type

`--explain` prints, for any step, the commands that do by hand what can be done by hand, with the names of your project.
Here it does not know them, so fill in the words in capitals; Python 3.10 is the one to verify on. The commands are for
a POSIX shell in the project's folder, with a virtual environment that has build, twine and pip 22.3 or later.
[Why a step does it in another way](guide-coverage.md).

This page is written from the code: `nox -s reference`.

{sections}
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Write the pages, or with ``--check`` only say which are out of date; return the exit code."""
    parser = argparse.ArgumentParser(prog="nox -s reference --", description="Write the pages made from the code.")
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if a page is out of date")
    check = parser.parse_args(argv).check
    stale = {path: text for path, text in pages().items() if not is_current(path, text)}
    for path, text in stale.items():
        print(f"{'out of date' if check else 'written'}: {path.relative_to(REFERENCE).as_posix()}")
        if not check:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text.encode())
    return int(check and bool(stale))


def is_current(path: Path, text: str) -> bool:
    return path.is_file() and path.read_text(encoding="utf-8") == text


def pages() -> dict[Path, str]:
    """Return each page and its text."""
    schemas = {
        REFERENCE / "schemas" / f"{stage.name}.json": json.dumps(schema(stage), indent=2) + "\n" for stage in CHAIN
    }
    return {**schemas, REFERENCE / "explained.md": explained_page(), REFERENCE / "rules.md": rules_page()}


# The record.


def schema(stage: type[Stage]) -> dict[str, Any]:
    """Return the JSON Schema of the files in which `stage` is kept."""
    shared: dict[str, Any] = {}
    whole = of_dataclass(stage, shared)
    whole["properties"] = {"schema": {"const": SCHEMA}, "stage": {"const": stage.name}, **whole["properties"]}
    whole["required"] = list(whole["properties"])
    return {"$schema": DIALECT, "title": stage.__name__, **whole, "$defs": dict(sorted(shared.items()))}


def of_dataclass(hint: Any, shared: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of the dataclass `hint`; those of the dataclasses in it are put into `shared`."""
    hints = get_type_hints(hint)
    names = [field.name for field in fields_of(hint)]
    return {
        "description": inspect.getdoc(hint),
        "type": "object",
        "properties": {name: of_type(hints[name], shared) | DETAILS.get(name, {}) for name in names},
        "required": names,
        "additionalProperties": False,
    }


def of_type(hint: Any, shared: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of the type `hint`."""
    origin, inner = get_origin(hint), get_args(hint)
    if is_value(hint):
        name = getattr(hint, "__name__", "")
        shared[name] = of_dataclass(hint, shared)
        return {"$ref": f"#/$defs/{name}"}
    if origin is tuple:
        return {"type": "array", "items": of_type(inner[0], shared)}
    if origin is Literal:
        return {"enum": list(inner)}
    if origin in {Union, types.UnionType}:
        some = of_type(inner[0], shared)
        return some | {"type": [some["type"], "null"]}
    return {"type": PLAIN[hint]}


# What a person would type.


def explained_page() -> str:
    """Return the page with what ``--explain`` prints of each step, of `verify` for wheel and sdist."""
    settings, release = Settings(pythons=("3.10",)), explain.Known()
    steps = {name: [explain.commands(name, settings, release)] for name in STEPS if name != "adopt"}
    steps["verify"] = [explain.commands("verify", settings, release, kind) for kind in KINDS]
    blocks = {
        name: "\n\n".join(f"```sh\n{chr(10).join(lines)}\n```" for lines in parts) for name, parts in steps.items()
    }
    return EXPLAINED_PAGE.format(sections="\n\n".join(f"## {name}\n\n{block}" for name, block in blocks.items()))


# The rules.


def rules_page() -> str:
    """Return the page on all rules, by subject."""
    sections = "\n\n".join("\n\n".join(section(subject)) for subject in SUBJECTS)
    server = f"https://github.com/pypi/warehouse/tree/{limits.SOURCE_COMMIT}"
    return RULES_PAGE.format(sections=sections, server=server, day=limits.SOURCE_DATE)


def section(subject: str) -> Iterator[str]:
    """Yield the paragraphs on the rules in the module `subject`."""
    module = importlib.import_module(f"seatrial.rules.{subject}")
    yield f"## {SUBJECTS[subject]}"
    yield inspect.getdoc(module) or ""
    told = set()
    for rule, scope in declared(module.__name__):
        yield from entry("" if rule.code in told else rule.code, rule, scope)
        told.add(rule.code)


def declared(module: str) -> Iterator[tuple[Rule, str]]:
    """Yield the rules that `module` declares, by code, and what each looks at."""
    ours = [(rule, SCOPES.get(rule.subject, "each file")) for rule in RULES if rule.find.__module__ == module]
    codes = list(dict.fromkeys(rule.code for rule, _ in ours))
    yield from sorted(ours, key=lambda pair: codes.index(pair[0].code))


def entry(code: str, rule: Rule, scope: str) -> Iterator[str]:
    """Yield the paragraphs on one rule; an empty `code` means that it continues the one before."""
    title, _, rest = inspect.cleandoc(rule.explanation).partition("\n")
    if code:
        yield f"### {code}"
    yield f"**{rule.severity}**, on {scope}: {title}"
    if rest.strip():
        yield rest.strip()
    yield f"*Holds {HOLDS[rule.source.scope]}.* From {rule.source}."


if __name__ == "__main__":
    sys.exit(main())
