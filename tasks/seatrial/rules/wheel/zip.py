"""Rules on the zip structure of a wheel. PyPI answers "ZIP archive not accepted" and names the first thing it meets.

Readers of zip files differ: some believe the central directory at the end, some the headers before each member. A
file that the two read differently can show one thing to a scanner and install another, so PyPI takes only files that
read the same both ways. Every build backend writes such files; what breaks them are tools that rewrite a wheel
afterwards, or write it as a stream. The cure is always the same: `wheel unpack` and `wheel pack`, or build it again.
"""

from collections.abc import Iterator

from seatrial.release.formats import zips
from seatrial.release.formats.zip_records import DEFLATED, ENCRYPTED, STORED, Oddity
from seatrial.release.formats.zips import Zip
from seatrial.rules import limits
from seatrial.rules.distribution import Distribution, some
from seatrial.rules.rule import rule, server

REPACK = "`wheel unpack` and `wheel pack` rewrite it"
TAR_MAGIC = slice(257, 262)
CENTRAL_HEADER = server("utils/zipfiles.py", "_handle_central_directory_header", "everywhere")


def _odd(found: Zip, kind: Oddity, message: str, more: str = f"; {REPACK}") -> Iterator[str]:
    """Yield `message` with the places in `found` that are odd like that, if there are any, and `more`."""
    if places := found.oddities.get(kind):
        yield f"{message.format(some([repr(place)[1:-1] for place in places]))}{more}."


@rule("file", "archive-both", "refused", server("forklift/legacy.py", "_is_valid_dist_file", "everywhere"))
def both(dist: Distribution) -> Iterator[str]:
    """The file can be read as a zip file and as a tar file. PyPI answers: "File is both a zip and a tar file".

    Two archives were joined, or it was made to deceive a scanner. Build it again.
    """
    if dist.zip or dist.tar:
        try:
            with dist.path.open("rb") as file:
                is_tar = dist.tar is not None or file.read(512)[TAR_MAGIC] == b"ustar"
                if dist.zip is None:
                    zips.read(file)
        except (OSError, zips.NotZip):
            return
        if is_tar:
            yield "it can be read as a zip file and as a tar file, which PyPI refuses."


@rule("zip", "zip-ratio", "refused", server("forklift/legacy.py", "COMPRESSION_RATIO_THRESHOLD"))
def ratio(found: Zip) -> Iterator[str]:
    """The members unpack to more than 50 times the file (and more than 64 MiB), as those of a zip bomb do.

    PyPI answers: "File exceeds compression ratio of 50". Data that compresses so well (zeros, tables of numbers) can be
    packed inside the wheel by itself, or made at run time.
    """
    unpacked, size = found.unpacked, found.file_size
    if unpacked > limits.RATIO_FLOOR and unpacked > limits.RATIO * size:
        bound = f"{limits.RATIO} times the {size:,} bytes of the file"
        yield f"its members unpack to {unpacked:,} bytes, more than {bound}."


@rule("zip", "zip-compression", "refused", server("forklift/legacy.py", "_is_valid_dist_file", "everywhere"))
def compression(found: Zip) -> Iterator[str]:
    """A member is neither stored nor deflated. PyPI answers: "File does not use a supported compression type".

    Installers on older Pythons cannot read bzip2, LZMA or Zstandard. Pack it again with deflate.
    """
    if names := [entry.name for entry in found.entries if entry.method not in {STORED, DEFLATED}]:
        yield f"PyPI takes members that are stored or deflated, and these are neither: {some(names)}."


@rule("zip", "zip-encrypted", "refused", server("forklift/legacy.py", "_is_valid_dist_file", "everywhere"))
def encrypted(found: Zip) -> Iterator[str]:
    """A member is encrypted, so no installer can unpack it. PyPI's server fails on it without a message (500).

    Pack it again without a password.
    """
    if names := [entry.name for entry in found.entries if entry.flags & ENCRYPTED]:
        yield f"no installer can unpack what is encrypted: {some(names)}."


@rule("zip", "zip-characters", "refused", server("utils/zipfiles.py", "_contains_unprintable_chars", "everywhere"))
def characters(found: Zip) -> Iterator[str]:
    r"""A member's name has a control character. PyPI answers: "Invalid character in filename".

    Rename the file (macOS writes `Icon\r` into folders), or leave it out of the wheel.
    """
    return _odd(found, "characters", "PyPI takes no control characters in the names of members: {}", more="")


@rule("zip", "zip-extra", "refused", server("utils/zipfiles.py", "_handle_local_file_header", "everywhere"))
def extra(found: Zip) -> Iterator[str]:
    """The extra field of a member is damaged or duplicated.

    PyPI answers: "Malformed zip file" or "Invalid duplicate extra in local file". Some tool rewrote the wheel:
    `wheel unpack` and `wheel pack` rewrite it.
    """
    return _odd(found, "extra", "the extra fields of {} in the zip file are damaged or duplicated")


@rule("zip", "zip-data-descriptor", "refused", server("utils/zipfiles.py", "_handle_local_file_header", "everywhere"))
def descriptor(found: Zip) -> Iterator[str]:
    """A member's sizes come after it, as streaming writers leave them: "ZIP contains a data descriptor".

    The wheel was written to a pipe or by a tool that streams (`zip -` of Info-ZIP, some Java and Go libraries).
    `wheel unpack` and `wheel pack` rewrite it.
    """
    return _odd(found, "descriptor", "it was written as a stream (sizes come after the files: {}), which PyPI refuses")


@rule("zip", "zip-sizes", "refused", server("utils/zipfiles.py", "_handle_local_file_header", "everywhere"))
def sizes(found: Zip) -> Iterator[str]:
    """A member's own header and the central directory disagree on its size: "Mis-matched data size".

    Some tool rewrote the wheel: `wheel unpack` and `wheel pack` rewrite it.
    """
    message = "the zip file has two different sizes for {}, at each file and in its central directory"
    return _odd(found, "sizes", message)


@rule("zip", "zip-directory", "refused", server("utils/zipfiles.py", "_validate_zipfile", "everywhere"))
def directory(found: Zip) -> Iterator[str]:
    """A member is in only one of the two tables of contents.

    PyPI answers: "Filename not in central directory", or "Missing filename in local headers". A member was deleted or
    renamed in place, or its name is UTF-8 and does not say so: `wheel unpack` and `wheel pack` rewrite it.
    """
    for kind in ("unlisted", "unwritten"):
        yield from _odd(found, kind, "{} is in the zip file or in its central directory, but not in both")


@rule("zip", "zip-name-encoding", "refused", server("utils/zipfiles.py", "_handle_local_file_header", "everywhere"))
def encoding(found: Zip) -> Iterator[str]:
    """A member's name is not UTF-8. PyPI answers: "Filename not unicode".

    Rename the file, or pack the wheel with a tool that writes UTF-8: `wheel unpack` and `wheel pack`.
    """
    return _odd(found, "encoding", "the names of {} are not UTF-8")


@rule("zip", "zip-member-comment", "refused", CENTRAL_HEADER)
def comment(found: Zip) -> Iterator[str]:
    """A member has a comment. PyPI answers: "Comment in central directory".

    `wheel unpack` and `wheel pack` rewrite the wheel without it. (A comment on the whole archive is taken.)
    """
    return _odd(found, "comment", "PyPI takes no comments on members, and {} have one")


@rule("zip", "zip-duplicate", "refused", server("utils/zipfiles.py", "_validate_zipfile", "everywhere"))
def twice(found: Zip) -> Iterator[str]:
    """Two members have the same name. PyPI answers: "Duplicate filename in local headers".

    Which of them is installed depends on the installer. A build script added a file twice (setuptools `package_data`
    beside `data_files`, hatchling `force-include` of what is packed anyway, maturin `include`).
    """
    more = "; which one is installed depends on the installer"
    return _odd(found, "twice", "it contains more than one member called {}", more)


@rule("zip", "zip-counts", "refused", server("utils/zipfiles.py", "_validate_zipfile", "everywhere"))
def counts(found: Zip) -> Iterator[str]:
    """The end record does not match the contents. PyPI answers: "Mismatched central directory records" or "offset".

    Something was added to or taken from the file in place: `wheel unpack` and `wheel pack` rewrite it.
    """
    return _odd(found, "counts", "the end of the zip file does not match its contents ({})")


@rule("zip", "zip-zip64", "refused", server("utils/zipfiles.py", "_handle_eocd64", "everywhere"))
def zip64(found: Zip) -> Iterator[str]:
    """The ZIP64 records of a large file are not complete.

    PyPI answers: "Malformed zip file" or "ZIP64 extensible data not allowed". `wheel unpack` and `wheel pack` rewrite
    the wheel.
    """
    return _odd(found, "zip64", "the zip file's records for large files (ZIP64) are incomplete or wrong ({})")


@rule("zip", "zip-between", "refused", server("utils/zipfiles.py", "_validate_zipfile", "everywhere"))
def between(found: Zip) -> Iterator[str]:
    """There are bytes between the records, or before the first one. PyPI answers: "Unknown record signature".

    A launcher was put before the archive, it was padded or signed in place: `wheel unpack` and `wheel pack`
    rewrite it.
    """
    return _odd(found, "between", "the zip file contains bytes that belong to none of its files ({})")


@rule("zip", "zip-trailing", "refused", server("utils/zipfiles.py", "_validate_zipfile", "everywhere"))
def trailing(found: Zip) -> Iterator[str]:
    """There are bytes behind the end of the archive. PyPI answers: "Trailing data".

    Something was appended to the file, a signature or a second archive: build it again.
    """
    return _odd(found, "trailing", "something follows the end of the zip file ({})")


@rule("file", "zip-damaged-member", "refused", server("forklift/legacy.py", "_is_valid_dist_file", "everywhere"))
def damaged(dist: Distribution) -> Iterator[str]:
    """A member cannot be unpacked, or does not match its checksum. PyPI answers "Invalid distribution file", or fails.

    The file was damaged on the way: compare its hash with that of the build, or build it again.
    """
    if dist.damaged:
        yield f"these members are damaged: {some(dist.damaged)}. Build it again."
