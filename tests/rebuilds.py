"""Build releases on PyPI again: ``python -m tests.rebuilds FOLDER [NAME...] [--from MIRRORS]``.

The repositories that tests/real/rebuilds.txt names are cloned into FOLDER with their submodules, from GitHub or from a
folder of clones (MIRRORS/OWNER+NAME/repo). `seatrial rebuild` runs on each release, with uv and with pip. No test runs
this, since it needs the network.

What came of it is written to docs/explanation/rebuilt.md; result and output of each run stay in FOLDER. With NAMEs
these alone are built again, and the page has the others as they lie in FOLDER.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

HERE = Path(__file__).parents[1]
LIST = HERE / "tests" / "real" / "rebuilds.txt"
PAGE = HERE / "docs" / "explanation" / "rebuilt.md"
LIMIT = 900  # seconds for one rebuild
INSTALLERS = {
    "uv": "import sys; from seatrial.__main__ import main; sys.exit(main())",
    "pip": "import sys; from seatrial.cli import release; release.find_uv = lambda: None;"
    " from seatrial.__main__ import main; sys.exit(main())",
}
GOOD = ("identical", "equivalent")
HEAD = """\
# Releases on PyPI, built again

`seatrial rebuild VERSION`, nothing adopted and nothing configured, in clones of {projects} public repositories:
{releases} releases that {backends} build backends made, each once with uv and once with pip. The list
(`tests/real/rebuilds.txt`) was committed before the first run over all of it, and what failed stays in. It began with
thirty; the last ten were added after these had been tried, and before any of the ten was built. Faults of the program
that the list showed were corrected, and those releases built again.

{counts}

[What the verdicts mean](reproducible.md#what-rebuild-compares). Most files that are not identical have the times of the
clock of the machine that built them, which no build gives again. A release has the worst verdict of its files.

"""
FOOT = """
Where no way is named it is the usual one: the wheel from the sdist, `SOURCE_DATE_EPOCH` of the commit, and an sdist
that holds the clock written anew. Python {python} on {platform}; others that could be tried: {pythons}.

This page is written by `nox -s rebuilds -- FOLDER`.
"""


@dataclass(frozen=True)
class Release:
    """A release: its repository on GitHub, version and build backend, and whether its wheels are pure or compiled."""

    repository: str
    version: str
    backend: str
    code: str

    def clone(self, folder: Path, mirrors: Path | None) -> Path:
        """Clone the repository with its tags into `folder`, and return where it is."""
        place = folder / self.repository.replace("/", "+")
        if not place.exists():
            git(folder, "clone", "--quiet", address(self.repository, mirrors), str(place))
        git(place, "checkout", "--quiet", "--force", "HEAD")
        return place


@dataclass(frozen=True)
class Run:
    """One rebuild of a release with an installer: what `--json` said, and else what stopped it."""

    release: Release
    installer: str
    said: dict[str, Any]
    trouble: str

    @property
    def verdict(self) -> str:
        return str(self.said.get("verdict", "failed"))


def git(folder: Path, *words: str) -> str:
    """Run git in `folder` and return what it prints. Raises CalledProcessError."""
    return subprocess.run(["git", *words], cwd=folder, check=True, capture_output=True, text=True).stdout.strip()


def address(repository: str, mirrors: Path | None, commit: str = "HEAD") -> str:
    """Return where `repository` (OWNER/NAME) is cloned from, with the `commit`: a mirror may have a later owner."""
    owner, name = repository.split("/")
    places = [mirrors / f"{owner}+{name}", *sorted(mirrors.glob(f"*+{name}"))] if mirrors else []
    for place in places:
        argv = ["git", "-C", str(place / "repo"), "cat-file", "-e", commit]
        if subprocess.run(argv, check=False, capture_output=True).returncode == 0:
            return str(place / "repo")
    return f"https://github.com/{repository}"


def releases() -> list[Release]:
    """Return what is listed."""
    lines = LIST.read_text(encoding="utf-8").splitlines()
    return [Release(*line.split()) for line in lines if line and not line.startswith("#")]


def add_submodules(clone: Path, version: str, mirrors: Path | None) -> None:
    """Fetch the submodules of the tag of `version` into `clone`, if it has any that can be had."""
    tag = next((tag for tag in git(clone, "tag").split() if tag.removeprefix("v") == version), "HEAD")
    links = re.findall(r"^160000 commit (\w+)\t(.+)$", git(clone, "ls-tree", "-r", tag), re.MULTILINE)
    if not links:
        return
    head = git(clone, "rev-parse", "HEAD")
    git(clone, "checkout", "--quiet", "--force", "--detach", tag)
    options = ["-c", "protocol.file.allow=always"]
    for commit, path in links:
        url = git(clone, "config", "--file", ".gitmodules", f"submodule.{path}.url")
        name = url.removeprefix("https://github.com/").removesuffix(".git")
        options += ["-c", f"url.{address(name, mirrors, commit)}.insteadOf={url}"]
    subprocess.run(["git", *options, "submodule", "--quiet", "update", "--init", "--recursive"], cwd=clone, check=False)
    git(clone, "checkout", "--quiet", "--force", head)


def rebuild(release: Release, clone: Path, installer: str, results: Path) -> None:
    """Run `seatrial rebuild`; what it says and prints goes to `results`."""
    out = results / f"{clone.name}-{release.version}-{installer}.json"
    out.unlink(missing_ok=True)
    argv = [sys.executable, "-I", "-c", INSTALLERS[installer], "rebuild", release.version, "--json", str(out)]
    try:
        done = subprocess.run(argv, cwd=clone, check=False, capture_output=True, text=True, timeout=LIMIT)
        output, code = f"{done.stdout}\n{done.stderr}", done.returncode
    except subprocess.TimeoutExpired:
        output, code = f"not ended within {LIMIT} seconds", 1
    out.with_suffix(".log").write_text(output, encoding="utf-8")
    print(f"{release.repository} {release.version} with {installer}: {code}", flush=True)


def run_of(release: Release, installer: str, results: Path) -> Run:
    """Return the run that lies in `results`."""
    out = results / f"{release.repository.replace('/', '+')}-{release.version}-{installer}.json"
    if out.exists():
        return Run(release, installer, json.loads(out.read_text(encoding="utf-8")), "")
    log = out.with_suffix(".log")
    lines = log.read_text(encoding="utf-8").splitlines() if log.exists() else ["not run"]
    return Run(release, installer, {}, trouble(lines))


def trouble(lines: Sequence[str]) -> str:
    """Return what tells most of why a run failed: the last line that names an error, else the first of the message."""
    errors = [line.strip(" |") for line in lines if re.search(r"\b\w*Error\b", line)]
    heads = [line for line in lines if line.endswith((".", ":")) and not line.startswith((" ", "rebuild:"))]
    return re.sub(r"/\S*/", "", (errors[-1:] or heads[:1] or ["no output"])[0]).replace("|", "\\|")[:160]


def cell(said: dict[str, Any], kind: str) -> str:
    """Return the verdicts on the files of one kind, and how the way that came nearest differs from the usual one."""
    names = [file for file in said.get("files", []) if file["filename"].endswith(".whl") == (kind == "wheel")]
    left = [name for name in said.get("not_judged", []) if name.endswith(".whl") == (kind == "wheel")]
    return "; ".join([*map(_verdict, names), *([f"{len(left)} not judged"] if left else [])]) or "-"


def _verdict(file: dict[str, Any]) -> str:
    members = [difference["member"] for difference in file["differences"] if difference["matters"]]
    parts = [f"**{file['verdict']}**", *([f"({file['way']})"] if file["way"] else [])]
    if members:
        parts.append(", ".join(f"`{member}`" for member in members[:3]) + (" and more" if len(members) > 3 else ""))
    elif file["packing"] and file["verdict"] != "identical":
        *first, last = ["times of a clock" if (w, file["clocked"]) == ("times", True) else w for w in file["packing"]]
        parts.append(f"but for {', '.join(first)} and {last}" if first else f"but for {last}")
    return " ".join(parts)


def rows(runs: Iterable[Run]) -> Iterator[str]:
    """Yield a row a release; where uv and pip came to different ends, one for each."""
    for run in runs:
        release, said = run.release, run.said
        head = f"| {release.repository} {release.version} | {release.backend} | {run.installer}"
        if not said:
            yield f"{head} | failed: {run.trouble} | | | |\n"
            continue
        made_by = "" if said["made_by"] in said["requirements"] else said["made_by"]
        what = ", ".join(filter(None, [made_by, said["requirements"]]))
        yield (
            f"{head} | {cell(said, 'wheel')} | {cell(said, 'sdist')} | {what} |"
            f" {len(said['tried'])} in {said['seconds']} s |\n"
        )


def counts(runs: Sequence[Run]) -> str:
    """Return the table of how many releases got which verdict, with each installer."""
    verdicts = ("identical", "equivalent", "different", "not judged", "failed")
    lines = [f"| | releases | {' | '.join(verdicts)} | identical or equivalent |", f"|{' --- |' * (len(verdicts) + 3)}"]
    for installer in INSTALLERS:
        for code in ("pure", "compiled"):
            of_kind = [run for run in runs if (run.installer, run.release.code) == (installer, code)]
            numbers = [sum(run.verdict == verdict for run in of_kind) for verdict in verdicts]
            good = sum(run.verdict in GOOD for run in of_kind)
            words = "pure Python" if code == "pure" else "compiled"
            share = f"{good} of {len(of_kind)} ({100 * good // max(len(of_kind), 1)} %)"
            lines.append(f"| {words}, with {installer} | {len(of_kind)} | {' | '.join(map(str, numbers))} | {share} |")
    files = [file for run in runs for file in run.said.get("files", [])]
    same = sum(file["verdict"] == "identical" for file in files)
    return "\n".join(lines) + f"\n\nOf the {len(files)} files that were compared, {same} are identical to the byte."


def page(runs: Sequence[Run]) -> str:
    """Return the page on `runs`."""
    from seatrial.cli.release import find_uv  # noqa: PLC0415 (the installed program, and not in each test of this)
    from seatrial.project.pythons import KNOWN_PYTHONS  # noqa: PLC0415
    from seatrial.trial.interpreters import RUNNING, here  # noqa: PLC0415

    made = {run.release for run in runs}
    head = HEAD.format(
        projects=len({release.repository for release in made}),
        releases=len(made),
        backends=len({release.backend for release in made}),
        counts=counts(runs),
    )
    table = (
        "| release | backend | with | wheel | sdist | made by, and with what | ways tried |\n|" + " --- |" * 7 + "\n"
    )
    foot = FOOT.format(
        python="{}.{}.{}".format(*sys.version_info),
        platform=sys.platform,
        pythons=", ".join(python for python in here(KNOWN_PYTHONS, find_uv()) if python != RUNNING) or "none",
    )
    return head + table + "".join(rows(runs)) + foot


def main() -> None:
    """Build again what the command line names, and write the page."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.rebuilds", description=__doc__.splitlines()[0] if __doc__ else ""
    )
    parser.add_argument("folder", type=Path, help="where the clones, the results and the outputs go")
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help="owner/name of those that are built again; all if none"
    )
    parser.add_argument("--from", dest="mirrors", type=Path, help="a folder of clones, asked before GitHub")
    parser.add_argument("--page", action="store_true", help="build nothing, and write the page of what is there")
    args = parser.parse_args()
    results = args.folder.resolve() / "results"
    results.mkdir(parents=True, exist_ok=True)
    chosen = [release for release in releases() if not args.names or release.repository in args.names]
    for release in [] if args.page else chosen:
        clone = release.clone(args.folder.resolve(), args.mirrors)
        add_submodules(clone, release.version, args.mirrors)
        for installer in INSTALLERS:
            rebuild(release, clone, installer, results)
    if not args.page:
        for release in chosen:
            shutil.rmtree(args.folder / release.repository.replace("/", "+"), ignore_errors=True)
    runs = [run_of(release, installer, results) for release in releases() for installer in INSTALLERS]
    PAGE.write_text(page(runs), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
