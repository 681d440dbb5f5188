"""A throw-away environment with distributions in it that no installer put there: the probe's test stand."""

from __future__ import annotations

import base64
import hashlib
import importlib
import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from seatrial.trial.installer import Venv
from seatrial.trial.probe.subject import real_folder
from tests.projects import write_tree

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

WHEEL = "Wheel-Version: 1.0\nGenerator: by hand\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
ASK = "import json, sysconfig; print(json.dumps(sysconfig.get_paths()))"


@dataclass(frozen=True)
class Site:
    """A virtual environment without pip; `paths` are its folders as `sysconfig` names them."""

    python: Path
    paths: Mapping[str, str]

    @classmethod
    def create(cls, root: Path, python: str = sys.executable) -> Site:
        """Make the environment with the module `venv` of `python`: no network, and no time either."""
        subprocess.run([python, "-I", "-m", "venv", "--without-pip", str(root)], check=True)
        venv = Venv(root)
        said = subprocess.run([venv.python, "-I", "-c", ASK], check=True, capture_output=True, text=True).stdout
        return cls(venv.python, json.loads(said))

    @property
    def purelib(self) -> Path:
        return Path(self.paths["purelib"])

    @property
    def scripts(self) -> Path:
        return Path(self.paths["scripts"])

    def clear(self) -> None:
        """Take out all distributions, and the programs that are not Python's own."""
        for path in self.purelib.iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        for path in self.scripts.iterdir():
            if not path.name.lower().startswith(("python", "activate", "deactivate")):
                path.unlink()
        importlib.invalidate_caches()
        real_folder.cache_clear()

    def install(
        self,
        files: Mapping[str, str],
        *,
        name: str = "demo",
        version: str = "1.0",
        metadata: str = "",
        entry_points: str = "",
        absent: Sequence[str] = (),
        scripts: Sequence[str] = (),
        info: Mapping[str, str] | None = None,
    ) -> None:
        """Put a distribution of `files` there, as an installer would.

        `metadata` are more lines of METADATA, `absent` paths that only RECORD has, `scripts` names of programs, and
        `info` more files of the ``.dist-info`` folder (RECORD may be one of them).
        """
        folder = f"{name.replace('-', '_')}-{version}.dist-info"
        core = {"METADATA": f"Metadata-Version: 2.4\nName: {name}\nVersion: {version}\n{metadata}\n", "WHEEL": WHEEL}
        core |= {"entry_points.txt": entry_points} if entry_points else {}
        core |= dict(info or {})
        tree = {**files, **{f"{folder}/{path}": text for path, text in core.items()}}
        write_tree(self.purelib, tree)
        suffix = ".exe" if os.name == "nt" else ""
        programs = [self.scripts / f"{script}{suffix}" for script in scripts]
        for program in programs:
            program.write_bytes(b"#!\n")
            program.chmod(0o755)
        if "RECORD" not in core:
            outside = [Path(os.path.relpath(program, self.purelib)).as_posix() for program in programs]
            rows = [*(_row(path, text) for path, text in tree.items()), *(f"{path},," for path in [*absent, *outside])]
            write_tree(self.purelib, {f"{folder}/RECORD": "".join(f"{row}\n" for row in [*rows, f"{folder}/RECORD,,"])})
        importlib.invalidate_caches()
        real_folder.cache_clear()


def _row(path: str, text: str) -> str:
    """Return the line of RECORD for a file (PEP 376, PEP 427)."""
    digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).decode().rstrip("=")
    quoted = f'"{path}"' if "," in path else path
    return f"{quoted},sha256={digest},{len(text.encode())}"
