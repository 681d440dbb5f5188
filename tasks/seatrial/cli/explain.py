"""``--explain``: the commands that a person would type in place of a step, without secrets.

They run as they stand in a POSIX shell, in the project's folder, with a virtual environment that has build, twine and
pip 22.3 or later. What is known of the release, from its record or from ``pyproject.toml``, stands in them; else a
word in capitals.
"""

from __future__ import annotations

import re
import shlex
from dataclasses import replace
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from seatrial.building import tags
from seatrial.index.credentials import TOKEN_USER, user_of
from seatrial.index.indexes import Index
from seatrial.machine.values import Value
from seatrial.project.settings import document, table
from seatrial.release.stages import KINDS, Built, Checked

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from seatrial.project.context import Context
    from seatrial.project.settings import Settings
    from seatrial.release.stages import Dist, Kind

PATTERNS: dict[Kind, str] = {"wheel": "dist/*.whl", "sdist": "dist/*.tar.gz"}
JSON = "curl -s -H 'Accept: application/vnd.pypi.simple.v1+json'"  # of the Simple API (PEP 691)
URL_OF = (
    "import json, sys; print(next(f['url'] for f in json.load(sys.stdin)['files'] if f['filename'] == sys.argv[1]))"
)
WORD = re.compile(r"[\w.!+-]+", re.ASCII)  # all that a name or a version is made of
# Of what lies in dist/, where nothing is recorded.
HASHES = f"$(sha256sum {PATTERNS['wheel']} | sed 's/ .*//; s/^/--hash=sha256:/' | tr '\\n' ' ')"
HASHED = "--require-hashes -r ../hashes.txt"
NOTHING: Mapping[str, str] = {}
SERVERS = {"testpypi": 8081, "pypi": 8082}


class Known(Value):
    """What is known of a release. `modules` are imported; `dists` are its files, none where nothing is built."""

    project: str = "PROJECT"
    version: str = "VERSION"
    modules: tuple[str, ...] = ("IMPORT_NAME",)
    dists: tuple[Dist, ...] = ()

    @property
    def sdist(self) -> str:
        """The file name of the sdist (PEP 625)."""
        name = canonicalize_name(self.project).replace("-", "_") if self.project != "PROJECT" else self.project
        return next((dist.filename for dist in self.dists if dist.kind == "sdist"), f"{name}-{self.version}.tar.gz")

    def files(self, kind: Kind) -> list[str]:
        """Return the files of `kind` as they are typed: by name where they are built, else by a pattern."""
        return [f"dist/{dist.filename}" for dist in self.dists if dist.kind == kind] or [PATTERNS[kind]]


def step(name: str, context: Context) -> str:
    """Return the commands for the step `name`, one a line, with comments."""
    release, settings, options = known(context), context.settings, context.options
    if name == "rebuild" and options.version:
        release = replace(release, version=options.version, dists=())
    if name == "verify" and options.kind is None:
        kinds = [kind for kind in KINDS if kind in settings.archives]
        return "\n".join(line for kind in kinds for line in verify(settings, release, kind, f"../verify-{kind}"))
    if name == "inspect":
        return inspect([str(path) for path in options.files])
    return "\n".join(commands(name, settings, release, options.kind or "wheel", context.variables))


def known(context: Context) -> Known:
    """Return what is known of the release: what is recorded, or what ``pyproject.toml`` says."""
    built, checked = context.record.find(Built), context.record.find(Checked)
    metadata = table(document(context.root / "pyproject.toml"), "project")
    name = built.project if built else _word(metadata.get("name"), Known.project)
    version = built.version if built else _word(metadata.get("version"), Known.version)
    guess = Known.modules if name == Known.project else (re.sub(r"[-.]+", "_", name),)
    imported = {module for trial in checked.trials for module in trial.imported} if checked else set()
    public = tuple(sorted(module for module in imported if "." not in module))
    modules = context.settings.import_names or public or guess
    return Known(name, version, modules, built.dists if built else ())


def _word(value: object, unknown: str) -> str:
    """Return `value` if it can stand in a shell as it is, else the word for what is not known."""
    return value if isinstance(value, str) and WORD.fullmatch(value) else unknown


def commands(
    name: str, settings: Settings, release: Known, kind: Kind = "wheel", outer: Mapping[str, str] = NOTHING
) -> list[str]:
    """Return the commands for the step `name` on what is known of a `release`; `outer` may name an index's user."""
    if name == "build":
        return build(settings)
    if name == "inspect":
        return [inspect([])]
    if name == "verify":
        return verify(settings, release, kind)
    if name in SERVERS:
        index = settings.testpypi if name == "testpypi" else settings.pypi
        return upload(settings, release, index, user_of(index, outer))
    return {"check": check, "dryrun": dryrun, "rebuild": rebuild, "status": status}[name](settings, release)


def build(settings: Settings) -> list[str]:
    lines = [
        "git clone --no-checkout . ../seatrial-checkout",
        "git -C ../seatrial-checkout checkout --detach HEAD",
        "export SOURCE_DATE_EPOCH=$(git log -1 --format=%ct) TZ=UTC PYTHONHASHSEED=0",
        "python -m build --sdist --outdir dist ../seatrial-checkout",
    ]
    if "wheel" in settings.archives:
        lines += [
            "mkdir ../seatrial-build",
            f"tar -xzf {PATTERNS['sdist']} -C ../seatrial-build",
            "python -m build --wheel --outdir dist ../seatrial-build/*",
        ]
    return [*lines, "sha256sum dist/*"]


def rebuild(settings: Settings, release: Known) -> list[str]:
    clone, checkout, export, *rest = build(settings)
    at_tag = tags.spelt(settings.tag[0], release.project, release.version)
    return [
        clone,
        checkout.replace("HEAD", at_tag),
        export.replace("log -1", f"log -1 {at_tag}"),
        *rest,
        f"{_page(settings.pypi, release)}   # the same sha256?",
    ]


def check(settings: Settings, release: Known) -> list[str]:
    lines = ["python -m twine check dist/*"]
    for kind in KINDS:
        if kind in settings.archives:
            venv = f"../trial-{kind}"
            lines += [
                f"python -m venv --without-pip {venv}",
                f"{_pip(venv)} install {release.files(kind)[0]}",
                f"{_pip(venv)} check",
                _import(venv, release),
            ]
    return lines


def _pip(venv: str) -> str:
    """Return the command of the pip that is at hand, for `venv`, which has none: nothing but the release is in it."""
    return f"python -m pip --python {venv}"


def _import(venv: str, release: Known) -> str:
    """Return the line that imports the package with `venv`, away from the checkout."""
    return f"""(cd / && "$OLDPWD/{venv}/bin/python" -I -c 'import {", ".join(release.modules)}')"""


def _page(index: Index, release: Known) -> str:
    project = release.project if release.project == Known.project else canonicalize_name(release.project)
    return f"{JSON} {index.simple}{project}/"


def upload(settings: Settings, release: Known, index: Index, user: str = TOKEN_USER) -> list[str]:
    files = " ".join(name for kind in KINDS if kind in settings.archives for name in release.files(kind))
    password = f'"${index.token_variable}"' if index.token_variable else "...   # your token"
    return [
        f"{_page(index, release)}   # is any of the files there? which sha256?",
        f"export TWINE_USERNAME={shlex.quote(user)} TWINE_PASSWORD={password}",
        f"python -m twine upload --non-interactive --repository-url {index.upload} --config-file /dev/null {files}",
        f"{_page(index, release)}   # until it shows these sha256",
    ]


def verify(settings: Settings, release: Known, kind: Kind, venv: str = "../verify") -> list[str]:
    """Return the commands that install the file of `kind`: the release from its index, dependencies from theirs."""
    pip, dependencies = f"{_pip(venv)} install --no-cache-dir", f"--index-url {settings.dependencies.simple}"
    if kind == "wheel":
        hashes = " ".join(f"--hash=sha256:{dist.sha256}" for dist in release.dists if dist.kind == "wheel")
        own = [
            f'echo "{release.project}=={release.version} {hashes or HASHES}" > ../hashes.txt',
            f"{pip} --no-deps --index-url {settings.testpypi.simple} --only-binary :all: {HASHED}",
        ]
    else:
        index = settings.testpypi
        address = f'"$({_page(index, release)} | python -c "{URL_OF}" {release.sdist})"'
        if index.simple.startswith("http://127.0.0.1"):  # pypiserver has one folder, and no JSON
            address = f"{index.upload}packages/{release.sdist}"
        own = [
            f"curl -L -o ../{release.sdist} {address}",
            f"cmp ../{release.sdist} dist/{release.sdist}",
            f"{pip} --no-deps {dependencies} ../{release.sdist}",
        ]
    extras = f"[{','.join(settings.extras)}]" if settings.extras else ""
    requirement = shlex.quote(f"{release.project}{extras}=={release.version}")
    return [
        f"python{settings.pythons[0]} -m venv --without-pip {venv}",
        *own,
        f"{pip} {dependencies} {requirement}   # it is installed already: its dependencies",
        f"{_pip(venv)} check",
        _import(venv, release),
        *([f"{pip} {shlex.join(settings.smoke_requires)}"] if settings.smoke_requires else []),
        *(f"{venv}/bin/{command}" for command in settings.smoke),
    ]


def inspect(files: Sequence[str]) -> str:
    return f"python -m twine check {shlex.join(files) or 'FILE...'}   # the part of it that twine knows"


def status(settings: Settings, release: Known) -> list[str]:
    pages = [f"{_page(index, release)}   # what it holds" for index in (settings.testpypi, settings.pypi)]
    return ["cat release-record/*.json", *pages]


def dryrun(settings: Settings, release: Known) -> list[str]:
    """Return the commands of all steps, on two pypiservers of this machine."""
    servers, local = "../servers", dict[str, Index]()
    lines = [f"python -m venv --without-pip {servers}", f"{_pip(servers)} install pypiserver"]
    lines.append("mkdir ../testpypi ../pypi")
    for name, port in SERVERS.items():
        lines.append(f"{servers}/bin/pypi-server run -p {port} -i 127.0.0.1 -P . -a . ../{name} &")
        local[name] = Index(name, simple=f"http://127.0.0.1:{port}/simple/", upload=f"http://127.0.0.1:{port}/")
    here = replace(settings, testpypi=local["testpypi"], pypi=local["pypi"])
    lines += [*build(here), *check(here, release), *upload(here, release, here.testpypi)]
    kinds = [kind for kind in KINDS if kind in here.archives]
    lines += [line for kind in kinds for line in verify(here, release, kind, f"../verify-{kind}")]
    lines += upload(here, release, here.pypi)
    return [line.replace("...   # your token", "any") for line in lines] + ["kill %1 %2"]
