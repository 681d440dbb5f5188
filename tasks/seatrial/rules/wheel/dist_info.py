"""Rules on the folders of a wheel: its `.dist-info`, its `.data`, and where its members go."""

from collections.abc import Iterator

from seatrial.rules.distribution import Distribution, some
from seatrial.rules.rule import WHEEL, practice, rule, server

SCHEMES = frozenset({"purelib", "platlib", "headers", "scripts", "data"})


@rule("wheel", "wheel-dist-info", "refused", server("forklift/legacy.py", "_is_valid_dist_file", "everywhere"))
def dist_info(dist: Distribution) -> Iterator[str]:
    """There is no NAME-VERSION.dist-info/WHEEL with name and version spelled as in the file's name.

    PyPI answers: "WHEEL not found at demo-1.0.dist-info/WHEEL". The file was renamed (to another version, or from
    `Demo` to `demo`), or is not a wheel: build it again instead of renaming it.
    """
    if dist.info and f"{dist.info}/WHEEL" not in dist.names:
        there = sorted({name.partition("/")[0] for name in dist.names if ".dist-info/" in name})
        yield f"there is no {dist.info}/WHEEL in it, but {some(there) or 'no .dist-info at all'}: was the file renamed?"


@rule("wheel", "wheel-metadata", "refused", server("forklift/legacy.py", "file_upload", "everywhere"))
def metadata(dist: Distribution) -> Iterator[str]:
    """There is no NAME-VERSION.dist-info/METADATA. PyPI answers: "does not contain the required METADATA file".

    The file was renamed, or is not a wheel: build it again.
    """
    if dist.info and f"{dist.info}/METADATA" not in dist.names:
        yield f"there is no {dist.info}/METADATA in it, which has name, version and dependencies: was the file renamed?"


@rule("wheel", "wheel-one-dist-info", "broken", practice("pip and uv, which refuse such a wheel"))
def one_dist_info(dist: Distribution) -> Iterator[str]:
    """There is more than one `.dist-info` folder, which installers refuse (pip: "multiple .dist-info directories").

    A dependency was packed into the wheel from a site-packages folder. Vendor it without its `.dist-info`.
    """
    if len(dist.infos) > 1:
        yield f"installers expect one .dist-info folder, but it has {some(dist.infos)}."


@rule("wheel", "wheel-first-dist-info", "refused", server("forklift/legacy.py", "file_upload", "everywhere"))
def first_dist_info(dist: Distribution) -> Iterator[str]:
    """Of several `.dist-info` folders the first one by name is not the project's, and uploaders send what it says.

    PyPI answers: "Start filename for 'other' with 'other'", or that the version should be another one. A dependency was
    packed into the wheel: vendor it without its `.dist-info`.
    """
    if len(dist.infos) > 1 and dist.infos[0] != dist.info:
        yield f"uploaders send the metadata of the first .dist-info by name: {dist.infos[0]}, not the project's."


@rule("wheel", "wheel-egg-info", "broken", practice("pip and uv, which take it for a second installed version"))
def egg_info(dist: Distribution) -> Iterator[str]:
    """The wheel installs an `.egg-info`, which says a second time, and mostly wrongly, what is installed.

    It was left in the tree by `pip install -e` or an older build, and packed as if it was a package. Exclude it
    (hatchling: not in `packages`), and let git ignore it.
    """
    tops = {name.partition("/")[0] for name in dist.names}
    if names := sorted(top for top in tops if top.endswith(".egg-info")):
        yield f"it installs {some(names)}, from which installers read a version other than the wheel's."


@rule("wheel", "wheel-license-file", "refused", server("forklift/legacy.py", "file_upload", "everywhere"))
def license_file(dist: Distribution) -> Iterator[str]:
    """A licence file that METADATA names is not in `.dist-info/licenses/`. PyPI answers: "License-File does not exist".

    Core metadata 2.4 (PEP 639) has this place for it; backends copy what `license-files` names there.
    """
    folder = f"{dist.info}/licenses"
    if missing := dist.lacking_licenses(folder):
        yield f"its metadata names a licence file, {some(missing)}, and there is no such file in {folder}/."


@rule("wheel", "wheel-data-scheme", "broken", WHEEL)
def data_scheme(dist: Distribution) -> Iterator[str]:
    """NAME-VERSION.data contains a folder that is not an installation scheme. Installers refuse the file.

    There are `purelib`, `platlib`, `headers`, `scripts` and `data`. (setuptools: `data_files`; hatchling:
    `shared-data`, `shared-scripts`; flit: `external-data`.)
    """
    folder = dist.info.removesuffix(".dist-info") + ".data"
    paths = (name.split("/") for name in dist.names)
    schemes = {path[1] for path in paths if path[0] == folder and len(path) > 1}
    if unknown := sorted(schemes - SCHEMES):
        yield f"{folder} contains {some(unknown)}; installers know {', '.join(sorted(SCHEMES))}."


@rule("wheel", "wheel-path", "broken", WHEEL)
def path(dist: Distribution) -> Iterator[str]:
    """A member's name is absolute, or climbs out of the folder that it is installed to. Installers refuse the file.

    Nothing that a backend writes: build the wheel again, and find out what made this one.
    """
    if names := [name for name in dist.names if name.startswith("/") or ".." in name.split("/")]:
        yield f"these members would be installed outside of site-packages: {some(sorted(names))}."
