"""What `twine upload` refuses to send: it validates the metadata that it sends."""

from collections.abc import Iterator

from twine.package import PackageFile

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
    metadata = dist.metadata
    fields = sum(map(len, metadata.fields.values())) if metadata else 0
    if len(dist.members) > MEMBERS or fields > FIELDS or (metadata and len(metadata.description) > DESCRIPTION):
        return
    try:
        PackageFile.from_filename(str(dist.path), None).metadata_dictionary()
    except Exception as error:  # noqa: BLE001 (twine meets broken archives with whatever its libraries raise)
        yield f"`twine check` fails: {some([' '.join(str(error).split())])} ({type(error).__name__})."
