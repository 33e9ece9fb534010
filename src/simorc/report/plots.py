"""Plot specs into pictures: PNG and SVG files, and what stands in the page itself."""

from __future__ import annotations

import base64
import io
import re
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from matplotlib import rc_context
from matplotlib.figure import Figure

from simorc.core.errors import SimorcError
from simorc.core.measurement import Measure
from simorc.core.plan import PlotSpec
from simorc.report.chart import Chart
from simorc.report.chart_figure import figure_of
from simorc.report.data import ReportData
from simorc.report.display import axis_key, is_numeric
from simorc.report.plot_box import box_chart, has_failures, pareto_chart
from simorc.report.plot_heatmap import correlation_chart, heatmap_chart
from simorc.report.plot_histogram import histogram_chart
from simorc.report.plot_line import line_chart, tempco_chart
from simorc.report.plot_style import DARK, LIGHT, MANY, Theme, rc, variables
from simorc.report.plot_waveform import waveform_chart
from simorc.report.timeline_chart import timeline_chart

MakeChart = Callable[[PlotSpec, ReportData], Chart]

CHARTS: Mapping[str, MakeChart] = {
    "line": line_chart,
    "waveform": waveform_chart,
    "histogram": histogram_chart,
    "heatmap": heatmap_chart,
    "box": box_chart,
    "tempco": tempco_chart,
    "correlation": correlation_chart,
    "pareto": pareto_chart,
}
"""Kind of a plot spec -> what makes its chart. Each raises a UsageError for what the run does not have."""

MOST_INLINE_BYTES = 400_000
MOST_DEFAULTS = 12
MOST_TIME_LINES = 8
TIME_LINE = "bench-time-"
"""How the names of the time lines' files begin."""
_PNG_DPI = 200
_TITLE, _TITLE_PT = "title", 19


@dataclass(frozen=True, slots=True)
class Picture:
    """One drawn plot.

    Parameters
    ----------
    inline: HTML of the picture, self-contained, fit for a light and a dark page
    files: file name -> content, to lie beside the page
    problem: why it could not be drawn; empty where it was
    chart: what was drawn
    of_bench: whether it stands in the section on the bench, not among the plots
    """

    name: str
    title: str
    caption: str = ""
    inline: str = ""
    files: Mapping[str, bytes] = field(default_factory=dict)
    problem: str = ""
    chart: Chart | None = None
    of_bench: bool = False


def pictures(data: ReportData) -> list[Picture]:
    """All plots of the plan, or the default ones where it has none, and the time lines of the benches.

    A plot that cannot be drawn says why.
    """
    specs = drawable(data) or default_specs(data)
    return [*(_picture(spec, data, number) for number, spec in enumerate(specs)), *_time_lines(data)]


def _time_lines(data: ReportData) -> list[Picture]:
    bench, courses = data.plan.bench, data.courses[:MOST_TIME_LINES]
    ambient = bench.simulated.ambient if bench is not None and bench.simulated is not None else None
    made = []
    for number, lane in enumerate(courses, 1):
        which = f"bench {number}{f' ({lane.name})' if lane.name else ''}" if len(courses) > 1 else "the bench"
        chart, stem = timeline_chart(lane, ambient), f"{TIME_LINE}{number}"
        picture = picture_of(chart, stem, f"Time line of {which}", f"b{number}-")
        made.append(replace(picture, of_bench=True))
    return made


def drawable(data: ReportData) -> list[PlotSpec]:
    """The plot specs that the run's target can serve: a bench keeps no waveforms."""
    return [spec for spec in data.plan.plot_specs if data.plan.target == "spice" or spec.kind != "waveform"]


def default_specs(data: ReportData) -> list[PlotSpec]:
    """Each measure with limits (else each measure) against the numeric axis with the most points.

    Over Monte Carlo samples alone it is a histogram; a sweep without axes has no plots. Monte Carlo samples of several
    measures have their correlation too, and what fails a Pareto plot.
    """
    swept = {name: {axis_key(case.parameters[name]): None for case in data.cases} for name in data.plan.sweep.swept}
    varying = [name for name, values in swept.items() if len(values) > 1 and name not in ("seed", "corner_name")]
    samples = "mc_sample" in varying
    axes = [name for name in varying if name != "mc_sample"]
    failing = [PlotSpec("failures", "pareto")] if has_failures(data) else []
    if not axes and not samples:
        return failing
    numeric = [name for name in axes if is_numeric(case.parameters[name] for case in data.cases)]
    x = max(numeric or axes, key=lambda name: len(swept[name]), default="")
    texts = [name for name in axes if name != x and name not in numeric]
    few = [name for name in axes if name != x and len(swept[name]) <= MANY]
    group = next(iter([*texts, *few]), "")
    chosen = [m for m in data.measures_here if _has_limits(m)] or data.measures_here
    kind = "line" if x else "histogram"
    made = [PlotSpec(m.name, kind, x, (m.name,), group if x else "") for m in chosen[:MOST_DEFAULTS]]
    together = [PlotSpec("correlation", "correlation")] if samples and len(data.measures_here) > 1 else []
    return made + together + failing


def _has_limits(measure: Measure) -> bool:
    return measure.spec.has_limits or any(spec.has_limits for spec in measure.corner_specs.values())


def title_of(spec: PlotSpec) -> str:
    """The title asked for, else one made from what is drawn.

    >>> title_of(PlotSpec("p", "line", "temp", ("vout",), "vin"))
    'vout over temp, by vin'
    """
    if spec.title:
        return spec.title
    names = ", ".join(spec.y) or spec.name
    if spec.kind == "heatmap":
        return f"{names} over {spec.x} and {spec.group}"
    if spec.kind == "histogram":
        return f"Distribution of {names}"
    if spec.kind == "correlation":
        return "Correlation of measures"
    if spec.kind == "pareto":
        return f"What fails{f', by {spec.x}' if spec.x else ''}"
    if spec.kind == "tempco":
        return f"Drift of {names} over {spec.x}{f', by {spec.group}' if spec.group else ''}"
    over = f" over {spec.x}" if spec.x else ""
    transform = f" ({spec.transform})" if spec.transform != "none" else ""
    return f"{names}{transform}{over}{f', by {spec.group}' if spec.group else ''}"


def _picture(spec: PlotSpec, data: ReportData, number: int) -> Picture:
    title = title_of(spec)
    try:
        chart = CHARTS[spec.kind](spec, data)
    except SimorcError as error:
        return Picture(spec.name, title, problem=str(error))
    return replace(picture_of(chart, _file_name(spec.name, number), title, f"p{number}-"), name=spec.name)


def picture_of(chart: Chart, stem: str, title: str, prefix: str) -> Picture:
    """A chart drawn.

    Parameters
    ----------
    stem: of the names of its files
    prefix: of the ids in its HTML, different for every picture of a page
    """
    with rc_context(rc()), warnings.catch_warnings():
        # The PNG lacks what its font lacks; page and SVG use the reader's fonts.
        warnings.filterwarnings("ignore", message="Glyph .* missing")
        figure = figure_of(chart, LIGHT)
        _lay_out(figure, title, LIGHT)
        png, svg = _written(figure, "png"), _written(figure, "svg")
        inline = inline_svg(svg.decode(), prefix, title)
        if len(inline) > MOST_INLINE_BYTES:
            dark = figure_of(chart, DARK)
            _lay_out(dark, title, DARK)
            inline = _inline_png(png, _written(dark, "png"), title)
    return Picture(stem, title, chart.caption, inline, {f"{stem}.png": png, f"{stem}.svg": svg}, chart=chart)


def _file_name(name: str, number: int) -> str:
    """The spec's own name, where it is fit for a file; else what remains of it, made unique by its number."""
    safe = re.sub(r"\W+", "_", name, flags=re.ASCII)
    return name if re.fullmatch(r"\w[\w.-]*", name, re.ASCII) else f"plot{number}{safe}"


def _lay_out(figure: Figure, title: str, theme: Theme) -> None:
    """Put the title above and place everything once, for all files that are written."""
    text = " ".join(title.split())
    heading = figure.suptitle(text, x=0.015, ha="left", fontsize=10.5, fontweight="bold", color=theme.ink)
    heading.set_gid(_TITLE)
    figure.draw_without_rendering()
    figure.set_layout_engine("none")


def _written(figure: Figure, kind: str) -> bytes:
    """A figure as `png` or `svg`, the same bytes whenever it is drawn."""
    buffer = io.BytesIO()
    metadata = {"Date": None, "Creator": "simorc"} if kind == "svg" else {"Software": "simorc"}
    figure.savefig(buffer, format=kind, dpi=_PNG_DPI if kind == "png" else 72, metadata=metadata)
    return buffer.getvalue()


def inline_svg(svg: str, prefix: str, title: str) -> str:
    """An SVG of matplotlib made fit for a page: no prologue, own ids, colours and font of the page.

    Colours of the light theme become the page's variables, so that one drawing serves light and dark. The title is
    cut off: it is a heading of the page there.
    """
    body = svg[svg.index("<svg") :]
    body = re.sub(rf'<g id="{_TITLE}">.*?</g>', "", body, flags=re.DOTALL)
    body = re.sub(r'viewBox="0 0 (\S+) (\S+)"', _without_title, body, count=1)
    body = re.sub(r"<metadata>.*?</metadata>|<!--.*?-->", "", body, flags=re.DOTALL)
    names = {colour: f"var(--{name})" for name, colour in variables(LIGHT).items()}
    body = re.sub(r"<[^>]*>", lambda tag: _dressed(tag.group(), prefix, names), body)
    label = title.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")
    head, rest = body.split(">", 1)
    head = re.sub(r' (width|height)="[^"]*"', "", head)
    return f'{head} role="img" aria-label="{label}">{rest}'


def _dressed(tag: str, prefix: str, colours: Mapping[str, str]) -> str:
    """One tag with its own ids, two decimals, the page's font and colours. What people read stands between tags."""
    tag = re.sub(r"font-family: [^;\"]*;? ?", "", tag)
    tag = re.sub(r'\bid="|url\(#|href="#', lambda match: match.group() + prefix, tag)
    tag = re.sub(r"(\d\.\d\d)\d+", r"\1", tag)
    return re.sub(r"#[0-9a-f]{6}\b", lambda match: colours.get(match.group(), match.group()), tag)


def _without_title(match: re.Match[str]) -> str:
    return f'viewBox="0 {_TITLE_PT} {match[1]} {float(match[2]) - _TITLE_PT:g}"'


def _inline_png(light: bytes, dark: bytes, title: str) -> str:
    sources = [base64.b64encode(png).decode() for png in (dark, light)]
    label = title.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")
    return (
        '<picture><source media="(prefers-color-scheme: dark)" '
        f'srcset="data:image/png;base64,{sources[0]}">'
        f'<img alt="{label}" src="data:image/png;base64,{sources[1]}"></picture>'
    )
