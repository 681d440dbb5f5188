"""The release sessions: nox -s build, check, testpypi, verify, pypi, dryrun, inspect, status, rebuild.

Each runs `seatrial STEP` in an environment with what tasks/release.txt locks by hash; `nox -s STEP -- --help` has more.
The noxfile loads them last: `import runpy; runpy.run_path("tasks/release.py")`. `seatrial adopt --update` renews both.
"""

import contextlib
import ctypes
import hashlib
import importlib
import json
import os
import re
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

import nox.virtualenv

INTERFACE = 1  # what this file and the program agree on; any version of the program will do that speaks it
STEPS = ["build", "check", "testpypi", "verify", "pypi", "dryrun", "inspect", "status", "rebuild"]
LOCK = Path(__file__).resolve().with_name("release.txt")
PYTHON = Path("Scripts/python.exe" if os.name == "nt" else "bin/python")
WITHHELD, AHEAD = {}, [True]  # type: dict[str, str], list[bool]  # what is for uploads; whether one lies ahead
UPLOADS = re.compile(r"(TEST)?PYPI_(ID_)?TOKEN$|TWINE_|ACTIONS_ID_TOKEN_", re.IGNORECASE)  # variables with secrets
VIRTUALENV = "import sys; sys.path[:] = filter(None, sys.path); import virtualenv; virtualenv.cli_run(sys.argv[1:])"
IMPORTED = {"virtualenv", "packaging", "platformdirs", "filelock", "distlib", "python_discovery"}  # by virtualenv


def too_old() -> str:
    """Return what is too old here for these sessions; empty where nothing is. Everything above runs on Python 3.6."""
    if sys.version_info[:2] < (3, 10):  # noqa: UP036 (nox may run on it)
        return "Python 3.10 or later (this is {}.{}.{})".format(*sys.version_info)
    with contextlib.suppress(Exception):  # a version that cannot be read is new enough
        version = importlib.import_module("importlib.metadata").version("nox")
        if [int(number) for number in version.split(".")[:3]] < [2025, 10, 16]:
            return f"nox 2025.10.16 or later (this is {version}): pip install --upgrade nox"
    return ""


def settings() -> "tuple[list[str], str]":
    """Return the Pythons of `verify` and the prefix of all names. A session that runs says what is wrong with them."""
    pythons, prefix = [f"3.{sys.version_info[1]}"], "release-" if {*STEPS} & {*nox.registry.get()} else ""
    with contextlib.suppress(OSError, ValueError, TypeError, AttributeError, RecursionError):
        said, own = (nox.project.load_toml(p) if Path(p).exists() else {} for p in ("pyproject.toml", "seatrial.toml"))
        table = own or said.get("tool", {}).get("seatrial", {})
        prefix = str(table.get("session-prefix") or prefix)
        named = table.get("pythons") or supported(said.get("project", {}), pythons[0])
        pythons = list(named) if all(re.fullmatch(r"(pypy)?3\.\d+t?", name) for name in named) else pythons
    return pythons, prefix


def supported(project: Any, running: str) -> "list[str]":
    """Return the lowest and the highest Python of the table `project`, and one that is here (no shim) if neither is."""
    from packaging.specifiers import SpecifierSet  # noqa: PLC0415 (an old nox may not bring it)

    lines, allowed = project.get("classifiers", []), SpecifierSet(project.get("requires-python", ""))
    named = [re.fullmatch(r"Programming Language :: Python :: 3\.(\d+)", line) for line in lines]
    minors = sorted({int(match[1]) for match in named if match}) or (range(8, 15) if allowed else [])
    able = [f"3.{minor}" for minor in minors if minor in range(8, 99) and allowed.contains(f"3.{minor}.99")]
    chosen = able[:1] + able[1:][-1:]
    here = [name for name in able if "shims" not in Path(shutil.which(f"python{name}") or "shims").parts] + [running]
    return chosen + ([] if {*chosen} & {*here} else [p for p in here if allowed.contains(f"{p}.99")][-1:]) or [running]


def seatrial(session: "nox.Session", step: str, *options: str, upload: bool = False, silent: bool = False) -> str:
    """Run `seatrial STEP` with the session's arguments, an `upload` with what is for it; return what is not shown."""
    WITHHELD.update({name: os.environ.pop(name) for name in list(os.environ) if UPLOADS.match(name)})
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(4, 0, 0, 0, 0)  # PR_SET_DUMPABLE: no other process sees what this one was started with
    facts = {"interface": INTERFACE, "prefix": PREFIX, "interactive": session.interactive, "withheld": [*WITHHELD]}
    facts.update(uv=shutil.which(nox.virtualenv.UV), root=str(Path.cwd()), start=session.invoked_from)
    argv = ["-I", "-m", "seatrial", step, "--nox", json.dumps({**facts, "asked": [] if "--no-dep" in TYPED else ASKED})]
    # After Ctrl-C an upload finds out what the index took. nox would kill it after half a second.
    how: Any = {"external": True, "log": False, "interrupt_timeout": 60, "terminate_timeout": 10, "silent": silent}
    try:  # an upload in a new environment: what was built and tested could have changed an older one
        python = environment(session, "build" if silent else step, anew=upload)
        done = session.run(python, *argv, *options, *session.posargs, env=WITHHELD if upload else {}, **how)
    except OSError as error:
        session.error(f"The operating system refused to read or write: {error}")
    if done is None:
        session.error("Nothing was run: nox was started with --install-only, which would report success for that")
    return str(done)


def environment(session: "nox.Session", step: str, *, anew: bool) -> Path:
    """Return the Python of an environment with the lock installed, and nothing else; it is made if there is none."""
    stamp = "release-lock-" + hashlib.sha256(LOCK.read_bytes() + sys.version.encode()).hexdigest()
    own = session.env_dir.with_name(PREFIX + step).absolute()
    others = [] if step in {*STEPS[:3], "pypi"} else [own.with_name(PREFIX + other) for other in STEPS[:3]]  # as good
    for folder in [] if anew else [own, *others]:
        if (folder / PYTHON).exists() and (folder / stamp).exists():
            return folder / PYTHON
    # Complete before it gets to its place: neither an interruption nor two noxes at once leave half of one.
    own.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".release-", dir=own.parent, ignore_cleanup_errors=True) as scratch:
        install(session, Path(scratch, "new"))
        Path(scratch, "new", stamp).touch()
        if anew or not ((own / PYTHON).exists() and (own / stamp).exists()):  # else another nox was faster
            own.rename(Path(scratch, "old"))
            Path(scratch, "new").rename(own)
    return own / PYTHON


def install(session: "nox.Session", folder: Path) -> None:
    """Make a virtualenv in `folder` with what the lock names, from wherever pip or uv are set up to look."""
    # Limits on versions and ages would hide what is locked, and linked files could be changed through uv's cache.
    env = {"PIP_CONSTRAINT": None, "UV_CONSTRAINT": None, "UV_EXCLUDE_NEWER": None, "UV_LINK_MODE": "copy"}
    how: Any = {"env": env, "silent": True, "external": True, "log": False}
    python, uv = folder / PYTHON, nox.virtualenv.UV
    session.log(f"Installing what {LOCK} names")
    with session.chdir(LOCK.parents[1]):  # from there the lock names a wheel beside it
        if nox.virtualenv.HAS_UV and session.venv_backend != "virtualenv":
            session.run_install(uv, "venv", "--no-project", "--python", sys.executable, folder, **how)
            pip = [uv, "pip", "install", "--python", str(python), "--project", folder.anchor]  # not this one's settings
        else:
            session.run_install(sys.executable, "-c", VIRTUALENV, "--no-periodic-update", folder, **how)
            pip = [str(python), "-I", "-m", "pip", "install", "--no-compile"]
        if session.run_install(*pip, "--only-binary", ":all:", "--require-hashes", "-r", LOCK, **how) is None:
            session.error("Nothing was installed: nox was started with --no-install or -R")
    if LOCK.with_name("seatrial").is_dir():  # seatrial's own repository, whose lock has the dependencies alone
        next(folder.rglob("site-packages")).joinpath("checkout.pth").write_text(str(LOCK.parent))
    session.run_install(python, "-I", "-m", "seatrial", "--version", **how)  # the stamp is for what was seen to run


if too_old():
    sys.stderr.write(f"seatrial: the release sessions are not registered: they need {too_old()}\n")
else:
    PYTHONS, PREFIX = settings()
    for half in Path(nox.options.envdir or ".nox").glob(PREFIX + "verify-*"):  # left by a full disk
        if not (half / "pyvenv.cfg").exists():  # uv does not replace what is no environment
            shutil.rmtree(half, ignore_errors=True)
    TYPED = " ".join(sys.argv[1:]).partition(" -- ")[0]  # nox says nowhere else which sessions were asked for
    ASKED = [name for name in STEPS if re.search(rf"(?<![\w./-]){PREFIX}{name}(?![\w./])", TYPED)]
    CHOSEN = " ".join(re.findall(r"(?<!\S)(?:-p|--pythons?)[ =]?([^-]+)", TYPED)) or os.getenv("NOXPYTHON", "")
    if CHOSEN and ASKED and not ("verify" in ASKED and any(map(CHOSEN.count, PYTHONS))):
        sys.stderr.write(f"seatrial: Python {CHOSEN}: only {PREFIX}verify has some, {', '.join(PYTHONS)} (`pythons`)\n")
    OURS: Any = {"default": False, "venv_backend": "none", "download_python": "never"}
    CELL: Any = {**OURS, "venv_backend": "uv|virtualenv", "venv_params": ["--no-setuptools"], "reuse_venv": False}
    CELL["venv_params"] += [] if nox.virtualenv.HAS_UV else ["--symlink-app-data"]  # a copied pip compiles itself first
    CELL.update({"allow_parallel": True} if "allow_parallel" in (nox.session.__kwdefaults__ or {}) else {})
    MODULES = {path.stem for path in Path().iterdir() if path.suffix == ".py" or (path / "__init__.py").is_file()}
    if MODULES & {*IMPORTED, *sys.stdlib_module_names} and not nox.virtualenv.HAS_UV:
        os.environ["PYTHONSAFEPATH"] = "1"  # for the `python -m virtualenv` of nox; Python 3.10 does not know it
        CELL.update({"venv_backend": "none"} if sys.version_info < (3, 11) else {})

    @nox.session(name=PREFIX + "build", **OURS)
    def build(session: nox.Session) -> None:
        """Build the sdist, and the wheel from that sdist, out of a clean checkout of HEAD."""
        if {"testpypi", "verify"} & {*ASKED}:
            AHEAD[0] = "upload" in seatrial(session, "testpypi", "--preflight", silent=True).splitlines()
            if AHEAD[0] and WITHHELD:  # a credential that is wrong stops it now
                seatrial(session, "testpypi", "--preflight", upload=True)
        seatrial(session, "build")

    @nox.session(name=PREFIX + "check", requires=[PREFIX + "build"], **OURS)
    def check(session: nox.Session) -> None:
        """Find what PyPI would refuse and users would meet: rules, then an installation from this disk."""
        seatrial(session, "check")

    @nox.session(name=PREFIX + "testpypi", requires=[PREFIX + "check"], **OURS)
    def testpypi(session: nox.Session) -> None:
        """Upload the checked files to TestPyPI, and read back that it serves exactly these bytes."""
        seatrial(session, "testpypi", upload=AHEAD[0])

    @nox.session(name=PREFIX + "verify", requires=[PREFIX + "testpypi"], python=PYTHONS, **CELL)
    @nox.parametrize("kind", ["wheel", "sdist"], ids=["wheel", "sdist"])
    def verify(session: nox.Session, kind: str) -> None:
        """Install the files from TestPyPI into a fresh environment, dependencies from PyPI, and use them."""
        if session.venv_backend not in {"uv", "virtualenv"}:
            session.error("`verify` needs a virtualenv that nox makes: no --no-venv, and not the modules of nox hidden")
        cell = ("--python", str(session.python), "--kind", kind, "--environment", session.virtualenv.location)
        seatrial(session, "verify", *cell)

    @nox.session(name=PREFIX + "pypi", **OURS)
    def pypi(session: nox.Session) -> None:
        """Upload the rehearsed and verified files, the very same bytes, to PyPI."""
        seatrial(session, "pypi", upload=True)

    @nox.session(name=PREFIX + "dryrun", **OURS)
    def dryrun(session: nox.Session) -> None:
        """Rehearse all of it against two throw-away indexes on this machine: no account, nothing leaves."""
        seatrial(session, "dryrun")

    @nox.session(name=PREFIX + "inspect", **OURS)
    def inspect(session: nox.Session) -> None:
        """Apply the rules of `check` to any wheel or sdist: -- [--json OUT] FILE..."""
        seatrial(session, "inspect")

    @nox.session(name=PREFIX + "status", **OURS)
    def status(session: nox.Session) -> None:
        """Say where this release stands, and the one next command."""
        seatrial(session, "status")

    @nox.session(name=PREFIX + "rebuild", **OURS)
    def rebuild(session: nox.Session) -> None:
        """Build a released tag again, and compare it with what PyPI serves: -- VERSION."""
        seatrial(session, "rebuild")
