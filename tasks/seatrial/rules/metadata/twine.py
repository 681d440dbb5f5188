"""What `twine upload` refuses to send: it validates the metadata that it sends."""

from collections.abc import Iterator

from twine.package import PackageFile

from seatrial.release.archives import Metadata
from seatrial.rules.distribution import Distribution, some
from seatrial.rules.rule import practice, rule

MEMBERS = 20_000  # of which twine keeps all in memory
FIELDS = 5_000
DESCRIPTION = 512 << 10  # characters


@rule("twine", "twine-check", "refused", practice("`twine check`"))
def errors(dist: Distribution) -> Iterator[str]:
    """`twine check` fails although no other rule found an error, so `twine upload` would not send the file.

    What twine says is repeated. It is asked last, as a net below the rules here, and not about files that would take
    it long. (How it renders a description is what description-renders is about.)
    """
    if len(dist.members) > MEMBERS or (dist.metadata and not _is_usual(dist.metadata)):
        return
    try:
        PackageFile.from_filename(str(dist.path), None).metadata_dictionary()
    except Exception as error:  # noqa: BLE001 (twine meets broken archives with whatever its libraries raise)
        yield f"`twine check` fails: {some([' '.join(str(error).split())])} ({type(error).__name__})."


def _is_usual(metadata: Metadata) -> bool:
    return len(metadata.description) <= DESCRIPTION and sum(map(len, metadata.fields.values())) <= FIELDS
