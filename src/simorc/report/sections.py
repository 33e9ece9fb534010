"""The sections of the page, each a small function from the page to a section.

simorc's own stand in `SECTIONS`. Another package adds one as an entry point of the family `simorc.report_sections`: it
stands behind the plots and failures, before the conditions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import groupby

from markupsafe import Markup

from simorc.core.ranges import format_ranges
from simorc.core.record import Status
from simorc.core.run_statistics import yields_lowest_first
from simorc.core.spec import Verdict
from simorc.core.sweep import Axis
from simorc.core.verdict import RunVerdict
from simorc.registry import load, names
from simorc.report import bench_view
from simorc.report.aggregate_table import aggregate_rows, group_text
from simorc.report.case_columns import case_columns
from simorc.report.case_table import case_rows, chosen_rows, columns, marginal_cases, parameter_columns
from simorc.report.chart import for_page
from simorc.report.data import failing_aggregates, rerun_command
from simorc.report.display import axis_values, count, value_text
from simorc.report.failing import failing
from simorc.report.notes import notes
from simorc.report.page import Page, Section, json_in_page
from simorc.report.plots import MOST_TIME_LINES, Picture, drawable, title_of
from simorc.report.provenance import facts, inputs
from simorc.report.spec_table import worst_rows
from simorc.report.statistics_view import sensitivities, statistics
from simorc.report.strip import strip
from simorc.report.table import Failure, failures

_MOST_VALUES = 16
_MOST_GROUPS = 300
_MOST_CASES_NAMED = 12
_LONGEST_RANGES = 160

MakeSection = Callable[[Page], Section | None]


def verdict(page: Page) -> Section:
    """PASS, FAIL or INCOMPLETE with the counts and the worst margin."""
    tally = page.data.tally
    good = tally[Status.COMPLETED] - tally.out_of_spec
    parts = [
        ("good", "in spec" if page.verdict is not RunVerdict.DONE else "completed", good),
        ("out", "out of spec", tally.out_of_spec),
        ("broken", "failed", tally[Status.FAILED]),
        ("open", "spared" if tally.spared else "pending", tally[Status.PENDING]),
        ("busy", "in progress", tally[Status.IN_PROGRESS]),
    ]
    worst = worst_rows(page.spec_rows)
    return page.section(
        "verdict",
        "",
        why=_why(page),
        tally=tally,
        parts=parts,
        worst=worst[0] if worst else None,
        lowest=next(iter(yields_lowest_first(page.data.statistics)), None),
        marginal=len(marginal_cases(page.data)),
    )


def _why(page: Page) -> list[str]:
    data, tally = page.data, page.data.tally
    sentences = []
    if tally.out_of_spec:
        named = ", ".join(dict.fromkeys(row.measure for row in page.spec_rows if row.verdict is RunVerdict.FAIL))
        sentences.append(f"{count(tally.out_of_spec, 'case')} out of spec{f' ({named})' if named else ''}.")
    if tally[Status.FAILED]:
        sentences.append(f"{count(tally[Status.FAILED], 'case')} failed to run.")
    beyond = failing_aggregates(data)
    for words, found in (
        ("out of spec", [result for result in beyond if result.value is not None]),
        ("without a value", [result for result in beyond if result.value is None]),
    ):
        named = ", ".join(dict.fromkeys(result.name for result in found))
        sentences += [f"{count(len(found), 'aggregate')} {words} ({named})."] if found else []
    waiting = tally[Status.PENDING] + tally[Status.IN_PROGRESS]
    if tally.spared:
        stopped = data.manifest["stopped_early"]
        sentences.append(f"Stopped early, {stopped.get('reached', '')}; {count(tally.spared, 'case')} spared.")
        waiting = max(waiting - tally.spared, 0)
    if waiting:
        sentences.append(f"{waiting:,} of {count(tally.total, 'case')} not finished.")
    if not data.cases:
        sentences.append("The sweep has no cases.")
    closing = {
        RunVerdict.PASS: f"All {count(tally.total, 'case')} completed, every limit is met.",
        RunVerdict.DONE: f"All {count(tally.total, 'case')} completed. Nothing has limits, so nothing was judged.",
    }
    return (sentences or [closing.get(page.verdict, "")]) + _marginal(page)


def _marginal(page: Page) -> list[str]:
    near = marginal_cases(page.data)
    named = ", ".join(dict.fromkeys(row.measure for row in page.spec_rows if row.n_marginal))
    return [f"{count(len(near), 'case')} inside every limit, but not by the uncertainty ({named})."] if near else []


def worst_corners(page: Page) -> Section | None:
    """The worst case of each measure with limits, and how to run it alone."""
    rows = worst_rows(page.spec_rows)
    if not rows:
        return None
    commands = [rerun_command(page.data, worst.case) for _, worst in rows]
    return page.section("worst", "Worst corners", rows=list(zip(rows, commands, strict=True)))


def spec_table(page: Page) -> Section | None:
    """Measured minimum, median and maximum against the limits."""
    if not page.data.measures:
        return None
    drawn = [Markup(strip(row.minimum, row.median, row.maximum, row.spec)) for row in page.spec_rows]
    elsewhere = [m for m in page.data.plan.measures if page.data.plan.target not in m.targets]
    return page.section(
        "specs", "Specifications", rows=list(zip(page.spec_rows, drawn, strict=True)), elsewhere=elsewhere
    )


def aggregates(page: Page) -> Section | None:
    """Values over several cases: each aggregate over its groups, then every group, failing ones first."""
    every = sorted(page.data.aggregates, key=lambda result: result.verdict is not Verdict.FAIL)
    if not every:
        return None
    summary = [
        (row, Markup(strip(row.minimum, row.median, row.maximum, row.spec)))
        for row in aggregate_rows(page.data.aggregates)
    ]
    results = every[:_MOST_GROUPS]
    groups = list(dict.fromkeys(name for result in results for name in result.group))
    cells = [[value_text(r.group[name]) if name in r.group else "" for name in groups] for r in results]
    rows = list(zip(results, cells, strict=True))
    return page.section(
        "aggregates",
        "Aggregates",
        summary=summary,
        rows=rows,
        groups=groups,
        total=len(every),
        group_text=group_text,
    )


def bench(page: Page) -> Section | None:
    """What was measured with: instruments, simulated parts and what is assumed about them, the course of bench time."""
    data = page.data
    if data.plan.bench is None:
        return None
    return page.section(
        "bench",
        "Bench",
        facts=bench_view.facts(data),
        instruments=bench_view.instruments(data),
        parts=bench_view.parts(data),
        drawn=_drawn(picture for picture in page.pictures if picture.of_bench),
        more=len(data.courses) - MOST_TIME_LINES,
    )


def plots(page: Page) -> Section | None:
    """What the plot specs ask for."""
    drawn = _drawn(picture for picture in page.pictures if not picture.of_bench)
    if not drawn:
        return None
    kept = drawable(page.data)
    undrawn = [title_of(spec) for spec in page.data.plan.plot_specs if spec not in kept]
    return page.section("plots", "Plots", drawn=drawn, default=not kept, undrawn=undrawn)


def _drawn(pictures: Iterable[Picture]) -> list[tuple[Picture, Markup, str]]:
    """Pictures with their static and their interactive form; made by us, escaped where it was made."""
    return [
        (picture, Markup(picture.inline), json_in_page(for_page(picture.chart)) if picture.chart else "")
        for picture in pictures
    ]


def failed(page: Page) -> Section | None:
    """Cases and measures that gave no value, with the log lines that say why; equal ones together."""
    listed = failures(page.data)
    if not listed:
        return None

    def key(failure: Failure) -> tuple[str, str, str]:
        return failure.kind, failure.measure, failure.message

    groups = [list(members) for _, members in groupby(sorted(listed, key=key), key)]
    groups.sort(key=lambda members: (members[0].measure != "", -len(members)))
    return page.section("failures", "Failures", groups=groups, most=_MOST_CASES_NAMED, ranges=_ranges)


def _ranges(members: Sequence[Failure]) -> str:
    text = format_ranges(failure.case.case_id for failure in members)
    return text if len(text) <= _LONGEST_RANGES else f"{text[:_LONGEST_RANGES].rpartition(',')[0]}, …"


def swept(page: Page) -> Section:
    """The axes with their values, what stood still, and which cases were chosen."""
    plan = page.data.plan
    fixed = {k: value_text(v) for k, v in plan.sweep.defaults.items() if k not in plan.sweep.swept}
    axes = [row for axis in plan.sweep.axes for row in _axis(axis)]
    return page.section("conditions", "Conditions", axes=axes, fixed=fixed, sweep=plan.sweep)


def _axis(axis: Axis) -> list[tuple[str, int, str, str]]:
    """Name, number of values, the values, and with which others it goes in step: then in the order of the steps."""
    rows = []
    for position, name in enumerate(axis.names):
        column = [row[position] for row in axis.rows]
        values = axis_values(column) if len(axis.names) == 1 else column
        shown = ", ".join(value_text(value) for value in values[:_MOST_VALUES])
        more = f", … {value_text(values[-1])}" if len(values) > _MOST_VALUES else ""
        rows.append((name, len(values), shown + more, ", ".join(n for n in axis.names if n != name)))
    return rows


def remarks(page: Page) -> Section | None:
    """Warnings and notes."""
    found = notes(page.data)
    return page.section("notes", "Notes", notes=found) if found else None


def provenance(page: Page) -> Section:
    """Versions, times and hashes: what this page rests on."""
    return page.section("provenance", "Provenance", facts=facts(page.data, page.made), inputs=inputs(page.data))


def cases(page: Page) -> Section | None:
    """Every case with its values."""
    if not page.data.cases:
        return None
    rows = case_rows(page.data, chosen_rows(page.data))
    carried = case_columns(page.data)
    return page.section(
        "cases",
        "Cases",
        swept=parameter_columns(page.data),
        columns=columns(page.data),
        rows=rows,
        total=len(page.data.cases),
        carried=len(carried["state"]),
        carried_json=json_in_page(carried),
        example=_example(page),
        marginal=any(cell.kind == "marginal" for row in rows for cell in row.cells),
    )


def _example(page: Page) -> str:
    """A filter that fits this run."""
    case, swept = page.data.cases[0], page.data.plan.sweep.swept
    return " ".join([f"{name}={value_text(case.parameters[name])}" for name in swept][:2]) or "state=failed"


SECTIONS: tuple[MakeSection, ...] = (
    verdict,
    worst_corners,
    spec_table,
    failing,
    aggregates,
    plots,
    failed,
    statistics,
    sensitivities,
    bench,
    swept,
    remarks,
    provenance,
    cases,
)
"""In the order of the page; a function that gives None is left out."""

_OTHERS_BEFORE = "conditions"


def sections(page: Page) -> list[Section]:
    """Every section that has something to say, simorc's own and those of other packages.

    A section of another package that raises an error costs the page that section alone: the error stands in its place.
    """
    own = [section for make in SECTIONS if (section := make(page)) is not None]
    others = [section for name in names("report_sections") if (section := _of_another(page, name)) is not None]
    place = next((i for i, section in enumerate(own) if section.key == _OTHERS_BEFORE), len(own))
    return [*own[:place], *others, *own[place:]]


def _of_another(page: Page, name: str) -> Section | None:
    try:
        make: MakeSection = load("report_sections", name)
        return make(page)
    except Exception as error:  # whatever somebody else's code does
        text = Markup('<p class="lead">Not made: {}: {}</p>').format(type(error).__name__, error)
        return Section(name, name, text)
