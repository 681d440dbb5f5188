"""`check`: what PyPI would refuse, and what does not work once it is installed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seatrial.release.stages import Built, Checked
from seatrial.report import status, text

if TYPE_CHECKING:
    from seatrial.project.context import Context


def run(context: Context) -> None:
    """Apply the rules to what was built, then install and import it here; record it if nothing stops the release.

    Raises StageMissing, FilesChanged, NotReady, and what keeps siblings from being used.
    """
    context.say_what_is_withheld()
    with context.record.locked("release"), context.screen.step("check") as step:
        built = context.record.read(Built)
        done = context.record.find(Checked)
        if done is None or context.options.since or (done.offline and not context.options.offline):
            from seatrial.steps.work import check as work  # noqa: PLC0415 (only where there is something to do)

            context.record.write(work.completed(context, built, done) if done else work.checked(context, built))
        if done:
            step.summary = f"{built.project} {built.version} is already checked ({len(done.rules)} rules)"
        else:
            step.summary = text.summary(context.record.recorded(Checked))
    status.close(context)
