"""How the cost of a dry run grows: with files, bytes, modules, packages and Pythons."""

from __future__ import annotations

import base64
import hashlib
import json
import random
import sys
import zipfile
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from virtualenv.seed.wheels.embed import get_embed_wheel

from seatrial.project.pythons import KNOWN_PYTHONS, is_here
from tests import archives
from tests.bench.figures import mebibytes, table
from tests.bench.ways import stop_unless_proved
from tests.bench.workshop import RUNNING, BenchError, Steps, python_in, watched
from tests.projects import commit, sample, write_tree

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from tests.bench.figures import Timed
    from tests.bench.workshop import Workshop

FILES = (1, 20, 50, 100, 200)
MEBIBYTES = (1, 16, 64, 99)  # PyPI takes files of more than 100 MiB only of projects that asked
MODULES, PACKAGES = (1, 201, 1001), (1, 20)
CHUNK = random.Random(0).randbytes(1 << 20)  # noqa: S311 (bytes that do not compress, no secret)


@dataclass(frozen=True)
class Curve:
    """Dry runs of one thing in growing numbers; `base` is what one more of it costs by hand, where that says much."""

    name: str
    unit: str
    points: tuple[tuple[int, Timed], ...]
    base: Timed | None = None

    @property
    def slope(self) -> float:
        """Return the seconds that one more costs, from the first point to the last."""
        (least, cheap), (most, dear) = self.points[0], self.points[-1]
        return (dear.seconds - cheap.seconds) / (most - least)


@dataclass(frozen=True)
class Growth:
    """The dry runs that are measured, on the project and with the programs of `shop`."""

    shop: Workshop

    def all(self) -> dict[str, Callable[[], Curve]]:
        """Return what makes each curve, by the name of the curve."""
        return {
            "growth: files": self.files,
            "growth: bytes": self.bytes,
            "growth: modules": self.modules,
            "growth: packages": self.packages,
            "growth: Pythons, uv": partial(self.pythons, uv=True),
            "growth: Pythons, pip": partial(self.pythons, uv=False),
        }

    def files(self) -> Curve:
        """A release of so many small wheels and one sdist, taken as they are (`--from`)."""
        root, built = self._built("growth-files")
        return Curve("files", "wheels", tuple((n, self._taken(root, built, range(n), 0)) for n in FILES))

    def bytes(self) -> Curve:
        """A release of one wheel of so many MiB and a small sdist."""
        root, built = self._built("growth-bytes")
        return Curve("bytes", "MiB in one wheel", tuple((n, self._taken(root, built, (0,), n)) for n in MEBIBYTES))

    def modules(self) -> Curve:
        """A package of so many modules, each of which is imported."""
        points = []
        for number in MODULES:
            files = {f"src/demo/m{count}.py": "x = 1\n" for count in range(number - 1)}
            points.append((number, self._dryrun(self.shop.project(f"growth-modules-{number}", files))))
        return Curve("modules", "modules", tuple(points))

    def packages(self) -> Curve:
        """A repository of so many packages, rehearsed at once (`--all`)."""
        root = self.shop.fresh("growth-packages")
        write_tree(root, {"pyproject.toml": '[tool.seatrial]\npackages = ["packages/*"]\n'})
        points = []
        for number in PACKAGES:
            for count in range(number):
                if not (place := root / "packages" / f"demo-{count}").exists():
                    sample(place, name=f"demo-{count}", dependencies=["six"])
                    with (place / "pyproject.toml").open("a", encoding="utf-8") as file:
                        file.write(f'\n[tool.seatrial]\npythons = ["{RUNNING}"]\n')
            commit(root)
            points.append((number, watched((self.shop.seatrial(), "dryrun", "--all"), root, self.shop.env())))
        return Curve("packages", "packages", tuple(points))

    def pythons(self, *, uv: bool) -> Curve:
        """Wheel and sdist verified on so many Pythons; by hand: two environments with an installation each.

        Without uv, on those that virtualenv still makes environments for.
        """
        here = [python for python in KNOWN_PYTHONS if is_here(python) and (uv or get_embed_wheel("pip", python))]
        root = self.shop.project(f"growth-pythons-{'uv' if uv else 'pip'}")
        points = tuple((n, self._on(root, here[:n], uv=uv)) for n in range(1, len(here) + 1))
        if not points:
            raise BenchError("no Python is on PATH under its own name, such as python3.12")
        return Curve(f"Pythons, {'uv' if uv else 'pip'}", "Pythons", points, self._by_hand(root, here[-1], uv=uv))

    def _built(self, name: str) -> tuple[Path, Path]:
        """Return a project, and the folder with its sdist and its wheel."""
        root = self.shop.project(name)
        out = self.shop.fresh(f"{name}-built")
        watched((self.shop.uv, "build", "--out-dir", out), root, self.shop.env())
        return root, out

    def _taken(self, root: Path, built: Path, numbers: Sequence[int], mebibytes: int) -> Timed:
        """Dry-run the sdist of `built` with variants of its wheel."""
        house = self.shop.fresh(f"{root.parent.name}-house")
        sdist, wheel = next(built.glob("*.tar.gz")), next(built.glob("*.whl"))
        (house / sdist.name).write_bytes(sdist.read_bytes())
        for number in numbers:
            write_variant(wheel, house, number, mebibytes)
        return self._dryrun(root, "--from", str(house))

    def _on(self, root: Path, pythons: Sequence[str], *, uv: bool) -> Timed:
        """Dry-run the project for `pythons`."""
        page = root / "pyproject.toml"
        text = page.read_text(encoding="utf-8").partition("pythons =")[0]
        text = text.replace('requires-python = ">=3.10"', f'requires-python = ">={KNOWN_PYTHONS[0]}"')
        page.write_text(f"{text}pythons = {json.dumps(list(pythons))}\n", encoding="utf-8")
        commit(root)
        return self._dryrun(root, uv=uv)

    def _dryrun(self, root: Path, *options: str, uv: bool = True) -> Timed:
        kept = self.shop.fresh(f"{root.parent.name}-kept")
        words: tuple[str | Path, ...] = (self.shop.seatrial(uv=uv), "dryrun", "--keep", kept, *options)
        timed = watched(words, root, self.shop.env(uv=uv))
        stop_unless_proved(kept)
        return timed

    def _by_hand(self, root: Path, python: str, *, uv: bool) -> Timed:
        """Make two environments and install the dependency of the project into each."""
        place = self.shop.fresh(f"{root.parent.name}-by-hand")
        step = Steps(root, self.shop.env(uv=uv))
        for venv in (place / "wheel", place / "sdist"):
            if uv:
                step("", self.shop.uv, "venv", "--python", python, venv)
                step("", self.shop.uv, "pip", "install", "--python", venv, "six")
            else:
                step("", sys.executable, "-m", "virtualenv", "--python", python, venv)
                step("", python_in(venv), "-m", "pip", "install", "six")
        return step.timed()


def write_variant(wheel: Path, folder: Path, number: int, mebibytes: int) -> Path:
    """Write `wheel` into `folder` under the build number `number`, with other bytes: so many MiB, or the number."""
    name, version, tag = wheel.stem.split("-", 2)
    path, info = folder / f"{name}-{version}-{number}-{tag}.whl", f"{name}-{version}.dist-info"
    data = CHUNK if mebibytes else str(number).encode()
    chunks = max(mebibytes, 1)
    with zipfile.ZipFile(wheel) as old, zipfile.ZipFile(path, "w") as new:
        members = {member: old.read(member) for member in old.namelist() if member != f"{info}/RECORD"}
        members[f"{info}/WHEEL"] += f"Build: {number}\n".encode()
        for member, raw in members.items():
            new.writestr(archives.zip_info(member), raw)
        with new.open(f"{name}/data.bin", "w", force_zip64=True) as out:
            for _ in range(chunks):
                out.write(data)
        lines = [f"{member},sha256={archives.digest(raw)},{len(raw)}\n" for member, raw in members.items()]
        lines.append(f"{name}/data.bin,{_hash(data, chunks)},{len(data) * chunks}\n{info}/RECORD,,\n")
        new.writestr(archives.zip_info(f"{info}/RECORD"), "".join(lines))
    return path


def _hash(data: bytes, times: int) -> str:
    digest = hashlib.sha256()
    for _ in range(times):
        digest.update(data)
    return base64.urlsafe_b64encode(digest.digest()).decode().rstrip("=")


def report(curves: Sequence[Curve]) -> str:
    """Return a table and a sentence for each of `curves`, as Markdown."""
    return "\n\n".join(part for curve in curves for part in _parts(curve))


def _parts(curve: Curve) -> Iterator[str]:
    rows = [[str(size), f"{timed.seconds:.2f}", mebibytes(timed.memory)] for size, timed in curve.points]
    yield table([f"{curve.name}: {curve.unit}", "seconds", "largest process, MiB"], rows)
    if len(curve.points) > 1:
        by_hand = f"; by hand, two environments and installations: {curve.base.seconds:.2f} s" if curve.base else ""
        yield f"One more costs {curve.slope:.3f} s, from the first line to the last{by_hand}."
