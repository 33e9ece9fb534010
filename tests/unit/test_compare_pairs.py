"""Three inputs and more, compared pair by pair; curves of a run that spared samples; names that nobody has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from simorc.commands.compare import CompareOptions
from simorc.commands.compare import compare as command
from simorc.core.case import Case
from simorc.core.errors import UsageError
from simorc.core.plan import Curve, Plan
from simorc.core.record import CaseRecord, Status
from simorc.core.sweep import Axis, Sweep, monte_carlo_axis
from simorc.core.table import Column, Table
from simorc.core.tolerance import Tolerance
from simorc.core.waveforms import Plot, Waveforms
from simorc.report.compare import Comparison, Options, compare
from simorc.report.compare_csv import joined_lines, summary_rows
from simorc.report.compare_curves import of_curves
from simorc.report.compare_page import render_comparison
from simorc.report.compare_plot import overlays
from simorc.report.compare_side import Side, of_table, split
from simorc.report.data import ReportData
from simorc.report.regression import regressions

TEMP = (-40.0, 27.0, 125.0)


def side(name: str, **measures: Sequence[float]) -> Side:
    """A file with a row for each temperature."""
    columns = {"temp": TEMP, **measures}
    made = {key: Column(np.array(held, dtype=np.float64)) for key, held in columns.items()}
    return of_table(Table(name, made), ["temp"])


def three() -> Comparison:
    """The second input lacks iq, the third lacks vout; psrr stands in one alone."""
    first = side("a", vout=(1, 2, 3), iq=(5, 5, 5))
    others = side("b", vout=(1, 2, 4), psrr=(60, 60, 60)), side("c", iq=(5, 6, 7))
    return compare([first, *others], Options(agree={"*": Tolerance(absolute=0.5)}))


@pytest.mark.req("SIM-16")
def test_each_input_is_compared_with_the_first_on_what_both_have() -> None:
    found = three()
    assert [(d.measure, found.sides[d.side].label, d.n, d.largest) for d in found.differences] == [
        ("vout", "b", 3, 1.0),
        ("iq", "c", 3, 2.0),
    ]
    assert found.left_out == (("vout", ("a", "b")), ("iq", ("a", "c")), ("psrr", ("b",)))
    heading, first = "".join(joined_lines(found)).splitlines()[:2]
    assert heading == "temp,vout [a],vout [b],vout_difference [b],iq [a],iq [c],iq_difference [c]"
    assert first == "-40.0,1.0,1.0,0.0,5.0,5.0,0.0"
    assert [row[2] for row in list(summary_rows(found))[1:]] == ["b", "c"]


def test_the_page_and_its_pictures_have_what_each_pair_has() -> None:
    found = three()
    drawn, more = overlays(found)
    assert ([overlay.title for overlay in drawn], more) == (["vout over temp", "iq over temp"], 0)
    assert [mark.name for mark in drawn[1].chart.panels[0].marks] == ["a", "c"]
    text = render_comparison(found, ["", "", ""], datetime(2026, 1, 1, tzinfo=UTC), [], drawn, more)
    assert "vout is measured in a, b alone." in text


def test_an_input_that_has_nothing_in_common_with_the_first_is_named() -> None:
    with pytest.raises(UsageError, match="a and c have no measure in common") as caught:
        compare([side("a", vout=(1, 2, 3)), side("b", vout=(1, 2, 3), iq=(1, 1, 1)), side("c", iq=(1, 1, 1))])
    assert caught.value.hint == "there are: vout in a, b; iq in b, c"


def test_foreign_data_are_points_in_the_legend_too() -> None:
    found = compare([with_curves("a", {}), side("lot", id=(1, 2, 3))], Options(units={"id": "A"}))
    (drawn, *_), _ = overlays(found)
    assert drawn.chart.legend is not None
    assert ([mark.kind for mark in drawn.chart.panels[0].marks], drawn.chart.legend.dots) == (["line", "dots"], [1])


def waves(case_id: int) -> Waveforms:
    swept = np.array(TEMP)
    return Waveforms([Plot("DC", "dc", {"temp": swept, "i(vid)": swept * 2}, {"i(vid)": "A"}, "temp")])


def with_curves(run_id: str, status: Mapping[int, Status], samples: int = 0, spared: int = 0) -> Side:
    """The curves of a run over the temperature, of one case or of several samples."""
    axis = monte_carlo_axis(samples, 1) if samples else Axis(("corner",), (("tt",),))
    sweep = Sweep(run_id, (axis,), {"corner": "tt"})
    plan = Plan(
        sweep, "ldo", "spice", "/tb", "/s.yaml", "/setup.yaml", curves=(Curve("id", "i(vid)", {"temp": "temp"}),)
    )
    cases: list[Case] = list(sweep.cases())
    records = {c.case_id: CaseRecord(c.case_id, status.get(c.case_id, Status.COMPLETED)) for c in cases}
    known = {i: record for i, record in records.items() if record.status is not Status.PENDING}
    manifest = {"run_id": run_id} | ({"stopped_early": {"samples": samples, "spared": spared}} if spared else {})
    return of_curves(ReportData(plan, cases, known, manifest=manifest, waveforms=waves))


def test_points_of_samples_that_need_not_run_are_told_as_spared_and_are_no_regression() -> None:
    whole = with_curves("a", {}, samples=4)
    early = with_curves("b", {2: Status.PENDING, 3: Status.PENDING}, samples=4, spared=2)
    found = compare([whole, early], Options(agree={"id": Tolerance(absolute=1e-9)}))
    assert len(found.lacking_rows) == 6
    assert {found.reason(row) for row in found.lacking_rows} == {"spared in b/spice"}
    assert [d.verdict for d in found.differences] == ["agrees"]
    (diff,) = regressions(found)
    assert (diff.is_regression, sum(diff.counts.values())) == (False, 0)


def test_points_of_cases_that_failed_or_have_not_run_are_told_and_are_a_regression() -> None:
    broken = with_curves("b", {1: Status.FAILED, 2: Status.PENDING}, samples=3)
    found = compare([with_curves("a", {}, samples=3), broken])
    assert [found.reason(row) for row in found.lacking_rows] == ["failed in b/spice"] * 3 + ["pending in b/spice"] * 3
    (diff,) = regressions(found)
    assert {str(kind): count for kind, count in diff.counts.items() if count} == {"newly failing": 3, "missing": 3}
    (part,) = split(broken, ("mc_sample",))
    assert part.idle == ()  # the others would be parts of their own
    (part,) = split(broken, ("corner",))
    assert [reason for _, reason in part.idle] == ["failed", "pending"]


@pytest.mark.parametrize(
    ("option", "what", "hint"),
    [
        ({"units": ["vuot=V"]}, "--unit vuot: no input has such a measure or condition", "did you mean 'vout'?"),
        ({"given": ["tmep=27"]}, "--set tmep: no other input has such a condition", "did you mean 'temp'?"),
        ({"given": ["temp=27"]}, "--set temp: no input is a file without it", "--where chooses rows by a column"),
    ],
)
def test_an_option_for_what_nobody_has_is_refused(
    tmp_path: Path, option: dict[str, list[str]], what: str, hint: str
) -> None:
    paths = [tmp_path / "a.csv", tmp_path / "b.csv"]
    for path in paths:
        path.write_text("temp,vout\n27,3.3\n")
    options = CompareOptions(on="temp", out=tmp_path / "out", **option)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match=what) as caught:
        command([str(path) for path in paths], options)
    assert caught.value.hint == hint
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("content", "what", "hint"),
    [
        ("temp,vout\n27,nan\n85,inf\n", "no measure in common", "there are: vout in a.csv; vout has no value in b.csv"),
        ("temp;vout\n27;1,5\n85;2,5\n", "b.csv has no column of numbers", "vout: '1,5' is no number"),
        ("temp,vout\n,1\n27,1\n85,2\n27,3\n", "two rows of b.csv stand for one condition, temp=27: 2 and 4", ""),
        (None, "b.csv: there is no such file, and no run of that name", ""),
    ],
    ids=["no value", "decimal comma", "twice", "gone"],
)
def test_what_is_wrong_with_a_file_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str | None, what: str, hint: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a.csv").write_text("temp,vout\n27,1\n85,2\n")
    if content is not None:
        Path("b.csv").write_text(content)
    with pytest.raises(UsageError, match=what) as caught:
        command(["a.csv", "b.csv"], CompareOptions(on="temp"))
    assert caught.value.hint == hint
    assert not Path("simulations").exists()


def test_a_point_that_a_curve_has_twice_is_told_with_its_case() -> None:
    there_and_back = with_curves("a", {})
    twice = there_and_back.rows(np.array([0, 1, 2, 1]))
    with pytest.raises(UsageError, match=r"two points of a/spice stand for one condition, .*temp=27: of case 0$"):
        compare([twice, with_curves("b", {})])
