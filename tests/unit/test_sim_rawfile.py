from __future__ import annotations

import contextlib
import math
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simorc.simulators.rawfile import RawFileError, check_raw, content_of, parse_raw


@dataclass(frozen=True)
class Written:
    """A plot to be written as ngspice writes it."""

    vectors: dict[str, list[complex]]
    title: str = "Transient Analysis"
    is_complex: bool = False
    padded: bool = True
    binary: bool = True

    @property
    def points(self) -> int:
        return max(len(values) for values in self.vectors.values())

    def bytes(self) -> bytes:
        flags = ("complex" if self.is_complex else "real") + ("" if self.padded else " unpadded")
        lines = [
            "Title: * a test",
            "Date: today",
            "Command: ngspice",
            f"Plotname: {self.title}",
            f"Flags: {flags}",
            f"No. Variables: {len(self.vectors)}",
            f"No. Points: {self.points}",
            "Variables:",
        ]
        for k, (name, values) in enumerate(self.vectors.items()):
            dims = f" dims={len(values)}" if len(values) < self.points else ""
            lines.append(f"\t{k}\t{name}\tvoltage{dims}")
        lines.append("Binary:" if self.binary else "Values:")
        head = ("\n".join(lines) + "\n").encode()
        return head + (self._binary() if self.binary else self._ascii())

    def _rows(self) -> list[list[complex]]:
        def at(values: list[complex], k: int) -> list[complex]:
            if k < len(values):
                return [values[k]]
            return [0.0] if self.padded else []

        return [[v for values in self.vectors.values() for v in at(values, k)] for k in range(self.points)]

    def _binary(self) -> bytes:
        numbers: list[float] = []
        for value in (value for row in self._rows() for value in row):
            numbers += [value.real, value.imag] if self.is_complex else [value.real]
        return np.array(numbers, dtype="<f8").tobytes()

    def _ascii(self) -> bytes:
        def text(value: complex) -> str:
            return f"{value.real!r},{value.imag!r}" if self.is_complex else repr(value.real)

        rows = [f" {k}\t" + "\n\t".join(text(v) for v in row) + "\n\n" for k, row in enumerate(self._rows())]
        return "".join(rows).encode()


NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
COMPLEX = st.builds(complex, NUMBERS, NUMBERS)
NAMES = st.lists(st.from_regex(r"[vi]\([a-z0-9_.#]{1,5}\)", fullmatch=True), unique=True, min_size=1, max_size=4)


@st.composite
def plots(draw: st.DrawFn) -> Written:
    names = draw(NAMES)
    is_complex, padded, binary = draw(st.booleans()), draw(st.booleans()), draw(st.booleans())
    points = draw(st.integers(1, 6))
    lengths = [points, *(draw(st.integers(0, points)) for _ in names[1:])]
    kind = COMPLEX if is_complex else NUMBERS
    vectors = {name: draw(st.lists(kind, min_size=n, max_size=n)) for name, n in zip(names, lengths, strict=True)}
    return Written(vectors, "AC Analysis" if is_complex else "Transient Analysis", is_complex, padded, binary)


@given(st.lists(plots(), min_size=1, max_size=3))
def test_what_is_written_is_read(written: list[Written]) -> None:
    data = b"".join(plot.bytes() for plot in written)
    check_raw(data)
    read = parse_raw(data)
    assert [plot.name for plot in read] == [plot.title for plot in written]
    for got, wanted in zip(read, written, strict=True):
        assert list(got.vectors) == list(wanted.vectors)
        assert got.scale == next(iter(wanted.vectors))
        for name, values in wanted.vectors.items():
            assert got.vectors[name].dtype == (np.complex128 if wanted.is_complex else np.float64)
            assert got.vectors[name].tolist() == values


@given(st.lists(plots(), min_size=1, max_size=2), st.data())
def test_a_binary_file_cut_anywhere_is_an_error_or_misses_whole_plots(
    written: list[Written], data: st.DataObject
) -> None:
    pieces = [replace(plot, binary=True).bytes() for plot in written]
    whole = b"".join(pieces)
    cut = whole[: data.draw(st.integers(0, len(whole) - 1))]
    if cut in (b"", pieces[0]):
        assert len(parse_raw(cut)) == len(cut) // max(1, len(pieces[0]))
        return
    for read in (check_raw, parse_raw):
        with pytest.raises(RawFileError):
            read(cut)


@given(plots(), st.data())
def test_damage_gives_the_documented_error_or_a_plot(written: Written, data: st.DataObject) -> None:
    damaged = bytearray(written.bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(damaged) - 1))
        damaged[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=4))
        if not damaged:
            return
    for read in (check_raw, parse_raw):
        with contextlib.suppress(RawFileError):
            read(bytes(damaged))


@given(st.binary(max_size=300))
def test_garbage_gives_the_documented_error(data: bytes) -> None:
    try:
        assert parse_raw(data) == []
        assert not data.strip()
    except RawFileError:
        pass


def header(**changes: str) -> bytes:
    fields = {"Plotname": "Transient Analysis", "Flags": "real", "No. Variables": "1", "No. Points": "1"} | changes
    text = "".join(f"{key}: {value}\n" for key, value in fields.items() if value)
    return f"Title: t\n{text}Variables:\n\t0\ttime\ttime\nBinary:\n".encode()


@pytest.mark.parametrize(
    "changes",
    [
        {"No. Points": "many"},
        {"No. Points": "-1"},
        {"No. Points": ""},
        {"No. Points": "1000000000000000"},
        {"No. Points": "1" * 5000},
        {"No. Variables": "2"},
        {"No. Variables": ""},
    ],
)
def test_a_header_that_cannot_be_is_an_error(changes: dict[str, str]) -> None:
    assert len(parse_raw(header() + bytes(8))) == 1
    with pytest.raises(RawFileError):
        parse_raw(header(**changes) + bytes(8))


def test_a_vector_longer_than_its_plot_is_an_error() -> None:
    data = header().replace(b"\ttime\ttime", b"\ttime\ttime dims=9")
    with pytest.raises(RawFileError, match="longer"):
        parse_raw(data + bytes(80))


def test_a_sparse_plot_that_claims_many_points_takes_no_memory() -> None:
    data = header(Flags="real unpadded", **{"No. Points": "9" * 14}).replace(b"\ttime\ttime", b"\ttime\ttime dims=1")
    with pytest.raises(RawFileError, match="as long as the plot"):
        parse_raw(data + bytes(8))


@pytest.mark.parametrize("text", ["0\t1.0\n1\tx\n", "0\t1.0\n", "0\t1.0\n2\t2.0\n", "0\t1.0\n1\t2.0\n2\t3.0\n"])
def test_ascii_values_that_do_not_fit_are_an_error(text: str) -> None:
    data = header(**{"No. Points": "2"}).replace(b"Binary", b"Values")
    assert parse_raw(data + b" 0\t1.0\n 1\t2.0\n")[0].x.tolist() == [1.0, 2.0]
    with pytest.raises(RawFileError):
        parse_raw(data + text.encode())


def test_constants_and_empty_plots_are_no_results() -> None:
    constants = header(Plotname="constants", Flags="complex") + bytes(16)
    empty = header(**{"No. Points": "0"})
    real = header(Plotname="Operating Point") + np.array([2.5]).tobytes()
    read = parse_raw(constants + empty + real)
    assert [(plot.kind, plot.x.tolist()) for plot in read] == [("op", [2.5])]
    assert parse_raw(constants) == []
    assert parse_raw(b"") == []


@pytest.mark.parametrize(
    ("title", "kind"),
    [
        ("Operating Point", "op"),
        ("DC transfer characteristic", "dc"),
        ("AC Analysis", "ac"),
        ("Transient Analysis", "tran"),
        ("Noise Spectral Density Curves", "noise"),
        ("Integrated Noise", "noise_total"),
        ("Transfer Function", "tf"),
        ("Sensitivity Analysis", "sens"),
        ("Pole-Zero Analysis", "pz"),
        ("My own plot", "my"),
        ("", "unknown"),
    ],
)
def test_the_kind_of_a_plot_comes_from_its_name(title: str, kind: str) -> None:
    assert parse_raw(header(Plotname=title or " ") + bytes(8))[0].kind == kind


def test_units_come_from_the_types_of_variables() -> None:
    types = {"time": "s", "voltage": "V", "current": "A", "frequency": "Hz", "temp-sweep": "degC", "notype": ""}
    lines = "".join(f"\t{k}\tx{k}\t{name}\n" for k, name in enumerate(types))
    data = header(**{"No. Variables": str(len(types))}).replace(b"\t0\ttime\ttime\n", lines.encode())
    assert list(parse_raw(data + bytes(8 * len(types)))[0].units.values()) == list(types.values())


def test_vectors_of_a_binary_file_are_views_that_cannot_be_changed() -> None:
    plot = parse_raw(Written({"v(a)": [1.0, 2.0], "v(b)": [3.0, 4.0]}).bytes())[0]
    vector: npt.NDArray[np.float64] = plot["a"]
    assert not vector.flags.owndata
    with pytest.raises(ValueError, match="read-only"):
        vector[0] = math.pi


def test_the_frequency_of_a_complex_plot_is_real() -> None:
    data = header(Flags="complex").replace(b"\ttime\ttime", b"\tfrequency\tfrequency grid=3")
    plot = parse_raw(data + np.array([1e3, 0.0]).tobytes())[0]
    assert (plot.x.dtype, plot.x.tolist(), plot.units["frequency"]) == (np.float64, [1000.0], "Hz")


def test_title_and_date_tell_nothing_of_a_plot() -> None:
    one = Written({"time": [0.0, 1.0], "v(out)": [1.0, 2.0]}).bytes()
    other = Written({"time": [0.0, 1.0], "v(out)": [3.0, 4.0]}).bytes()
    other = other.replace(b"* a test", b"Flags: complex").replace(b"today", b"Plotname: AC Analysis")
    (first,), (second,) = parse_raw(one), parse_raw(other)
    assert first.kind == second.kind == "tran"
    assert (first["out"].tolist(), second["out"].tolist()) == ([1.0, 2.0], [3.0, 4.0])


@given(st.lists(plots(), min_size=1, max_size=2), st.data())
def test_content_is_the_same_only_where_every_value_is(written: list[Written], data: st.DataObject) -> None:
    file = b"".join(plot.bytes() for plot in written)
    assert content_of(file) == content_of(file.replace(b"Date: today", b"Date: Mon").replace(b"* a test", b"* other"))
    position = data.draw(st.integers(0, len(file) - 1))
    damaged = file[:position] + bytes([file[position] ^ 1]) + file[position + 1 :]
    with contextlib.suppress(RawFileError):
        if content_of(damaged) == content_of(file):
            before, after = parse_raw(file), parse_raw(damaged)
            assert [plot.kind for plot in after] == [plot.kind for plot in before]
            for one, other in zip(before, after, strict=True):
                assert one.vectors.keys() == other.vectors.keys()
                for name, vector in one.vectors.items():
                    assert vector.tobytes() == other.vectors[name].tobytes()


def test_content_of_a_file_that_is_cut_is_an_error() -> None:
    with pytest.raises(RawFileError, match="truncated"):
        content_of(Written({"v(x)": [1.0, 2.0]}).bytes()[:-1])


def test_a_plot_without_vectors_is_none() -> None:
    head = b"Title: x\nPlotname: none\nFlags: real\nNo. Variables: 0\nNo. Points: 0\n"
    assert parse_raw(head + b"Binary:\n") == parse_raw(head + b"Variables:\nBinary:\n") == []
