"""What a project may want beside the copy: lines for tools and build backends that would otherwise take it in."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from seatrial.machine.values import Value

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from seatrial.adoption.target import Target

PYPROJECT = "pyproject.toml"
HOOKS = ".pre-commit-config.yaml"


class Offer(Value):
    """Lines for a file of the project, and why; `table` is the section they belong to, empty for the file's top."""

    reason: str
    file: str
    table: str
    lines: tuple[str, ...]

    def __str__(self) -> str:
        place = f"[{self.table}] of {self.file}" if self.table else self.file
        return f"{self.reason}: {'; '.join(self.lines)}    ({place})"


# Where each tool is configured, as it looks itself: the first file that has the section counts; "" is the whole file.
MYPY_ALONE = "mypy, where nox is not installed beside it"
MYPY = (("mypy.ini", "mypy"), (".mypy.ini", "mypy"), (PYPROJECT, "tool.mypy"), ("setup.cfg", "mypy"))
RUFF = ((".ruff.toml", ""), ("ruff.toml", ""), (PYPROJECT, "tool.ruff"))
BLACK = ((PYPROJECT, "tool.black"),)
PYRIGHT = (("pyrightconfig.json", ""), (PYPROJECT, "tool.pyright"), (PYPROJECT, "tool.basedpyright"))
COVERAGE = (
    (".coveragerc", "run"),
    ("setup.cfg", "coverage:run"),
    ("tox.ini", "coverage:run"),
    (PYPROJECT, "tool.coverage.run"),
)
FLAKE8 = ((".flake8", "flake8"), ("setup.cfg", "flake8"), ("tox.ini", "flake8"))


def for_tools(target: Target, folder: str, created: Sequence[str]) -> Iterator[Offer]:
    """Yield what leaves the copy in `folder`, and a noxfile, out of each tool that the project has settings for.

    Only what is among the `created` files and folders counts.
    """
    code = tuple(name for name in (folder, "noxfile.py") if name in created)
    if not code:
        return
    names = json.dumps(code)
    patterns = [f"^{name}/" if "." not in name else f"^{re.escape(name)}$" for name in code]
    measured = [name if "." in name else f"{name}/*" for name in code]
    either = "|".join(patterns)
    wanted = (
        (MYPY_ALONE, MYPY, f"exclude = {json.dumps(patterns)}", f"exclude = {either}"),
        ("ruff", RUFF, f"extend-exclude = {names}", ""),
        ("black", BLACK, f"extend-exclude = '{either.replace('^', '^/')}'", ""),
        ("pyright", PYRIGHT, f"exclude = {names}", ""),
        ("coverage, where it measures all", COVERAGE, f"omit = {json.dumps(measured)}", f"omit = {','.join(measured)}"),
        ("flake8", FLAKE8, "", f"extend-exclude = {','.join(code)}"),
    )
    for reason, places, in_toml, in_ini in wanted:
        for file, table in places:
            text = target.text(file)
            if file == PYPROJECT:
                is_set = _table(target.pyproject, *table.split(".")) is not None
            else:
                is_set = text is not None and (not table or f"[{table}]" in text)
            if is_set:
                line = {"json": f'"exclude": {names}', "toml": in_toml}.get(file.rpartition(".")[2], in_ini)
                yield Offer(reason, file, table, (line,))
                break
    if (hooks := target.text(HOOKS)) is not None and f"{code[0]}/" not in hooks:
        yield Offer("pre-commit", HOOKS, "", (f"exclude: {either}",))


def for_archives(target: Target, created: Sequence[str]) -> list[Offer]:
    """Return what keeps what was created out of the sdist (and the wheel), where the backend takes it in."""
    system = _table(target.pyproject, "build-system") or {}
    backend = str(system.get("build-backend", "setuptools"))
    requires = " ".join(map(str, system.get("requires", ())))
    shown = ", ".join(f'"{path}"' for path in created)
    rooted = ", ".join(f'"/{path}"' for path in created)
    sdist = "tool.hatch.build.targets.sdist"
    if backend.startswith("hatchling") and "include" not in (_table(target.pyproject, *sdist.split(".")) or {}):
        return [Offer("hatchling takes all files into the sdist", PYPROJECT, sdist, (f"exclude = [{rooted}]",))]
    if backend.startswith("pdm."):
        return [Offer("pdm-backend takes the copy in", PYPROJECT, "tool.pdm.build", (f"excludes = [{shown}]",))]
    if backend.startswith("scikit_build_core"):
        line = f"sdist.exclude = [{rooted}]"
        return [Offer("scikit-build-core takes all files in", PYPROJECT, "tool.scikit-build", (line,))]
    if backend.startswith("mesonpy"):
        lines = tuple(f"/{path} export-ignore" for path in created)
        return [Offer("meson packs all files that git has", ".gitattributes", "", lines)]
    asks_git = re.search("setuptools[-_]scm|pbr", requires + (target.text("setup.py") or ""))
    if backend.startswith("setuptools") and asks_git:
        lines = tuple(f"{'exclude' if '.' in path else 'prune'} {path}" for path in created)
        return [Offer("setuptools-scm takes all files that git has", "MANIFEST.in", "", lines)]
    return []


def _table(document: dict[str, Any], *names: str) -> dict[str, Any] | None:
    """Return the table of these `names`, one in the other, None where there is none."""
    found: Any = document
    for name in names:
        found = found.get(name) if isinstance(found, dict) else None
    return found if isinstance(found, dict) else None
