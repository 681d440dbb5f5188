"""`build`: the sdist, then the wheel from that sdist, out of a clean checkout, with no secret in reach."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seatrial.building import git
from seatrial.project import predecessor
from seatrial.release.stages import Built
from seatrial.report import ci, status, text
from seatrial.workspace import packages

if TYPE_CHECKING:
    from seatrial.project.context import Context


def run(context: Context) -> None:
    """Run the step: build unless that is done, and hand on to the jobs of a CI what they need."""
    context.say_what_is_withheld()
    with context.record.locked("release"), context.screen.step("build") as step:
        built = build(context)
        step.summary = f"{built.project} {built.version} {text.summary(built)}"
        ci.built(context)
    status.close(context)


def build(context: Context) -> Built:
    """Make the distributions and record them, unless they are there already; return what is recorded.

    In a dry run the checkout gets the tag of the release that HEAD would become (`building.supposed`). Raises
    VerifiedNotReleased, DistNotFolder, FilesChanged, and whatever reading the repository or building raises.
    """
    packages.together(context.root, context.settings.release_with).ordered()  # siblings that there are, and no cycle
    source = git.of(context)
    if source.dirty and not context.settings.in_place and not context.options.taken_from:
        context.say(source.uncommitted, "warning")
    fingerprint = source.fingerprint(recipe(context), in_place=context.settings.in_place)
    before = context.record.find(Built)
    parting = predecessor.parting(context, before, source.commit, fingerprint) if before else ""
    if before and parting is None:
        context.record.rehash(before.dists)
        return before
    from seatrial.steps.work import build as work  # noqa: PLC0415 (only where there is something to do)

    return work.built(context, source, fingerprint, before, parting or "")


def recipe(context: Context) -> str:
    """Return what decides beside the source tree which files come out."""
    settings, options = context.settings, context.options
    tree = "in-place" if settings.in_place else "checkout"
    form = "normalised" if settings.normalise else "as-made"
    supposed = [f"as {options.version}"] if context.dry and options.version else []
    return ",".join([*settings.archives, tree, form, str(options.taken_from or ""), *settings.release_with, *supposed])
