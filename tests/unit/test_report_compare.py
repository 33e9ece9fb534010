"""Runs joined on their conditions."""

from __future__ import annotations

import csv
import io
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from msgspec import structs

from simorc.commands.compare import CompareOptions
from simorc.commands.compare import compare as compare_command
from simorc.core.aggregates import AggregateResult
from simorc.core.case import Case
from simorc.core.errors import ErrorKind, UsageError
from simorc.core.measurement import Measure, Measurement, Outcome
from simorc.core.plan import Curve, Plan
from simorc.core.record import CaseRecord, Status
from simorc.core.spec import Verdict
from simorc.core.sweep import Axis, Sweep, monte_carlo_axis
from simorc.core.tolerance import Tolerance
from simorc.core.units import Quantity, Value
from simorc.core.waveforms import Plot, Waveforms
from simorc.report.compare import Comparison, Options
from simorc.report.compare import compare as compare_sides
from simorc.report.compare_csv import joined_lines
from simorc.report.compare_curves import of_curves
from simorc.report.compare_page import Source, folder_for, render_comparison
from simorc.report.compare_plot import overlays
from simorc.report.compare_side import Side, of_run
from simorc.report.data import ReportData
from simorc.report.regression import Change, regressions
from simorc.workspace.conclude import conclude
from simorc.workspace.layout import RunDirectory
from simorc.workspace.status_store import write_record

VOUT = Measure("vout", "V")
IQ = Measure("iq", "A")
CORNER = Axis(("corner",), (("tt",), ("ff",)))
TEMP = Axis(("temp",), ((-40,), (27,), (125,)))


def made(
    run_id: str,
    value: Callable[[Case], float | None],
    *,
    axes: Sequence[Axis] = (CORNER, TEMP),
    measures: Sequence[Measure] = (VOUT,),
    target: str = "spice",
    uncertainty: float | None = None,
    status: Mapping[int, Status] | None = None,
    **defaults: Value,
) -> ReportData:
    """A run in which every measure of every case has the value that a function gives for the case."""
    sweep = Sweep(run_id, tuple(axes), {"corner": "tt", "temp": 27, **defaults})
    plan = Plan(sweep, "ldo", target, "/tb", "/s.yaml", "/setup.yaml", measures=tuple(measures))
    cases = list(sweep.cases())
    records = {case.case_id: record(case, value(case), measures, uncertainty, status or {}) for case in cases}
    pending = [i for i, r in records.items() if r.status is Status.PENDING]
    for case_id in pending:
        del records[case_id]
    return ReportData(plan, cases, records, manifest={"run_id": run_id})


def record(
    case: Case, value: float | None, measures: Sequence[Measure], bound: float | None, status: Mapping[int, Status]
) -> CaseRecord:
    outcome = Outcome.FAILED if value is None else Outcome.VALUE
    found = tuple(Measurement(m.name, value, m.unit, outcome, uncertainty=bound) for m in measures)
    kept = status.get(case.case_id, Status.COMPLETED)
    return CaseRecord(case.case_id, kept, measurements=found if kept is Status.COMPLETED else ())


def drift(case: Case) -> float:
    """A value that tells the case: 0.1 V at tt and 0.2 V at ff, and its temperature in microvolts."""
    temp = case.parameters["temp"]
    assert not isinstance(temp, str)
    return (0.1 if case.parameters["corner"] == "tt" else 0.2) + float(temp) * 1e-6


def compare(inputs: Sequence[ReportData | Side], options: Options = Options()) -> Comparison:
    """The comparison of runs, and of sides made otherwise."""
    return compare_sides([each if isinstance(each, Side) else of_run(each) for each in inputs], options)


def table(comparison: Comparison) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO("".join(joined_lines(comparison)))))


def lacking(comparison: Comparison) -> list[tuple[Mapping[str, Value], str]]:
    return [(comparison.conditions(row), comparison.reason(row)) for row in comparison.lacking_rows]


def apart(comparison: Comparison, number: int = 0) -> list[float]:
    """The differences of one measure, where there are any."""
    return [value for value in comparison.differences[number].values.tolist() if value == value]


@pytest.mark.req("DVT-12")
def test_one_table_on_the_conditions() -> None:
    run = made("a", drift)
    comparison = compare([run, made("b", lambda case: drift(case) + 0.5, target="bench", uncertainty=1e-3)])
    rows = table(comparison)
    assert list(rows[0]) == [
        *("corner", "temp", "vout [a/spice]"),
        *("vout [b/bench]", "vout_uncertainty [b/bench]", "vout_difference [b/bench]"),
    ]
    assert [(row["corner"], row["temp"]) for row in rows] == [
        (c, t) for c in ("tt", "ff") for t in ("-40", "27", "125")
    ]
    assert [float(row["vout [a/spice]"]) for row in rows] == [drift(case) for case in run.cases]
    assert all(float(row["vout_difference [b/bench]"]) == pytest.approx(0.5) for row in rows)
    assert {row["vout_uncertainty [b/bench]"] for row in rows} == {"0.001"}


@pytest.mark.req("DVT-12")
def test_bias_sigma_and_the_largest_difference_with_its_uncertainty() -> None:
    steps = [0.001, 0.002, 0.003, 0.004, -0.01, 0.005]
    other = made("b", lambda case: drift(case) + steps[case.case_id], uncertainty=2e-4)
    (difference,) = compare([made("a", drift, uncertainty=1e-4), other]).differences
    assert difference.n == 6
    assert difference.bias == pytest.approx(statistics.fmean(steps))
    assert difference.sigma == pytest.approx(statistics.stdev(steps))
    assert difference.largest == pytest.approx(-0.01)
    assert difference.where == {"corner": "ff", "temp": 27}
    assert difference.uncertainty == pytest.approx(3e-4)
    assert compare([made("a", drift), made("b", drift)]).differences[0].uncertainty is None


def test_numbers_are_equal_by_value_and_texts_by_text() -> None:
    written = (Axis(("x",), ((4,), (5e-05,), (Quantity("10u"),), ("tt",), (True,))),)
    otherwise = (Axis(("x",), (("tt",), (Quantity("10u"),), (4.0,), (Quantity("50u"),), (True,))),)
    comparison = compare([made("a", lambda c: 1.0, axes=written, x=0), made("b", lambda c: 1.0, axes=otherwise, x=0)])
    assert comparison.joined == len(comparison) == 5
    assert comparison.index[1].tolist() == [2, 3, 1, 0, 4]
    texts = made("b", lambda c: 1.0, axes=[Axis(("x",), (("4",), ("true",)))], x=0)
    with pytest.raises(UsageError, match="no condition stands in all of these inputs"):
        compare([made("a", lambda c: 1.0, axes=[Axis(("x",), ((4,), (1,)))], x=0), texts])


def test_the_order_of_the_axes_does_not_matter() -> None:
    comparison = compare([made("a", drift), made("b", drift, axes=(TEMP, CORNER))])
    assert comparison.columns == ("corner", "temp")
    assert apart(comparison) == [0.0] * 6


def test_a_default_stands_for_a_parameter_that_one_run_does_not_sweep() -> None:
    comparison = compare([made("a", drift), made("b", drift, axes=(TEMP,), corner="ff")])
    assert comparison.joined == 3
    assert [comparison.conditions(row) for row in (3, 4, 5)] == [{"corner": "ff", "temp": t} for t in (-40, 27, 125)]
    assert [(row["corner"], reason) for row, reason in lacking(comparison)] == [("tt", "not in b/spice")] * 3


@pytest.mark.req("DVT-12")
def test_conditions_without_a_counterpart_are_listed() -> None:
    short = made("b", drift, axes=(CORNER, Axis(("temp",), ((27,), (150,)))), status={0: Status.FAILED})
    comparison = compare([made("a", drift, status={5: Status.PENDING}), short])
    told = {(row["corner"], row["temp"]): reason for row, reason in lacking(comparison)}
    assert told == {
        ("tt", -40): "not in b/spice",
        ("tt", 27): "failed in b/spice",
        ("tt", 125): "not in b/spice",
        ("tt", 150): "not in a/spice",
        ("ff", -40): "not in b/spice",
        ("ff", 125): "pending in a/spice, not in b/spice",
        ("ff", 150): "not in a/spice",
    }
    assert comparison.differences[0].n == 1
    rows = {(row["corner"], row["temp"]): row for row in table(comparison)}
    assert rows["tt", "27"]["vout [b/spice]"] == ""
    assert rows["tt", "27"]["vout_difference [b/spice]"] == ""
    assert rows["tt", "150"]["vout [a/spice]"] == ""


def test_a_value_that_is_not_there_is_no_difference() -> None:
    parts = [
        made(name, lambda case, odd=odd: 1.0 if case.case_id % 2 == odd else None) for odd, name in enumerate("ab")
    ]
    (difference,) = compare(parts).differences
    assert (difference.n, difference.bias, difference.largest, difference.where) == (0, None, None, None)
    rows = table(compare(parts))
    assert [(row["vout [a/spice]"], row["vout [b/spice]"]) for row in rows[:2]] == [("1.0", ""), ("", "1.0")]
    single = [Axis(("temp",), ((27,),))]
    (difference,) = compare([made("a", drift, axes=single), made("b", lambda c: 1.0, axes=single)]).differences
    assert (difference.n, difference.sigma) == (1, None)


def test_only_measures_that_all_have() -> None:
    psrr = Measure("psrr", "dB", targets=("spice",))
    spice = made("a", drift, measures=(VOUT, psrr))
    bench = made("b", drift, measures=(VOUT, psrr, IQ), target="bench")
    comparison = compare([spice, bench])
    assert list(comparison.measures) == ["vout"]
    assert comparison.left_out == (("psrr", ("a/spice",)), ("iq", ("b/bench",)))


def test_units_have_to_agree() -> None:
    with pytest.raises(UsageError, match="units differ") as caught:
        compare([made("a", drift), made("b", drift, measures=(Measure("vout", "A"),))])
    assert caught.value.hint == "vout: V in a/spice, A in b/spice"


@pytest.mark.parametrize(
    ("runs", "what", "hint"),
    [
        (lambda: [made("a", drift)], "two inputs or more", ""),
        (
            lambda: [made("a", drift, axes=(*(CORNER, TEMP), Axis(("vin",), ((4,), (5,)))), vin=5), made("b", drift)],
            "two cases of a/spice stand for one condition, corner=tt, temp=-40: 0 and 1",
            "they differ in vin, which not every input has: --by vin parts them",
        ),
        (
            lambda: [made("a", drift), made("b", drift, axes=(CORNER, Axis(("temp",), ((25,), (85,)))))],
            "no condition stands in all of these inputs",
            "values of temp: a/spice: -40, 27, 125; b/spice: 25, 85; --nearest temp=TOLERANCE joins near ones",
        ),
        (
            lambda: [
                made(name, lambda c: 1.0, axes=[Axis((axis,), ((1,),))], **{axis: 1}) for name, axis in ("ax", "by")
            ],
            "no parameter in common",
            "they sweep: a/spice: x; b/spice: y",
        ),
        (
            lambda: [made("a", drift), made("b", drift, measures=(IQ,))],
            "no measure in common",
            "there are: vout in a/spice; iq in b/spice",
        ),
        (
            lambda: [made("a", drift), made("b", drift, status=dict.fromkeys(range(6), Status.PENDING))],
            "no case of b has completed",
            "type: simorc run b",
        ),
    ],
    ids=["one run", "duplicate", "no condition", "no parameter", "no measure", "nothing ran"],
)
def test_what_cannot_be_joined_says_why(runs: Callable[[], list[ReportData]], what: str, hint: str) -> None:
    with pytest.raises(UsageError, match=what) as caught:
        compare(runs())
    assert caught.value.hint == hint


def test_three_runs_and_two_copies_of_one() -> None:
    comparison = compare([made("a", drift), made("b", drift, target="bench"), made("a", lambda c: 1.0)])
    assert [side.label for side in comparison.sides] == ["a/spice", "b/bench", "a/spice (2)"]
    assert [side.short for side in comparison.sides] == ["A", "B", "C"]
    assert [(comparison.sides[d.side].short, d.n) for d in comparison.differences] == [("B", 6), ("C", 6)]


class Page(HTMLParser):
    """Text of the tables' cells, and what the page would load."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.cells: list[str] = []
        self.loads: list[str] = []
        self.open = False
        self.feed(text)
        self.cells = [cell.strip() for cell in self.cells]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open = tag in ("td", "th")
        if self.open:
            self.cells.append("")
        self.loads += [
            str(value) for name, value in attrs if name in ("src", "srcset") or (tag, name) == ("link", "href")
        ]

    def handle_data(self, data: str) -> None:
        if self.open:
            self.cells[-1] += data


def test_the_page_has_the_values_with_their_uncertainty_and_loads_nothing() -> None:
    odd = Axis(("corner",), (("tt",), ("<b>",)))
    bench = made("b", lambda c: 3.3 + c.case_id * 1e-4, axes=(odd,), target="bench", uncertainty=1.6e-4)
    comparison = compare([made("a", lambda c: 3.3, axes=(odd,)), bench])
    text = render_comparison(comparison, ["../../a/report/index.html", ""], datetime(2026, 1, 1, tzinfo=UTC))
    page = Page(text)
    assert page.loads == ["data:,"]
    assert "3.30010 ± 0.00016" in page.cells
    assert "<b>" in page.cells
    assert "difference [µV]" in page.cells
    assert "± 160 µV" in page.cells
    assert 'href="../../a/report/index.html"' in text


@pytest.fixture
def two(ws_build: Callable[..., RunDirectory], ws_record: Callable[..., CaseRecord]) -> list[RunDirectory]:
    """Two runs of one sweep; the second is 10 mV higher and its last case failed."""
    runs = [ws_build("pvt_1"), ws_build("pvt_2")]
    for run, vout in zip(runs, (3.3, 3.31), strict=True):
        for case_id in range(5):
            write_record(run, ws_record(case_id, vout=vout))
    write_record(runs[0], ws_record(5))
    write_record(runs[1], ws_record(5, Status.FAILED, error_kind=ErrorKind.TIMEOUT))
    return runs


@pytest.mark.req("DVT-12")
def test_the_command_prints_the_table_and_last_the_page(
    two: list[RunDirectory], capsys: pytest.CaptureFixture[str]
) -> None:
    assert compare_command([str(run.path) for run in two], CompareOptions()) == 1
    lines = capsys.readouterr().out.splitlines()
    page = Path(lines[-1])
    assert page == two[0].path.parent / "compare" / "pvt_1_vs_pvt_2" / "index.html"
    assert lines[:2] == ["A: pvt_1/spice", "B: pvt_2/spice"]
    assert next(line.split() for line in lines if line.startswith(" tt ")) == [
        "tt",
        "4.5",
        "10u",
        "3.300",
        "3.310",
        "10.00",
    ]
    assert any(line.split()[:5] == ["vout", "5", "10", "mV", "0"] for line in lines)
    assert "corner=ff, hot, vin=5.5e-05, iload=1meg: failed in pvt_2/spice" in lines
    rows = list(csv.DictReader(io.StringIO((page.parent / "comparison.csv").read_text())))
    assert len(rows) == 6
    assert rows[0]["vout [pvt_2/spice]"] == "3.31"
    (summary,) = csv.DictReader(io.StringIO((page.parent / "summary.csv").read_text()))
    assert (summary["measure"], summary["run"], summary["n"]) == ("vout", "pvt_2/spice", "5")
    assert float(summary["max_difference"]) == pytest.approx(0.01)


def test_out_says_where(two: list[RunDirectory], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "x" / "y").mkdir(parents=True)
    for name in ("overlay_mine.png", "overlay07.svg"):
        (tmp_path / "x" / "y" / name).touch()
    compare_command([str(run.path) for run in two], CompareOptions(out=tmp_path / "x" / "y"))
    assert capsys.readouterr().out.splitlines()[-1] == str(tmp_path / "x" / "y" / "index.html")
    names = {path.name for path in (tmp_path / "x" / "y").iterdir()}
    assert names >= {"comparison.csv", "index.html", "overlay01.png", "overlay01.svg", "regression.csv", "summary.csv"}
    assert ("overlay_mine.png" in names, "overlay07.svg" in names) == (True, False)  # of an earlier one


def test_a_run_is_not_compared_with_itself(two: list[RunDirectory]) -> None:
    with pytest.raises(UsageError, match="is named twice"):
        compare_command([str(two[0].path), str(two[0].path) + "/"], CompareOptions())


def test_nothing_of_the_runs_changes(two: list[RunDirectory]) -> None:
    conclude(two[0])
    before = {path: path.read_bytes() for path in two[0].path.rglob("*") if path.is_file()}
    compare_command([str(run.path) for run in two], CompareOptions())
    assert {path: path.read_bytes() for path in two[0].path.rglob("*") if path.is_file()} == before


def test_the_folder_of_many_long_names_is_one_that_a_file_system_takes(tmp_path: Path) -> None:
    sources = [Source(letter * 150) for letter in "ab"]
    assert len(folder_for(tmp_path, sources).name) < 255
    assert folder_for(tmp_path, sources) != folder_for(tmp_path, sources[::-1])


def limited(run_id: str, values: Sequence[float | None], limit: float | None = None) -> ReportData:
    """A run with an aggregate a value; one above the limit is out of spec."""
    group = [{"corner": corner} for corner in ("tt", "ff", "ss")]
    found = [
        AggregateResult(
            *("drift", "vout", "temp", at, value, "V", Outcome.MISSING if value is None else Outcome.VALUE),
            *(Verdict.FAIL if value is not None and limit is not None and value > limit else Verdict.PASS, None, limit),
            *(None, 3, 0),
        )
        for at, value in zip(group, values, strict=False)
    ]
    return replace(made(run_id, drift), aggregates=found)


def test_an_aggregate_that_fails_now_is_a_regression() -> None:
    old, new = limited("a", [1.0, 1.0, 3.0], 2.0), limited("b", [1.0, 2.5, 1.5], 2.0)
    (diff,) = regressions(comparison := compare([old, new]))
    told = [(line.kind, line.name, line.conditions["corner"], line.before, line.now) for line in diff.lines(comparison)]
    assert told == [
        (Change.NEWLY_FAILING, "drift", "ff", 1.0, 2.5),
        (Change.NEWLY_PASSING, "drift", "ss", 3.0, 1.5),
    ]
    assert diff.is_regression
    (diff,) = regressions(compare([old, limited("b", [1.0, None])]))
    assert diff.counts[Change.MISSING] == 2
    near = Options(agree={"drift": Tolerance(absolute=0.1)})
    for value, kinds in ((1.05, []), (1.5, [Change.BEYOND])):
        (diff,) = regressions(compare([limited("a", [1.0]), limited("b", [value])], near))
        assert [line.kind for line in diff.aggregates] == kinds
    (diff,) = regressions(compare([limited("a", [1.0]), limited("b", [1.5])]))
    assert (diff.is_regression, [line.kind for line in diff.aggregates]) == (False, [Change.CHANGED])
    (diff,) = regressions(compare([old, new], Options(where="temp > 0")))
    assert not diff.aggregates


def test_a_measure_that_is_gone_is_newly_failing() -> None:
    comparison = compare([made("a", drift, measures=(VOUT, IQ)), made("b", drift)])
    (diff,) = regressions(comparison)
    assert {name: set(found) for name, found in diff.changes.items()} == {"vout": {"same"}, "iq": {"newly failing"}}
    assert not comparison.left_out
    (added,) = regressions(compare([made("a", drift), made("b", drift, measures=(VOUT, IQ))]))
    assert not added.is_regression


def test_samples_that_need_not_run_are_not_missing() -> None:
    """One run drew four samples, one stopped after two: neither the samples nor aggregates over them became worse."""
    axes = [monte_carlo_axis(4, 1)]
    old = made("a", lambda case: 1.0, axes=axes)
    new = made("b", lambda case: 1.0, axes=axes, status={2: Status.PENDING, 3: Status.PENDING})
    old, new = (
        replace(run, aggregates=limited("x", values).aggregates) for run, values in ((old, [1.0]), (new, [None]))
    )
    early = replace(new, manifest={"run_id": "b", "stopped_early": {"samples": 2, "spared": 2}})
    (diff,) = regressions(comparison := compare([old, early]))
    assert not any(diff.counts.values())
    assert [reason for _, reason in lacking(comparison)] == ["spared in b/spice"] * 2
    (diff,) = regressions(compare([old, new]))
    assert diff.counts[Change.MISSING] == 3
    (diff,) = regressions(compare([early, old]))
    assert (diff.is_regression, diff.counts[Change.ADDED]) == (False, 2)


def test_an_overlay_takes_numbers_however_they_are_written() -> None:
    def run(name: str, four: Value, *temperatures: int) -> ReportData:
        axes = (Axis(("temp",), tuple((t,) for t in temperatures)), Axis(("vin",), ((four,), (5,), (6,))))
        return made(name, lambda case: 1.0, axes=axes, vin=4)

    sides = [run("a", Quantity("4000m"), 27), run("b", Quantity("0.004k"), 27, 85), run("c", 4.0, 27, 85)]
    (drawn,), more = overlays(compare(sides))
    assert (drawn.title, more) == ("vout over vin", 0)
    assert {tuple(mark.x) for mark in drawn.chart.panels[0].marks} == {(4.0, 5.0, 6.0), ()}


def test_the_page_shows_a_diff_and_overlays() -> None:
    comparison = compare([made("a", drift), made("b", lambda case: drift(case) * 1.5)])
    drawn, more = overlays(comparison)
    found = regressions(comparison)
    text = render_comparison(comparison, ["", ""], datetime(2026, 1, 1, tzinfo=UTC), found, drawn, more)
    assert Page(text).loads == ["data:,"]
    assert text.count(">changed</span>") == 6
    assert "no regression</span> 6 changed" in text
    assert [overlay.title for overlay in drawn] == ["vout over temp at corner=tt", "vout over temp at corner=ff"]
    assert set(drawn[0].files) == {"overlay01.png", "overlay01.svg"}


def waves(case_id: int) -> Waveforms:
    vg = np.array([0.0, 0.9, 1.8])
    held = {"v(g)": vg, "v(d)": np.full(3, 1.8), "i(vid)": vg * (case_id + 1), "v(short)": vg[:2]}
    return Waveforms([Plot("DC", "dc", held, {"v(g)": "V", "v(d)": "V", "i(vid)": "A"}, "v(g)")])


def with_curves(*curves: Curve) -> ReportData:
    data = made("a", drift, status={5: Status.FAILED})
    return replace(data, plan=structs.replace(data.plan, curves=curves), waveforms=waves)


def test_curves_are_rows_of_points_with_the_units_of_the_vectors() -> None:
    side = of_curves(with_curves(Curve("id", "i(vid)", {"vg": "v(g)", "vd": "v(d)"}, "dc")))
    assert (len(side), side.swept) == (15, ("corner", "temp", "vg", "vd"))
    assert side.measures["id"].unit == "A"
    assert side.measures["id"].values[3:6].tolist() == [0.0, 1.8, 3.6]
    assert (side.conditions["vg"].unit, side.conditions["corner"].values[3]) == ("V", "tt")


@pytest.mark.parametrize(
    ("curves", "what"),
    [
        ([], "a has no curves"),
        ([Curve("x", "i(vid)", {"vg": "v(g)"}), Curve("y", "i(vid)", {"vd": "v(d)"})], "not over the same axes"),
        ([Curve("x", "v(short)", {"vg": "v(g)"})], "of different length"),
        ([Curve("x", "i(nothing)", {"vg": "v(g)"})], "no vector 'i\\(nothing\\)'"),
        ([Curve("x", "i(vid)", {"vg": "v(g)"}, "ac")], "no ac plot"),
    ],
)
def test_curves_that_cannot_be_compared(curves: list[Curve], what: str) -> None:
    with pytest.raises(UsageError, match=what):
        of_curves(with_curves(*curves))


def test_two_inputs_are_not_parted_by_one_parameter() -> None:
    """Else ff of one would be judged against tt of the other."""
    with pytest.raises(UsageError, match="--by corner: a/spice and b/spice have it") as caught:
        compare([made("a", drift), made("b", drift)], Options(by=("corner",)))
    assert caught.value.hint == "without --by they are joined on it"


def test_what_was_out_of_spec_and_has_no_value_now_has_changed() -> None:
    before = replace_out(of_run(made("a", drift)), {0, 1})
    now = replace_out(of_run(made("b", lambda case: drift(case) if case.case_id else None)), {1})
    (diff,) = regressions(compare([before, now]))
    assert {str(kind): count for kind, count in diff.counts.items() if count} == {"changed": 1}
    assert not diff.is_regression  # case 1 failed its limits before and fails them now


def replace_out(side: Side, rows: set[int]) -> Side:
    """The side with values of some rows out of their limits."""
    out = np.array([row in rows for row in range(len(side))])
    return replace(side, measures={name: replace(m, out=out) for name, m in side.measures.items()})


def test_an_aggregate_in_another_unit_is_the_same_aggregate() -> None:
    old, new = limited("a", [1.0]), limited("b", [1000.0])
    milli = replace(new, aggregates=[structs.replace(result, unit="mV") for result in new.aggregates])
    (diff,) = regressions(compare([old, milli]))
    assert not diff.aggregates
    amps = replace(new, aggregates=[structs.replace(result, unit="A") for result in new.aggregates])
    (diff,) = regressions(compare([old, amps]))
    assert [line.kind for line in diff.aggregates] == [Change.MISSING]


def test_the_diff_of_two_sweeps_says_so() -> None:
    old, new = made("coarse", drift), made("fine", drift)
    (diff,) = regressions(comparison := compare([old, new]))
    assert diff.note.startswith("A is of sweep coarse, testbench ldo, B is of sweep fine, testbench ldo: conditions")
    assert diff.note in render_comparison(comparison, ["", ""], datetime(2026, 1, 1, tzinfo=UTC), [diff])
    (diff,) = regressions(compare([old, replace(new, plan=structs.replace(new.plan, sweep=old.plan.sweep))]))
    assert diff.note == ""


def test_of_a_complex_curve_the_magnitude_is_compared() -> None:
    found = {"frequency": np.array([1e3, 1e4]), "v(out)": np.array([3 + 4j, 0.6 - 0.8j])}
    plot = Plot("AC", "ac", found, {"frequency": "Hz", "v(out)": "V"}, "frequency")
    data = with_curves(Curve("out", "v(out)", {"f": "frequency"}))
    side = of_curves(replace(data, waveforms=lambda case_id: Waveforms([plot])))
    assert side.measures["out"].values[:2].tolist() == [5.0, 1.0]
    assert side.conditions["f"].values[:2].tolist() == [1e3, 1e4]
