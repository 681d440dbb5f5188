"""What a project may want beside the copy: lines for tools and build backends that would otherwise take it in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .target import Target


def offers(target: Target, folder: str, created: tuple[str, ...]) -> tuple[str, ...]:
    """Return the lines to add, each with what it is for; nothing for what the project does not use."""
    tools = _table(target.pyproject, "tool")
    return tuple(_for_tools(target, tools, folder) + _for_archives(target, tools, created))


def _for_tools(target: Target, tools: dict[str, Any], folder: str) -> list[str]:
    found = []
    if "mypy" in tools or target.text("mypy.ini") is not None:
        found.append(f'mypy, which stops at the relative imports otherwise: [tool.mypy] exclude = ["^{folder}/"]')
    if "ruff" in tools or target.text("ruff.toml") is not None:
        found.append(f'ruff: [tool.ruff] extend-exclude = ["{folder}"]')
    if "black" in tools:
        found.append(f'black: [tool.black] extend-exclude = "^/{folder}/"')
    if "pyright" in tools or "basedpyright" in tools:
        found.append(f'pyright: [tool.pyright] exclude = ["{folder}"]')
    if "coverage" in tools or target.text(".coveragerc") is not None:
        found.append(f'coverage, where it measures the whole folder: [tool.coverage.run] omit = ["{folder}/*"]')
    if (hooks := target.text(".pre-commit-config.yaml")) is not None and f"{folder}/" not in hooks:
        found.append(f"pre-commit: exclude: ^{folder}/    (top level of .pre-commit-config.yaml)")
    if (checks := target.text("setup.cfg")) is not None and "[flake8]" in checks:
        found.append(f"flake8: [flake8] extend-exclude = {folder}")
    return found


def _for_archives(target: Target, tools: dict[str, Any], created: tuple[str, ...]) -> list[str]:
    """Return the line that keeps what was created out of the sdist (and the wheel), where the backend takes it in."""
    system = _table(target.pyproject, "build-system")
    backend = str(system.get("build-backend", "setuptools"))
    requires = " ".join(map(str, system.get("requires", ())))
    shown = ", ".join(f'"{path}"' for path in created)
    rooted = ", ".join(f'"/{path}"' for path in created)
    if backend.startswith("hatchling") and "include" not in _sdist(tools):
        return [f"hatchling takes all files into the sdist: [tool.hatch.build.targets.sdist] exclude = [{rooted}]"]
    if backend.startswith("pdm."):
        return [f"pdm-backend takes the copy in: [tool.pdm.build] excludes = [{shown}]"]
    if backend.startswith("scikit_build_core"):
        return [f"scikit-build-core takes all files in: [tool.scikit-build] sdist.exclude = [{rooted}]"]
    if backend.startswith("mesonpy"):
        lines = "; ".join(f"/{path} export-ignore" for path in created)
        return [f"meson packs all files that git has; in .gitattributes: {lines}"]
    legacy = target.text("setup.py") or ""
    if backend.startswith("setuptools") and any(
        word in requires + legacy for word in ("setuptools-scm", "setuptools_scm", "pbr")
    ):
        lines = "; ".join(f"{'exclude' if '.' in path else 'prune'} {path}" for path in created)
        return [f"setuptools-scm takes all files that git has; in MANIFEST.in: {lines}"]
    return []


def _sdist(tools: dict[str, Any]) -> dict[str, Any]:
    found = tools
    for name in ("hatch", "build", "targets", "sdist"):
        found = _table(found, name)
    return found


def _table(document: dict[str, Any], name: str) -> dict[str, Any]:
    found = document.get(name, {})
    return found if isinstance(found, dict) else {}
