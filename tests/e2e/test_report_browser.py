"""The page in a real browser: no errors, nothing from outside, fits a phone, can be read in light and dark."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from simorc.core.bench import BenchSettings, InstrumentSettings, SimulatedLab
from simorc.core.case import Case
from simorc.core.errors import ErrorKind
from simorc.core.measurement import Measure, Outcome, judge
from simorc.core.plan import Plan, PlotSpec
from simorc.core.record import CaseRecord, Status
from simorc.core.spec import Spec
from simorc.core.sweep import Axis, Sweep
from simorc.core.waveforms import Plot, Waveforms
from simorc.report.compare import compare
from simorc.report.compare_page import render_comparison
from simorc.report.compare_plot import overlays
from simorc.report.compare_side import of_run
from simorc.report.data import ReportData, no_waveforms
from simorc.report.html import render_page
from simorc.report.plots import pictures
from simorc.report.regression import regressions

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page

pytestmark = [pytest.mark.browser, pytest.mark.req("SIM-16")]
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
SWEEP = Sweep(
    "pvt_ota",
    (
        Axis(("corner_with_a_long_name",), (("tt",), ("ff",), ("ss",))),
        Axis(("vdd",), ((1.62,), (1.8,), (1.98,))),
        Axis(("temp",), ((-40,), (27,), (125,))),
    ),
    {"<b>load</b>": "1p"},
)
MEASURES = (Measure("gain", "dB", Spec(min=40.0)), Measure("idd", "A", Spec(max=30e-6), description="Supply current"))
PLOTS = (
    PlotSpec("gain", "line", "temp", ("gain",), "corner_with_a_long_name"),
    PlotSpec("bode", "waveform", "", ("out",), transform="db"),
    PlotSpec("idd", "histogram", "", ("idd",)),
    PlotSpec("map", "heatmap", "temp", ("gain",), "vdd"),
    PlotSpec("wrong", "line", "tepm", ("gain",)),
)


def record(case: Case, good: bool) -> CaseRecord:
    """Case 2 failed and 5 missed its gain, unless all is well."""
    if case.case_id == 2 and not good:
        line = "doAnalyses: TRAN:  Timestep too small; time = 1.2e-09, " + "timestep = 1.25e-19: trouble with node " * 4
        return CaseRecord(2, Status.FAILED, error_kind=ErrorKind.TIMESTEP, error_message=line)
    values = {"gain": 39.0 if case.case_id == 5 and not good else 44.0 + case.case_id / 10, "idd": 20e-6}
    made = tuple(judge(m, case, values[m.name], Outcome.VALUE) for m in MEASURES)
    return CaseRecord(case.case_id, Status.COMPLETED, measurements=made)


def waves(case_id: int) -> Waveforms:
    frequency = np.logspace(0, 9, 50)
    vectors = {"frequency": frequency + 0j, "v(out)": 100 / (1 + 1j * frequency / 1e5)}
    return Waveforms([Plot("AC Analysis", "ac", vectors, {"frequency": "Hz"}, "frequency")])


@pytest.fixture(scope="module", params=["good", "bad", "empty"])
def report(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page in a folder of its own, without the files beside it."""
    cases = list(SWEEP.cases())
    records = {} if request.param == "empty" else {c.case_id: record(c, request.param == "good") for c in cases}
    plan = Plan(SWEEP, "ota", "spice", "", "", "", measures=MEASURES, plot_specs=PLOTS)
    manifest = {"run_id": "pvt_ota_20260101120000", "git_commit": "0123456789" * 4, "sha256": {"a" * 120: "b" * 64}}
    data = ReportData(
        plan, cases, records, manifest=manifest, notes=["x" * 300], waveforms=waves if records else no_waveforms
    )
    path = tmp_path_factory.mktemp("report") / "index.html"
    path.write_text(render_page(data, pictures(data), datetime(2026, 1, 1, tzinfo=UTC)), encoding="utf-8")
    return path


def bench_run(case_count: int = 27) -> ReportData:
    """A run on a bench: case 3 marginal, an instrument overdue, a fault on the way."""
    meter = {"name": "dmm", "idn": "Maker,34461A,MY1,A.02.17-02.40-02.17-00.52-02-01", "calibration_due": "2025-01-01"}
    part = {"name": "tt", "model": "ldo", "set": "lp2950_50", "sources": {"vnom": "sheet", "cth": "assumed"}}
    settings = BenchSettings("lab", (InstrumentSettings("dmm", "keysight_34461a"),), simulated=SimulatedLab())
    plan = Plan(SWEEP, "ota", "bench", "", "", "", measures=MEASURES, plot_specs=PLOTS[:3], bench=settings)
    cases = list(SWEEP.cases())[:case_count]
    records = {}
    for case in cases:
        gain = judge(MEASURES[0], case, 40.001 if case.case_id == 3 else 44.0, Outcome.VALUE, uncertainty=0.002)
        idd = judge(MEASURES[1], case, 20e-6, Outcome.VALUE, uncertainty=1e-8)
        records[case.case_id] = CaseRecord(case.case_id, Status.COMPLETED, measurements=(gain, idd))
    steps = [("setpoint", 0, -40), ("settled", 300, -40), ("setpoint", 900, 125), ("settled", 1500, 125)]
    events = [{"kind": k, "case": 0, "sim_time_s": at, "data": {"temperature": t}} for k, at, t in steps]
    events.append({"kind": "fault", "case": 0, "sim_time_s": 1700, "data": {"what": "overheat"}})
    manifest = {"run_id": "lab_1", "created": "2026-01-01T12:00:00Z", "instruments": [meter]}
    manifest |= {"parts": [part | {"assumed": ["cth"]}]}
    times = {0: (0.0, 500.0), 1: (500.0, 900.0), 2: (1500.0, 1700.0)}
    return ReportData(plan, cases, records, manifest=manifest, events=events, bench_times=times)


@pytest.fixture(scope="module", params=["bench", "comparison"])
def bench_page(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of a bench run, or its comparison with a shorter one."""
    made, data = datetime(2026, 1, 1, tzinfo=UTC), bench_run()
    if request.param == "bench":
        page = render_page(data, pictures(data), made)
    else:
        joined = compare([of_run(data), of_run(bench_run(20))])
        page = render_comparison(joined, ["", ""], made, regressions(joined), *overlays(joined))
    path = tmp_path_factory.mktemp("bench") / "index.html"
    path.write_text(page, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=ARGUMENTS)
        yield opened
        opened.close()


def opened(browser: Browser, report: Path, width: int = 1280, scheme: str = "light", script: bool = True) -> Page:
    context = browser.new_context(
        viewport={"width": width, "height": 900},
        color_scheme="dark" if scheme == "dark" else "light",
        java_script_enabled=script,
    )
    page = context.new_page()
    page.goto(report.as_uri())
    return page


def test_no_errors_and_nothing_is_loaded(browser: Browser, report: Path) -> None:
    page = browser.new_page()
    told: list[str] = []
    asked: list[str] = []
    page.on("console", lambda message: told.append(message.text))
    page.on("pageerror", lambda error: told.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(report.as_uri())
    for figure in page.locator(".plots figure").all():
        figure.scroll_into_view_if_needed()
    drawn = len(PLOTS) - 1 - (page.locator(".verdict.incomplete").count())
    page.wait_for_function("n => document.querySelectorAll('figure.live canvas').length === n", arg=drawn)
    assert told == []
    assert [url for url in asked if not url.startswith("data:")] == [report.as_uri()]


@pytest.mark.parametrize("width", [390, 768, 1280])
def test_nothing_is_wider_than_the_window(browser: Browser, report: Path, width: int) -> None:
    page = opened(browser, report, width)
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_texts_stand_out_from_their_background(browser: Browser, report: Path, scheme: str) -> None:
    """Contrast of at least 4.5:1 (WCAG 2.1, 1.4.3)."""
    page = opened(browser, report, scheme=scheme)
    for selector in (".verdict .word", ".verdict .why", "caption", "th", "td", ".plots svg text", ".badge", "a"):
        assert page.evaluate(CONTRAST, selector) >= 4.5, selector


def test_the_verdict_is_seen_without_scrolling(browser: Browser, report: Path) -> None:
    box = opened(browser, report, 390).locator(".verdict .word").bounding_box()
    assert box is not None
    assert box["y"] + box["height"] < 400


def test_the_page_works_without_javascript(browser: Browser, report: Path) -> None:
    page = opened(browser, report, script=False)
    assert page.locator("#cases tbody tr").count() == 27
    assert page.locator("#cases tbody tr").first.is_visible()
    assert page.locator(".plots svg").count() == (3 if page.locator(".verdict.incomplete").count() else 4)


def test_headings_descend_one_at_a_time_and_pictures_have_names(browser: Browser, report: Path) -> None:
    page = opened(browser, report)
    levels = page.eval_on_selector_all("h1,h2,h3,h4", "all => all.map(h => Number(h.tagName[1]))")
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    names = page.eval_on_selector_all(".plots svg, .plots img", "all => all.map(p => p.ariaLabel || p.alt || '')")
    assert all(names)


@pytest.mark.parametrize(("width", "scheme"), [(390, "light"), (1280, "dark")])
def test_pages_of_benches_fit_and_can_be_read(browser: Browser, bench_page: Path, width: int, scheme: str) -> None:
    page = opened(browser, bench_page, width, scheme)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    for selector in (
        "caption",
        "th",
        "td",
        ".badge",
        ".near",
        ".small",
        ".plots svg text",
        "figcaption",
        ".notes li",
        "a",
    ):
        assert page.evaluate(CONTRAST, selector) >= 4.5, selector


def test_pages_of_benches_load_nothing_and_name_their_pictures(browser: Browser, bench_page: Path) -> None:
    page = browser.new_page()
    told: list[str] = []
    asked: list[str] = []
    page.on("console", lambda message: told.append(message.text))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(bench_page.as_uri())
    assert told == []
    assert [url for url in asked if not url.startswith("data:")] == [bench_page.as_uri()]
    levels = page.eval_on_selector_all("h1,h2,h3,h4", "all => all.map(h => Number(h.tagName[1]))")
    assert all(after <= before + 1 for before, after in pairwise(levels))
    drawn = "all => all.map(p => p.ariaHidden === 'true' || p.ariaLabel)"
    assert all(page.eval_on_selector_all("svg", drawn))


@pytest.mark.req("DVT-12")
def test_the_time_line_of_a_bench_names_its_cases_zooms_and_is_walked_by_keyboard(
    browser: Browser, tmp_path: Path
) -> None:
    data, path = bench_run(), tmp_path / "index.html"
    path.write_text(render_page(data, pictures(data), datetime(2026, 1, 1, tzinfo=UTC)), encoding="utf-8")
    page = opened(browser, path)
    page.set_default_timeout(10_000)
    plot, tip = live(page, "bench-time-1"), page.locator("#plot-bench-time-1 .tip")
    assert plot.get_attribute("aria-label") == (
        "Time line of the bench: temperature [°C]. Arrows walk over the points, Enter opens the case, "
        "plus and minus zoom, 0 shows the whole plot."
    )
    plot.focus()
    spoken = []
    for _ in range(30):
        plot.press("ArrowRight")
        spoken.append(page.locator("#plot-bench-time-1 .spoken").inner_text())
    case = next(text for text in spoken if text.startswith("Case 1: "))
    assert case.endswith("temp=27. 6:40 from 8:20")
    assert "moving and soaking, −40 °C: 5:00 from 0:00" in spoken
    assert "overheat, at 28:20" in spoken
    over = plot.locator(".u-over").bounding_box()
    assert over is not None
    low, high = -0.01 * 1700, 1.01 * 1700
    x = over["x"] + over["width"] * (700 - low) / (high - low)  # in the middle of case 1
    y = over["y"] + over["height"] * (1 - (0.4 - 0.24) / 1.52)  # in the middle of the bars
    page.mouse.move(x, y)
    assert tip.inner_text().startswith("Case 1: corner_with_a_long_name=tt")
    before = plot.locator("canvas").evaluate("canvas => canvas.toDataURL()")
    page.mouse.move(x - 40, y - 60)
    page.mouse.down()
    page.mouse.move(x + 40, y + 10, steps=4)
    page.mouse.up()
    assert plot.locator(".reset").is_visible()
    assert plot.locator("canvas").evaluate("canvas => canvas.toDataURL()") != before
    plot.locator(".reset").click()
    page.mouse.click(x, y)
    page.wait_for_selector("#case-1.chosen")


def column(page: Page, number: int) -> list[str]:
    """The texts of one column of the case table, from 0."""
    return page.locator(f"#cases tbody tr > :nth-child({number + 1})").all_inner_texts()


def told(page: Page) -> str:
    return page.locator("#cases .told").inner_text()


@pytest.fixture
def large(browser: Browser, tmp_path: Path) -> Iterator[Page]:
    """The page of a run of 10,000 cases: every hundredth out of spec, every thousandth failed."""
    sweep = Sweep("large", (Axis(("corner",), (("tt",), ("ff",))), Axis(("n",), tuple((i,) for i in range(5000)))), {})
    measures = (Measure("iq", "A", Spec(max=100e-6)),)

    def one(case: Case) -> CaseRecord:
        if case.case_id % 1000 == 999:
            return CaseRecord(case.case_id, Status.FAILED, error_kind=ErrorKind.TIMEOUT)
        value = 200e-6 if case.case_id % 100 == 0 else 50e-6 + (case.case_id * 7919 % 10_000) * 1e-9
        return CaseRecord(
            case.case_id, Status.COMPLETED, measurements=(judge(measures[0], case, value, Outcome.VALUE),)
        )

    cases = list(sweep.cases())
    plan = Plan(sweep, "ota", "spice", "", "", "", measures=measures)
    data = ReportData(plan, cases, {case.case_id: one(case) for case in cases}, manifest={"run_id": "large_1"})
    path = tmp_path / "index.html"
    path.write_text(render_page(data, [], datetime(2026, 1, 1, tzinfo=UTC)), encoding="utf-8")
    page = opened(browser, path)
    yield page
    page.close()


def test_the_case_table_sorts(large: Page) -> None:
    heading = large.get_by_role("columnheader", name="iq [µA]")
    assert heading.get_attribute("aria-sort") == "none"
    heading.get_by_role("button").click()
    assert heading.get_attribute("aria-sort") == "ascending"
    assert column(large, 4)[:2] == ["50.0", "50.0"]
    heading.get_by_role("button").press("Enter")
    assert heading.get_attribute("aria-sort") == "descending"
    assert set(column(large, 4)) == {"200.0"}
    large.get_by_role("button", name="Last").click()
    assert column(large, 4)[-10:] == ["missing"] * 10  # what has no value stands last, whichever way


def test_the_case_table_filters_by_states_and_by_words(large: Page) -> None:
    assert told(large) == "10,000 cases, page 1 of 200"
    large.get_by_role("button", name="out of spec 100").click()
    assert told(large) == "100 of 10,000 cases, page 1 of 2"
    large.get_by_role("button", name="out of spec 100").click()
    field = large.get_by_role("searchbox", name="Filter")
    for text, expected in (
        ("corner=FF n>=4990", "10 of 10,000 cases, page 1 of 1"),
        ("iq>100u", "100 of 10,000 cases, page 1 of 2"),
        ("iq>100", "100 of 10,000 cases, page 1 of 2"),
        ("failed tt", "5 of 10,000 cases, page 1 of 1"),
        ("n!=7 n<9", "16 of 10,000 cases, page 1 of 1"),
        ("corner=zz", "No case of 10,000 fits."),
        ("tepm>3", "No column “tepm”. There are: case, state, corner, n, iq."),
        ("iq>warm", "“warm” is not a number, so “iq>warm” compares nothing."),
    ):
        field.fill(text)
        large.wait_for_function("text => document.querySelector('#cases .told').textContent === text", arg=expected)
    assert field.get_attribute("aria-invalid") == "true"


def test_the_case_table_pages_and_leads_to_one_case(large: Page) -> None:
    assert column(large, 0)[0] == "0"
    assert large.get_by_role("button", name="Previous").is_disabled()
    large.get_by_role("button", name="Next").click()
    assert column(large, 0)[0] == "50"
    large.get_by_label("Rows").select_option("200")
    assert len(column(large, 0)) == 200
    large.evaluate("location.hash = '#case-7700'")
    large.wait_for_selector("#case-7700.chosen")
    assert large.locator("tr.detail").inner_text().strip() == "Runs it alone: simorc run large_1 --case 7700"
    assert large.locator("#case-7700").bounding_box()["y"] < 900  # type: ignore[index]


@pytest.fixture(scope="module")
def plotted_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of the small run with a plot of every kind that needs no waveforms."""
    specs = (
        PLOTS[0],
        PLOTS[2],
        PLOTS[3],
        PlotSpec("box", "box", "corner_with_a_long_name", ("gain",)),
        PlotSpec("drift", "tempco", "temp", ("gain",), "vdd"),
        PlotSpec("together", "correlation"),
        PlotSpec("fails", "pareto"),
    )
    cases = list(SWEEP.cases())
    plan = Plan(SWEEP, "ota", "spice", "", "", "", measures=MEASURES, plot_specs=specs)
    data = ReportData(plan, cases, {c.case_id: record(c, False) for c in cases}, manifest={"run_id": "small_1"})
    path = tmp_path_factory.mktemp("plotted") / "index.html"
    path.write_text(render_page(data, pictures(data), datetime(2026, 1, 1, tzinfo=UTC)), encoding="utf-8")
    return path


@pytest.fixture
def plotted(browser: Browser, plotted_file: Path) -> Iterator[Page]:
    page = opened(browser, plotted_file)
    page.set_default_timeout(10_000)
    yield page
    page.close()


def live(page: Page, name: str) -> Locator:
    """The interactive plot of a name, which comes into being when it is seen."""
    page.locator(f"#plot-{name}").scroll_into_view_if_needed()
    return page.locator(f"#plot-{name} .live-plot").first


def pointed(page: Page, name: str, case: int) -> None:
    """Move the pointer onto a case of a plot, wherever the plot's keyboard walk finds it."""
    plot = live(page, name)
    plot.focus()
    for _ in range(60):
        plot.press("ArrowRight")
        if page.locator(f"#plot-{name} .tip").first.inner_text().startswith(f"Case {case}:"):
            break
    box = page.locator(f"#plot-{name} .spot").first.bounding_box()
    assert box is not None
    plot.press("Escape")
    assert page.locator(f"#plot-{name} .tip").first.is_hidden()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)


def test_the_case_under_the_pointer_is_named_and_opened(plotted: Page) -> None:
    pointed(plotted, "gain", 5)
    tip = plotted.locator("#plot-gain .tip")
    assert tip.inner_text() == "Case 5: corner_with_a_long_name=tt, vdd=1.8, temp=125\ntemp 125, gain [dB] 39"
    plotted.mouse.down()
    plotted.mouse.up()
    plotted.wait_for_selector("#case-5.chosen")
    assert "simorc run small_1 --case 5" in plotted.locator("tr.detail").inner_text()


def test_a_plot_zooms_and_shows_the_whole_again(plotted: Page) -> None:
    plot = live(plotted, "gain")
    before = plot.locator("canvas").evaluate("canvas => canvas.toDataURL()")
    over = plot.locator(".u-over").bounding_box()
    assert over is not None
    plotted.mouse.move(over["x"] + 60, over["y"] + 40)
    plotted.mouse.down()
    plotted.mouse.move(over["x"] + 200, over["y"] + 140, steps=4)
    plotted.mouse.up()
    assert plot.locator(".reset").is_visible()
    assert plot.locator("canvas").evaluate("canvas => canvas.toDataURL()") != before
    plot.locator(".reset").click()
    plotted.mouse.move(0, 0)
    assert plot.locator(".reset").is_hidden()
    plotted.wait_for_function(
        "before => document.querySelector('#plot-gain canvas').toDataURL() === before", arg=before, timeout=5000
    )
    plot.press("+")
    plot.locator(".reset").press("Enter")
    assert plot.locator(".reset").is_hidden()


def test_every_kind_of_plot_tells_by_keyboard_what_it_shows(plotted: Page) -> None:
    for name, says in (
        ("idd", "19 µA to 21 µA: 26 values, cases 0-1,3-12 and 14 more"),
        ("map", "Case 0: corner_with_a_long_name=tt, vdd=1.62, temp=-40"),
        ("box", "9 values: minimum 44.9 dB"),
        ("drift", "temp -40, gain [ppm] -2267.57"),
        ("together", "gain and gain: r = 1.000"),
        ("fails", "gain: 1 failure, 50%"),
    ):
        plot = live(plotted, name)
        plot.focus()
        told = []
        for _ in range(8):
            plot.press("ArrowRight")
            told.append(plotted.locator(f"#plot-{name} .spoken").inner_text())
        assert any(says in text for text in told), told


def test_paper_gets_the_static_pictures(plotted: Page) -> None:
    live(plotted, "gain").wait_for()
    assert plotted.locator("#plot-gain .still").is_hidden()
    plotted.emulate_media(media="print")
    assert plotted.locator("#plot-gain .still svg").is_visible()
    assert plotted.locator("#plot-gain canvas").is_hidden()
    assert plotted.locator("#cases .tools").is_hidden()


CONTRAST = """selector => {
  const parse = text => text.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map(c => c / 255)
    .map(c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = element => {
    for (let e = element; e; e = e.parentElement) {
      const colour = parse(getComputedStyle(e).backgroundColor);
      if (colour.length < 4 || colour[3] > 0) return colour;
    }
    return [255, 255, 255];
  };
  const ratios = [...document.querySelectorAll(selector)].filter(e => !e.closest('#plot-map')).map(e => {
    const style = getComputedStyle(e);
    const pair = [light(parse(e.closest('svg') ? style.fill : style.color)), light(behind(e))].sort((a, b) => b - a);
    return (pair[0] + 0.05) / (pair[1] + 0.05);
  });
  return ratios.length ? Math.min(...ratios) : 99;
}"""
