"""Foreign data beside runs: joins, units, agreement, the diff of two runs, and what cannot be compared."""

from __future__ import annotations

import csv
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simorc.commands.compare import CompareOptions, compare
from simorc.core.errors import SimorcError, UsageError
from simorc.core.record import CaseRecord, Status
from simorc.core.table import Column, Table
from simorc.core.tolerance import Agreement, Tolerance, agreements
from simorc.core.units import conversion
from simorc.importers.arrow_table import read_csv, read_parquet
from simorc.report.compare import Comparison, Options
from simorc.report.compare import compare as compare_sides
from simorc.report.compare_join import TwiceError, join, rounded
from simorc.report.compare_side import of_table
from simorc.report.compare_table import blocks
from simorc.workspace.conclude import conclude
from simorc.workspace.layout import RunDirectory
from simorc.workspace.status_store import write_record

NAN = float("nan")


def side(name: str, conditions: str = "temp", /, **columns: Sequence[float] | Column) -> object:
    """A table whose columns are lists, or columns with units."""
    made = {
        key: held if isinstance(held, Column) else Column(np.array(held, dtype=np.float64))
        for key, held in columns.items()
    }
    return of_table(Table(name, made), conditions.split())


def compared(*sides: object, **options: object) -> Comparison:
    return compare_sides(sides, Options(**options))  # type: ignore[arg-type]


def column(values: Sequence[float], unit: str) -> Column:
    return Column(np.array(values, dtype=np.float64), unit)


def test_differences_of_zero_have_the_unit_that_the_values_are_shown_in() -> None:
    first, second = (side(name, temp=[27, 85], v=column([0.8038, 0.7], "V")) for name in "ab")
    (block,) = blocks(compared(first, second), 2)
    assert [found.unit for found in block.columns] == ["mV", "mV", "mV"]
    assert {float(cell) for cell in block.columns[2].cells} == {0.0}


small = st.lists(st.integers(0, 12), max_size=12, unique=True)


@settings(max_examples=50, deadline=None)
@given(small, small)
@pytest.mark.req("SIM-16")
def test_equal_numbers_join_and_nothing_else(first: list[int], second: list[int]) -> None:
    index = join([[np.array(each, dtype=np.float64) * 0.1] for each in (first, second)], [0.0])
    pairs = {(int(a), int(b)) for a, b in index.T if a >= 0 and b >= 0}
    assert pairs == {(first.index(v), second.index(v)) for v in set(first) & set(second)}
    assert index.shape[1] == len(set(first) | set(second))
    assert sorted(i for i in index[0] if i >= 0) == list(range(len(first)))


points = st.lists(st.integers(-10_000, 10_000).map(lambda n: n / 1000), max_size=15, unique=True)


@settings(max_examples=30, deadline=None)
@given(points, points, st.sampled_from([0.3, 1.0, 4.0]))
def test_within_a_tolerance_every_row_joins_at_most_once_and_none_beyond_it(
    first: list[float], second: list[float], tolerance: float
) -> None:
    a, b = rounded(np.array(first)), rounded(np.array(second))
    index = join([[a], [b]], [tolerance])
    paired = [(int(i), int(j)) for i, j in index.T if i >= 0 and j >= 0]
    assert all(abs(a[i] - b[j]) <= tolerance * (1 + 1e-6) for i, j in paired)
    for number, values in enumerate((a, b)):
        assert sorted(i for i in index[number] if i >= 0) == list(range(len(values)))
    taken = {i for i, _ in paired}
    for j in set(range(len(b))) - {j for _, j in paired}:  # who stands alone has no free neighbour that is its nearest
        near = [i for i in range(len(a)) if abs(a[i] - b[j]) <= tolerance * (1 - 1e-6)]
        assert not near or set(near) & taken


def test_the_nearest_has_it_and_the_others_stand_alone() -> None:
    index = join([[np.array([25.0, 85.0])], [np.array([24.0, 25.4, 84.9, 90.0])]], [1.5])
    assert index.tolist() == [[0, 1, -1, -1], [1, 2, 0, 3]]
    with pytest.raises(UsageError, match="takes in too many rows"):
        join([[np.arange(20_000.0)], [np.arange(20_000.0) + 0.5]], [1e6])


@pytest.mark.parametrize(("first", "second", "tolerance"), [(0.3, 0.4, 0.1), (0.4, 0.3, 0.1), (-0.7, -0.6, 0.1)])
def test_the_edge_of_a_tolerance_is_inside(first: float, second: float, tolerance: float) -> None:
    assert join([[np.array([first])], [np.array([second])]], [tolerance]).tolist() == [[0], [0]]
    assert join([[np.array([first])], [np.array([second])]], [tolerance * 0.99]).shape == (2, 2)


def test_nearest_keeps_the_other_conditions_apart() -> None:
    first = side("a", "vin temp", vin=[4, 5], temp=[25, 26], v=[1, 2])
    second = side("b", "vin temp", vin=[4, 5], temp=[25.9, 26.2], v=[1, 4])
    found = compared(first, second, nearest={"temp": 1.0}).differences[0]
    assert found.values.tolist() == [0.0, 2.0]
    with pytest.raises(UsageError, match="not joined on it"):
        compared(first, second, nearest={"corner": 1.0})


def test_two_rows_of_one_condition_are_told() -> None:
    with pytest.raises(TwiceError):
        join([[np.array([1.0, 2.0, 1.0])], [np.array([1.0])]], [0.0])
    with pytest.raises(UsageError, match=r"two rows of b stand for one condition, temp=25: 1 and 3"):
        compared(side("a", temp=[25], v=[1]), side("b", temp=[25, 85, 25], v=[1, 2, 3]))


def test_equal_in_twelve_digits() -> None:
    a = compared(side("a", temp=[0.3, 1e-12], v=[1, 1]), side("b", temp=[0.1 + 0.2, 1.0000000000001e-12], v=[1, 1]))
    assert a.joined == 2
    assert rounded(np.array([0.0, 4.0000000000004, 123456789012345.0])).tolist() == [0.0, 4.0, 123456789012000.0]


@pytest.mark.parametrize(
    ("unit", "wanted", "value", "expected"),
    [
        ("mV", "V", 3300.0, 3.3),
        ("µA", "uA", 5.0, 5.0),
        ("K", "degC", 300.15, 27.0),
        ("degC", "K", 27.0, 300.15),
        ("MHz", "Hz", 1.0, 1e6),
        ("ppm/K", "ppm/degC", 5.0, 5.0),
        ("mV/V", "V/V", 1.0, 1e-3),
        ("V/us", "V/s", 1.0, 1e6),
        ("%", "ppm", 1.0, 1e4),
        ("deg", "rad", 180.0, np.pi),
        ("nm", "um", 150.0, 0.15),
    ],
)
def test_units_are_converted(unit: str, wanted: str, value: float, expected: float) -> None:
    way = conversion(unit, wanted)
    assert way is not None
    assert value * way[0] + way[1] == pytest.approx(expected, rel=1e-13)


@pytest.mark.parametrize(("unit", "wanted"), [("V", "A"), ("dB", "V/V"), ("dB", "%"), ("V/A", "A/V"), ("xV", "V")])
def test_units_that_do_not_fit_are_no_number(unit: str, wanted: str) -> None:
    assert conversion(unit, wanted) is None


def test_measures_and_conditions_come_to_the_first_ones_units() -> None:
    first = side("a", temp=column([27, 85], "degC"), v=column([3.3, 3.4], "V"))
    second = side("b", temp=column([300.15, 358.15], "K"), v=column([3301, 3400], "mV"), v_uncertainty=[1, 1])
    found = compared(first, second).differences[0]
    assert found.unit == "V"
    assert found.values.tolist() == pytest.approx([0.001, 0.0])
    assert found.uncertainty == pytest.approx(1e-3)


def test_a_number_of_another_or_an_unknown_unit_is_refused() -> None:
    known = side("a", temp=[27], v=column([3.3], "V"))
    for other, hint in (
        (column([3.3], "A"), "v: V in a, A in b"),
        (Column(np.array([3.3])), "v: V in a, no unit in b"),
    ):
        with pytest.raises(UsageError, match="units differ") as caught:
            compared(known, side("b", temp=[27], v=other))
        assert caught.value.hint.startswith(hint)
        assert ("--unit v=V says" in caught.value.hint) == ("no unit" in hint)
        assert ("changed in its heading" in caught.value.hint) == ("no unit" not in hint)
    assert compared(known, side("b", temp=[27], v=[3300]), units={"v": "mV"}).differences[0].bias == 0


@pytest.mark.parametrize(
    ("text", "tolerance"), [("5m", (0, 0.005)), ("2%", (0.02, 0)), ("20% + 5n", (0.2, 5e-9)), ("1e-3", (0, 1e-3))]
)
def test_a_tolerance_is_absolute_relative_or_both(text: str, tolerance: tuple[float, float]) -> None:
    made = Tolerance.parse(text)
    assert (made.relative, made.absolute) == pytest.approx(tolerance)
    assert Tolerance.parse(str(made)) == made


@pytest.mark.parametrize("text", ["", "-1", "%", "5 V", "nan", "1+", "5m%x"])
def test_what_is_no_tolerance(text: str) -> None:
    with pytest.raises(UsageError, match="is not a tolerance"):
        Tolerance.parse(text)


def test_agreement_takes_the_error_into_account() -> None:
    apart = np.array([0.0, 2.9, 3.1, 4.1, NAN, -4.1])
    allowed, error = np.full(6, 3.0), np.full(6, 1.0)
    assert agreements(apart, allowed, error).tolist() == [
        *("agrees", "unclear", "unclear", "differs", "not judged", "differs")
    ]
    assert agreements(apart, allowed, np.full(6, NAN)).tolist()[1:4] == ["agrees", "differs", "differs"]
    assert agreements(apart, None, error).tolist()[:3] == ["agrees", "differs", "differs"]
    assert set(agreements(apart, None, np.full(6, NAN))) == {"not judged"}


def test_the_verdict_of_a_measure_is_its_worst() -> None:
    first = side("a", temp=[0, 1, 2], v=[1.0, 2.0, 4.0])
    second = side("b", temp=[0, 1, 2], v=[1.01, 2.0, 4.5])
    found = compared(first, second, agree={"v": Tolerance(0.02)}).differences[0]
    assert (found.agreement, found.counts[Agreement.DIFFERS], found.n) == (Agreement.DIFFERS, 1, 3)
    assert (found.largest, found.where) == (0.5, {"temp": 2.0})
    assert compared(first, second, agree={"*": Tolerance(0.2)}).differences[0].agreement is Agreement.AGREES
    assert compared(first, second).differences[0].agreement is Agreement.NOT_JUDGED


def test_an_input_parted_by_a_condition_spans_a_range_that_another_lies_in_or_not() -> None:
    table = Table(
        "sim",
        {
            "corner": Column(np.array(["tt", "ff", "tt", "ff"], dtype=object)),
            "vg": Column(np.array([0.0, 0.0, 1.0, 1.0])),
            "id": Column(np.array([1.0, 2.0, 10.0, 20.0])),
        },
    )
    measured = side("lot", "vg", vg=[0.0, 1.0], id=[1.5, 21.0])
    found = compared(of_table(table, ["corner", "vg"]), measured, by=("corner",), agree={"id": Tolerance(0.1)})
    assert [s.short for s in found.sides] == ["tt", "ff", "lot"]
    sibling, foreign = found.differences
    assert (sibling.agreement, sibling.between) == (Agreement.NOT_JUDGED, None)
    assert (foreign.between, foreign.agreement) == (0.5, Agreement.DIFFERS)
    with pytest.raises(UsageError, match="no input has such a condition"):
        compared(measured, measured, by=("nothing",))


def test_nan_infinite_and_absent_values_are_no_values() -> None:
    first = side("a", temp=[0, 1, 2, 3], v=[1, 1, 1, 1])
    second = side("b", temp=[0, 1, 2, NAN], v=[NAN, float("inf"), 3, 4])
    found = compared(first, second)
    assert (found.differences[0].n, found.differences[0].bias) == (1, 2.0)
    assert second.notes == (  # type: ignore[attr-defined]
        "b: 1 rows without a condition are left out",
        "b: 1 values of v are not finite: taken as absent",
    )


def test_files_that_give_nothing_to_join(tmp_path: Path) -> None:
    bare, book = written(tmp_path / "a.csv", "temp,v\n,1\n,2\n"), written(tmp_path / "b.xlsx", "")
    with pytest.raises(UsageError, match=r"no row of a\.csv has a value in all of its conditions: temp"):
        of_table(read_csv(bare), ["temp"])
    with pytest.raises(UsageError, match=r"b\.xlsx is no table") as caught:
        compare([str(book), str(bare)], CompareOptions())
    assert ".csv, .mdm, .parquet" in caught.value.hint


def test_a_column_with_a_text_among_its_numbers_is_left_out_and_told(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", "temp,vout,iq,die\n27,3.3,1,a\n85,OVLD,2,b\n125,,3,\n")
    lot = of_table(read_csv(path), ["temp"])
    assert (list(lot.measures), lot.notes) == (["iq"], ("a.csv: vout is left out: 'OVLD' in it is no number",))


def test_a_parquet_of_whole_numbers_beyond_floats_and_one_of_lists(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pd.DataFrame({"stamp": [2**60 + 1], "v": [1.5]}).to_parquet(path)
    assert read_parquet(path).columns["stamp"].values.tolist() == [float(2**60)]
    pd.DataFrame({"v": [[1.0, 2.0]]}).to_parquet(path)
    with pytest.raises(UsageError, match="not a table that can be read") as caught:
        read_parquet(path)
    assert caught.value.where == str(path)


def written(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_a_csv_with_units_remarks_scale_factors_and_gaps(tmp_path: Path) -> None:
    table = read_csv(written(tmp_path / "a.csv", "# bench 3\ncorner;load (A);vout [mV]\ntt;10u;3300\nff;1m;\n"))
    assert {name: c.unit for name, c in table.columns.items()} == {"corner": "", "load": "A", "vout": "mV"}
    assert table.columns["load"].values.tolist() == [1e-5, 1e-3]
    assert table.columns["corner"].values.tolist() == ["tt", "ff"]
    assert np.isnan(table.columns["vout"].values).tolist() == [False, True]


def test_a_measure_is_converted_with_its_offset() -> None:
    first, second = (
        side(n, "vin", vin=[1, 2], t=column(t, u))
        for n, t, u in (("a", [27, 85], "degC"), ("b", [300.15, 359.15], "K"))
    )
    assert compared(first, second).differences[0].values.tolist() == pytest.approx([0.0, 1.0])


def test_a_spice_vector_is_a_name_and_its_bracket_no_unit(tmp_path: Path) -> None:
    heading = "v(out),V(in),i(vdd),@m1[id],v(mV),I(A),temp(K),gain [dB]"
    table = read_csv(written(tmp_path / "a.csv", f"{heading}\n1,2,3,4,5,6,7,8\n"))
    assert {name: c.unit for name, c in table.columns.items()} == {
        "v(out)": "",
        "V(in)": "",
        "i(vdd)": "",
        "@m1[id]": "",
        "v": "mV",
        "I": "A",
        "temp": "K",
        "gain": "dB",
    }


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"", "no heading"),
        (b"a,b\n", "without rows"),
        (b"a,a\n1,2\n", "'a' stands there twice"),
        (b"a,[V]\n1,2\n", "not a heading"),
        (b"a,b\n1,2,3\n", "Expected 2 columns, got 3"),
        (b"\xff\xfe\x00", "cannot|can't|can be read"),
    ],
)
def test_a_csv_that_is_none(tmp_path: Path, content: bytes, what: str) -> None:
    (tmp_path / "a.csv").write_bytes(content)
    with pytest.raises(UsageError, match=what) as caught:
        read_csv(tmp_path / "a.csv")
    assert caught.value.where == str(tmp_path / "a.csv")


@pytest.fixture
def runs(ws_build: Callable[..., RunDirectory], ws_record: Callable[..., CaseRecord]) -> list[RunDirectory]:
    """Two runs of one sweep whose limit is 3.2 V to 3.4 V."""
    made = [ws_build("old"), ws_build("new")]
    for run in made:
        for case_id in range(6):
            write_record(run, ws_record(case_id, vout=3.3))
    return made


def lines_of(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return capsys.readouterr().out.splitlines()


def test_the_same_twice_is_no_regression(runs: list[RunDirectory], capsys: pytest.CaptureFixture[str]) -> None:
    assert compare([str(run.path) for run in runs], CompareOptions()) == 0
    assert "no regression, B since A: nothing changed" in lines_of(capsys)


@pytest.mark.req("SIM-16")
def test_what_fails_now_or_is_missing_is_a_regression(
    runs: list[RunDirectory],
    ws_record: Callable[..., CaseRecord],
    capsys: pytest.CaptureFixture[str],
) -> None:
    old, new = runs
    write_record(new, ws_record(0, vout=3.31))
    write_record(new, ws_record(1, Status.FAILED))
    write_record(new, ws_record(2, Status.PENDING))
    write_record(old, ws_record(3, Status.FAILED))
    assert compare([str(run.path) for run in runs], CompareOptions()) == 1
    printed = lines_of(capsys)
    told = "regression, B since A: 1 newly failing, 1 missing, 1 newly passing, 1 changed"
    assert told in printed
    with (Path(printed[-1]).parent / "regression.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["change"] for row in rows] == ["newly failing", "missing", "newly passing", "changed"]
    assert (rows[3]["before"], rows[3]["now"]) == ("3.3", "3.31")
    assert "regression" in Path(printed[-1]).read_text(encoding="utf-8")
    only_changed = [str(old.path), str(new.path)]
    for case_id in (1, 2):
        write_record(new, ws_record(case_id, vout=3.3))
    assert compare(only_changed, CompareOptions()) == 0
    assert compare(only_changed, CompareOptions(agree=["vout=5m"])) == 1
    assert compare(only_changed, CompareOptions(agree=["vout=20m"])) == 0


@pytest.mark.req("SIM-16")
def test_a_measure_without_any_value_now_is_a_regression(
    runs: list[RunDirectory], ws_record: Callable[..., CaseRecord], capsys: pytest.CaptureFixture[str]
) -> None:
    for case_id in range(6):
        write_record(runs[1], ws_record(case_id, vout=None))
    assert compare([str(run.path) for run in runs], CompareOptions()) == 1
    assert any(line.startswith("regression, B since A: 6 newly failing") for line in lines_of(capsys))


def test_a_run_beside_a_file(runs: list[RunDirectory], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    parameters = pd.read_csv(runs[0].path / "metadata.csv").drop(columns=["case_id", "status", "result_path"])
    swept = [name for name in parameters.columns if name != "error_message"]
    data = parameters[swept].assign(**{"vout [mV]": 3290.0, "vout_uncertainty [mV]": 2.0})
    path = tmp_path / "lot 7.csv"
    data.to_csv(path, index=False)
    assert compare([str(runs[0].path), str(path)], CompareOptions(agree=["vout=15m"])) == 0
    printed = lines_of(capsys)
    assert any(line.split()[:4] == ["vout", "6", "-10", "mV"] and " agrees " in line for line in printed)
    assert compare([str(runs[0].path), str(path)], CompareOptions(agree=["vout=5m"])) == 1
    parquet = tmp_path / "lot.parquet"
    data.to_parquet(parquet)
    assert compare([str(path), str(parquet)], CompareOptions(on=",".join(swept), out=tmp_path / "out")) == 0
    with pytest.raises(UsageError, match="--on nothing: no input has such a column"):
        compare([str(path), str(parquet)], CompareOptions(on="nothing", out=tmp_path / "out"))
    with pytest.raises(UsageError, match="named twice"):
        compare([str(path), str(path)], CompareOptions())


def test_a_project_names_its_baseline(
    runs: list[RunDirectory], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    setup = written(tmp_path / "sim_setup.yaml", f"compare: {{baseline: {runs[0].path}, agree: {{vout: 5m}}}}\n")
    options = CompareOptions(setup=setup)
    assert compare([str(runs[1].path)], options) == 0
    assert lines_of(capsys)[:2] == ["A: old/spice", "B: new/spice"]
    golden = f"compare: {{baseline: {runs[0].path}/results.csv, units: {{vout: V}}, nearest: {{absent: 1}}}}\n"
    conclude(runs[0])
    setup.write_text(golden)
    assert compare([str(runs[1].path)], options) == 0
    assert lines_of(capsys)[0] == "results: results.csv"
    setup.write_text("compare: {baseline: gone}\n")
    with pytest.raises(UsageError, match="baseline 'gone' is gone") as caught:
        compare([str(runs[1].path)], options)
    assert "sim_setup.yaml:1" in caught.value.where
    setup.write_text("compare: {baseline: ./x, agree: {vout: -5m}, nearest: {temp: 0}}\n")
    with pytest.raises(SimorcError) as bad:
        compare([str(runs[1].path)], options)
    assert "compare.agree.vout" in str(bad.value)
    assert "compare.nearest.temp" in str(bad.value)


@pytest.mark.parametrize(
    ("option", "what"),
    [
        ({"nearest": ["temp"]}, "expected NAME=VALUE"),
        ({"nearest": ["temp=-1"]}, "not a number above 0"),
        ({"agree": ["vout=x"]}, "not a tolerance"),
        ({"where": "temp >"}, "condition 'temp >'"),
        ({"where": "vin > 99"}, "no row of old/spice meets"),
        ({"where": "vni > 1"}, "no input has all of its parameters"),
        ({"agree": ["vuot=5m"]}, "--agree vuot: no measure of that name is compared"),
    ],
)
def test_options_that_do_not_fit(runs: list[RunDirectory], option: dict[str, object], what: str) -> None:
    with pytest.raises(UsageError, match=what):
        compare([str(run.path) for run in runs], CompareOptions(**option))  # type: ignore[arg-type]


@pytest.mark.slow
def test_a_million_rows(tmp_path: Path) -> None:
    count = 1_000_000
    frame = pd.DataFrame({"vin": np.arange(count) % 1000, "n": np.arange(count) // 1000, "v [V]": 1.0})
    for name, step in (("a", 0.0), ("b", 0.5)):
        frame.assign(**{"v [V]": 1.0 + step}).to_csv(tmp_path / f"{name}.csv", index=False)
    started = time.monotonic()
    texts = [str(tmp_path / f"{name}.csv") for name in "ab"]
    assert compare(texts, CompareOptions(on="vin,n", out=tmp_path / "out")) == 0
    assert time.monotonic() - started < 120
    summary = pd.read_csv(tmp_path / "out" / "summary.csv")
    assert (summary["n"][0], summary["bias"][0]) == (count, 0.5)
