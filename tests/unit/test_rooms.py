"""The rooms of the package: imports between them go downwards only, and nowhere in a circle."""

from __future__ import annotations

import ast
import graphlib
from pathlib import Path

PACKAGE = Path(__file__).parents[2] / "tasks" / "seatrial"
ROOMS = "cli steps adoption workspace report building trial standin rules project index release machine".split()


def imports(path: Path) -> set[str]:
    """Return the modules of the package that the module at `path` imports, for its types alone too."""
    here = path.relative_to(PACKAGE.parent).with_suffix("").parts
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            base = ".".join([*here[: -node.level], *filter(None, [node.module])]) if node.level else node.module or ""
            found |= {base, *(f"{base}.{name.name}" for name in node.names)}
        elif isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
    return {name for name in found if name.startswith("seatrial.") and (PACKAGE / name.split(".")[1]).is_dir()}


MODULES = {
    ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__"): imports(path)
    for path in PACKAGE.rglob("*.py")
    if path.parent != PACKAGE
}


def test_imports_between_rooms_go_downwards() -> None:
    height = {room: -place for place, room in enumerate(ROOMS)}
    upwards = [
        f"{module} -> {name}"
        for module, names in MODULES.items()
        for name in names
        if height[name.split(".")[1]] > height[module.split(".")[1]]
    ]
    assert not upwards


def test_no_modules_import_each_other_in_a_circle() -> None:
    graph = {module: names & MODULES.keys() - {module, module.rpartition(".")[0]} for module, names in MODULES.items()}
    graphlib.TopologicalSorter(graph).prepare()


def test_no_room_has_more_than_a_dozen_modules() -> None:
    folders = [
        path for path in PACKAGE.rglob("*/") if path.name != "__pycache__" and "project-template" not in path.parts
    ]
    counts = {str(path): sum(file.name != "__init__.py" for file in path.glob("*.py")) for path in folders}
    assert {place: count for place, count in counts.items() if count > 12} == {}
