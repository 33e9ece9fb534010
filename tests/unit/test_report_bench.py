"""The report of a bench run: uncertainties, marginal values, instruments, parts, the course of bench time."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from msgspec.structs import replace

from simorc.core.bench import BenchLimits, BenchSettings, InstrumentSettings, SimulatedLab
from simorc.core.case import Case
from simorc.core.measurement import Measure, Outcome, judge
from simorc.core.plan import Plan, PlotSpec
from simorc.core.record import CaseRecord, Status
from simorc.core.spec import Spec
from simorc.core.sweep import Axis, Sweep
from simorc.report.bench_view import facts, instruments, overdue, parts
from simorc.report.case_table import case_rows, chosen_rows, marginal_cases
from simorc.report.data import ReportData
from simorc.report.export import as_markdown
from simorc.report.html import render_page
from simorc.report.notes import notes
from simorc.report.plots import pictures
from simorc.report.spec_table import spec_rows
from simorc.report.table import results_frame, spec_frame
from simorc.report.timeline import Doing, lanes, said
from simorc.report.timeline_chart import timeline_chart

MEASURES = (Measure("vout", "V", Spec(3.25, 3.3, 3.35)), Measure("iq", "A"))
BENCH = BenchSettings(
    "virtual",
    (InstrumentSettings("dmm", "keysight_34461a", calibrated="2025-01-01", calibration_due="2026-01-01"),),
    transport="memory",
    limits=BenchLimits(voltage=7, chamber_max=130),
    simulated=SimulatedLab(ambient=23.0),
)
MANIFEST: dict[str, Any] = {"run_id": "b", "created": "2026-01-01T12:00:00.000Z"}


def made(
    *values: tuple[float | None, float | None],
    measures: Sequence[Measure] = MEASURES,
    bench: BenchSettings | None = BENCH,
    manifest: Mapping[str, Any] = MANIFEST,
    events: Sequence[Mapping[str, Any]] = (),
    plots: Sequence[PlotSpec] = (),
    finished: str = "",
) -> ReportData:
    """A run over temperatures in which case k measured `values[k]`: vout and its uncertainty."""
    sweep = Sweep("pvt", (Axis(("temp",), tuple((10 * k,) for k in range(len(values)))),), {"temp": 27})
    plan = Plan(sweep, "ldo", "bench" if bench else "spice", "/tb", "/s", "/p", measures=tuple(measures), bench=bench)
    cases = list(sweep.cases())
    records = {case.case_id: record(case, *values[case.case_id], measures, finished) for case in cases}
    return ReportData(replace(plan, plot_specs=tuple(plots)), cases, records, manifest=manifest, events=events)


def record(
    case: Case, value: float | None, bound: float | None, measures: Sequence[Measure], finished: str
) -> CaseRecord:
    outcome = Outcome.VALUE if value is not None else Outcome.FAILED
    found = (judge(measures[0], case, value, outcome, uncertainty=bound), judge(measures[1], case, 1e-5, Outcome.VALUE))
    return CaseRecord(case.case_id, Status.COMPLETED, finished=finished, worker="gw0:7", measurements=found)


def page(data: ReportData) -> str:
    return render_page(data, pictures(data), datetime(2026, 1, 2, tzinfo=UTC))


def text_of(html: str) -> str:
    body = html[html.index("<body") :]
    return " ".join(re.sub(r"<[^>]*>", " ", body).split())


# Uncertainty and marginal values


@pytest.mark.req("DVT-12")
def test_a_value_stands_with_its_uncertainty_to_the_second_digit() -> None:
    data = made((3.300123, 1.62e-4), (3.31, None))
    rows = case_rows(data, data.cases)
    assert [row.cells[0].text for row in rows] == ["3.30012 ± 0.00016", "3.310"]
    assert [row.cells[1].text for row in rows] == ["10.00", "10.00"]
    assert spec_rows(data)[0].uncertainty == 1.62e-4
    assert spec_rows(data)[1].uncertainty is None
    assert "± 160 µV" in text_of(page(data))


@pytest.mark.parametrize(
    ("value", "bound", "word"),
    [
        (3.3, 1e-3, "in spec"),
        (3.2505, 1e-3, "marginal"),
        (3.3495, 1e-3, "marginal"),
        (3.2505, 5e-4, "in spec"),
        (3.2505, None, "in spec"),
        (3.2495, 1e-3, "out of spec"),
    ],
)
def test_inside_a_limit_but_not_by_its_uncertainty_is_a_word_of_its_own(
    value: float, bound: float | None, word: str
) -> None:
    data = made((value, bound), (3.3, 1e-6))
    assert list(data.states.values()) == [word, "in spec"]
    marginal = word == "marginal"
    assert spec_rows(data)[0].n_marginal == marginal
    assert [case.case_id for case in marginal_cases(data)] == ([0] if marginal else [])
    text = text_of(page(data))
    assert ("1 case inside every limit, but not by the uncertainty (vout)." in text) is marginal
    assert ("The sign ≈ before a value: inside its limits, but not by its uncertainty." in text) is marginal
    assert ('class="badge marginal">marginal' in page(data)) is marginal


def test_a_marginal_run_still_says_that_it_passed() -> None:
    text = text_of(page(made((3.2505, 1e-3))))
    assert (
        "PASS All 1 case completed, every limit is met. 1 case inside every limit, but not by the uncertainty" in text
    )


def test_marginal_cases_are_among_those_shown_of_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("simorc.report.case_table.MOST_ROWS", 2)
    data = made((3.3, 1e-6), (3.3, 1e-6), (3.3, 1e-6), (3.2505, 1e-3))
    assert [case.case_id for case in chosen_rows(data)] == [0, 3]


def test_a_guard_band_is_told() -> None:
    guarded = (Measure("vout", "V", Spec(3.25, 3.3, 3.35, guard_band=1.0)), MEASURES[1])
    double = (Measure("vout", "V", Spec(3.25, 3.3, 3.35, guard_band=2.0)), MEASURES[1])
    assert "guard band: limits tightened by the uncertainty" in text_of(page(made((3.3, 1e-3), measures=guarded)))
    assert "guard band: limits tightened by 2 × the uncertainty" in text_of(page(made((3.3, 1e-3), measures=double)))
    assert "guard band" not in page(made((3.3, 1e-3)))


def test_tables_have_uncertainties_where_there_are_any() -> None:
    frame = results_frame(made((3.3, 1e-3), (3.31, None)))
    assert list(frame.columns) == ["case_id", "status", "verdict", "temp", "vout", "iq", "vout_uncertainty"]
    assert frame["vout_uncertainty"].tolist()[0] == 1e-3
    assert "vout_uncertainty" not in results_frame(made((3.3, None))).columns
    assert spec_frame(made((3.2505, 1e-3)))[["uncertainty", "n_marginal"]].values.tolist()[0] == [1e-3, 1]
    assert "uncertainty" not in spec_frame(made((3.3, None))).columns
    assert b"vout_uncertainty" in as_markdown(made((3.3, 1e-3)))["report.md"]


# Instruments and parts

DMM = {
    "name": "dmm",
    "driver": "keysight_34461a",
    "resource": "TCPIP::<host>::INSTR",
    "idn": "Keysight Technologies,34461A,MY1,A.1",
    "serial": "MY1",
    "firmware": "A.1",
    "calibrated": "2025-01-01",
    "calibration_due": "2026-01-01",
}
PART = {
    "name": "tt",
    "model": "ldo",
    "set": "lp2950_50",
    "title": "LP2950-5.0",
    "serial": "SN3",
    "sources": {"vnom": "data sheet, typical", "cth": "assumed"},
    "assumed": ["cth"],
}


@pytest.mark.req("DVT-10")
def test_the_instruments_and_the_assumed_numbers_stand_on_the_page() -> None:
    html = page(made((3.3, 1e-3), manifest={**MANIFEST, "instruments": [DMM], "parts": [PART]}))
    text = text_of(html)
    for told in (DMM["idn"], "MY1", "A.1", "2025-01-01", "SN3", "lp2950_50", "LP2950-5.0", "data sheet, typical"):
        assert told in text
    assert "TCPIP::&lt;host&gt;::INSTR" in html
    assert 'id="bench"' in html
    assert "{'name'" not in html, "nothing is dumped as it is"


@pytest.mark.parametrize(
    ("finished", "late"),
    [("2025-12-31T23:00:00.000Z", False), ("2026-01-01T01:00:00.000Z", False), ("2026-01-02T01:00:00.000Z", True)],
)
def test_a_calibration_that_had_run_out_is_a_warning(finished: str, late: bool) -> None:
    data = made((3.3, 1e-3), manifest={**MANIFEST, "instruments": [DMM]}, finished=finished)
    assert instruments(data)[0].overdue is late
    assert overdue(data) == (["The calibration of dmm was due on 2026-01-01, before this run."] if late else [])
    assert set(overdue(data)) <= set(notes(data))
    assert ("overdue" in text_of(page(data))) is late


@pytest.mark.parametrize("manifest", [{}, {"instruments": None, "parts": None}, {"instruments": "x", "parts": [1, {}]}])
def test_a_bench_that_was_never_opened_or_a_damaged_record(manifest: Mapping[str, Any]) -> None:
    data = made((3.3, 1e-3), manifest=manifest)
    assert [(row.name, row.driver, row.idn) for row in instruments(data)] == [("dmm", "keysight_34461a", "")]
    assert [part.name for part in parts(data)] in ([], [""])
    assert 'id="bench"' in page(data)


def test_what_is_known_of_the_bench() -> None:
    executions = [
        {"dut": "SN3", "bench": {"left": "safe", "by": "worker", "predicted_s": 3600.0, "bench_s": 3000.0}},
        {"dut": "SN3", "bench": {"left": "safe", "by": "watchdog", "predicted_s": 1200.0, "bench_s": 1800.0}},
        {"dut": "SN4", "bench": {"left": "unsafe", "by": "command", "reason": "psu: no reply"}},
        {},
    ]
    told = dict(facts(made((3.3, 1e-3), manifest={**MANIFEST, "executions": executions})))
    assert told["bench"] == "virtual"
    assert told["kind"] == "simulated: clock autojump, room 23 °C, seed 1, noise on"
    assert told["DUT"] == "SN3, SN4"
    assert told["limits"] == "7 V, at most 130 °C"
    assert told["bench time"] == "1:20:00, predicted 1:20:00 (+0 %)"
    assert told["left"] == "safe, by the worker; safe, by the watchdog; unsafe, by the command (psu: no reply)"


def test_a_simulation_has_no_bench() -> None:
    data = made((3.3, None), bench=None)
    assert 'id="bench"' not in page(data)
    assert facts(data) == []


def test_waveforms_are_not_asked_of_a_bench() -> None:
    wanted = (PlotSpec("line", x="temp", y=("vout",)), PlotSpec("wave", "waveform", y=("v(out)",), title="Ripple"))
    data = made((3.3, 1e-3), (3.31, 1e-3), plots=wanted)
    assert [picture.name for picture in pictures(data)] == ["line"]
    assert "Waveforms come from a simulation; not drawn for bench: Ripple." in text_of(page(data))
    assert [picture.name for picture in pictures(made((3.3, 1e-3), (3.31, 1e-3), plots=wanted[1:]))] == ["vout"]


# The course of bench time


def event(at: float, kind: str, case: int | None = 0, **data: object) -> dict[str, Any]:
    return {"time": "2026-01-01T12:00:00.000Z", "case": case, "kind": kind, "data": data, "sim_time_s": at}


COURSE = [
    event(0, "safe state", None, instrument="psu"),
    event(0, "select", part="tt"),
    event(1, "setpoint", temperature=-40),
    event(1, "soak", temperature=-40, window=0.5),
    event(301, "settled", temperature=-40, took_s=300),
    event(400, "select", 1, part="ff"),
    event(500, "setpoint", 2, temperature=125),
    event(900, "fault", 2, what="overheat <1>"),
    event(4100, "never settled", 2, temperature=125, found=99),
    event(4200, "safe state", None, instrument="psu"),
]


def test_the_course_of_a_bench() -> None:
    (lane,) = lanes(COURSE, dict.fromkeys(range(3), "gw0:7"))
    assert [(span.doing, span.temperature, span.start_s, span.end_s, span.cases) for span in lane.spans] == [
        (Doing.SOAKING, -40.0, 1, 301, (0,)),
        (Doing.MEASURING, -40.0, 301, 500, (0, 1, 2)),
        (Doing.UNSETTLED, 125.0, 500, 4200, (2,)),
    ]
    assert lane.end_s == 4200
    assert lane.marks == ((900, "overheat <1>"), (4100, "never settled"))
    assert said(lane) == (
        "1:10:00 of bench time: 2 temperatures, 5:00 moving and soaking, 3:19 measuring, 1:01:40 waiting in vain"
    )


def test_each_worker_and_each_execution_has_a_course_of_its_own() -> None:
    begun: Callable[[int, float], list[dict[str, Any]]] = lambda case, at: [  # noqa: E731
        event(0, "setpoint", case, temperature=10),
        event(at, "settled", case, temperature=10),
    ]
    workers = {0: "gw0:7", 1: "gw1:8", 2: "gw0:7"}
    first, second = begun(0, 100), begun(1, 200)
    mixed = [first[0], second[0], first[1], second[1], event(250, "safe state", None), *begun(2, 50)]
    assert [(lane.name, lane.end_s) for lane in lanes(mixed, workers)] == [("gw0", 100), ("gw1", 250), ("gw0", 50)]


@pytest.mark.parametrize(
    "events",
    [
        [],
        [{}],
        [{"sim_time_s": "x", "case": 0}],
        [event(0, "setpoint", 0, temperature="hot")],
        [event(5, "settled", None)],
    ],
)
def test_events_that_tell_nothing_make_no_course(events: list[dict[str, Any]]) -> None:
    assert lanes(events, {}) == []
    assert "Time line" not in text_of(page(made((3.3, 1e-3), events=events)))


TIMES = {0: (0.0, 400.0), 1: (400.0, 450.0), 2: (500.0, 4100.0)}
"""Case 0 waited for its temperature first; case 2 never got to its own."""


def test_a_case_has_the_time_in_which_it_was_measured() -> None:
    (lane,) = lanes(COURSE, dict.fromkeys(range(3), "gw0:7"), TIMES)
    assert [(case.case_id, case.start_s, case.end_s) for case in lane.measured] == [(0, 301, 400), (1, 400, 450)]
    assert lanes(COURSE, {0: "gw0:7", 1: "gw1:8"}, {1: (400.0, 450.0)})[0].measured == ()


@pytest.mark.req("DVT-12")
@pytest.mark.parametrize("ambient", [23.0, None])
def test_the_time_line_is_a_plot_that_says_what_it_shows(ambient: float | None) -> None:
    (lane,) = lanes(COURSE, dict.fromkeys(range(3), "gw0:7"), TIMES)
    chart = timeline_chart(lane, ambient)
    (panel,) = chart.panels
    assert chart.caption == said(lane) + "."
    assert (panel.x.label, [text for _, text in panel.y.ticks]) == ("bench time [min]", ["-40", "125"])
    bars = [(text, mark.colour) for mark in panel.marks if mark.kind == "bars" for text in mark.texts]
    assert bars == [
        ("moving and soaking, −40 °C: 5:00 from 0:01", "s1"),
        ("measuring, −40 °C: 3:19 from 5:01", "s2"),
        ("1:39 from 5:01", "s2"),
        ("0:50 from 6:40", "s2"),
        ("never settled, 125 °C: 1:01:40 from 8:20", "fail"),
    ]
    assert [mark.cases for mark in panel.marks if mark.cases] == [[0, 1]]
    (course,) = [mark for mark in panel.marks if mark.kind == "line"]
    assert course.texts[0] == f"{'23' if ambient else '−40'} °C at 0:01"
    (faults,) = [mark for mark in panel.marks if mark.kind == "rings"]
    assert faults.texts == ["overheat <1>, at 15:00", "never settled, at 1:08:20"]
    assert faults.y == [125.0, 125.0]
    assert chart.legend is not None
    assert chart.legend.values == ["moving and soaking", "measuring", "never settled", "fault"]


@pytest.mark.parametrize(("end_s", "label"), [(30, "s"), (300, "min"), (20_000, "h")])
def test_bench_time_has_a_unit_that_fits(end_s: float, label: str) -> None:
    (lane,) = lanes([event(0, "setpoint", temperature=23), event(end_s, "settled", temperature=23)], {})
    assert timeline_chart(lane, None).panels[0].x.label == f"bench time [{label}]"


def test_the_time_line_lies_beside_the_page_as_picture_and_in_it() -> None:
    three = [(3.3, 1e-3)] * 3
    data = made(*three, events=COURSE)
    (picture,) = [picture for picture in pictures(data) if picture.of_bench]
    assert list(picture.files) == ["bench-time-1.png", "bench-time-1.svg"]
    html = page(data)
    bench, plots = html[html.index('<section id="bench"') :], html[: html.index('<section id="bench"')]
    assert 'id="plot-bench-time-1"' in bench
    assert "bench-time" not in plots
    assert 'href="bench-time-1.svg"' in bench
    two = [event(0, "setpoint", 1, temperature=10), event(9, "settled", 1, temperature=10)]
    both = pictures(made(*three, events=[*COURSE, *two]))
    titles = [picture.title for picture in both if picture.of_bench]
    assert titles == ["Time line of bench 1 (gw0)", "Time line of bench 2 (gw0)"]


def test_a_course_at_one_temperature_is_drawn_too() -> None:
    at_once = [event(0, "setpoint", temperature=23), event(0, "settled", temperature=23)]
    (picture,) = [picture for picture in pictures(made((3.3, 1e-3), events=at_once)) if picture.of_bench]
    assert "nan" not in picture.inline
