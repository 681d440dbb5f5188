"""``--explain``: the commands that a person would type in place of a session, without secrets.

They are made from the same functions that make our own commands where there is one, and they run as they stand here
in a POSIX shell, in the project's folder.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from seatrial.building.frontend import build_command

if TYPE_CHECKING:
    from collections.abc import Callable

    from seatrial.index.indexes import Index
    from seatrial.project.settings import Config
    from seatrial.release.stages import Kind

VERSION = "VERSION"
PROJECT = "PROJECT"


def session(name: str, config: Config, kind: Kind = "wheel") -> str:
    """Return the commands for the session `name`, one a line, with comments."""
    explained: dict[str, Callable[[], list[str]]] = {
        "build": lambda: build(config),
        "check": lambda: check(config),
        "testpypi": lambda: upload(config.testpypi),
        "verify": lambda: verify(config, kind),
        "pypi": lambda: upload(config.pypi),
        "dryrun": dryrun,
        "inspect": lambda: ["twine check FILE...   # the part of it that twine knows"],
        "rebuild": lambda: rebuild(config),
        "status": lambda: ["cat release-record/*.json"],
    }
    return "\n".join(explained[name]())


def build(config: Config) -> list[str]:
    lines = [
        "git clone --no-checkout . ../seatrial-checkout",
        "git -C ../seatrial-checkout checkout --detach HEAD",
        "export SOURCE_DATE_EPOCH=$(git log -1 --format=%ct) TZ=UTC PYTHONHASHSEED=0",
        _build("sdist", "../seatrial-checkout"),
    ]
    if "wheel" in config.archives:
        unpacked = "../seatrial-build"
        lines += [f"mkdir {unpacked}", f"tar -xzf dist/*.tar.gz -C {unpacked}", _build("wheel", f"{unpacked}/*")]
    return [*lines, "sha256sum dist/*"]


def rebuild(config: Config) -> list[str]:
    clone, checkout, export, *rest = build(config)
    at_tag = config.tag[0].format(version=VERSION, name=PROJECT)
    page = f"{config.pypi.simple}{PROJECT}/"
    return [
        clone,
        checkout.replace("HEAD", at_tag),
        export.replace("log -1", f"log -1 {at_tag}"),
        *rest,
        f"curl -H 'Accept: application/vnd.pypi.simple.v1+json' {page}   # the same sha256?",
    ]


def _build(kind: Kind, tree: str) -> str:
    command = build_command("python", kind, tree, "dist", "report.json", uv=False)
    return " ".join(word for word in command if word != "-I")


def check(config: Config) -> list[str]:
    lines = ["twine check dist/*"]
    for kind, pattern in (("wheel", "dist/*.whl"), ("sdist", "dist/*.tar.gz")):
        if kind in config.archives:
            lines += [
                f"python -m venv ../trial-{kind}",
                f"../trial-{kind}/bin/pip install {pattern}",
                f"../trial-{kind}/bin/pip check",
                _import(f"trial-{kind}"),
            ]
    return lines


def _import(venv: str) -> str:
    """Return the line that imports the package with `venv`, away from the checkout."""
    return f"""(cd / && "$OLDPWD/../{venv}/bin/python" -I -c 'import IMPORT_NAME')"""


def upload(index: Index) -> list[str]:
    page = f"{index.simple}{PROJECT}/"
    return [
        f"curl -H 'Accept: application/vnd.pypi.simple.v1+json' {page}   # is any of the files there? which sha256?",
        f"export TWINE_USERNAME=__token__ TWINE_PASSWORD=...   # the value of {index.token_variable or 'your token'}",
        f"python -m twine upload --non-interactive --repository-url {index.upload} --config-file /dev/null"
        " dist/FILE.whl dist/FILE.tar.gz",
        f"curl -H 'Accept: application/vnd.pypi.simple.v1+json' {page}   # until it shows these sha256",
    ]


def verify(config: Config, kind: Kind) -> list[str]:
    own = {
        "wheel": [f"--index-url {config.testpypi.simple} --only-binary :all: --require-hashes -r HASHES.txt"],
        "sdist": [f"--index-url {config.dependencies.simple} ./FILE.tar.gz   # fetched by URL, sha256 compared"],
    }
    lines = [f"python{config.pythons[0]} -m venv ../verify"]
    lines += [f"../verify/bin/pip install --no-cache-dir --no-deps {rest}" for rest in own[kind]]
    lines += [
        f"../verify/bin/pip install --index-url {config.dependencies.simple} DEPENDENCIES...",
        "../verify/bin/pip check",
        _import("verify"),
    ]
    return lines


def dryrun() -> list[str]:
    return [
        "pypi-server run -p 8081 ../testpypi & pypi-server run -p 8082 ../pypi &   # then all of the above, on these"
    ]


def step(name: str, context: Context) -> str:
    return session(name, context.settings)
