"""The blocks of code in the pages, and the commands in them."""

from __future__ import annotations

import re
import shlex
import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from seatrial.cli.main import STEPS

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
FENCE = re.compile(r"^( *)(```|~~~)(\S*)[^\n]*\n(.*?)^\1\2", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"`(nox [^`\n]*-s [^`\n]+|(?:uvx )?seatrial(?:@\S+)? [a-z][^`\n]+)`")
SHELLS = ("console", "sh")
COMMENT = re.compile(r"(?:^|\s)#.*$")
PROGRAM = re.compile(r"(?:\S*/)?(nox|seatrial)(?:@\S+)?")

# Whose commands tests/integration/test_snippets.py runs, page by page in the order in which they stand there.
RUN = (
    "README.md",
    "docs/how-to/adopt.md",
    "docs/how-to/ci.md",
    "docs/how-to/compiled-wheels.md",
    "docs/how-to/github-actions.md",
    "docs/how-to/monorepo.md",
    "docs/how-to/moving.md",
    "docs/how-to/when-something-fails.md",
    "docs/how-to/wrong-release.md",
    "docs/reference/explained.md",
    "docs/reference/record.md",
    "docs/tutorial/first-release.md",
)

# What no test runs, and why. Everything else is run.
NOT_RUN = {
    "nox -s tests": "it is what runs the tests",
    "python3 -m venv .venv && .venv/bin/python -m pip install -q nox && .venv/bin/nox -s tests": "likewise",
    "python3 -m venv ~/seatrial-env": "the README installs it the same way",
    ". ~/seatrial-env/bin/activate": "likewise",
    "python -m pip install /path/to/seatrial": "likewise",
    "nox -s reference": "tests/unit/test_reference.py runs what it runs",
    "nox -s lock": "it writes the locks anew, from what PyPI has at that moment",
    "nox -s bench -- --out docs/explanation/performance.md": "it takes minutes: tests/unit/test_bench.py has its parts",
    "nox -s bench_check -- --out docs/explanation/performance.md": "likewise: tests/bench/checks.py",
    "nox -s limits": "it compares with what PyPI has at that moment",
    "nox -s dryrun": "on a compiled project, where it ends with 1: tests/integration/test_compiled.py",
    "python -m tests.real_files FOLDER": "it fetches three hundred files from PyPI: tests/real_files.py",
    "git log --oneline COMMIT.. -- warehouse/forklift warehouse/utils/zipfiles.py warehouse/utils/wheel.py"
    " warehouse/utils/scanner_rules warehouse/utils/readme.py warehouse/packaging/services.py warehouse/constants.py": (
        "in a clone of Warehouse"
    ),
    "git diff COMMIT.. -- warehouse/forklift/legacy.py warehouse/forklift/metadata.py requirements/main.txt": (
        "in a clone of Warehouse"
    ),
    "git tag v0.2.0": "it releases seatrial itself",
    "git push origin v0.2.0": "likewise",
    "python -m tests.fuzz --mutations 100000 --seed 1": "tests/unit/rules/test_fuzz.py does a thousand of them",
}
OTHER_SHELLS = {
    "powershell": "its syntax is looked at where PowerShell is; what it runs is what the block in sh beside it runs",
    "fish": "its syntax is looked at where fish is",
}


def is_step(word: str) -> bool:
    """Whether `word` names a step, or a cell of `verify` as nox does."""
    return word in STEPS or word.startswith("verify-")


@dataclass(frozen=True)
class Block:
    """A fenced block of code: on which page, from which line, in which language."""

    page: str
    line: int
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


@dataclass(frozen=True)
class Step:
    """A command as a page has it, without its comment, and the lines that the page shows of its output."""

    command: str
    shown: tuple[str, ...] = ()


def blocks(page: Path) -> Iterator[Block]:
    """Yield the fenced blocks on `page`."""
    text = page.read_text(encoding="utf-8")
    name = page.relative_to(ROOT).as_posix()
    for match in FENCE.finditer(text):
        yield Block(name, text.count("\n", 0, match.start()) + 1, match[3], textwrap.dedent(match[4]))


def all_blocks(*languages: str) -> list[Block]:
    """Return the blocks on all pages, of `languages` if any are named."""
    found = [block for page in PAGES for block in blocks(page)]
    return [block for block in found if not languages or block.language in languages]


def steps(block: Block) -> Iterator[Step]:
    """Yield the commands in a block for a shell; where some lines begin with a prompt, the others are output."""
    lines = block.text.replace("\\\n", " ").splitlines()
    prompts = any(line.startswith("$ ") for line in lines)
    command, shown = "", list[str]()
    for line in lines:
        if prompts and not line.startswith("$ "):
            shown.append(line)
            continue
        if command:
            yield Step(command, tuple(shown))
        command, shown = " ".join(COMMENT.sub("", line.removeprefix("$ ")).split()), []
    if command:
        yield Step(command, tuple(shown))


def commands(text: str) -> list[str]:
    """Return the single commands in `text`, joined by ``&&`` or ``;``; one with others inside of it stays whole."""
    return [text] if "$(" in text else re.split(r"\s*(?:&&|;)\s+", text)


@dataclass(frozen=True)
class Typed:
    """A call of nox or of the installed command: the sessions it names, and what stands behind them."""

    sessions: tuple[str, ...]
    args: tuple[str, ...]


def typed(command: str) -> Typed | None:
    """Return what `command` asks nox or seatrial for; None where it is a call of something else."""
    words = shlex.split(command.replace("\\", "/"))
    words = words[1:] if words[:1] == ["uvx"] else words
    program = PROGRAM.fullmatch(words[0]) if words else None
    if program is None:
        return None
    own = words[: words.index("--")] if "--" in words else words
    if program[1] == "nox":
        named = own[own.index("-s") + 1 :] if "-s" in own else []
        return Typed(tuple(named), tuple(words[len(own) + 1 :]))
    place = next((n for n, word in enumerate(words) if word in STEPS), len(words))
    return Typed(tuple(words[place : place + 1]), tuple(words[place + 1 :]))
