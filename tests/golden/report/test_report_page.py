"""The page of the fixed run: what stands in it, what is escaped, and that it needs nothing from outside."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from html.parser import HTMLParser
from typing import Any

import pytest
from markupsafe import Markup

from simorc.core.aggregates import Aggregate
from simorc.core.case import Case
from simorc.core.errors import ErrorKind
from simorc.core.measurement import Measure, Outcome, judge
from simorc.core.plan import PlotSpec
from simorc.core.record import CaseRecord, Status
from simorc.core.spec import Spec
from simorc.core.sweep import Axis, Sweep
from simorc.report.case_table import MOST_ROWS
from simorc.report.data import ReportData
from simorc.report.html import render_page
from simorc.report.page import Page, Section
from simorc.report.plots import pictures

Make = Callable[..., ReportData]
MADE = datetime(2026, 1, 1, 13, tzinfo=UTC)
VOID = {"meta", "link", "img", "source", "br", "input"}
pytestmark = pytest.mark.req("SIM-16")


class Reader(HTMLParser):
    """The text of each section by its heading, every attribute, and whether all tags are closed."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.sections: dict[str, str] = {}
        self.heading = ""
        self.attributes: list[tuple[str, str, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag not in VOID:
            self.open.append(tag)
        if tag == "h2":
            self.heading = ""

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.attributes += [(tag, name, value or "") for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if {"style", "svg", "script"} & set(self.open):
            return
        if self.open[-1:] == ["h2"]:
            self.heading = data.strip()
        self.sections[self.heading] = self.sections.get(self.heading, "") + " " + " ".join(data.split())


def page(data: ReportData, plots: bool = False) -> str:
    return render_page(data, pictures(data) if plots else [], MADE)


def read(html: str) -> Reader:
    reader = Reader()
    reader.feed(html)
    assert reader.open == []
    return reader


def text(reader: Reader, section: str) -> str:
    """The text of a section in single spaces."""
    return re.sub(r"\s+", " ", reader.sections[section]).strip()


def test_sections_stand_in_the_order_of_interest(report_data: Make) -> None:
    reader = read(page(report_data(), plots=True))
    headings = [name for name in reader.sections if name]
    assert headings == [
        "FAIL",
        "Worst corners",
        "Specifications",
        "Failing cases",
        "Aggregates",
        "Plots",
        "Failures",
        "Statistics",
        "Sensitivity",
        "Conditions",
        "Notes",
        "Provenance",
        "Cases",
    ]


def test_verdict_says_why_with_counts_and_worst_margin(report_data: Make) -> None:
    verdict = text(read(page(report_data())), "FAIL")
    assert (
        "2 cases out of spec (vout, iq). 1 case failed to run. 1 aggregate out of spec (vout_spread). 1 aggregate"
        in verdict
    )
    assert "without a value (vout_spread)." in verdict
    for words in ("cases 6", "in spec 3", "out of spec 2", "failed 1", "pending 0", "-10 µA iq, -10 %, case 1"):
        assert words in verdict


def test_worst_corners_give_the_command_that_runs_one_alone(report_data: Make) -> None:
    worst = text(read(page(report_data())), "Worst corners")
    assert "iq 110 µA at most 100 µA -10 µA" in worst
    assert "corner=tt, temp=-40 1 simorc run pvt_ldo_20260101120000 --case 1" in worst


def test_spec_table_shows_measured_against_limits(report_data: Make) -> None:
    specs = text(read(page(report_data())), "Specifications")
    assert "vout in tt Output voltage pass 3.28 V 3.3 V 3.31 V 3.25 V 3.3 V 3.35 V 30 mV 0 3 0 0 0" in specs
    assert "iq fail 80 µA 90 µA 110 µA – – 100 µA -10 µA 1 5 1 0 1" in specs
    assert "gain no limits 60 dB 62 dB 64 dB" in specs
    assert "Not measured on spice: noise." in specs


def test_a_measure_that_no_case_measured_is_said_to_be_so(report_data: Make) -> None:
    measure = Measure("psrr", "dB", Spec(min=40), optional=True)

    def absent(case: Case) -> CaseRecord:
        measured = (judge(measure, case, None, Outcome.NOT_MEASURED),)
        return CaseRecord(case.case_id, Status.COMPLETED, measurements=measured)

    specs = text(read(page(report_data(records=absent, measures=(measure,), aggregates=()))), "Specifications")
    assert "psrr optional, not measured in 6 cases not measured – – – 40 dB" in specs


def test_missing_results_are_shown_as_missing(report_data: Make) -> None:
    reader = read(page(report_data()))
    cases = text(reader, "Cases")
    assert "4 failed ff -40 missing missing missing" in cases
    assert "3 out of spec ff 125 failed 95.0 63.00" in cases
    aggregates = text(reader, "Aggregates")
    assert "vout_spread ff missing – 1 2 fail" in aggregates
    assert "vout_spread of vout over temp fail 30 mV 30 mV 30 mV at most 15 mV -15 mV corner=tt 2 2 1" in aggregates


def test_an_aggregate_that_cannot_be_computed_says_why(report_data: Make, completed: Callable[..., object]) -> None:
    measures = report_data().plan.measures[1:2]
    tempco = Aggregate("tc", "tempco_box", "iq", "temp", "ppm/degC")
    hot = Sweep("hot", (Axis(("temp",), ((50,), (125,))),), {})
    data = report_data(
        sweep=hot, measures=measures, aggregates=(tempco,), records=completed(lambda case: {"iq": 1e-6}, measures)
    )
    aggregates = text(read(page(data)), "Aggregates")
    assert "of iq over temp 25 degC, where the reference is taken, is outside 50 to 125 degC; give" in aggregates


def test_failures_quote_the_log_and_lead_to_it(report_data: Make) -> None:
    reader = read(page(report_data()))
    failures = text(reader, "Failures")
    assert "no convergence: 1 case (4) doAnalyses: iteration limit reached case 4 corner=ff, temp=-40" in failures
    assert "vout could not be evaluated: 1 case (3) meas dc vout find v(out) at=3 failed!" in failures
    assert ("a", "href", "../results/4/ngspice.log") in reader.attributes


def test_parameters_in_step_stand_in_the_order_of_their_steps(report_data: Make) -> None:
    axes = (Axis(("w", "l"), ((4, 9), (2, 5), (8, 5))),)
    data = report_data(sweep=Sweep("s", axes, {}), measures=(), aggregates=(), records=lambda case: None)
    assert "w 3 4, 2, 8 l l 3 9, 5, 5 w" in text(read(page(data)), "Conditions")


def test_conditions_notes_and_provenance(report_data: Make) -> None:
    reader = read(page(report_data(notes=["metadata.csv was edited by hand"])))
    conditions = text(reader, "Conditions")
    assert "corner 2 tt, ff – temp 3 -40, 27, 125" in conditions
    assert "held at iload = 10m except where temp > 150" in conditions
    notes = text(reader, "Notes")
    assert "metadata.csv was edited by hand" in notes
    assert "Case 0 was run twice: the results are identical." in notes
    assert "Converged only after a retry with gmin=1e-10 (case 5)" in notes
    provenance = text(reader, "Provenance")
    for words in (
        "simorc 0.1.0",
        "python 3.11.2",
        "simulator ngspice-39",
        "git commit 0123456789abcdef",
        "abababababab",
    ):
        assert words in provenance
    assert "ab" * 7 not in provenance
    assert "2026-01-01 12:00 UTC to 2026-01-01 12:00 UTC" in provenance


def test_notes_tell_how_the_results_came_to_be(report_data: Make) -> None:
    manifest = {
        "run_id": "r",
        "repeatable": {"case": 0, "identical": False},
        "accepted_changes": [{"file": "inputs/testbench/config.yaml", "was": "a", "is": "b"}],
        "judged": [{"time": "2026-01-02T08:30:00.000Z", "before": "a", "after": "b"}],
        "executions": [
            {"started": "2026-01-01T12:00:00Z", "ended": "interrupted", "note": "after the respin"},
            {"started": "2026-01-01T13:00:00Z", "finished": "2026-01-01T13:05:00Z", "ended": "completed"},
        ],
        "extra": {"answer": [True, 42]},
    }

    def retold(case: Case) -> CaseRecord:
        warnings = ("two FETs differ",) if case.case_id < 3 else ()
        verified = "models" if case.case_id == 0 else ""
        facts: dict[str, Any] = {"cached_from": "r0", "warnings": warnings, "fast": True, "verified": verified}
        return CaseRecord(case.case_id, Status.FAILED, attempt=2, **facts)

    reader = read(page(report_data(manifest=manifest, records=retold)))
    notes = text(reader, "Notes")
    for words in (
        "Case 0 was run twice and the results differ",
        "two FETs differ (cases 0-2)",
        "6 cases ran more than once (cases 0-5).",
        "6 cases taken over from an earlier run (cases 0-5).",
        "6 cases simulated the fast way, 1 compared with plain ngspice on unpruned models, identical.",
        "Changed after the build, and accepted: inputs/testbench/config.yaml.",
        "Judged anew, by the project's specs and measure functions of 2026-01-02 08:30 UTC.",
        "Note of 2026-01-01 12:00 UTC: after the respin",
        "The run was interrupted once.",
    ):
        assert words in notes
    provenance = text(reader, "Provenance")
    assert "executed 2026-01-01 12:00 UTC to 2026-01-01 13:05 UTC, 2 times" in provenance
    assert "extra answer: yes; 42" in provenance


def test_page_is_self_contained(report_data: Make) -> None:
    specs = (
        PlotSpec("gain", "waveform", "", ("v(out)",), transform="db"),
        PlotSpec("vout", "line", "temp", ("vout",), "corner"),
    )
    html = page(report_data(plot_specs=specs), plots=True)
    reader = read(html)
    loaded = [value for _, name, value in reader.attributes if name in ("src", "srcset", "data", "poster", "action")]
    assert all(value.startswith("data:") for value in loaded)
    linked = [value for tag, name, value in reader.attributes if tag != "use" and name in ("href", "xlink:href")]
    assert all(not re.match(r"\w+://|//", value) for value in linked)
    assert not re.search(r"@import|url\((?!#)|\bfetch\(|XMLHttpRequest|import\(", html)
    (script,) = re.findall(r"<script>(.*?)</script>", html, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"default-src 'none'; style-src 'unsafe-inline'; img-src data:; script-src 'sha256-{digest}'" in html
    ids = [value for _, name, value in reader.attributes if name == "id"]
    assert len(ids) == len(set(ids))
    fragments = {value[1:] for _, name, value in reader.attributes if name == "href" and value.startswith("#")}
    assert fragments <= set(ids)


def test_page_is_the_same_every_time(report_data: Make) -> None:
    assert page(report_data(), plots=True) == page(report_data(), plots=True)


@pytest.mark.parametrize(
    "nasty", ["<b>", "</style><script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "a&b", "温度"]
)
def test_everything_is_escaped(report_data: Make, nasty: str) -> None:
    sweep = Sweep(nasty, (Axis((nasty, "n"), ((nasty, 1), ("plain", 2))),), {"other" + nasty: nasty}, where=("n < 3",))
    measure = Measure(nasty, nasty, Spec(max=1.0), description=nasty)
    spec = PlotSpec(nasty, "line", "n", (nasty,), nasty, title=nasty)

    def failed(case: Case) -> CaseRecord:
        return CaseRecord(
            case.case_id, Status.FAILED, error_kind=ErrorKind.TIMEOUT, error_message=nasty, warnings=(nasty,)
        )

    data = report_data(
        sweep=sweep,
        measures=(measure,),
        aggregates=(),
        plot_specs=(spec,),
        records=failed,
        manifest={"run_id": nasty, nasty: nasty, "sha256": {nasty: nasty}},
        notes=[nasty],
        logs={0: nasty, 1: nasty},
    )
    html = page(data, plots=True)
    tags = [
        '<script type="application/json" class="chart">',
        '<script type="application/json" id="case-data">',
        "<script>",
    ]
    assert re.findall(r"<script[^>]*>", html) == tags
    carried = re.search(r'id="case-data">(.*?)</script>', html, re.DOTALL)
    assert carried is not None
    assert json.loads(carried[1])["parameters"][0] == {
        "name": nasty,
        "values": [nasty, "plain"],
        "numbers": None,
        "at": [0, 1],
    }
    html = re.sub(r"<script.*?</script>", "", html, flags=re.DOTALL)
    assert "<img" not in html
    assert "<b>" not in html.replace("<b>simorc</b>", "")
    reader = read(html)
    assert nasty in reader.sections["Failures"]
    assert nasty in reader.sections["Notes"]


def test_an_empty_run(report_data: Make) -> None:
    reader = read(page(report_data(records=lambda case: None)))
    assert "6 of 6 cases not finished." in text(reader, "INCOMPLETE")
    assert "pending 6" in text(reader, "INCOMPLETE")
    assert "Worst corners" not in reader.sections
    assert "iq incomplete missing missing missing" in text(reader, "Specifications")
    assert "0 pending tt 125 pending pending pending" in text(reader, "Cases")


def test_a_run_whose_every_case_failed(report_data: Make) -> None:
    def failed(case: Case) -> CaseRecord:
        return CaseRecord(case.case_id, Status.FAILED, error_kind=ErrorKind.TIMEOUT, error_message="took too long")

    reader = read(page(report_data(records=failed)))
    assert "6 cases failed to run." in text(reader, "FAIL")
    assert "timeout: 6 cases (0-5) took too long" in text(reader, "Failures")


def test_a_run_without_limits_or_axes(report_data: Make, completed: Callable[..., object]) -> None:
    measures = (Measure("vout", "V"),)
    one = completed(lambda case: {"vout": 3.3}, measures)
    data = report_data(sweep=Sweep("one", (), {"temp": 27}), measures=measures, aggregates=(), records=one)
    reader = read(page(data, plots=True))
    assert "All 1 case completed. Nothing has limits, so nothing was judged." in text(reader, "DONE")
    assert "Nothing was varied: a single case." in text(reader, "Conditions")
    assert "Plots" not in reader.sections


def test_a_passing_run(report_data: Make, completed: Callable[..., object]) -> None:
    measures = (Measure("vout", "V", Spec(3.0, 3.3, 3.6)),)
    data = report_data(
        measures=measures, aggregates=(), records=completed(lambda case: {"vout": 3.3 + case.case_id / 100}, measures)
    )
    reader = read(page(data))
    assert "All 6 cases completed, every limit is met." in text(reader, "PASS")
    assert "Failures" not in reader.sections


def test_no_nan_anywhere(report_data: Make) -> None:
    for records in ({}, {"records": lambda case: None}):
        shown = " ".join(read(page(report_data(**records), plots=True)).sections.values())
        assert not re.search(r"\b(nan|NaN|None|inf)\b", shown)


def test_a_long_case_table_keeps_what_is_out_of_spec(report_data: Make, completed: Callable[..., object]) -> None:
    measures = (Measure("v", "V", Spec(max=1.0)),)
    last = MOST_ROWS + 100
    sweep = Sweep("long", (Axis(("n",), tuple((i,) for i in range(last + 1))),), {})
    records = completed(lambda case: {"v": 2.0 if case.case_id == last else 0.5}, measures)
    html = page(report_data(sweep=sweep, measures=measures, aggregates=(), records=records))
    assert f'id="case-{last}"' in html
    assert html.count('<tr id="case-') == MOST_ROWS + 1  # one stands in the script
    assert f"{MOST_ROWS} of {last + 1:,} cases" in html


class _Point:
    """An entry point of another package."""

    def __init__(self, name: str, made: Callable[[Page], Section | None]) -> None:
        self.name, self._made = name, made

    def load(self) -> Callable[[Page], Section | None]:
        return self._made


def test_sections_of_other_packages_stand_before_the_conditions(
    report_data: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(page: Page) -> Section:
        raise KeyError("<area>")

    points = [
        _Point("area", lambda page: Section("area", "Area", Markup("<p>1 mm²</p>"))),
        _Point("silent", lambda page: None),
        _Point("broken", broken),
    ]

    def entry_points(group: str) -> list[_Point]:
        assert group == "simorc.report_sections"
        return points

    monkeypatch.setattr("importlib.metadata.entry_points", entry_points)
    reader = read(page(report_data()))
    headings = [name for name in reader.sections if name]
    assert headings[headings.index("Conditions") - 2 : headings.index("Conditions")] == ["Area", "broken"]
    assert text(reader, "Area") == "Area 1 mm²"
    assert "Not made: KeyError: '<area>'" in text(reader, "broken")


def test_of_very_many_failures_the_first_are_named(report_data: Make) -> None:
    sweep = Sweep("long", (Axis(("n",), tuple((i,) for i in range(600))),), {})

    def failed(case: Case) -> CaseRecord | None:
        broken = CaseRecord(case.case_id, Status.FAILED, error_kind=ErrorKind.TIMEOUT)
        return broken if case.case_id % 2 == 0 else None

    failures = text(read(page(report_data(sweep=sweep, aggregates=(), records=failed))), "Failures")
    assert "timeout: 300 cases (0,2,4," in failures
    assert ", …)" in failures
    assert "598" not in failures
