"""Every way that adopting can stop, in words (see `errors`)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seatrial.machine.errors import ReleaseError, listing, shortened

if TYPE_CHECKING:
    from pathlib import Path


class NoTarget(ReleaseError):
    folder: Path

    what = "{e.folder} is not a folder."
    cause = "a misspelt path, or the path of a file."
    cure = "name the folder that holds the project's pyproject.toml; nothing was written."


class IsTemplate(ReleaseError):
    folder: Path

    what = "{e.folder} is seatrial's own repository, which has its release sessions already."
    cause = "the PATH of the other project was left out."
    cure = "name the project to put them into: nox -s adopt -- PATH"


class NotClean(ReleaseError):
    folder: Path
    changed: tuple[str, ...]

    what = "{e.folder} has changes that are not committed:{e.shown}"
    cause = "work in progress. What adopting adds could not be told from it afterwards."
    cure = "commit or `git stash` them, and run this again. `--dry-run` shows what would happen, as it is now."

    @property
    def shown(self) -> str:
        return shortened(self.changed)


class AdoptedAlready(ReleaseError):
    folder: Path
    sign: str

    what = "{e.folder} has the release sessions already: {e.sign}."
    cause = "it was adopted before, or somebody copied the folder by hand."
    cure = (
        "to bring it up to date: uvx copier update --answers-file .seatrial.yml (a copy made by hand: delete it,"
        " commit, and run this again)."
    )


class Taken(ReleaseError):
    paths: tuple[str, ...]

    what = "The project has files of these names already, and nothing of it is overwritten:{e.shown}"
    cause = "files of another tool under the same names."
    cure = "rename them, or choose other names with --data (copier.yml lists the questions)."

    @property
    def shown(self) -> str:
        return listing(self.paths)


class NoxfileUnread(ReleaseError):
    path: Path
    reason: str

    what = "{e.path} cannot be read as Python: {e.reason}"
    cause = "a syntax error, or another encoding than UTF-8."
    cure = "mend the file; nothing was written."


class NoTemplate(ReleaseError):
    folder: Path

    what = "The template does not lie beside {e.folder}."
    cause = "this is the copy of a project, which is not to be handed on: it may have been changed."
    cure = "run it from the package: uvx seatrial adopt PATH"


class NotAdopted(ReleaseError):
    folder: Path

    what = "{e.folder} has no .seatrial.yml, so there is no copy to compare."
    cause = "the project was not adopted, or the file was deleted."
    cure = "put the release sessions into it: uvx seatrial adopt {e.folder}"


class OtherVersion(ReleaseError):
    folder: Path
    theirs: str
    ours: str

    what = "The copy in {e.folder} says it is version {e.theirs}; this is seatrial {e.ours}."
    cause = "one of the two was updated and the other was not."
    cure = (
        "compare with the same version: uvx seatrial@{e.theirs} adopt --check; or bring the copy up to date:"
        " uvx copier update --answers-file .seatrial.yml"
    )


class NotOnIndex(ReleaseError):
    version: str
    index: str

    what = "seatrial {e.version} is not on {e.index}, so it cannot be locked by its hashes."
    cause = "this is a version that was not released."
    cure = "take the full copy (--data copy=full), or run a released version: uvx seatrial adopt"


class CopyDiffers(ReleaseError):
    folder: Path
    version: str
    differences: tuple[str, ...]

    what = "{e.folder} is not the release sessions of seatrial {e.version}:{e.shown}"
    cause = "somebody changed the copy. Code that runs at a release is where a thief would put theirs."
    cure = (
        "look at each of them (git log -p -- {e.folder}). What should be another way is a setting in [tool.seatrial],"
        " or an issue for seatrial; the files as they were come back with: uvx copier recopy --answers-file"
        " .seatrial.yml"
    )

    @property
    def shown(self) -> str:
        return listing(self.differences)
