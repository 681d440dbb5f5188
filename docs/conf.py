"""The pages as a site: nox -s docs. They are plain Markdown, written to be read on GitHub as well."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sphinx.application import Sphinx

ROOT = Path(__file__).parents[1]
INDEX = "docs/index"
TREE = "\n\n```{{toctree}}\n:hidden:\n:caption: {caption}\n\n{pages}\n```\n"

# Sphinx's own names. The source is the whole repository, so that README and the pages link to each other as on GitHub.
project = "seatrial"
extensions = ["myst_parser"]
root_doc = INDEX
include_patterns = ["README.md", "CHANGELOG.md", "CONTRIBUTING.md", "docs/**.md"]
exclude_patterns = [".*", "dist", "release-record", "site"]
html_theme = "furo"
html_title = "seatrial"
html_copy_source = False
myst_heading_anchors = 4


def add_trees(_app: Sphinx, name: str, source: list[str]) -> None:
    """Make the navigation out of the list of links under each heading of the index, which stays plain Markdown.

    A page that the index does not lead to is then one of Sphinx's warnings.
    """
    if name == INDEX:
        for section in source[0].split("\n## ")[1:]:
            links = re.findall(r"\]\(([^):#]+\.md)\)", section)
            pages = "\n".join(f"/{(ROOT / 'docs' / link).resolve().relative_to(ROOT).as_posix()}" for link in links)
            source[0] += TREE.format(caption=section.splitlines()[0], pages=pages)


def setup(app: Sphinx) -> None:
    app.connect("source-read", add_trees)
