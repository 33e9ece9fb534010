"""Tables of the fixed run against values computed by hand from its records."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from simorc.core.case import Case
from simorc.core.measurement import Measure, Measurement, Outcome, judge
from simorc.core.record import CaseRecord, Status
from simorc.core.spec import Spec, Verdict
from simorc.core.sweep import Axis, Sweep
from simorc.core.verdict import RunVerdict
from simorc.report.data import ReportData, verdict
from simorc.report.export import exports
from simorc.report.spec_table import spec_rows, worst_rows
from simorc.report.table import aggregates_frame, failures, failures_frame, results_frame, spec_frame, worst_frame

Make = Callable[..., ReportData]
pytestmark = pytest.mark.req("SIM-16")


def cells(frame: pd.DataFrame, column: str) -> list[object]:
    """A column as Python values, NaN as None."""
    return [None if isinstance(v, float) and math.isnan(v) else v for v in frame[column].tolist()]


def test_results_have_a_row_for_every_case_and_nan_where_nothing_was_measured(report_data: Make) -> None:
    frame = results_frame(report_data())
    assert list(frame.columns) == ["case_id", "status", "verdict", "corner", "temp", "vout", "iq", "gain", "noise"]
    assert cells(frame, "case_id") == [0, 1, 2, 3, 4, 5]
    assert cells(frame, "status") == ["completed"] * 4 + ["failed", "completed"]
    assert cells(frame, "verdict") == ["pass", "fail", "pass", "fail", "none", "pass"]
    assert cells(frame, "temp") == [125, -40, 27, 125, -40, 27]
    assert cells(frame, "vout") == [3.28, 3.31, 3.3, None, None, 3.315]
    assert cells(frame, "noise") == [None] * 6
    assert frame["temp"].dtype == "int64"
    assert frame["vout"].dtype == "float64"


def test_spec_table(report_data: Make) -> None:
    """vout by corner: tt 3.28, 3.30, 3.31 in 3.25..3.35; ff only 3.315 in 3.25..3.32. iq: 80..110 uA, limit 100 uA."""
    frame = spec_frame(report_data()).set_index(["measure", "corners"])
    tt, ff, iq, gain = (frame.loc[key] for key in [("vout", "tt"), ("vout", "ff"), ("iq", ""), ("gain", "")])
    assert (tt["min"], tt["median"], tt["max"]) == (3.28, 3.3, 3.31)
    assert (tt["limit_min"], tt["limit_typ"], tt["limit_max"]) == (3.25, 3.3, 3.35)
    assert tt["margin"] == pytest.approx(0.03)
    assert (tt["worst_case"], tt["verdict"], tt["n"], tt["n_failed"], tt["n_missing"]) == (0, "pass", 3, 0, 0)
    assert (ff["min"], ff["max"], ff["limit_max"]) == (3.315, 3.315, 3.32)
    assert ff["margin"] == pytest.approx(0.005)
    assert (ff["verdict"], ff["n"], ff["n_failed"], ff["n_missing"]) == ("fail", 1, 1, 1)
    assert (iq["median"], iq["max"], iq["worst_case"]) == (90e-6, 110e-6, 1)
    assert iq["margin"] == pytest.approx(-10e-6)
    assert (iq["verdict"], iq["n"], iq["n_out_of_spec"], iq["n_missing"]) == ("fail", 5, 1, 1)
    assert (gain["verdict"], gain["min"], gain["median"], gain["max"]) == ("none", 60.0, 62.0, 64.0)
    assert pd.isna(gain["worst_case"])
    assert pd.isna(gain["margin"])


def test_measures_of_another_target_are_not_in_the_spec_table(report_data: Make) -> None:
    assert "noise" not in {row.measure for row in spec_rows(report_data())}


def test_an_optional_measure_that_is_absent_judges_nothing_and_is_not_missing(report_data: Make) -> None:
    measures = (Measure("psrr", "dB", Spec(min=40), optional=True), Measure("vout", "V", Spec(max=4)))

    def records(case: Case, values: dict[int, float]) -> CaseRecord:
        value = values.get(case.case_id)
        outcome = Outcome.NOT_MEASURED if value is None else Outcome.VALUE
        made = (judge(measures[0], case, value, outcome), judge(measures[1], case, 3.3, Outcome.VALUE))
        return CaseRecord(case.case_id, Status.COMPLETED, measurements=made)

    data = report_data(records=lambda case: records(case, {0: 60.0}), measures=measures, aggregates=())
    frame = spec_frame(data).set_index("measure")
    assert verdict(data) is RunVerdict.PASS
    assert cells(frame, "verdict") == ["pass", "pass"]
    assert cells(frame, "n_not_measured") == [5, 0]
    assert cells(frame, "n_missing") == [0, 0]
    never = report_data(records=lambda case: records(case, {}), measures=measures, aggregates=())
    assert [(row.verdict, row.n, row.n_missing) for row in spec_rows(never)] == [
        (None, 0, 0),
        (RunVerdict.PASS, 6, 0),
    ]


def test_worst_corners_name_one_case_a_measure_the_tightest_first(report_data: Make) -> None:
    frame = worst_frame(report_data())
    assert cells(frame, "measure") == ["iq", "vout"]
    assert cells(frame, "case_id") == [1, 5]
    assert cells(frame, "corner") == ["tt", "ff"]
    assert cells(frame, "rerun") == [f"simorc run pvt_ldo_20260101120000 --case {number}" for number in (1, 5)]
    relative = [worst.relative for _, worst in worst_rows(spec_rows(report_data()))]
    assert relative == pytest.approx([-0.1, 0.005 / 0.035])


def test_aggregates_are_missing_where_a_point_is_missing(report_data: Make) -> None:
    """Spread of vout over temp: tt 30 mV against at most 15 mV; ff lacks two points. iq_max lacks case 4."""
    frame = aggregates_frame(report_data().aggregates)
    assert cells(frame, "name") == ["vout_spread", "vout_spread", "iq_max"]
    assert cells(frame, "corner") == ["tt", "ff", ""]
    values = cells(frame, "value")
    assert values[0] == pytest.approx(0.03)
    assert values[1:] == [None, None]
    assert cells(frame, "verdict") == ["fail", "fail", "none"]
    assert cells(frame, "n_missing") == [0, 2, 1]


def test_failures_carry_kind_log_line_and_log(report_data: Make) -> None:
    frame = failures_frame(report_data())
    assert cells(frame, "case_id") == [4, 3]
    assert cells(frame, "error_kind") == ["no_convergence", "not evaluated"]
    assert cells(frame, "measure") == ["", "vout"]
    assert cells(frame, "message") == ["doAnalyses: iteration limit reached", "meas dc vout find v(out) at=3 failed!"]
    assert cells(frame, "log") == ["results/4/ngspice.log", ""]


def test_what_a_failed_case_left_judges_nothing(report_data: Make) -> None:
    out = Measurement("iq", 1.0, "A", verdict=Verdict.FAIL, max=100e-6, margin=-1.0)
    data = report_data(records=lambda case: CaseRecord(case.case_id, Status.FAILED, measurements=(out,)))
    iq = next(row for row in spec_rows(data) if row.measure == "iq")
    assert (iq.n, iq.n_missing, iq.worst) == (0, 6, None)
    assert cells(results_frame(data), "iq") == [1.0] * 6


def test_a_measure_that_a_hook_added_is_a_measure_like_any_other(report_data: Make) -> None:
    added = Measurement("extra", 2.0, "V", verdict=Verdict.FAIL, max=1.0, margin=-1.0)
    data = report_data(records=lambda case: CaseRecord(case.case_id, Status.COMPLETED, measurements=(added,)))
    assert cells(results_frame(data), "extra") == [2.0] * 6
    assert [row.verdict for row in spec_rows(data) if row.measure == "extra"] == [RunVerdict.FAIL]


@pytest.mark.parametrize(
    ("records", "expected"),
    [
        (lambda case: None, RunVerdict.INCOMPLETE),
        (lambda case: CaseRecord(case.case_id, Status.IN_PROGRESS), RunVerdict.INCOMPLETE),
        (lambda case: CaseRecord(case.case_id, Status.FAILED), RunVerdict.FAIL),
        (lambda case: CaseRecord(case.case_id, Status.COMPLETED), RunVerdict.DONE),
    ],
    ids=["pending", "in progress", "failed", "nothing judged"],
)
def test_verdict_of_runs_without_values(
    report_data: Make, records: Callable[[Case], CaseRecord | None], expected: RunVerdict
) -> None:
    assert verdict(report_data(records=records, aggregates=())) is expected


def test_verdict_of_runs_with_values(report_data: Make, completed: Callable[..., object]) -> None:
    data = report_data()
    measures = data.plan.measures[:2]
    good = completed(lambda case: {"vout": 3.3, "iq": 1e-6}, measures)
    bad = completed(lambda case: {"vout": 3.3, "iq": 1.0}, measures)
    assert verdict(data) is RunVerdict.FAIL
    assert verdict(report_data(records=good, measures=measures)) is RunVerdict.PASS
    assert verdict(report_data(records=bad, measures=measures)) is RunVerdict.FAIL
    half = report_data(records=lambda case: good(case) if case.case_id < 3 else None, measures=measures)  # type: ignore[operator]
    assert verdict(half) is RunVerdict.INCOMPLETE
    half_bad = report_data(records=lambda case: bad(case) if case.case_id < 3 else None, measures=measures)  # type: ignore[operator]
    assert verdict(half_bad) is RunVerdict.FAIL


def test_an_aggregate_out_of_spec_fails_a_run_whose_cases_pass(
    report_data: Make, completed: Callable[..., object]
) -> None:
    measures = report_data().plan.measures[:2]
    spread = completed(lambda case: {"vout": 3.3 + case.case_id * 0.01, "iq": 1e-6}, measures)
    data = report_data(sweep=Sweep("s", (Axis(("temp",), ((1,), (2,))),), {}), records=spread, measures=measures)
    assert data.tally.out_of_spec == 0
    assert verdict(data) is RunVerdict.PASS
    wide = completed(lambda case: {"vout": 3.26 + case.case_id * 0.08, "iq": 1e-6}, measures)
    assert verdict(report_data(sweep=data.plan.sweep, records=wide, measures=measures)) is RunVerdict.FAIL


def test_a_run_without_any_case(report_data: Make) -> None:
    data = report_data(sweep=Sweep("none", (Axis(("temp",), ((1,),)),), {}, where=("temp > 5",)))
    assert verdict(data) is RunVerdict.INCOMPLETE
    assert len(results_frame(data)) == 0
    assert cells(spec_frame(data), "n") == [0, 0, 0]
    assert failures(data) == []


def test_columns_of_mixed_values_become_text(report_data: Make) -> None:
    sweep = Sweep("mixed", (Axis(("mode",), ((1,), ("auto",))), Axis(("on",), ((True,), (False,)))), {})
    frame = results_frame(report_data(sweep=sweep, aggregates=(), records=lambda case: None))
    assert cells(frame, "mode") == ["1", "1", "auto", "auto"]
    assert cells(frame, "on") == [True, False, True, False]


def test_markdown_tables_are_as_they_were(report_data: Make) -> None:
    """Every number in the file was checked by hand against the records in conftest.py."""
    expected = (Path(__file__).parent / "report.md").read_text(encoding="utf-8")
    assert exports(report_data(), ["md"])["report.md"].decode() == expected


def test_csv_tables_round_trip(report_data: Make, tmp_path: Path) -> None:
    files = exports(report_data(), ["csv", "md"])
    assert set(files) == {
        "worst.csv",
        "failing.csv",
        "specs.csv",
        "statistics.csv",
        "aggregates.csv",
        "sensitivity.csv",
        "failures.csv",
        "results.csv",
        "report.md",
        "datasheet.md",
    }
    (tmp_path / "results.csv").write_bytes(files["results.csv"])
    read = pd.read_csv(tmp_path / "results.csv")
    assert cells(read, "vout") == [3.28, 3.31, 3.3, None, None, 3.315]
    assert list(read["case_id"]) == [0, 1, 2, 3, 4, 5]
