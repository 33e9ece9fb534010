"""What was found in files: remembered as long as they are surely unchanged, never longer."""

from __future__ import annotations

import hashlib
import os
import time
from pathlib import Path

import pytest

from simorc.simulators.deck_inputs import DeckInputs
from simorc.workspace import file_notes
from simorc.workspace.file_notes import FileNotes


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "models" / "tt.inc"
    path.parent.mkdir()
    path.write_text(".include parts.inc\n.model d d (is=1e-14)\n")
    (path.parent / "parts.inc").write_text(".model n nmos\n")
    return path


@pytest.fixture
def output(tmp_path: Path) -> Path:
    return tmp_path / "simulations"


@pytest.fixture
def _later(monkeypatch: pytest.MonkeyPatch) -> None:
    """Some time after the files were written."""
    now = time.time_ns
    monkeypatch.setattr(time, "time_ns", lambda: now() + 60 * 10**9)


def noted(output: Path, path: Path) -> FileNotes:
    """Notes of an earlier process, which read a file."""
    first = FileNotes(output)
    first.read(str(path))[1].found["x"] = (True, False, [("a", "")])
    first.save()
    return FileNotes(output)


@pytest.mark.usefixtures("_later")
def test_an_unchanged_file_is_known_to_the_next_process(output: Path, model: Path) -> None:
    note = noted(output, model).get(str(model))
    assert note is not None
    assert note.sha256 == hashlib.sha256(model.read_bytes()).hexdigest() == FileNotes(output).sha256(str(model))
    assert note.found == {"x": (True, False, [("a", "")])}


@pytest.mark.usefixtures("_later")
def test_a_change_is_noticed_whatever_the_time_stamp_says(output: Path, model: Path) -> None:
    notes, state = noted(output, model), model.stat()
    model.write_text(model.read_text().replace("14", "15"))
    os.utime(model, ns=(state.st_atime_ns, state.st_mtime_ns))
    assert model.stat().st_size == state.st_size
    assert notes.get(str(model)) is None
    assert notes.sha256(str(model)) == hashlib.sha256(model.read_bytes()).hexdigest()
    assert notes.read(str(model))[1].found == {}


@pytest.mark.usefixtures("_later")
def test_a_file_that_takes_the_place_of_another_is_another(output: Path, model: Path) -> None:
    notes, state = noted(output, model), model.stat()
    other = model.with_name("other")
    other.write_text(model.read_text().replace("14", "15"))
    os.utime(other, ns=(state.st_atime_ns, state.st_mtime_ns))
    other.replace(model)
    assert notes.get(str(model)) is None
    model.unlink()
    assert notes.get(str(model)) is None


def test_a_file_that_changed_a_moment_ago_is_not_remembered(output: Path, model: Path) -> None:
    assert noted(output, model).get(str(model)) is None


@pytest.mark.usefixtures("_later")
def test_files_beside_the_runs_are_not_remembered(output: Path, model: Path) -> None:
    copy = output / "run" / "inputs" / "a.inc"
    copy.parent.mkdir(parents=True)
    copy.write_text("x")
    assert noted(output, copy).get(str(copy)) is None


@pytest.mark.usefixtures("_later")
def test_what_was_found_must_be_what_is_looked_for(output: Path, model: Path) -> None:
    noted(output, model)
    file = output / ".cache/files.json"
    for damaged in (b'{"x":[true]}', b'{"":[1,2,3]}', b"[]"):
        file.write_bytes(file.read_bytes().replace(b'{"x":[true,false,[["a",""]]]}', damaged))
        assert FileNotes(output).get(str(model)) is None
        assert DeckInputs(FileNotes(output)).key(f"x\n.include {model}\n", str(output), "", ())
        noted(output, model)


@pytest.mark.usefixtures("_later")
def test_a_name_that_json_cannot_hold_costs_no_other_its_note(output: Path, model: Path) -> None:
    odd = Path(os.fsdecode(os.fsencode(model) + b"\xff"))
    odd.write_text("x")
    notes = FileNotes(output)
    for path in (odd, model):
        notes.read(str(path))
    notes.save()
    assert FileNotes(output).get(str(odd)) is None
    assert FileNotes(output).get(str(model)) is not None


@pytest.mark.usefixtures("_later")
@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b'{"format": "0", "files": {}}', b"\xff"])
def test_damaged_or_foreign_notes_are_none(output: Path, model: Path, content: bytes) -> None:
    noted(output, model)
    (output / ".cache/files.json").write_bytes(content)
    assert FileNotes(output).get(str(model)) is None
    assert DeckInputs(FileNotes(output)).key(f"x\n.include {model}\n", str(output), "", ())
    assert noted(output, model).get(str(model)) is not None


@pytest.mark.usefixtures("_later")
def test_another_version_found_something_else(output: Path, model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    noted(output, model)
    monkeypatch.setattr(file_notes, "_FORMAT", "99")
    assert FileNotes(output).get(str(model)) is None


@pytest.mark.usefixtures("_later")
def test_two_processes_keep_what_both_have_found(output: Path, model: Path) -> None:
    parts = model.with_name("parts.inc")
    one, other = FileNotes(output), FileNotes(output)
    one.read(str(model))
    other.read(str(parts))
    one.save()
    other.save()
    assert all(FileNotes(output).get(str(path)) for path in (model, parts))


@pytest.mark.usefixtures("_later")
def test_where_nothing_can_be_written_nothing_is_remembered(output: Path, model: Path) -> None:
    output.write_text("a file where the folder should be")
    assert noted(output, model).get(str(model)) is None


@pytest.mark.usefixtures("_later")
def test_a_deck_has_the_same_key_whether_its_models_are_read_or_known(output: Path, model: Path) -> None:
    def key(notes: FileNotes | None) -> str:
        inputs = DeckInputs(notes)
        found = inputs.key(f"x\n.include {model}\n", str(output), "", ())
        inputs.notes.save()
        return found

    first = key(FileNotes(output))
    assert first == key(None) == key(FileNotes(output)) != ""
    model.with_name("parts.inc").write_text(".model n nmos (vto=1)\n")
    assert key(FileNotes(output)) == key(None) not in (first, "")
    model.write_text(".control\nshell true\n.endc\n")
    assert key(FileNotes(output)) == key(None) == key(FileNotes(output)) == ""


@pytest.mark.usefixtures("_later")
def test_another_section_of_a_known_library_is_looked_at_in_its_turn(output: Path, model: Path) -> None:
    library = model.with_name("all.lib")
    library.write_text(".lib tt\n.include tt.inc\n.endl\n.lib ff\n.include parts.inc\n.endl\n")

    def key(section: str, notes: FileNotes | None) -> str:
        inputs = DeckInputs(notes)
        found = inputs.key(f"x\n.lib {library} {section}\n", str(output), "set ngbehavior=hsa\n", ())
        inputs.notes.save()
        return found

    for section in ("tt", "ff", "tt"):
        assert key(section, FileNotes(output)) == key(section, None) != ""
    model.write_text("* no parts any more\n")
    assert key("tt", FileNotes(output)) == key("tt", None)


class Asked:
    """A program of which somebody wants to know something; says what it was told to."""

    def __init__(self, says: str) -> None:
        self.says = says
        self.times = 0

    def __call__(self) -> str:
        self.times += 1
        return self.says


def said(output: Path, program: Path, ask: Asked) -> str:
    """In a process of its own, as it were."""
    notes = FileNotes(output)
    found = notes.said(str(program), ask)
    notes.save()
    return found


@pytest.mark.usefixtures("_later")
def test_a_program_is_asked_once_until_it_changes(output: Path, tmp_path: Path) -> None:
    program = tmp_path / "ngspice"
    program.write_bytes(b"\x7fELF first")
    ask = Asked("ngspice-39")
    assert [said(output, program, ask) for _ in range(3)] == ["ngspice-39"] * 3
    assert ask.times == 1
    state = program.stat()
    program.write_bytes(b"\x7fELF other")
    os.utime(program, ns=(state.st_atime_ns, state.st_mtime_ns))
    ask.says = "ngspice-40"
    assert [said(output, program, ask) for _ in range(2)] == ["ngspice-40"] * 2


@pytest.mark.usefixtures("_later")
def test_a_program_whose_content_is_known_is_asked_all_the_same(output: Path, tmp_path: Path) -> None:
    program = tmp_path / "ngspice"
    program.write_bytes(b"\x7fELF")
    noted(output, program)
    ask = Asked("ngspice-39")
    assert [said(output, program, ask) for _ in range(2)] == ["ngspice-39"] * 2
    assert ask.times == 1


@pytest.mark.usefixtures("_later")
def test_a_script_that_starts_a_program_is_asked_each_time(output: Path, tmp_path: Path) -> None:
    program = tmp_path / "ngspice"
    program.write_text("#!/bin/sh\nexec /opt/ngspice/bin/ngspice\n")
    ask = Asked("ngspice-39")
    assert said(output, program, ask) == "ngspice-39"
    ask.says = "ngspice-40"
    assert said(output, program, ask) == "ngspice-40"


def test_a_program_that_was_just_installed_is_asked_again(output: Path, tmp_path: Path) -> None:
    program = tmp_path / "ngspice"
    program.write_bytes(b"\x7fELF")
    ask = Asked("ngspice-39")
    assert [said(output, program, ask) for _ in range(2)] == ["ngspice-39"] * 2
    assert ask.times == 2


def test_without_a_folder_of_runs_a_program_need_not_be_read(tmp_path: Path) -> None:
    assert FileNotes().said(str(tmp_path / "nowhere"), Asked("ngspice-39")) == "ngspice-39"


@pytest.mark.usefixtures("_later")
def test_no_answer_is_not_remembered(output: Path, tmp_path: Path) -> None:
    program = tmp_path / "ngspice"
    program.write_bytes(b"\x7fELF")
    ask = Asked("")
    assert said(output, program, ask) == ""
    ask.says = "ngspice-39"
    assert said(output, program, ask) == "ngspice-39"


@pytest.mark.usefixtures("_later")
def test_a_program_that_starts_others_by_the_name_that_it_was_called_by_is_asked_each_time(
    output: Path, tmp_path: Path
) -> None:
    (tmp_path / "launcher").write_bytes(b"\x7fELF")
    program = tmp_path / "ngspice"
    program.symlink_to(tmp_path / "launcher")
    ask = Asked("ngspice-39")
    assert said(output, program, ask) == "ngspice-39"
    ask.says = "ngspice-40"
    assert said(output, program, ask) == "ngspice-40"


class Switched:
    """A link to one of several versions of a program."""

    def __init__(self, folder: Path) -> None:
        self.program = folder / "ngspice"

    def to(self, version: str) -> str:
        """Have it lead to that version; gives what that says."""
        target = self.program.with_name(f"ngspice-{version}")
        if not target.exists():
            target.write_bytes(f"\x7fELF {version}".encode())
        self.program.unlink(missing_ok=True)
        self.program.symlink_to(target)
        return target.name


@pytest.mark.usefixtures("_later")
def test_a_link_to_one_of_several_versions_is_known_by_what_it_leads_to(output: Path, tmp_path: Path) -> None:
    link = Switched(tmp_path)
    for version in ("39", "40"):
        assert said(output, link.program, Asked(link.to(version))) == f"ngspice-{version}"
    assert said(output, link.program, Asked("")) == "ngspice-40"


@pytest.mark.usefixtures("_later")
def test_a_program_that_another_takes_the_place_of_while_it_is_asked_is_asked_again(
    output: Path, tmp_path: Path
) -> None:
    link = Switched(tmp_path)
    link.to("39")
    notes = FileNotes(output)
    assert notes.said(str(link.program), lambda: link.to("40")) == "ngspice-40"
    notes.save()
    assert said(output, link.program, Asked(link.to("39"))) == "ngspice-39"


@pytest.mark.usefixtures("_later")
def test_a_program_that_may_only_be_started_is_asked_each_time(output: Path, tmp_path: Path) -> None:
    ask = Asked("ngspice-39")
    (tmp_path / "ngspice").mkdir()  # which root cannot read either
    assert [said(output, tmp_path / "ngspice", ask) for _ in range(2)] == ["ngspice-39"] * 2
    assert ask.times == 2
